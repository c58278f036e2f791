// One member's page: where they stand, what it is made of, and the evidence.

const ENTRIES = 40;

/** A member's details, from the chunk they are packed in. */
function detailsOf(head, index) {
  const chunk = JSON.parse(byId(`chunk-${Math.floor(index / head.chunk)}`).textContent);
  const [rights, lost, missing, flat, entries, sum] = chunk[index % head.chunk];
  const text = (number) => head.texts[number];
  const curve = [];
  let now = [0, 0, 0, 0, 0];
  for (let i = 0; i < flat.length; i += 5) {
    now = now.map((value, k) => value + flat[i + k]);
    const [day, standing, low, high, band] = now;
    curve.push({ day, standing, low, high, band: head.bands[band][1] });
  }
  return {
    rights: rights.map(text), lost: lost.map(text), missing: text(missing), curve,
    entries: entries.map(([number, at, clause, rule, harm, severity, room, event, excerpt, figures, weight, without, forgotten, counts, note]) => ({
      number, at, clause: text(clause), rule: text(rule), harm: text(harm), severity: text(severity), room: text(room),
      event, excerpt, figures, weight, without, forgotten, counts: counts === 1, note: text(note),
    })),
    sum: sum.map(([label, thousandths, kind]) => ({ label: text(label), thousandths, kind })),
  };
}

function memberPage(head, person) {
  const details = detailsOf(head, person.index);
  return [
    el("a", { href: "#members", class: "back" }, "← All members"),
    el("h1", { tabindex: "-1" }, said(person.name)),
    person.name === person.pseudonym ? "" : el("p", { class: "soft" }, said(person.pseudonym)),
    el("p", { class: "standing" }, points(person.standing)),
    el("p", { class: "soft" }, `Standing, with a probability of 90 % between ${points(person.low)} and ${points(person.high)}.`),
    factList(head, person, details),
    ...(details.missing ? [el("p", {}, said(details.missing))] : []),
    curveSection(head, person, details),
    sumSection(person, details),
    entriesSection(head, details),
  ];
}

function factList(head, person, { rights, lost }) {
  const fact = (name, ...value) => el("div", {}, el("dt", {}, name), el("dd", {}, ...value));
  const also = [person.newcomer && person.band !== "newcomer" && "newcomer", person.verified && "verified"].filter(Boolean);
  return el("dl", { class: "facts" },
    fact("Band", bandName(person.band, person.bandTitle), also.length ? ` (${also.join(", ")})` : ""),
    fact("Rights", said(rights.join(", ") || "none")),
    ...(lost.length ? [fact("Suspended rights", said(lost.join(", ")))] : []),
    fact("Active", `${dayText(person.first)} to ${dayText(person.last)}, on ${counted(person.activeDays, "day")}`),
    fact("Messages", whole(person.messages)));
}

function titled(id, title, ...content) {
  return el("section", { "aria-labelledby": id }, el("h2", { id }, title), ...content);
}

function curveSection(head, person, { curve }) {
  if (!curve.length)
    return titled("curve-title", "Standing over time", el("p", {}, `Nothing was ever found, so there is no curve to draw: the standing today is ${points(person.standing)}.`));
  const host = el("div");
  const first = curve[0].day;
  const last = curve[curve.length - 1].day;
  const describe = (i) => `${dayText(curve[i].day, "long")}: standing ${points(curve[i].standing)}, between ${points(curve[i].low)} and ${points(curve[i].high)}. ${curve[i].band}.`;
  function draw(width) {
    const x = timeScale(first, last, width);
    const y = (thousandths) => 10 + 220 * (1 - thousandths / 100000);
    const xs = curve.map((point) => x(point.day));
    const ys = curve.map((point) => y(point.standing));
    const nodes = [
      ...[0, 100000].flatMap((mark) => [
        svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(mark), y2: y(mark) }),
        svg("text", { x: LEFT - 6, y: y(mark) + 4, "text-anchor": "end" }, String(mark / 1000)),
      ]),
      svg("path", { class: "shade", d: between(xs, curve.map((p) => y(p.high)), curve.map((p) => y(p.low))) }),
      ...head.lines.flatMap(([mark, label]) => [
        svg("line", { class: "band-line", x1: LEFT, x2: width - RIGHT, y1: y(mark), y2: y(mark) }),
        svg("text", { x: LEFT - 6, y: y(mark) + 4, "text-anchor": "end" }, String(mark / 1000)),
        svg("text", { x: LEFT + 4, y: y(mark) + 14 }, `below: no ${label}`),
      ]),
      svg("path", { class: "trend", d: line(xs, ys) }),
      ...timeAxis(first, last, width, 230),
    ];
    return { height: 250, nodes, xs, dot: (i) => [xs[i], ys[i]] };
  }
  chart(host, { name: "Standing over time", count: curve.length, start: curve.length - 1, describe, draw });
  const table = el("details", {}, el("summary", {}, "The same as a table"));
  tableInstead(table, "Standing at the end of a day, with its 90 % interval", ["day", "standing", "from", "to", "band"],
    () => curve.map((p) => [dayText(p.day), exact(p.standing), exact(p.low), exact(p.high), p.band]));
  return titled("curve-title", "Standing over time", el("p", { class: "lead" }, "The line is the standing, the shade around it the 90 % interval; dashed lines are where rights begin and end."), host, table);
}

