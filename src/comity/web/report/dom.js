"use strict";
// Making elements and writing figures. Text reaches the page only as text nodes and attributes, never as markup.

const byId = (id) => document.getElementById(id);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null && child !== ""));
  return node;
}
const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
/** A text that somebody else wrote: kept apart, so that its direction stays its own. */
const said = (text, attributes = {}) => el("bdi", attributes, text);
/** The same for where no element can stand: without the characters that turn direction, and without controls. */
const plain = (text) => text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");

const wholeFormat = new Intl.NumberFormat("en-GB");
const whole = (n) => wholeFormat.format(n);
const counted = (n, one, many = `${one}s`) => `${whole(n)} ${n === 1 ? one : many}`;
/** Thousandths as one decimal, rounded down: nobody at 69.96 reads 70.0, where a right begins. */
const points = (thousandths) => (Math.floor(thousandths / 100) / 10).toFixed(1);
/** Thousandths as they are, with a minus sign that a typographer would set. */
const exact = (thousandths) => (thousandths < 0 ? "−" : "") + (Math.abs(thousandths) / 1000).toFixed(3);

const DAY = 86400000;
const dayFormats = {
  long: new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "long", year: "numeric" }),
  short: new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" }),
  day: new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short" }),
  month: new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", month: "short" }),
  monthYear: new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", month: "short", year: "numeric" }),
  year: new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", year: "numeric" }),
};
const dayText = (day, form = "short") => dayFormats[form].format(day * DAY);

function timeFormat(zone) {
  const form = { dateStyle: "long", timeStyle: "short" };
  try {
    return new Intl.DateTimeFormat("en-GB", { ...form, timeZone: zone });
  } catch {
    return new Intl.DateTimeFormat("en-GB", { ...form, timeZone: "UTC" });
  }
}

/** A table that says the same as a chart, filled when it is opened. */
function tableInstead(details, caption, columns, rows) {
  details.addEventListener("toggle", () => {
    if (!details.open || details.querySelector("table")) return;
    const head = columns.map((name, i) => el("th", { scope: "col", class: i ? "number" : null }, name));
    const body = rows().map((row) =>
      el("tr", {}, ...row.map((cell, i) => (i ? el("td", { class: "number" }, cell) : el("th", { scope: "row" }, cell)))),
    );
    const table = el("table", {}, el("caption", {}, caption), el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...body));
    details.append(el("div", { class: "wide tall", role: "region", "aria-label": caption, tabindex: "0" }, table));
  });
}
