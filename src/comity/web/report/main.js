// Which view is shown, and the keys that go everywhere.

const head = JSON.parse(byId("head").textContent);
const everybody = people(head);
const byPseudonym = new Map(everybody.map((person) => [person.pseudonym, person]));
const pageTitle = document.title;
let left = null; // where the overview was left: {scroll, focus}; null if the page opened on a member

function memory(key, value) {
  try { // a browser may refuse storage to a file; then the page just forgets
    if (value === undefined) return localStorage.getItem(key);
    localStorage.setItem(key, value);
  } catch { /* nothing to do: the choice holds for this visit */ }
  return null;
}

function chosenMember() {
  const match = /^#member=(.*)$/.exec(location.hash);
  if (!match) return null;
  try {
    return decodeURIComponent(match[1]);
  } catch {
    return match[1];
  }
}

function route(event) {
  const pseudonym = chosenMember();
  if (pseudonym === null) return showOverview();
  const person = byPseudonym.get(pseudonym);
  const view = byId("member");
  if (event && !byId("overview").hidden) left = { scroll: scrollY, focus: document.activeElement };
  byId("overview").hidden = true;
  view.hidden = false;
  view.replaceChildren(...(person ? memberPage(head, person) : [
    el("a", { href: "#members", class: "back" }, "← All members"),
    el("h1", { tabindex: "-1" }, "Not in this report"),
    el("p", {}, "No member listed here has the pseudonym ", said(pseudonym), "."),
  ]));
  document.title = `${person ? plain(person.name) : "Not in this report"} – ${pageTitle}`;
  scrollTo({ top: 0, behavior: "instant" });
  view.querySelector("h1").focus({ preventScroll: true });
}

function showOverview() {
  if (!byId("overview").hidden) return;
  byId("member").hidden = true;
  byId("member").replaceChildren();
  byId("overview").hidden = false;
  document.title = pageTitle;
  if (left && left.focus && left.focus.isConnected) {
    left.focus.focus({ preventScroll: true });
    requestAnimationFrame(() => scrollTo({ top: left.scroll, behavior: "instant" }));
  } else {
    const part = byId(location.hash.slice(1)) || byId("main");
    part.scrollIntoView({ behavior: "instant" });
  }
}

/** Back to the list: by the browser's own way back if we came from there, so that its history stays true. */
function leaveMember() {
  if (left) history.back();
  else location.hash = "members";
}

addEventListener("hashchange", route);
document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.classList.contains("back")) {
    event.preventDefault();
    leaveMember();
  }
  if (link.classList.contains("skip")) {
    event.preventDefault(); // its address would lead away from a member's page
    const inside = byId("member").hidden ? byId("main") : byId("member").querySelector("h1");
    inside.focus();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const writing = event.target.closest("input[type=search], select, textarea");
  if (event.key === "/" && !writing && byId("shortcut").checked) {
    event.preventDefault();
    if (!byId("member").hidden) {
      left = null;
      location.hash = "members";
      showOverview();
    }
    byId("search").focus();
  }
  if (event.key === "Escape" && !byId("member").hidden) leaveMember();
});

function isDark() {
  return (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
}
function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  byId("theme").textContent = isDark() ? "Light colours" : "Dark colours";
}
byId("theme").addEventListener("click", () => {
  setTheme(isDark() ? "light" : "dark");
  memory("comity-theme", document.documentElement.dataset.theme);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme());
byId("shortcut").addEventListener("change", (event) => memory("comity-shortcut", event.target.checked ? "on" : "off"));

const remembered = memory("comity-theme");
setTheme(remembered === "dark" || remembered === "light" ? remembered : undefined);
byId("shortcut").checked = memory("comity-shortcut") !== "off";
for (const node of document.querySelectorAll(".script, #theme")) if (node.id !== "member") node.hidden = false;
drawDays(head);
drawBands(head);
membersTable(everybody);
comparisonTable(head, everybody);
route();