function sumSection(person, { sum }) {
  if (!sum.length) return "";
  const rows = sum.map(({ label, thousandths, kind }) => {
    const sign = kind === "total" ? "= " : kind !== "start" && thousandths >= 0 ? "+" : "";
    return el("tr", { class: kind === "total" ? "total" : null }, el("th", { scope: "row" }, said(label)), el("td", { class: "number" }, sign + exact(thousandths)));
  });
  return titled("sum-title", "What it is made of",
    el("table", { class: "sum" }, el("caption", {}, "The standing as an addition, in points; the lines add up exactly."),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "What"), el("th", { scope: "col", class: "number" }, "Points"))),
      el("tbody", {}, ...rows)));
}

function entriesSection(head, { entries }) {
  if (!entries.length) return titled("entries-title", "Entries", el("p", {}, "There is no entry: no rule found anything."));
  const at = timeFormat(head.zone);
  const list = el("ol", { class: "entries" });
  const more = el("button", { type: "button" });
  function further() {
    const from = list.children.length;
    const items = entries.slice(from, from + ENTRIES).map((entry) => el("li", {}, entryArticle(head, entry, at)));
    list.append(...items);
    const left = entries.length - list.children.length;
    more.textContent = `Show ${whole(Math.min(left, ENTRIES))} more of ${whole(left)}`;
    if (from && items.length) {
      const title = items[0].querySelector("h3");
      title.tabIndex = -1;
      title.focus();
    }
    if (!left) more.remove();
  }
  const section = titled("entries-title", "Entries", el("p", { class: "lead" }, `${counted(entries.length, "finding")}, newest first, with the evidence that each one cites.`), list, more);
  more.addEventListener("click", further);
  further();
  return section;
}

function entryArticle(head, entry, at) {
  const [text] = head.clauses[entry.clause] || [""];
  const titles = new Map(head.harms);
  const time = new Date(entry.at);
  const when = Number.isNaN(time.valueOf()) ? entry.at : at.format(time);
  const fact = (name, value) => (value === "" ? "" : el("div", {}, el("dt", {}, name), el("dd", {}, said(value))));
  return el("article", { class: entry.counts ? "entry" : "entry uncounted" },
    el("h3", {}, el("span", { class: "id" }, said(entry.clause)), said(text || entry.rule), entry.counts ? "" : el("span", { class: "state shadow" }, "does not count")),
    el("p", { class: "soft" }, el("time", { datetime: entry.at }, when), " in ", said(entry.room), ` · ${entry.severity}, `, said(titles.get(entry.harm) || entry.harm)),
    entry.excerpt ? el("blockquote", { dir: "auto" }, said(entry.excerpt)) : "",
    entry.figures ? el("p", {}, said(entry.figures)) : "",
    entry.note ? el("p", { class: "soft" }, said(entry.note)) : "",
    el("dl", {},
      ...(entry.counts ? [
        fact("Weighs today", `${exact(entry.weight)} points`),
        fact("Without it, standing would be", entry.without === null ? "" : exact(entry.without)),
        fact("Forgotten on", entry.forgotten === "" ? "" : dayText(entry.forgotten)),
      ] : []),
      fact("Rule", entry.rule), fact("Entry", `number ${entry.number}`), fact("Event", entry.event)));
}
