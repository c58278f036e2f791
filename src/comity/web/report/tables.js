// Tables that sort, filter and turn pages: the members, and the comparison of two charters.

const PAGE = 50;
const collator = new Intl.Collator("en", { sensitivity: "base", numeric: true });

/**
 * A sorted table over `rows`. prefix: ids `prefix-table`, `-pages`, `-count`; columns: {name, value(row), cells, first, number, later},
 * where value sorts, cell(row) makes the table cell, and first is 1 (ascending) or -1 when chosen;
 * sort: [column, direction] at the start; say(shown, all): the sentence above. Returns show(keep), which filters.
 */
function sortedTable(prefix, rows, columns, { sort, say }) {
  const table = byId(`${prefix}-table`);
  const [head, body] = [table.tHead.rows[0], table.tBodies[0]];
  const pages = byId(`${prefix}-pages`);
  let [by, direction] = sort;
  let shown = rows;
  let page = 0;

  const heads = columns.map((column, index) => {
    const button = el("button", { type: "button" }, column.name, el("span", { class: "arrow", "aria-hidden": "true" }));
    button.addEventListener("click", () => {
      direction = by === index ? -direction : column.first;
      by = index;
      order();
    });
    return el("th", { scope: "col", class: classes(column) }, button);
  });
  head.replaceChildren(...heads);

  const [back, on] = [el("button", { type: "button" }, "Earlier rows"), el("button", { type: "button" }, "Further rows")];
  const where = el("span", { role: "status" });
  pages.replaceChildren(back, where, on);
  back.addEventListener("click", () => turn(page - 1));
  on.addEventListener("click", () => turn(page + 1));

  function order() {
    const { value, number } = columns[by];
    const keyed = shown.map((row) => [value(row), row]);
    keyed.sort(number ? (a, b) => direction * (a[0] - b[0]) : (a, b) => direction * collator.compare(a[0], b[0]));
    shown = keyed.map(([, row]) => row);
    heads.forEach((cell, index) => {
      const chosen = index === by;
      if (chosen) cell.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
      cell.querySelector(".arrow").textContent = chosen ? (direction > 0 ? "↑" : "↓") : "";
    });
    turn(0);
  }
  function turn(to) {
    const last = Math.max(0, Math.ceil(shown.length / PAGE) - 1);
    page = Math.max(0, Math.min(last, to));
    const from = page * PAGE;
    body.replaceChildren(...shown.slice(from, from + PAGE).map((row) => el("tr", {}, ...columns.map((column) => {
      const cell = column.cell(row);
      const attributes = { class: classes(column) };
      return column.heads ? el("th", { ...attributes, scope: "row" }, ...cell) : el("td", attributes, ...cell);
    }))));
    pages.hidden = last === 0;
    where.textContent = `${whole(from + 1)} to ${whole(Math.min(from + PAGE, shown.length))} of ${whole(shown.length)}`;
    const held = document.activeElement;
    back.disabled = page === 0;
    on.disabled = page === last;
    if (held === back && back.disabled) on.focus();
    if (held === on && on.disabled) back.focus();
  }
  function show(keep) {
    shown = rows.filter(keep);
    byId(`${prefix}-count`).textContent = say(shown.length, rows.length);
    order();
  }
  show(() => true);
  return show;
}

const classes = (column) => [column.number && !column.plain ? "number" : "", column.later ? "later" : "", column.sentence ? "sentence" : ""].join(" ").trim() || null;

/** The members as objects with names, from the packed rows. */
function people(head) {
  return head.people.map(([pseudonym, name, first, last, activeDays, messages, standing, low, high, band, flags, findings], index) => ({
    index, pseudonym, name: plain(name).trim() ? name : pseudonym, first, last, activeDays, messages, standing, low, high,
    band: head.bands[band][0], bandTitle: head.bands[band][1], newcomer: (flags & 1) > 0, verified: (flags & 2) > 0, findings,
  }));
}

const memberLink = (pseudonym, name) => el("a", { href: `#member=${encodeURIComponent(pseudonym)}` }, said(name));
const shortened = (pseudonym) => el("span", { class: "under" }, said(pseudonym.length > 10 ? `${pseudonym.slice(0, 10)}…` : pseudonym));

function bandName(band, title) {
  const node = el("span", { class: "band" }, title);
  node.style.setProperty("--swatch", `var(--band-${band})`);
  return node;
}

