// Charts: axes, lines, points and bars in SVG, with hover, zoom, and a linear or logarithmic scale.

const MARGIN = { right: 12, top: 10, bottom: 40 };
const DIGIT = 6.7; // the width of a character at an axis
const KEYS = "Arrow keys read the values, + and − zoom, 0 resets the zoom.";

/** Round numbers between two values, at most `count` of them; powers of ten on a logarithmic scale. */
function ticks(low, high, count, isLogarithmic) {
  if (isLogarithmic) {
    const decades = range(Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9), 1);
    if (decades.length < 2) {
      const steps = range(Math.floor(Math.log10(low)), Math.ceil(Math.log10(high)), 1).flatMap((power) => [1, 2, 5].map((factor) => factor * 10 ** power));
      const found = steps.filter((value) => value >= low && value <= high);
      if (found.length > 1) return found;
    } else return decades.filter((_, index) => index % Math.ceil(decades.length / count) === 0).map((power) => 10 ** power);
  }
  const raw = (high - low) / count || 1, size = 10 ** Math.floor(Math.log10(raw));
  const step = size * [1, 2, 5, 10].find((factor) => factor * size >= raw * 0.999);
  return range(Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9), 1).map((index) => index * step);
}

const range = (first, last, step) => Array.from({ length: Math.max(0, Math.floor((last - first) / step) + 1) }, (_, index) => first + index * step);

/** A number at an axis, short. */
const tickText = (value) => (value === 0 ? "0" : Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3 ? value.toExponential(0).replace("e+", "e") : String(Number(value.toPrecision(4))));

/** The index of the value nearest to x in rising values. */
function nearest(values, x) {
  let low = 0, high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < x) low = middle + 1; else high = middle;
  }
  return low > 0 && x - values[low - 1] < values[low] - x ? low - 1 : low;
}

class Chart {
  constructor(block, height = 260) {
    this.block = block;
    this.height = height;
    this.xs = block.series.flatMap((series) => series.x);
    this.values = block.series.flatMap((series) => series.y).filter((value) => value !== null);
    this.canBeLogarithmic = !block.unit && this.values.length > 0 && this.values.every((value) => value > 0);
    this.isLogarithmic = block.is_logarithmic && this.canBeLogarithmic;
    this.bounds = block.unit ? [0, 1] : [least(this.xs), most(this.xs)];
    this.zoom = this.bounds;
    this.cursor = null;
    this.clip = newId("clip");
    this.svg = element("svg", {
      class: "chart", height, tabindex: "0", role: "img", "aria-label": `${block.title}. ${block.message} ${KEYS}`,
      onpointermove: (event) => this.move(event), onpointerdown: (event) => this.press(event),
      onpointerup: (event) => this.release(event), onpointercancel: () => { this.from = null; },
      onpointerleave: () => this.point(null), ondblclick: () => this.show(this.bounds), onkeydown: (event) => this.key(event),
    });
    this.readout = element("p", { class: "readout", role: "status" });
    this.node = element("div", { class: "plot" }, this.legend(), this.svg, element("div", { class: "below" }, this.readout, this.controls()));
    drawn(this.node, () => this.draw());
  }

  legend() {
    if (this.block.series.length < 2) return null;
    return element("ul", { class: "legend" }, this.block.series.map((series) => element("li", {}, sample(series), series.name)));
  }

  controls() {
    this.reset = element("button", { type: "button", disabled: true, onclick: () => this.show(this.bounds) }, "Reset zoom");
    this.scale = element("button", {
      type: "button", "aria-pressed": String(this.isLogarithmic), onclick: () => {
        this.isLogarithmic = !this.isLogarithmic;
        this.scale.setAttribute("aria-pressed", String(this.isLogarithmic));
        this.draw();
      },
    }, "Logarithmic");
    return element("div", { class: "controls" }, this.canBeLogarithmic ? this.scale : null, this.reset);
  }

  /** Draw within the width that there is. */
  draw() {
    const width = this.node.clientWidth;
    if (width < 120 || !this.xs.length) return;
    this.width = width;
    const [low, high] = this.zoom, [bottom, top] = this.heights();
    this.upwards = ticks(bottom, top, 5, this.isLogarithmic).filter((value) => value >= bottom && value <= top);
    this.left = 34 + DIGIT * Math.max(...this.upwards.map((value) => tickText(value).length), 2);
    const inner = { width: width - this.left - MARGIN.right, height: this.height - MARGIN.top - MARGIN.bottom };
    this.x = (value) => this.left + ((value - low) / (high - low || 1)) * inner.width;
    this.y = (value) => MARGIN.top + inner.height * (1 - (this.level(value) - this.level(bottom)) / (this.level(top) - this.level(bottom) || 1));
    this.svg.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    this.svg.setAttribute("width", width);
    const area = { x: this.left, y: MARGIN.top, ...inner };
    this.overlay = element("g");
    this.moment = element("g");
    this.svg.replaceChildren(
      element("defs", {}, element("clipPath", { id: this.clip }, element("rect", area))),
      this.axes(low, high, inner),
      element("g", { "clip-path": `url(#${this.clip})` }, this.diagonal(), this.block.series.map((series) => this.drawSeries(series)), this.moment),
      element("g", {}, this.marks(low, high)), this.overlay);
    if (this.now !== undefined) this.at(this.now);
    this.point(this.cursor);
  }

