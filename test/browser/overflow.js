// What a text or a picture has pushed out of its place: a page that is too wide, an
// element beyond the screen's edge, a text that is cut or that leaves its box, and
// inputs side by side that are not level. It is called with nothing and returns sentences.
() => {
  const out = [];
  const root = document.documentElement;
  const name = e => "<" + e.tagName.toLowerCase() + (e.className && e.className.baseVal === undefined ? "." + e.className : "") + "> " + JSON.stringify((e.textContent || "").trim().slice(0, 40));
  const heard = e => e && (getComputedStyle(e).clip === "rect(0px, 0px, 0px, 0px)" || heard(e.parentElement)); // by screen readers only
  const unseen = e => heard(e) || e.closest("[hidden]") || e.closest("details:not([open]) > :not(summary)");
  if (root.scrollWidth > innerWidth) out.push("the page is too wide: " + root.scrollWidth);
  for (const e of document.body.querySelectorAll("*")) {
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    if (unseen(e) || !box.width || style.visibility === "hidden" || e.closest("svg, script, noscript, style")) continue;
    if (box.left < -1 || box.right > innerWidth + 1) out.push("beyond the screen: " + name(e));
    if (style.display !== "inline" && e.scrollWidth > e.clientWidth + 1 && e.clientWidth) out.push("cut at its side: " + name(e));
    if (!/visible|auto|scroll/.test(style.overflowY) && e.scrollHeight > e.clientHeight + 1 && e.tagName !== "INPUT") out.push("cut below: " + name(e));
  }
  // What can be scrolled to is not cut.
  const scrolls = e => { for (; e; e = e.parentElement) { if (e !== root && /auto|scroll/.test(getComputedStyle(e).overflowY)) return true; } };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text; (text = walk.nextNode());) {
    let e = text.parentElement;
    if (!text.data.trim() || unseen(e) || scrolls(e) || e.closest("svg, script, noscript, style")) continue;
    while (getComputedStyle(e).display === "inline" && e.parentElement) e = e.parentElement;
    const box = e.getBoundingClientRect(), range = document.createRange();
    range.selectNodeContents(text);
    for (const r of range.getClientRects()) {
      if (r.width && box.width && (r.left < box.left - 2 || r.right > box.right + 2 || r.top < box.top - 4 || r.bottom > box.bottom + 4)) {
        out.push("a text leaves its box: " + name(e));
        break;
      }
    }
  }
  for (const e of document.querySelectorAll(".button, .quiet")) {
    if (e.clientHeight > 76) out.push("a button of three lines: " + name(e));
  }
  const pen = document.createElement("canvas").getContext("2d");
  for (const e of document.querySelectorAll("input[placeholder]")) {
    const style = getComputedStyle(e);
    pen.font = style.font;
    const room = e.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (pen.measureText(e.placeholder).width > room) out.push("a placeholder is cut: " + e.placeholder);
  }
  const tops = ["expiry", "cvc"].map(id => document.getElementById(id)).filter(Boolean).map(e => e.getBoundingClientRect().top);
  if (tops.length && tops[0] !== tops[1]) out.push("the inputs are not level: " + tops);
  return out;
}
