// The queue and cases: selecting by key, live changes that move nothing under the hand, and giving a case back on leaving.
"use strict";
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Selecting.
  const count = () => {
    const picked = $("#picked");
    if (!picked) return;
    const some = all("#list input[name=item]:checked").length;
    picked.textContent = some ? picked.dataset.text.replace("{n}", some) : "";
  };
  document.addEventListener("change", (event) => {
    if (event.target.id === "pick-all") for (const box of all("#list input[name=item]")) box.checked = event.target.checked;
    if (event.target.closest("#list")) count();
    if (event.target.dataset.fills && event.target.value) {
      const field = document.getElementById(event.target.dataset.fills);
      field.value = event.target.value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.focus();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "x" || event.ctrlKey || event.metaKey || event.altKey || !("keys" in document.body.dataset)) return;
    if (event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select") || $("dialog[open]")) return;
    const row = event.target.closest("[data-rows] > *") || $("[data-rows] > .current");
    const box = row && $("input[name=item]", row);
    if (box) { box.checked = !box.checked; box.dispatchEvent(new Event("change", { bubbles: true })); event.preventDefault(); }
  });

  // What changes meanwhile: rows stay where they are, and what is new waits behind a line.
  let asked = null, fresh = null, looked = 0;
  const look = async () => {
    asked = null;
    looked = Date.now();
    const answer = await fetch(location.href, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer || !answer.ok) return;
    fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const views = $("#views", fresh);
    if (views) $("#views").replaceChildren(...views.childNodes);
    const now = new Map(all("[data-item]", fresh).map((row) => [row.dataset.item, row]));
    const here = all("[data-item]");
    if (!here.length && now.size) { show(); return; }
    for (const row of here) {
      const other = now.get(row.dataset.item), state = $(".item-state", row);
      row.classList.toggle("gone", !other);
      if (other) state.innerHTML = $(".item-state", other).innerHTML;
      else state.textContent = $("#list").dataset.gone;
      now.delete(row.dataset.item);
    }
    $("#news").hidden = now.size === 0;
  };
  const show = () => {
    const list = fresh && $("#list", fresh);
    if (!list) { location.reload(); return; }
    const chosen = new Set(all("#list input[name=item]:checked").map((box) => box.value));
    $("#list").replaceChildren(...list.childNodes);
    for (const box of all("#list input[name=item]")) box.checked = chosen.has(box.value);
    for (const element of all("#list .script[hidden]")) element.hidden = false;
    $("#news").hidden = true;
    count();
  };
  if ($("#views")) {
    document.body.addEventListener("live:queue", () => { asked ??= setTimeout(look, Math.max(250, looked + 2000 - Date.now())); });
    $("#news-show").addEventListener("click", () => { show(); const first = $("#list a"); if (first) first.focus(); });
    count();
  }

  // A case is given back when its page is left; one that is loaded anew takes it again.
  window.addEventListener("pagehide", () => {
    const lock = $("[data-release]");
    if (!lock) return;
    const form = new FormData();
    form.set("csrf", lock.dataset.csrf);
    navigator.sendBeacon(lock.dataset.release, form);
  });
})();
