// What members' pages do by themselves; everything else works without it.
"use strict";
for (const button of document.querySelectorAll("[data-prints]")) button.addEventListener("click", () => window.print());
