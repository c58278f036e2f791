// The charts of the whole group: its days, and its bands over time.

const SHOWN_HARMS = 7;

/** How a span of days is cut so that each piece can still be seen: [title of a piece, its start for a day]. */
function cut(span) {
  if (span <= 400) return ["day", (day) => day];
  if (span <= 2800) return ["week", (day) => day - ((((day + 3) % 7) + 7) % 7)];
  return ["month", (day) => {
    const at = new Date(day * DAY);
    return Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1) / DAY;
  }];
}

/** Pieces of the group's time with nothing left out: start, days, sums of messages and members, findings by harm. */
function pieces(days) {
  const first = days[0][0];
  const last = days[days.length - 1][0];
  const [unit, startOf] = cut(last - first);
  const all = new Map();
  for (let day = first; day <= last; day += 1) {
    const start = startOf(day);
    if (!all.has(start)) all.set(start, { start: Math.max(start, first), days: 0, messages: 0, members: 0, findings: {} });
    all.get(start).days += 1;
  }
  for (const [day, messages, members, findings] of days) {
    const piece = all.get(startOf(day));
    piece.messages += messages;
    piece.members += members;
    for (const [harm, n] of Object.entries(findings)) piece.findings[harm] = (piece.findings[harm] || 0) + n;
  }
  return { unit, first, last, list: [...all.values()] };
}

/** The commonest harms with a colour each; what is rarer shares the last one. */
function colouredHarms(head, list) {
  const totals = new Map();
  for (const { findings } of list)
    for (const [harm, n] of Object.entries(findings)) totals.set(harm, (totals.get(harm) || 0) + n);
  const titles = new Map(head.harms);
  const ranked = [...totals].sort((a, b) => b[1] - a[1]).map(([harm]) => harm);
  const groups = ranked.slice(0, SHOWN_HARMS).map((harm, i) => ({ title: titles.get(harm) || harm, colour: `harm-${i}`, harms: [harm] }));
  if (ranked.length > SHOWN_HARMS) groups.push({ title: "other harms", colour: "harm-7", harms: ranked.slice(SHOWN_HARMS) });
  return groups;
}

function drawDays(head) {
  if (!head.days.length) return byId("days").remove();
  const { unit, first, last, list } = pieces([...head.days].sort((a, b) => a[0] - b[0]));
  const groups = colouredHarms(head, list);
  const of = (piece, group) => group.harms.reduce((sum, harm) => sum + (piece.findings[harm] || 0), 0);
  const perDay = (piece, key) => piece[key] / piece.days;
  const average = unit === "day" ? "" : ", on average a day";
  const name = (piece) => (unit === "day" ? dayText(piece.start, "long") : `${unit === "week" ? "Week" : "Month"} from ${dayText(piece.start)}`);
  const figure = (n) => whole(unit === "day" ? n : Math.round(n * 10) / 10);
  const found = (piece) => groups.map((group) => [group.title, of(piece, group)]).filter(([, n]) => n);
  const total = (piece) => found(piece).reduce((sum, [, n]) => sum + n, 0);

  function describe(i) {
    const piece = list[i];
    const harms = found(piece).map(([title, n]) => `${plain(title)} ${whole(n)}`).join(", ");
    const wrote = perDay(piece, "messages");
    const spoke = perDay(piece, "members");
    const talk = wrote ? `${figure(wrote)} ${wrote === 1 ? "message" : "messages"} from ${figure(spoke)} ${spoke === 1 ? "member" : "members"}${average}` : "no messages";
    return `${name(piece)}: ${talk}; ${total(piece) ? `${counted(total(piece), "finding")}: ${harms}` : "no findings"}.`;
  }
  function draw(width) {
    const x = timeScale(first, last + 1, width);
    const xs = list.map((piece) => x(piece.start + piece.days / 2));
    const slot = (width - LEFT - RIGHT) / list.length;
    const wide = slot > 3 ? slot - 1 : slot;
    const messages = panel(`Messages a day`, 20, 110, roundUp(Math.max(...list.map((p) => perDay(p, "messages")))), width);
    const members = panel(`Members who wrote`, 166, 60, roundUp(Math.max(...list.map((p) => perDay(p, "members")))), width);
    const findings = panel(unit === "day" ? "Findings" : `Findings a ${unit}`, 262, 80, roundUp(Math.max(...list.map(total))), width);
    const stacked = groups.map((group, g) =>
      coloured(bars(xs, list.map((piece) => {
        const below = groups.slice(0, g).reduce((sum, lower) => sum + of(piece, lower), 0);
        return [below, below + of(piece, group)];
      }), findings.y, wide, {}), group.colour));
    const nodes = [
      ...messages.nodes, bars(xs, list.map((p) => [0, perDay(p, "messages")]), messages.y, wide, { class: "bars" }),
      ...members.nodes, svg("path", { class: "trend", d: line(xs, list.map((p) => members.y(perDay(p, "members")))) }),
      ...findings.nodes, ...stacked, ...timeAxis(first, last + 1, width, 342),
    ];
    return { height: 362, nodes, xs };
  }
  const busiest = list.reduce((best, piece, i) => (perDay(piece, "messages") > perDay(list[best], "messages") ? i : best), 0);
  byId("days-lead").textContent = `Each step is one ${unit}. The busiest was ${name(list[busiest])}, with ${figure(perDay(list[busiest], "messages"))} messages${average}.`;
  chart(byId("days-chart"), { name: `Messages, members and findings by ${unit}`, count: list.length, start: busiest, describe, draw });
  legend(byId("days-legend"), groups.map((group) => [group.colour, group.title]));
  byId("days-legend").hidden = !groups.length;
  tableInstead(byId("days-table"), `Messages, members and findings by ${unit}${average && "; messages and members on average a day"}`,
    [unit, "messages", "members", ...groups.map((group) => plain(group.title))],
    () => list.map((piece) => [name(piece), figure(perDay(piece, "messages")), figure(perDay(piece, "members")), ...groups.map((group) => whole(of(piece, group)))]));
}

