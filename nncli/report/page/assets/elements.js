"use strict";
// Elements, numbers and tables. Texts become text nodes only, so that a name in a run is never markup.

const SVG_NAMES = new Set(["svg", "g", "path", "line", "rect", "circle", "text", "clipPath", "defs"]);

/** An element with attributes, listeners (`onclick`) and children. */
function element(name, attributes = {}, ...children) {
  const made = SVG_NAMES.has(name)
    ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return made;
}

let lastId = 0;
/** A name that no other element has. */
const newId = (prefix) => `${prefix}-${(lastId += 1)}`;

/** A number with four significant digits; counts have all of theirs. */
function figure(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return value.toLocaleString("en-US");
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e6) return value.toExponential(2).replace("e+", "e");
  return value.toPrecision(4);
}

/** The bytes of a base64 text. */
const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** A table of rows; columns have a name and a kind: text, number, bar or code. */
function table(columns, rows, caption) {
  const largest = columns.map((column, index) =>
    column.kind === "bar" ? Math.max(...rows.map((row) => Math.abs(row[index] ?? 0)), Number.MIN_VALUE) : 0);
  const cell = (value, index) => {
    const kind = columns[index].kind;
    const text = kind === "number" || kind === "bar" ? figure(value) : value === null ? "–" : String(value);
    const content = kind === "code" && value !== null ? element("code", {}, text) : text;
    return element(index ? "td" : "th", { class: kind, scope: index ? null : "row" }, content,
      kind === "bar" ? bar(value, largest[index]) : null);
  };
  const body = rows.map((row) => element("tr", {}, row.map(cell)));
  const heads = columns.map((column) => element("th", { scope: "col", class: column.kind }, column.name));
  return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": `${caption}: table` },
    element("table", {}, element("caption", { class: "hidden" }, caption),
      element("thead", {}, element("tr", {}, heads)), element("tbody", {}, body)));
}

/** A bar of a length from 0 to the largest value. */
function bar(value, largest) {
  const width = 100 * Math.min(1, Math.abs(value ?? 0) / largest);
  return element("svg", { class: "bar", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
    element("rect", { width, height: 8, class: value < 0 ? "negative" : "positive" }));
}

/** The data of a plot as a table, which is made when it is opened. */
function details(title, columns, rows) {
  const made = element("details", {
    ontoggle: () => {
      if (made.open) made.lastChild.replaceChildren(table(columns, rows(), title));
    },
  }, element("summary", {}, "Data as a table"), element("div"));
  return made;
}

const redraws = [];
/** Draw now, when the element has another width, and when the colors of the page change. */
function drawn(node, draw) {
  redraws.push(draw);
  new ResizeObserver(draw).observe(node);
}

for (const query of ["(prefers-color-scheme: dark)", "print"]) {
  matchMedia(query).addEventListener("change", () => redraws.forEach((draw) => draw()));
}