  level(value) { return this.isLogarithmic ? Math.log10(value) : value; }

  /** The lowest and the highest value that are shown. */
  heights() {
    if (this.block.unit) return [0, 1];
    const seen = this.block.series.flatMap((series) => series.y.filter((value, index) =>
      value !== null && series.x[index] >= this.zoom[0] && series.x[index] <= this.zoom[1]));
    const shown = seen.length ? seen : this.values, low = least(shown), high = most(shown);
    if (this.isLogarithmic) return [low / (high / low) ** 0.05 * 0.98, high * (high / low) ** 0.05 * 1.02];
    const hasBars = this.block.series.some((series) => series.style === "bars"), margin = (high - low) * 0.05 || Math.abs(high) * 0.05 || 1;
    return [hasBars || (low >= 0 && low <= high * 0.2) ? Math.min(0, low) : low - margin, high + margin];
  }

  axes(low, high, inner) {
    const right = this.left + inner.width, foot = MARGIN.top + inner.height;
    const across = ticks(low, high, Math.max(2, Math.min(8, inner.width / 80)), false).map((value) => [
      element("line", { class: "grid", x1: this.x(value), x2: this.x(value), y1: MARGIN.top, y2: foot }),
      element("text", { x: this.x(value), y: foot + 16, "text-anchor": "middle" }, tickText(value))]);
    const up = this.upwards.map((value) => [
      element("line", { class: "grid", x1: this.left, x2: right, y1: this.y(value), y2: this.y(value) }),
      element("text", { x: this.left - 6, y: this.y(value) + 4, "text-anchor": "end" }, tickText(value))]);
    const middle = MARGIN.top + inner.height / 2;
    return element("g", { class: "axes" }, across, up,
      element("text", { class: "name", x: this.left + inner.width / 2, y: this.height - 6, "text-anchor": "middle" }, this.block.x),
      element("text", { class: "name", x: 10, y: middle, "text-anchor": "middle", transform: `rotate(-90 10 ${middle})` }, this.block.y));
  }

  diagonal() {
    return this.block.diagonal ? element("path", { class: "diagonal", d: this.path([this.zoom[0], this.zoom[1]], [this.zoom[0], this.zoom[1]]) }) : null;
  }

  drawSeries(series) {
    const color = `color-${series.color % COLORS}`;
    if (series.style === "bars") {
      return element("g", { class: `bars ${color}` }, series.y.map((value, index) => element("rect", {
        x: this.x(series.x[index]), y: this.y(value), width: Math.max(0, this.x(series.x[index + 1]) - this.x(series.x[index]) - 1),
        height: Math.max(0, this.y(this.heights()[0]) - this.y(value)) })));
    }
    if (series.style === "points") {
      const shapes = series.x.map((x, index) => (series.y[index] === null ? "" : outline(series.dash, this.x(x), this.y(series.y[index]), 3)));
      return element("path", { class: `points ${color}`, d: shapes.join("") });
    }
    const line = element("path", { class: `line ${color}`, d: this.path(series.x, series.y), "stroke-dasharray": DASHES[series.dash % DASHES.length] });
    return series.style === "marked" ? [line, this.drawSeries({ ...series, style: "points" })] : line;
  }

  path(xs, ys) {
    let isDown = false;
    return xs.map((x, index) => {
      const value = ys[index], command = isDown ? "L" : "M";
      isDown = value !== null && value !== undefined;
      return isDown ? `${command}${this.x(x).toFixed(1)} ${this.y(value).toFixed(1)}` : "";
    }).join("");
  }

  marks(low, high) {
    return this.block.marks.filter((mark) => mark.x >= low && mark.x <= high).map((mark) => {
      const x = this.x(mark.x), isRight = x > this.width - 110;
      return element("g", { class: "mark" },
        element("line", { x1: x, x2: x, y1: MARGIN.top, y2: this.height - MARGIN.bottom }),
        element("text", { x: x + (isRight ? -5 : 5), y: MARGIN.top + 11, "text-anchor": isRight ? "end" : "start" }, mark.label));
    });
  }

  /** Show the moment of a player: a line at x. */
  at(x) {
    this.now = x;
    if (!this.moment) return;
    this.moment.replaceChildren(element("line", { class: "moment", x1: this.x(x), x2: this.x(x), y1: MARGIN.top, y2: this.height - MARGIN.bottom }));
  }

  /** Show a part of the horizontal axis. */
  show(bounds) {
    this.zoom = bounds;
    this.reset.disabled = bounds === this.bounds;
    this.draw();
  }

  xAt(event) {
    const inside = (event.clientX - this.svg.getBoundingClientRect().left - this.left) / (this.width - this.left - MARGIN.right);
    return this.zoom[0] + Math.min(1, Math.max(0, inside)) * (this.zoom[1] - this.zoom[0]);
  }

