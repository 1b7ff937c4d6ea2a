// In a frame: tells the page around it what becomes of the session, as docs/embedding.md has it.
(function () {
  "use strict";
  var body = document.body, session = body.getAttribute("data-session"), framers = (body.getAttribute("data-framers") || "").split(" ");
  if (window.parent === window) { return; }
  // What is on the page may be replaced, so a tap is heard wherever it falls.
  function tapped(selector, then) {
    document.addEventListener("click", function (event) {
      for (var e = event.target; e && e !== document; e = e.parentNode) {
        if (e.matches && e.matches(selector)) { then(e); return; }
      }
    });
  }
  tapped(".help a", function (a) { a.target = "_blank"; }); // help must not end the visit
  if (!session) { return; }

  // Who is told: the page around, where the browser says who that is, else whichever of those that may frame this one it is.
  var around = location.ancestorOrigins && location.ancestorOrigins[0];
  if (framers.indexOf(around) >= 0) { framers = [around]; }
  function post(type) {
    framers.forEach(function (origin) { window.parent.postMessage({ source: "coinslot", type: type, session: session }, origin); });
  }

  // A form's answer is another document in the same frame: the frame's name keeps what was told last.
  var mark = "coinslot " + session + " ";
  function tell(type) {
    if (!type || window.name === mark + type) { return; }
    window.name = mark + type;
    post(type);
  }
  var types = {
    pending: "opened", wallet: "opened", processing: "processing", authorized: "processing",
    verify: "processing", paid: "succeeded", refunded: "succeeded", failed: "failed", expired: "failed", cancelled: "cancelled"
  };
  function shown() { body.className.split(" ").forEach(function (state) { tell(types[state]); }); }

  if (window.name.indexOf(mark) !== 0) { tell("opened"); }
  shown();
  if (window.MutationObserver) { new MutationObserver(shown).observe(body, { attributes: true, attributeFilter: ["class"] }); }
  window.addEventListener("pageshow", function (event) { if (event.persisted) { shown(); } });
  document.addEventListener("submit", function (event) {
    if (!event.defaultPrevented && /\/pay$/.test(event.target.getAttribute("action"))) { tell("processing"); }
  });
  tapped("[data-leave]", function () { post("closed"); });
})();
