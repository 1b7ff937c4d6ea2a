// The inbox works without this, but for the copy buttons, and is then loaded again by hand.
(() => {
  "use strict";
  const byID = id => document.getElementById(id);

  // One listener for all copy buttons, those that come in with a list too.
  const offer = () => document.querySelectorAll("[data-copy]").forEach(button => { button.hidden = !navigator.clipboard; });
  document.addEventListener("click", async event => {
    const button = event.target.closest("[data-copy]");
    if (!button) { return; }
    try {
      await navigator.clipboard.writeText(byID(button.dataset.copy).textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(byID(button.dataset.copy));
      button.textContent = "Selected: copy it by the keyboard";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  offer();

  // The server says that there is more, and the list is asked for again.
  const main = document.querySelector("main[data-live]"), most = 500;
  if (!main || !window.EventSource) { return; }
  const status = byID("live");
  let source, seen = 0, looking = false, again = false, arrived = 0;
  const say = (text, lost) => { status.hidden = false; status.textContent = text; status.classList.toggle("lost", !!lost); };
  const count = () => arrived === 1 ? "Live: 1 new webhook" : arrived ? "Live: " + arrived + " new webhooks" : "Live";

  // Rows that are there stay the elements that they are, so that focus and selection stay too.
  const take = page => {
    const fresh = page.getElementById("list"), rows = [...fresh.querySelectorAll(".events > li")];
    const unknown = rows.filter(row => !byID(row.id)), ours = document.querySelector("#list .events");
    if (!unknown.length) { return; }
    arrived += unknown.length;
    unknown.forEach(row => row.classList.add("fresh"));
    if (!ours || unknown.length === rows.length || ours.children.length + unknown.length > most) {
      byID("list").replaceWith(document.importNode(fresh, true));
      offer();
      return;
    }
    const first = ours.firstChild;
    unknown.forEach(row => ours.insertBefore(document.importNode(row, true), first));
  };
  const look = async () => {
    if (looking) { again = true; return; }
    looking = true;
    do {
      again = false;
      try {
        const answer = await fetch(main.dataset.list, { cache: "no-store" });
        if (!answer.ok) { throw new Error("answered " + answer.status); }
        take(new DOMParser().parseFromString(await answer.text(), "text/html"));
        say(count());
      } catch { say("Not live: reload to look again", true); }
    } while (again);
    looking = false;
  };

  // A tab that nobody sees holds no connection: a browser has few for each server.
  const open = () => {
    if (source || document.hidden) { return; }
    const address = new URL(main.dataset.live, location.href);
    if (seen) { address.searchParams.set("after", seen); }
    source = new EventSource(address);
    source.onopen = () => say(count());
    source.onmessage = event => { seen = +event.data; look(); };
    source.onerror = () => {
      say("Connecting again", true);
      if (source.readyState === EventSource.CLOSED) { close(); setTimeout(open, 5000); }
    };
  };
  const close = () => { if (source) { source.close(); source = null; } };
  document.addEventListener("visibilitychange", () => { if (document.hidden) { close(); } else { open(); } });
  addEventListener("pagehide", close);
  addEventListener("pageshow", event => { if (event.persisted) { open(); look(); } });
  open();
})();
