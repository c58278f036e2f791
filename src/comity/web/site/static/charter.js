// The charter's text: line numbers, where one is, and the way from a mistake to its place. All else works without it.
"use strict";
(() => {
  const text = document.getElementById("text"), gutter = document.querySelector(".gutter");
  const place = document.querySelector(".place");
  if (!text || !gutter) return;
  gutter.hidden = place.hidden = false;
  const lines = () => text.value.split("\n");
  const number = () => {
    const wrong = new Set([...document.querySelectorAll(".mistakes [data-line]")].map((link) => Number(link.dataset.line)));
    const rows = lines().map((_, at) => {
      const row = document.createElement(wrong.has(at + 1) ? "b" : "span");
      row.textContent = `${at + 1}\n`;
      return row;
    });
    gutter.replaceChildren(...rows);
    gutter.scrollTop = text.scrollTop;
  };
  const tell = () => {
    const before = text.value.slice(0, text.selectionStart).split("\n");
    place.querySelector("span").textContent = `${before.length}:${before[before.length - 1].length + 1}`;
  };
  const go = (line, column) => {
    const all = lines(), row = Math.min(Math.max(line, 1), all.length) - 1;
    const at = all.slice(0, row).reduce((sum, each) => sum + each.length + 1, 0) + Math.min(Math.max(column, 1) - 1, all[row].length);
    text.focus();
    text.setSelectionRange(at, at);
    const high = text.scrollHeight / all.length;
    text.scrollTop = Math.max(0, row * high - text.clientHeight / 3);
    tell();
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".mistakes [data-line]");
    if (!link) return;
    event.preventDefault();
    go(Number(link.dataset.line), Number(link.dataset.column));
  });
  text.addEventListener("input", number);
  text.addEventListener("scroll", () => { gutter.scrollTop = text.scrollTop; });
  for (const name of ["keyup", "click", "focus"]) text.addEventListener(name, tell);
  document.addEventListener("htmx:afterSettle", number);
  const asked = /^#L(\d+)(?:C(\d+))?$/.exec(location.hash);
  number();
  tell();
  if (asked) go(Number(asked[1]), Number(asked[2] || 1));
})();
