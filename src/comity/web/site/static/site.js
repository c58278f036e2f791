// What pages do by themselves: keys, the palette, dialogs, toasts, live changes. Everything else works without it.
"use strict";
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  for (const element of all(".script")) element.hidden = false;

  // Dialogs and toasts.
  const open = (id) => { const dialog = document.getElementById(id); if (dialog && !dialog.open) dialog.showModal(); return dialog; };
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) { opener.dataset.opens === "palette" ? openPalette() : open(opener.dataset.opens); return; }
    const closer = event.target.closest("[data-closes]");
    if (closer) { closer.closest(".toast, dialog").remove(); return; }
    if (event.target.tagName === "DIALOG") event.target.close();
    for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("htmx:afterSettle", () => { for (const element of all(".script[hidden]")) element.hidden = false; });

  for (const toast of all(".toast[data-seconds]")) { // what can be taken back for so long
    const left = toast.insertBefore(document.createElement("span"), toast.children[1]);
    left.className = "left";
    let seconds = Number(toast.dataset.seconds);
    const tick = () => { if (seconds < 1) { toast.remove(); return; } left.textContent = `${seconds} s`; seconds -= 1; setTimeout(tick, 1000); };
    tick();
  }

  // The palette.
  const palette = document.getElementById("palette");
  const options = palette ? all("[role=option]", palette) : [];
  const input = palette ? $("input", palette) : null;
  const shown = () => options.filter((option) => !option.hidden);
  const select = (option) => {
    for (const each of options) each.setAttribute("aria-selected", String(each === option));
    if (option) { input.setAttribute("aria-activedescendant", option.id); option.scrollIntoView({ block: "nearest" }); }
    else input.removeAttribute("aria-activedescendant");
  };
  const filter = () => {
    const letters = [...input.value.toLowerCase().replace(/\s/g, "")];
    for (const option of options) {
      let from = 0;
      const text = option.textContent.toLowerCase();
      option.hidden = !letters.every((letter) => { const at = text.indexOf(letter, from); from = at + 1; return at >= 0; });
    }
    select(shown()[0]);
    document.getElementById("palette-none").hidden = shown().length > 0;
  };
  const openPalette = () => { if (!palette || palette.open) return; input.value = ""; filter(); palette.showModal(); input.focus(); };
  if (palette) {
    input.addEventListener("input", filter);
    input.addEventListener("keydown", (event) => {
      const rows = shown(), at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
      if (event.key === "ArrowDown") select(rows[(at + 1) % rows.length]);
      else if (event.key === "ArrowUp") select(rows[(at - 1 + rows.length) % rows.length]);
      else if (event.key === "Enter" && rows[at]) location.assign(rows[at].dataset.href);
      else return;
      event.preventDefault();
    });
    palette.addEventListener("click", (event) => { const option = event.target.closest("[role=option]"); if (option) location.assign(option.dataset.href); });
  }

  // Keys. A page adds its own with data-key="x" on a button or link.
  const rows = () => { const lists = all("[data-rows]"); return lists.length ? [...lists[0].children] : []; };
  const move = (by) => {
    const list = rows(), at = list.findIndex((row) => row.classList.contains("current"));
    const next = list[Math.min(Math.max(at + by, 0), list.length - 1)];
    if (!next) return;
    for (const row of list) row.classList.toggle("current", row === next);
    const target = $("a, button, select, input:not([type=hidden])", next);
    if (target) target.focus(); else { next.tabIndex = -1; next.focus(); }
  };
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); openPalette(); return; }
    const typing = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
    // Until the next frame the focus may still be in a dialog that was closed just now: nobody types there.
    const types = typing && !typing.closest("dialog:not([open])");
    if (types || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (event.key.length === 1 && !("keys" in document.body.dataset)) return; // switched off (WCAG 2.2, 2.1.4)
    if (event.key === "?") open("keys");
    else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "/" && $("[data-search]")) $("[data-search]").focus();
    else if (event.key === "Escape") for (const menu of all("details.menu[open]")) { menu.open = false; $("summary", menu).focus(); }
    else {
      const element = /^[a-zA-Z0-9]$/.test(event.key) ? $(`[data-key="${event.key}"]`) : null;
      if (!element) return;
      element.click();
    }
    event.preventDefault();
  });

  // Live: the server says which topic moved; whoever shows it asks anew (hx-trigger="live:TOPIC from:body").
  const address = document.body.dataset.live;
  if (address && window.EventSource && $("[data-topics]")) {
    const sign = document.getElementById("live");
    const topics = new Set(all("[data-topics]").flatMap((element) => element.dataset.topics.split(" ")));
    const source = new EventSource(address);
    const tell = (name, about) => document.body.dispatchEvent(new CustomEvent(`live:${name}`, { detail: { about } }));
    const show = (on) => { sign.hidden = false; sign.classList.toggle("off", !on); sign.textContent = on ? sign.dataset.on : sign.dataset.off; };
    source.onopen = () => show(true);
    source.onerror = () => show(false);
    source.addEventListener("anew", () => { for (const topic of topics) tell(topic, ""); });
    for (const topic of topics) source.addEventListener(topic, (event) => tell(topic, event.data));
    window.addEventListener("pagehide", () => source.close());
  }
})();