/** The interval drawn small: a rail from 0 to 100, the range on it, the standing as a dot. */
function strip(person) {
  const at = (thousandths) => 4 + (thousandths / 100000) * 112;
  return svg("svg", { class: "strip", viewBox: "0 0 120 10", "aria-hidden": "true" },
    svg("line", { class: "rail", x1: 4, x2: 116, y1: 5, y2: 5 }),
    svg("line", { class: "range", x1: at(person.low), x2: at(person.high), y1: 5, y2: 5 }),
    svg("circle", { class: "dot", cx: at(person.standing), cy: 5, r: 3.5 }));
}

function membersTable(all) {
  const columns = [
    { name: "Member", first: 1, heads: true, value: (p) => p.name, cell: (p) => [memberLink(p.pseudonym, p.name), p.name === p.pseudonym ? "" : shortened(p.pseudonym)] },
    { name: "Standing", first: 1, number: true, plain: true, value: (p) => p.standing, cell: (p) => [points(p.standing), " ", el("span", { class: "interval" }, `${points(p.low)} to ${points(p.high)}`), strip(p)] },
    { name: "Findings", first: -1, number: true, value: (p) => p.findings, cell: (p) => [whole(p.findings)] },
    { name: "Band", first: 1, value: (p) => p.bandTitle, cell: (p) => [bandName(p.band, p.bandTitle), p.newcomer && p.band !== "newcomer" ? el("span", { class: "under" }, "newcomer") : ""] },
    { name: "Messages", first: -1, number: true, later: true, value: (p) => p.messages, cell: (p) => [whole(p.messages)] },
    { name: "Active days", first: -1, number: true, later: true, value: (p) => p.activeDays, cell: (p) => [whole(p.activeDays)] },
    { name: "Last active", first: -1, number: true, later: true, value: (p) => p.last, cell: (p) => [dayText(p.last)] },
  ];
  const show = sortedTable("members", all, columns, {
    sort: [1, 1],
    say: (shown, of) => (shown === of ? counted(of, "member") + "." : shown ? `${whole(shown)} of ${counted(of, "member")}.` : `None of ${counted(of, "member")}. A shorter name or fewer filters may find somebody.`),
  });
  const fields = { search: byId("search"), has: byId("has"), band: byId("band"), newcomers: byId("newcomers") };
  const present = new Map(all.map((person) => [person.band, person.bandTitle]));
  for (const [band, title] of present) fields.band.append(el("option", { value: band }, title));
  const folded = (text) => text.normalize("NFKC").toLowerCase();
  const sought = all.map((person) => folded(`${person.name}\n${person.pseudonym}`));
  function filter() {
    const text = folded(fields.search.value.trim());
    const has = fields.has.value;
    show((person) => sought[person.index].includes(text)
      && (!has || (has === "some") === person.findings > 0)
      && (!fields.band.value || person.band === fields.band.value)
      && (!fields.newcomers.checked || person.newcomer));
  }
  byId("filters").addEventListener("input", filter);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
}

function comparisonTable(head, all) {
  if (!head.comparison || !head.comparison.length) return;
  const known = new Set(all.map((person) => person.pseudonym));
  const rows = head.comparison.map(([pseudonym, name, before, after, oldBand, newBand, gains, losses, why]) => ({
    pseudonym, name: plain(name).trim() ? name : pseudonym, before, after, change: after - before, oldBand: head.bands[oldBand], newBand: head.bands[newBand], why,
    rights: [...losses.map((right) => `loses ${right}`), ...gains.map((right) => `gains ${right}`)],
  }));
  const columns = [
    { name: "Member", first: 1, heads: true, value: (r) => r.name, cell: (r) => [known.has(r.pseudonym) ? memberLink(r.pseudonym, r.name) : said(r.name), r.name === r.pseudonym ? "" : shortened(r.pseudonym)] },
    { name: "Before", first: 1, number: true, plain: true, value: (r) => r.before, cell: (r) => [points(r.before), el("span", { class: "under" }, bandName(...r.oldBand))] },
    { name: "After", first: 1, number: true, plain: true, value: (r) => r.after, cell: (r) => [points(r.after), el("span", { class: "under" }, bandName(...r.newBand))] },
    { name: "Change", first: 1, number: true, value: (r) => r.change, cell: (r) => [(r.change > 0 ? "+" : "") + exact(r.change)] },
    { name: "What would change, and why", first: 1, sentence: true, value: (r) => r.rights.join(), cell: (r) => [...r.rights.map((right) => el("div", {}, said(right))), ...r.why.map((why) => el("div", { class: "soft" }, said(why)))] },
  ];
  sortedTable("comparison", rows, columns, { sort: [3, 1], say: (shown) => `${counted(shown, "member")} would be treated differently.` });
}
