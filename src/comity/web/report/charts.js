// Charts by hand in SVG: a library that draws on a canvas would leave nothing to print sharply, to restyle in the dark,
// or to read point by point. Each chart is a slider over its points; every point has a sentence.

/**
 * A chart in `host`. count: points, at least 1; start: the point chosen at first; describe(i): its sentence;
 * draw(width): what to draw, {height, nodes, xs, dot(i)}, xs ascending, dot optional: [x, y] of the chosen point.
 */
function chart(host, { name, count, start, describe, draw }) {
  const canvas = svg("svg", { "aria-hidden": "true" });
  const cursor = svg("line", { class: "cursor" });
  const dot = svg("circle", { class: "point", r: "4.5" });
  const plot = el("div", {
    class: "plot", role: "slider", tabindex: "0", "aria-label": name,
    "aria-valuemin": "0", "aria-valuemax": String(count - 1), "aria-orientation": "horizontal",
  }, canvas);
  const readout = el("p", { class: "readout" });
  host.replaceChildren(plot, readout);
  let chosen = start;
  let drawn = null;
  let width = 0;

  function choose(index) {
    chosen = Math.max(0, Math.min(count - 1, index));
    const sentence = describe(chosen);
    plot.setAttribute("aria-valuenow", String(chosen));
    plot.setAttribute("aria-valuetext", sentence);
    readout.textContent = sentence;
    if (!drawn) return;
    const x = drawn.xs[chosen];
    fill(cursor, { x1: x, x2: x, y1: 0, y2: drawn.height - 20 }, []);
    const at = drawn.dot && drawn.dot(chosen);
    dot.toggleAttribute("hidden", !at);
    if (at) fill(dot, { cx: at[0], cy: at[1] }, []);
  }
  function redraw() {
    const room = Math.round(plot.clientWidth);
    if (!room || room === width) return;
    width = room;
    drawn = draw(width);
    canvas.setAttribute("viewBox", `0 0 ${width} ${drawn.height}`);
    canvas.replaceChildren(...drawn.nodes, cursor, dot);
    choose(chosen);
  }
  function follow(event) {
    if (!drawn) return;
    const x = event.clientX - canvas.getBoundingClientRect().left;
    choose(nearest(drawn.xs, x));
  }
  plot.addEventListener("pointermove", follow);
  plot.addEventListener("pointerdown", follow);
  plot.addEventListener("keydown", (event) => {
    const step = {
      ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 7, PageDown: -7, Home: -count, End: count,
    }[event.key];
    if (step === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    choose(chosen + step);
  });
  new ResizeObserver(redraw).observe(plot);
  choose(chosen);
  redraw();
}

/** Index of the value nearest to x among ascending values. */
function nearest(values, x) {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low && x - values[low - 1] < values[low] - x ? low - 1 : low;
}

const LEFT = 44;
const RIGHT = 8;

/** Days to pixels, from the first to the last day of a chart. */
function timeScale(first, last, width) {
  const perDay = (width - LEFT - RIGHT) / Math.max(1, last - first);
  return (day) => LEFT + (day - first) * perDay;
}

/** The time axis: a line, and as many dates below it as find room. */
function timeAxis(first, last, width, y) {
  const x = timeScale(first, last, width);
  const nodes = [svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y, y2: y })];
  let free = LEFT - 20;
  for (const [day, label] of ticks(first, last, Math.floor((width - LEFT) / 66))) {
    if (x(day) < free || x(day) > width - 24) continue;
    free = x(day) + 60;
    nodes.push(svg("line", { class: "grid", x1: x(day), x2: x(day), y1: y, y2: y + 5 }));
    nodes.push(svg("text", { x: x(day), y: y + 17, "text-anchor": x(day) < LEFT + 20 ? "start" : "middle" }, label));
  }
  return nodes;
}

function* ticks(first, last, most) {
  const span = last - first;
  if (span <= 62) {
    const step = [1, 2, 7, 14, 28].find((days) => span / days <= most) || 28;
    for (let day = first; day <= last; day += step) yield [day, dayText(day, "day")];
    return;
  }
  const step = [1, 2, 3, 6, 12, 24, 60, 120].find((months) => span / 30.4 / months <= most) || 120;
  const start = new Date(first * DAY);
  let named = null; // the year is written once, at its first tick
  for (let month = 0; ; month += 1) {
    const at = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + month, 1));
    const [day, year] = [at.valueOf() / DAY, at.getUTCFullYear()];
    if (day > last) return;
    if (day < first || (year * 12 + at.getUTCMonth()) % step) continue;
    yield [day, dayText(day, step >= 12 ? "year" : year === named ? "month" : "monthYear")];
    named = year;
  }
}

/** A round figure at or above n, and half of it a whole number. */
function roundUp(n) {
  const power = 10 ** Math.floor(Math.log10(Math.max(2, n)));
  return [1, 2, 4, 6, 8, 10].map((step) => step * power).find((top) => top >= n && top % 2 === 0) || 10 * power;
}

/** A panel from y = top to y = top + height with a heading, and its scale from 0 to `most`. */
function panel(title, top, height, most, width) {
  const y = (value) => top + height - (value / most) * height;
  const nodes = [svg("text", { class: "heading", x: LEFT, y: top - 8 }, title)];
  for (const value of [most / 2, most]) {
    nodes.push(svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }));
    nodes.push(svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, whole(value)));
  }
  return { y, nodes };
}

/** One path of bars, each from values[i][0] up to values[i][1]. */
function bars(xs, values, y, wide, attributes) {
  const d = values.map(([from, to], i) => (to > from ? `M${(xs[i] - wide / 2).toFixed(1)} ${y(from).toFixed(1)}h${wide.toFixed(1)}V${y(to).toFixed(1)}h${(-wide).toFixed(1)}z` : ""));
  return svg("path", { ...attributes, d: d.join("") });
}

const line = (xs, ys) => xs.map((x, i) => `${i ? "L" : "M"}${x.toFixed(1)} ${ys[i].toFixed(1)}`).join("");
/** The area between two lines over the same xs. */
const between = (xs, upper, lower) => line(xs, upper) + line([...xs].reverse(), [...lower].reverse()).replace("M", "L") + "z";

/** A path in a colour of the style sheet. */
function coloured(node, colour) {
  node.style.fill = `var(--${colour})`;
  return node;
}

function legend(list, names) {
  list.replaceChildren(...names.map(([colour, name]) => {
    const item = el("li", { class: "band" }, said(name));
    item.style.setProperty("--swatch", `var(--${colour})`);
    return item;
  }));
}
