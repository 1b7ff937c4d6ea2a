// The page works without this. Old web views run it too, hence the old dialect.
(function () {
  "use strict";
  var body = document.body;
  function all(selector, each) { Array.prototype.forEach.call(document.querySelectorAll(selector), each); }
  function byID(id) { return document.getElementById(id); }
  // The digits of Arabic and Persian keyboards and the wide ones of Japanese and Chinese, as a card has them.
  function western(text) {
    return text.replace(/[\u0660-\u0669\u06f0-\u06f9\uff0f-\uff19]/g, function (c) {
      var code = c.charCodeAt(0);
      return String.fromCharCode(code > 0xff00 ? code - 0xfee0 : code % 16 + 48);
    });
  }
  function digits(text) { return western(text).replace(/\D/g, ""); }

  // One tap, one form: the server charges once whatever is sent, and this shows why nothing more happens.
  var sentAt = 0;
  function forms() {
    all("form", function (form) {
      var button = form.querySelector("button[type=submit]");
      form.addEventListener("submit", function (event) {
        if (sentAt || (form.className === "card" && !check()) || offline(form, button)) { event.preventDefault(); return; }
        sentAt = Date.now();
        button.setAttribute("aria-disabled", "true");
        var label = button.querySelector("span"), busy = button.getAttribute("data-busy");
        if (label && busy) { button.setAttribute("data-rest", label.textContent); label.textContent = busy; }
      });
    });
  }
  // A page that comes back from the browser's memory is ready again.
  window.addEventListener("pageshow", function (event) {
    if (!event.persisted || !sentAt) { return; }
    sentAt = 0;
    all("[aria-disabled]", function (button) {
      button.removeAttribute("aria-disabled");
      if (button.hasAttribute("data-rest")) { button.querySelector("span").textContent = button.getAttribute("data-rest"); }
    });
  });

  // The browser's own page for who is offline would take what was typed with it.
  function offline(form, button) {
    onlineAgain();
    if (navigator.onLine !== false) { return false; }
    var told = document.createElement("p");
    told.className = "alert offline";
    told.setAttribute("role", "alert");
    told.textContent = body.getAttribute("data-offline");
    form.insertBefore(told, button);
    return true;
  }
  function onlineAgain() { all(".offline", function (p) { p.parentNode.removeChild(p); }); }
  window.addEventListener("online", onlineAgain);

  // The card form. A brand is its first digits, its name, and what stands on its plate.
  var brands = [
    [/^4/, "Visa", "VISA", "#1d3b8b"],
    [/^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, "Mastercard", "MC", "#b3341f"],
    [/^3[47]/, "American Express", "AMEX", "#0a6ab0"],
    [/^(6011|65|64[4-9])/, "Discover", "DISC", "#a64b00"],
    [/^35(2[89]|[3-8])/, "JCB", "JCB", "#0f6b3c"],
    [/^3(0[0-5]|[68])/, "Diners Club", "DC", "#41556b"],
    [/^62/, "UnionPay", "UP", "#8a1d3f"]
  ];
  var number, expiry, cvc, plain, shown;
  function brand() {
    var d = digits(number.value);
    for (var i = 0; i < brands.length; i++) { if (brands[i][0].test(d)) { return brands[i]; } }
    return null;
  }
  function amex() { return /^3[47]/.test(digits(number.value)); }
  function grouped(d) {
    return /^3[0-8]/.test(d) && !/^35/.test(d) ? d.replace(/^(.{4})(.{1,6})?(.*)$/, "$1 $2 $3").trim() : d.replace(/(.{4})(?=.)/g, "$1 ");
  }
  function dated(d) {
    if (/^[2-9]/.test(d)) { d = "0" + d; }
    if (/^..20../.test(d)) { d = d.slice(0, 2) + d.slice(4); }
    return d.length > 2 ? d.slice(0, 2) + "/" + d.slice(2) : d;
  }
  // Rewrites an input as it is typed in, the caret behind the same digit as before.
  function format(input, write, most) {
    var before = digits(input.value.slice(0, input.selectionStart)).length, was = input.value;
    var next = write(digits(was).slice(0, most));
    if (next === was) { return; }
    var end = input.selectionStart === was.length;
    input.value = next;
    if (end || document.activeElement !== input) { return; }
    var at = 0;
    while (before > 0 && at < next.length) { if (/\d/.test(next.charAt(at))) { before--; } at++; }
    input.setSelectionRange(at, at);
  }
  // Shows whose card it is, and where its code stands.
  function mark() {
    var b = brand(), name = b ? b[1] : "";
    number.form.querySelector("fieldset").className = amex() ? "amex" : "";
    if (name === shown) { return; }
    shown = name;
    byID("number-brand").textContent = name;
    byID("number-mark").innerHTML = b ? '<svg class="plate" viewBox="0 0 36 24"><rect width="36" height="24" rx="4" fill="' + b[3] +
      '"/><text x="18" y="16" fill="#fff" text-anchor="middle" lengthAdjust="spacingAndGlyphs" textLength="' + (6 * b[2].length + 2) + '">' + b[2] + "</text></svg>" : plain;
    hint();
  }
  // The error says the same as the hint, which then is not said twice.
  function hint() {
    byID("cvc-hint").textContent = byID("cvc-error").textContent ? "" : cvc.getAttribute(amex() ? "data-amex" : "data-wrong");
  }
  function luhn(d) {
    for (var sum = 0, i = 0; i < d.length; i++) {
      var n = +d.charAt(d.length - 1 - i) * (i % 2 + 1);
      sum += n > 9 ? n - 9 : n;
    }
    return sum % 10 === 0;
  }
  function numberWrong() {
    var d = digits(number.value);
    return d.length < 12 || d.length > 19 || !luhn(d) ? "data-wrong" : "";
  }
  function expiryWrong() {
    var m = /^\s*(\d{1,2})\s*[\/.\-\s]?\s*(?:20)?(\d{2})\s*$/.exec(western(expiry.value)), now = new Date();
    if (!m || +m[1] < 1 || +m[1] > 12) { return "data-wrong"; }
    return (2000 + +m[2]) * 12 + +m[1] < now.getFullYear() * 12 + now.getMonth() + 1 ? "data-past" : "";
  }
  function cvcWrong() {
    if (amex()) { return /^\d{4}$/.test(western(cvc.value)) ? "" : "data-amex"; }
    return /^\d{3}$/.test(western(cvc.value)) ? "" : "data-wrong";
  }
  function tell(input, wrong) {
    byID(input.id + "-error").textContent = wrong ? input.getAttribute(wrong) : "";
    if (wrong) { input.setAttribute("aria-invalid", "true"); } else { input.removeAttribute("aria-invalid"); }
    if (input === cvc) { hint(); }
    return !wrong;
  }
  function check() {
    var ok = [[number, numberWrong()], [expiry, expiryWrong()], [cvc, cvcWrong()]];
    var first = null;
    ok.forEach(function (pair) { if (!tell(pair[0], pair[1]) && !first) { first = pair[0]; } });
    if (first) { first.focus(); }
    return !first;
  }
  function watch(input, write, most, wrong) {
    function tidy() {
      format(input, write, most());
      if (input === number) { mark(); }
    }
    input.addEventListener("input", function (event) {
      if (event.isComposing) { return; } // an input method has not made up its mind
      tidy();
      if (input.hasAttribute("aria-invalid") && !wrong()) { tell(input, ""); }
    });
    input.addEventListener("compositionend", tidy);
    input.addEventListener("change", tidy); // some browsers fill in without a word
    input.addEventListener("blur", function () { if (input.value && wrong()) { tell(input, wrong()); } });
  }
  function cardForm() {
    number = byID("number"); expiry = byID("expiry"); cvc = byID("cvc"); shown = "";
    if (!number) { return; }
    plain = byID("number-mark").innerHTML;
    watch(number, grouped, function () { return amex() ? 15 : 19; }, numberWrong);
    // A year first is how browsers write a date for themselves.
    watch(expiry, function (d) {
      var iso = /^\s*(20\d\d)\D(\d\d)\s*$/.exec(western(expiry.value));
      return iso ? iso[2] + "/" + iso[1].slice(2) : dated(d);
    }, function () { return 6; }, expiryWrong);
    watch(cvc, String, function () { return brand() && !amex() ? 3 : 4; }, cvcWrong);
    if (number.value) { mark(); } // the browser remembered it
    // The sandbox's cards fill themselves in.
    all("[data-card]", function (button) {
      button.hidden = false;
      button.addEventListener("click", function () {
        number.value = grouped(digits(button.getAttribute("data-card")));
        expiry.value = document.querySelector("[data-expiry]").getAttribute("data-expiry");
        cvc.value = amex() ? "1234" : "123";
        mark();
        [number, expiry, cvc].forEach(function (input) { tell(input, ""); });
        document.querySelector(".card button").focus();
      });
    });
  }

  // The page's address can be taken elsewhere.
  function copies() {
    all("[data-copy]", function (button) {
      function done() {
        button.textContent = button.getAttribute("data-copied");
        button.parentNode.querySelector("[role=status]").textContent = button.textContent;
      }
      function byHand() {
        var area = document.createElement("textarea");
        area.value = button.getAttribute("data-copy");
        body.appendChild(area);
        area.select();
        if (document.execCommand("copy")) { done(); }
        body.removeChild(area);
        button.focus();
      }
      button.hidden = false;
      button.addEventListener("click", function () {
        if (!navigator.clipboard) { byHand(); return; }
        navigator.clipboard.writeText(button.getAttribute("data-copy")).then(done, byHand);
      });
    });
  }

  // An image that does not load leaves the drawing behind it.
  function pictures() {
    all(".picture img, .logo", function (img) {
      function drop() { img.hidden = true; }
      if (img.complete && !img.naturalWidth) { drop(); }
      img.addEventListener("error", drop);
    });
  }

  // The way back, tried once by itself while somebody looks; the link stays for browsers
  // that want a tap, and the page says so where the try came to nothing.
  function wayBack() {
    var back = byID("back"), said = document.querySelector(".returning");
    if (!back || !said || window.parent !== window) { return; } // in a frame only a tap leads there
    function go() {
      if (document.hidden) { document.addEventListener("visibilitychange", go, { once: true }); return; }
      if (tried()) { return; }
      said.hidden = false;
      setTimeout(function () {
        var gone = false;
        function left() { gone = true; said.hidden = true; }
        window.addEventListener("pagehide", left);
        document.addEventListener("visibilitychange", left);
        setTimeout(function () {
          if (!gone) { said.textContent = said.getAttribute("data-tap"); }
        }, 2500);
        location.href = back.href;
      }, 2000);
    }
    go();
  }
  function tried() {
    var key = "returned " + poll;
    try {
      if (sessionStorage.getItem(key)) { return true; }
      sessionStorage.setItem(key, "1");
    } catch (e) { return false; }
    return false;
  }

  // What is on the page is made to work: at first, and when it was replaced.
  function ready() {
    forms();
    cardForm();
    copies();
    pictures();
    wayBack();
  }

  // How things stand is told by the server as it changes, and asked for where it is not.
  var poll = body.getAttribute("data-poll"), page = poll.replace(/\/state$/, ""), typed = null, renewing = false, stale = false;
  var source = null, hearing = false, silence, timer, hiding, pause = 0, again, patience = 1000;
  function pending() { return /^pending/.test(body.getAttribute("data-seen")); }
  function get(address, then) {
    var request = new XMLHttpRequest();
    request.open("GET", address);
    request.timeout = 10000;
    request.onloadend = function () { then(request.status, request.responseText); };
    request.send();
  }
  function compare(text) {
    var now;
    try { now = JSON.parse(text); } catch (e) { return; }
    if (!now.status || [now.status, now.payment || "", now.attempt, now.note || ""].join(".") === body.getAttribute("data-seen")) { return; }
    // An own form's answer is on its way, and says it all.
    if (sentAt && Date.now() - sentAt < 6000) { setTimeout(ask, 2000); return; }
    renew();
  }
  function ask() {
    get(poll, function (status, text) { if (status === 200) { compare(text); } });
  }
  // Puts the page as it is now in the place of what is shown, and keeps what was typed.
  function renew() {
    if (location.pathname !== page || !window.DOMParser) { location.replace(page); return; }
    if (renewing) { stale = true; return; }
    renewing = true;
    get(page, function (status, text) {
      // Its style and script carry another answer's nonce, and are here already.
      text = text.replace(/<(style|script) nonce[\s\S]*?<\/\1>/g, "");
      var next = status === 200 ? new DOMParser().parseFromString(text, "text/html") : null;
      var main = next && next.querySelector("main"), old = document.querySelector("main");
      renewing = false;
      // What came meanwhile may be newer than what was got, and what could not be got is got later.
      var later = !status || status === 429 || status >= 500;
      if (stale || later) { stale = false; setTimeout(ask, later ? 3000 : 0); }
      if (!main || !next.body.getAttribute("data-seen")) { if (!later) { location.replace(page); } return; }
      if (number) { typed = [number.value, expiry.value, cvc.value]; }
      sentAt = 0;
      document.title = next.title;
      body.className = next.body.className;
      body.setAttribute("data-seen", next.body.getAttribute("data-seen"));
      old.parentNode.replaceChild(document.adoptNode(main), old);
      ready();
      if (!pending()) { typed = null; hush(); }
      if (number && typed) {
        number.value = typed[0]; expiry.value = typed[1]; cvc.value = typed[2];
        mark();
      }
      var news = document.querySelector(".news h1, .alert") || document.querySelector("h1");
      news.setAttribute("tabindex", "-1");
      news.focus();
      window.scrollTo(0, 0);
      pause = 0;
      loop();
    });
  }

  // Listens, for as long as something can change.
  function listen() {
    clearTimeout(again);
    if (source || !window.EventSource || !pending() || document.hidden) { return; }
    source = new EventSource(page + "/live");
    source.onmessage = function (event) { heard(); compare(event.data); };
    source.addEventListener("beat", heard);
    source.onerror = deaf;
    silence = setTimeout(deaf, 8000); // a proxy that keeps all back until the end
  }
  function heard() {
    hearing = true;
    patience = 1000;
    clearTimeout(silence);
    silence = setTimeout(deaf, 40000); // there is a beat every 15 s
  }
  function hush() {
    if (source) { source.close(); }
    source = null;
    hearing = false;
    clearTimeout(silence);
    clearTimeout(again);
  }
  function deaf() {
    hush();
    pause = 0;
    loop();
    patience = Math.min(patience * 2, 60000);
    again = setTimeout(listen, patience * (0.5 + Math.random())); // not everybody at once after a restart
  }
  // Asks now and then while nothing is heard: more often where something is about to change.
  function loop() {
    clearTimeout(timer);
    if (!pending()) { return; }
    var waiting = /processing|verify|authorized/.test(body.className);
    pause = pause ? Math.min(pause * 1.4, waiting ? 8000 : 30000) : waiting ? 1000 : 4000;
    timer = setTimeout(function () {
      if (!hearing && !document.hidden) { ask(); }
      loop();
    }, pause);
  }
  function back() {
    clearTimeout(hiding);
    pause = 0;
    ask();
    listen();
    loop();
  }

  ready();
  if (poll) {
    listen();
    loop();
    document.addEventListener("visibilitychange", function () {
      clearTimeout(hiding);
      if (document.hidden) { hiding = setTimeout(hush, 30000); } else { back(); }
    });
    window.addEventListener("pagehide", hush);
    window.addEventListener("pageshow", function (event) {
      if (!event.persisted) { return; }
      all(".returning", function (p) { p.hidden = true; });
      back();
    });
    window.addEventListener("online", back);
  }
})();