function drawBands(head) {
  if (!head.bandDays.length) return byId("bands").remove();
  const sorted = [...head.bandDays].sort((a, b) => a[0] - b[0]);
  const [unit, startOf] = cut(sorted[sorted.length - 1][0] - sorted[0][0]);
  const lasts = new Map(sorted.map((row) => [startOf(row[0]), row])); // a state, not a flow: each piece as it ended
  const rows = [...lasts.values()];
  // From the ground up: those with all rights, then newcomers, then those with fewer rights.
  const order = ["trusted", "good", "newcomer", "suspended", "no_links", "muted"].map((band) => {
    const index = head.bands.findIndex(([id]) => id === band);
    return { colour: `band-${band}`, title: head.bands[index][1], count: (row) => row[index + 1] };
  });
  const first = rows[0][0];
  const last = rows[rows.length - 1][0];
  const all = (row) => order.reduce((sum, band) => sum + band.count(row), 0);
  const describe = (i) => `${dayText(rows[i][0], "long")}: ${counted(all(rows[i]), "active member")}; ${
    order.filter((band) => band.count(rows[i])).map((band) => `${band.title} ${whole(band.count(rows[i]))}`).join(", ") || "nobody"}.`;
  function draw(width) {
    const x = timeScale(first, last, width);
    const xs = rows.map((row) => x(row[0]));
    const { y, nodes } = panel("Members", 20, 180, roundUp(Math.max(...rows.map(all))), width);
    let lower = rows.map(() => 0);
    for (const band of order) {
      const upper = rows.map((row, i) => lower[i] + band.count(row));
      const node = svg("path", { class: "area", d: between(xs, upper.map(y), lower.map(y)) });
      nodes.push(coloured(node, band.colour));
      lower = upper;
    }
    return { height: 220, nodes: [...nodes, ...timeAxis(first, last, width, 200)], xs };
  }
  chart(byId("bands-chart"), { name: "Members by band over time", count: rows.length, start: rows.length - 1, describe, draw });
  legend(byId("bands-legend"), order.map((band) => [band.colour, band.title]));
  tableInstead(byId("bands-table"), `Members by band at the end of each ${unit}`, [unit, ...order.map((band) => band.title)],
    () => rows.map((row) => [dayText(row[0]), ...order.map((band) => whole(band.count(row)))]));
}
