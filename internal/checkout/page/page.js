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
  all("form", function (form) {
    var sent = false, button = form.querySelector("button[type=submit]");
    form.addEventListener("submit", function (event) {
      if (sent || (form.className === "card" && !check()) || offline(form, button)) { event.preventDefault(); return; }
      sent = true;
      button.setAttribute("aria-disabled", "true");
      var label = button.querySelector("span"), busy = button.getAttribute("data-busy");
      if (label && busy) { button.setAttribute("data-rest", label.textContent); label.textContent = busy; }
    });
    // A page that comes back from the browser's memory is ready again.
    window.addEventListener("pageshow", function (event) {
      if (!event.persisted || !sent) { return; }
      sent = false;
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

  // The card form.
  var number = byID("number"), expiry = byID("expiry"), cvc = byID("cvc");
  function amex() { return /^3[47]/.test(digits(number.value)); }
  function grouped(d) { return amex() ? d.replace(/^(.{4})(.{1,6})?(.*)$/, "$1 $2 $3").trim() : d.replace(/(.{4})(?=.)/g, "$1 "); }
  function dated(d) {
    if (/^[2-9]/.test(d)) { d = "0" + d; }
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
    input.addEventListener("input", function (event) {
      if (event.isComposing) { return; } // an input method has not made up its mind
      if (event.inputType !== "deleteContentBackward") { format(input, write, most()); }
      if (input.hasAttribute("aria-invalid") && !wrong()) { tell(input, ""); }
    });
    input.addEventListener("compositionend", function () { format(input, write, most()); });
    input.addEventListener("blur", function () { if (input.value && wrong()) { tell(input, wrong()); } });
  }
  if (number) {
    watch(number, grouped, function () { return amex() ? 15 : 19; }, numberWrong);
    watch(expiry, dated, function () { return 6; }, expiryWrong);
    watch(cvc, String, function () { return 4; }, cvcWrong);
  }

  // The sandbox's cards fill themselves in.
  all("[data-card]", function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      number.value = digits(button.getAttribute("data-card"));
      number.value = grouped(number.value);
      expiry.value = document.querySelector("[data-expiry]").getAttribute("data-expiry");
      cvc.value = amex() ? "1234" : "123";
      [number, expiry, cvc].forEach(function (input) { tell(input, ""); });
      document.querySelector(".card button").focus();
    });
  });

  // An image that does not load leaves the drawing behind it.
  all(".picture img, .logo", function (img) {
    function drop() { img.hidden = true; }
    if (img.complete && !img.naturalWidth) { drop(); }
    img.addEventListener("error", drop);
  });

  // Ask how things stand, and load the page again once it is no longer what is shown.
  var poll = body.getAttribute("data-poll"), waiting = /processing|verify|authorized/.test(body.className), pause = 1000, timer;
  function ask() {
    clearTimeout(timer);
    var request = new XMLHttpRequest();
    request.open("GET", poll);
    request.timeout = 10000;
    request.onloadend = function () {
      var now = null;
      if (request.status === 200) { try { now = JSON.parse(request.responseText); } catch (e) { now = null; } }
      if (now && [now.status, now.payment || "", now.attempt].join(".") !== body.getAttribute("data-seen")) {
        location.replace(poll.replace(/\/state$/, ""));
        return;
      }
      if (waiting) { pause = Math.min(pause * 1.3, 8000); timer = setTimeout(ask, pause); }
    };
    request.send();
  }
  if (poll) {
    if (waiting) { timer = setTimeout(ask, pause); }
    document.addEventListener("visibilitychange", function () { if (!document.hidden) { pause = 1000; ask(); } });
    window.addEventListener("pageshow", function (event) { if (event.persisted) { ask(); } });
  }

  // The way back, tried once by itself; the link stays for browsers that want a tap. In a frame only a tap leads there.
  var back = byID("back");
  if (back && back.hasAttribute("data-auto") && window.parent === window && !tried()) {
    returning(true);
    setTimeout(function () { location.href = back.href; }, 2000);
    window.addEventListener("pageshow", function (event) { if (event.persisted) { returning(false); } });
  }
  function returning(shown) { all(".returning", function (p) { p.hidden = !shown; }); }
  function tried() {
    var key = "returned " + poll;
    try {
      if (sessionStorage.getItem(key)) { return true; }
      sessionStorage.setItem(key, "1");
    } catch (e) { return false; }
    return false;
  }
})();