  press(event) {
    this.from = this.xAt(event);
    this.svg.setPointerCapture(event.pointerId);
  }

  move(event) {
    const x = this.xAt(event);
    this.point(x);
    if (this.from === null || this.from === undefined) return;
    const left = Math.min(this.x(this.from), this.x(x));
    this.overlay.append(element("rect", { class: "selection", x: left, y: MARGIN.top, width: Math.abs(this.x(x) - this.x(this.from)), height: this.height - MARGIN.top - MARGIN.bottom }));
  }

  release(event) {
    const x = this.xAt(event), from = this.from;
    this.from = null;
    if (from !== null && from !== undefined && Math.abs(this.x(x) - this.x(from)) > 8) this.show([Math.min(from, x), Math.max(from, x)]);
  }

  key(event) {
    const span = this.zoom[1] - this.zoom[0], middle = this.cursor ?? (this.zoom[0] + this.zoom[1]) / 2;
    const around = (part) => [Math.max(this.bounds[0], middle - part / 2), Math.min(this.bounds[1], middle + part / 2)];
    const actions = {
      ArrowLeft: () => this.step(-1), ArrowRight: () => this.step(1),
      "+": () => this.show(around(span / 2)), "=": () => this.show(around(span / 2)),
      "-": () => this.show(span * 2 >= this.bounds[1] - this.bounds[0] ? this.bounds : around(span * 2)),
      0: () => this.show(this.bounds), Escape: () => this.show(this.bounds),
    };
    if (!actions[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    actions[event.key]();
  }

  /** Read the values at the next or the last position. */
  step(direction) {
    const places = [...new Set(this.xs)].sort((a, b) => a - b).filter((x) => x >= this.zoom[0] && x <= this.zoom[1]);
    const start = this.cursor === null ? (direction > 0 ? -1 : places.length) : nearest(places, this.cursor);
    this.point(places[Math.min(places.length - 1, Math.max(0, start + direction))]);
  }

  /** Read the values at a position; those of each series are of its nearest point. */
  point(x) {
    this.cursor = x;
    this.overlay?.replaceChildren();
    if (x === null || !this.overlay) {
      this.readout.textContent = "";
      return;
    }
    const found = this.block.series.filter((series) => series.y.length).map((series) => {
      const isBar = series.style === "bars";
      const index = isBar ? Math.max(0, series.x.findLastIndex((left, place) => left <= x && place < series.y.length)) : closest(series, x);
      return { series, x: series.x[index], y: series.y[index] };
    }).filter((each) => each.y !== null && each.y !== undefined);
    if (!found.length) return;
    const at = found[0].x;
    this.overlay.append(element("line", { class: "cursor", x1: this.x(at), x2: this.x(at), y1: MARGIN.top, y2: this.height - MARGIN.bottom }),
      ...found.map((each) => element("circle", { class: `color-${each.series.color % COLORS}`, cx: this.x(each.x), cy: this.y(each.y), r: 4 })));
    this.readout.textContent = `${this.block.x} ${figure(at)}: ${found.map((each) => `${each.series.name} ${figure(each.y)}`).join(" · ")}`;
  }

  /** The data: x, and a column for each series if they share it. */
  details() {
    const [first] = this.block.series, number = (name) => ({ name, kind: "number" });
    const areShared = this.block.series.every((series) => series.x.length === first.x.length && series.x.every((x, index) => x === first.x[index]));
    const columns = areShared ? [number(this.block.x), ...this.block.series.map((series) => number(series.name))]
      : [{ name: "series", kind: "text" }, number(this.block.x), number(this.block.y)];
    return details(this.block.title, columns, () => (areShared
      ? first.y.map((_, index) => [first.x[index], ...this.block.series.map((series) => series.y[index])])
      : this.block.series.flatMap((series) => series.y.map((y, index) => [series.name, series.x[index], y]))));
  }
}

const least = (values) => values.reduce((found, value) => Math.min(found, value), Infinity);
const most = (values) => values.reduce((found, value) => Math.max(found, value), -Infinity);

/** The index of the point of a series nearest to x; its positions may be in any order. */
function closest(series, x) {
  if (series.style === "line") return nearest(series.x, x);
  return series.x.reduce((best, value, index) => (Math.abs(value - x) < Math.abs(series.x[best] - x) ? index : best), 0);
}

/** A piece of a series for a legend. */
function sample(series) {
  const color = `color-${series.color % COLORS}`;
  const shape = series.style === "points" || series.style === "marked" ? element("path", { class: `points ${color}`, d: outline(series.dash, 14, 6, 4) })
    : series.style === "bars" ? element("g", { class: `bars ${color}` }, element("rect", { x: 4, y: 1, width: 20, height: 10 }))
      : element("path", { class: `line ${color}`, d: "M0 6H28", "stroke-dasharray": DASHES[series.dash % DASHES.length] });
  return element("svg", { viewBox: "0 0 28 12", width: 28, height: 12, "aria-hidden": "true" }, shape);
}
