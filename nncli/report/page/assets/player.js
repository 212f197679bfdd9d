// A network at several epochs: its boundary or fitted curve, the views of its units, and its losses at that moment.

const SECONDS = 8; // of all frames
const SLOW = 0.7; // seconds of a frame where motion is reduced
const ENLARGED = 5; // pixels of a cell
const SHADES = 255; // of a color
const PAD = { left: 46, right: 10, top: 8, bottom: 36 };

/** A place between the centers of the first and the last of some cells. */
const within = (place, count) => Math.min(count - 1, Math.max(0, place));

/** The axes of a plane around its picture. */
function planeAxes(context, view, area, x, y) {
  context.fillStyle = styled("--soft");
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "center";
  for (const value of ticks(...view.x, 5, false)) context.fillText(tickText(value), x(value), area.y + area.height + 15);
  context.fillText(view.features[0], area.x + area.width / 2, area.y + area.height + 31);
  context.textAlign = "right";
  for (const value of ticks(...view.y, 5, false)) context.fillText(tickText(value), area.x - 6, y(value) + 4);
  context.save();
  context.translate(11, area.y + area.height / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.fillText(view.features[1], 0, 0);
  context.restore();
}

/** The plane of two inputs: class by color, probability by its strength, a line where another class begins. */
class PlaneView {
  constructor(view, label) {
    this.view = view;
    this.cells = view.frames.map(bytesOf);
    this.points = view.points;
    this.canvas = element("canvas", { class: "plane", role: "img", "aria-label": label });
    this.node = element("div", { class: "plot" }, this.canvas, this.legend());
    this.frame = view.frames.length - 1;
    drawn(this.node, () => this.draw());
  }

  /** The class of a byte, or a band of a value. */
  band(byte) { return this.view.names ? Math.floor(byte / this.view.levels) : byte >> 5; }

  /** The probability or the value that a byte stands for. */
  value(byte) {
    const { names, levels, low, high } = this.view;
    if (!names) return low + ((high - low) * byte) / 255;
    return 1 / names.length + ((1 - 1 / names.length) * (byte % levels)) / (levels - 1);
  }

  legend() {
    const { names, low, high, split } = this.view;
    if (!names) return element("p", { class: "readout" }, `colors from ${figure(low)} (dark) to ${figure(high)} (light)`);
    return element("ul", { class: "legend" }, names.map((name, index) => element("li", {},
      sample({ color: index, dash: index, style: "points" }), name)), split ? element("li", {}, `${split} rows`) : null);
  }

  draw() {
    const { view } = this, width = this.node.clientWidth;
    if (width < 120) return;
    const side = Math.min(width, 520), height = side - PAD.left + PAD.bottom;
    const area = { x: PAD.left, y: PAD.top, width: side - PAD.left - PAD.right, height: height - PAD.top - PAD.bottom };
    this.canvas.style.width = `${side}px`;
    const context = sized(this.canvas, side, height);
    const x = (value) => area.x + ((value - view.x[0]) / (view.x[1] - view.x[0])) * area.width;
    const y = (value) => area.y + area.height * (1 - (value - view.y[0]) / (view.y[1] - view.y[0]));
    context.clearRect(0, 0, side, height);
    context.drawImage(this.picture(), area.x, area.y, area.width, area.height);
    planeAxes(context, view, area, x, y);
    this.drawPoints(context, x, y);
  }

  /** The cells of the frame, enlarged: bilinear between their centers, dark where another class or band begins. */
  picture() {
    const { view } = this, wide = view.width * ENLARGED, high = view.height * ENLARGED;
    const bands = new Int16Array(wide * high), shades = new Float32Array(wide * high);
    const scores = new Float32Array(view.names ? view.names.length : 1);
    for (let row = 0; row < high; row += 1) {
      const y = within((row + 0.5) / ENLARGED - 0.5, view.height), foot = Math.min(view.height - 2, Math.floor(y));
      for (let column = 0; column < wide; column += 1) {
        const x = within((column + 0.5) / ENLARGED - 0.5, view.width), left = Math.min(view.width - 2, Math.floor(x));
        const best = this.mix(foot * view.width + left, x - left, y - foot, scores);
        bands[row * wide + column] = view.names ? best : Math.floor(scores[0] * 7.999);
        shades[row * wide + column] = scores[best];
      }
    }
    return this.painted(bands, shades, wide, high);
  }

  /** Fill the probability of each class, or the value, at a place between four cells; the index of the largest. */
  mix(cell, right, up, scores) {
    const cells = this.cells[this.frame], { width, names, levels } = this.view, count = scores.length;
    scores.fill(0);
    for (let corner = 0; corner < 4; corner += 1) {
      const byte = cells[cell + (corner & 1) + (corner & 2 ? width : 0)];
      const weight = (corner & 1 ? right : 1 - right) * (corner & 2 ? up : 1 - up);
      if (!names) { scores[0] += (weight * byte) / 255; continue; }
      const best = Math.floor(byte / levels), probability = 1 / count + ((1 - 1 / count) * (byte % levels)) / (levels - 1);
      const rest = (weight * (1 - probability)) / (count - 1);
      for (let each = 0; each < count; each += 1) scores[each] += each === best ? weight * probability : rest;
    }
    let largest = 0;
    for (let each = 1; each < count; each += 1) if (scores[each] > scores[largest]) largest = each;
    return largest;
  }

  /** The picture of bands and shades, first row at the bottom. */
  painted(bands, shades, wide, high) {
    const canvas = element("canvas", { width: wide, height: high }), context = canvas.getContext("2d");
    const pixels = context.createImageData(wide, high), edge = channels(styled("--edge")), palette = this.palette();
    const strength = this.view.names ? 0.75 : 0.3;
    for (let index = 0; index < bands.length; index += 1) {
      const column = index % wide, band = bands[index], target = 4 * (index + wide * (high - 1 - 2 * Math.floor(index / wide)));
      const isEdge = (column < wide - 1 && band !== bands[index + 1]) || (index + wide < bands.length && band !== bands[index + wide]);
      const color = palette[this.view.names ? band : 0][Math.round(shades[index] * SHADES)];
      for (let each = 0; each < 3; each += 1) pixels.data[target + each] = isEdge ? color[each] + (edge[each] - color[each]) * strength : color[each];
      pixels.data[target + 3] = 255;
    }
    context.putImageData(pixels, 0, 0);
    return canvas;
  }

  /** The colors of each class by probability, or of values. */
  palette() {
    const { names } = this.view, paper = channels(styled("--paper")), steps = range(0, SHADES, 1);
    if (!names) return [steps.map((step) => between(VIRIDIS, step / SHADES))];
    const least = 1 / names.length;
    return names.map((_, index) => steps.map((step) => between([paper, channels(colorOf(index))], 0.12 + (0.7 * Math.max(0, step / SHADES - least)) / (1 - least))));
  }

  drawPoints(context, x, y) {
    const { names, low, high } = this.view;
    for (const [right, upwards, target] of this.points) {
      const shape = new Path2D(outline(names ? target : 0, x(right), y(upwards), 3.2));
      const color = names ? colorOf(target) : `rgb(${between(VIRIDIS, (target - low) / (high - low || 1)).map(Math.round)})`;
      context.strokeStyle = styled("--paper");
      context.lineWidth = 2.5;
      context.stroke(shape);
      context.fillStyle = context.strokeStyle = color;
      context.lineWidth = 1.25;
      context.fill(shape);
      context.stroke(shape);
    }
  }

  show(frame) {
    this.frame = frame;
    this.draw();
  }

  details(title) {
    const { view } = this, step = Math.ceil(view.width / 16);
    const columns = [...view.features.map((name) => ({ name, kind: "number" })), { name: view.names ? "class" : "prediction", kind: view.names ? "text" : "number" },
      ...(view.names ? [{ name: "probability", kind: "number" }] : [])];
    const row = (up, right) => {
      const byte = this.cells[this.frame][up * view.width + right];
      const place = (bounds, index, count) => bounds[0] + ((index + 0.5) * (bounds[1] - bounds[0])) / count;
      return [place(view.x, right, view.width), place(view.y, up, view.height), ...(view.names ? [view.names[this.band(byte)]] : []), this.value(byte)];
    };
    const places = (count) => range(Math.floor(step / 2), count - 1, step);
    return details(title, columns, () => places(view.height).flatMap((up) => places(view.width).map((right) => row(up, right))));
  }
}

/** The outputs for each value of one input, with the rows. */
class FitView {
  constructor(view, label) {
    this.view = view;
    const points = { name: `${view.split} rows`, x: view.points.map((point) => point[0]), y: view.points.map((point) => point[1]), style: "points", color: 7, dash: 0 };
    this.lines = view.names.map((name, index) => ({ name, x: view.x, y: view.frames.at(-1)[index], style: "line", color: index, dash: index }));
    const series = view.points.length ? [points, ...this.lines] : this.lines;
    this.chart = new Chart({ title: label, message: "", x: view.feature, y: view.target, series, marks: [] }, 340);
    this.chart.values = [...this.chart.values, ...view.frames.flat(2)].filter((value) => value !== null);
    this.chart.heights = () => { const margin = 0.05 * (most(this.chart.values) - least(this.chart.values)); return [least(this.chart.values) - margin, most(this.chart.values) + margin]; };
    this.node = this.chart.node;
  }

  show(frame) {
    this.lines.forEach((line, index) => { line.y = this.view.frames[frame][index]; });
    this.chart.draw();
  }

  details() { return this.chart.details(); }
}

/** The output of each unit over the plane, with the weights as lines: wide if they are large. */
class UnitsView {
  constructor(units) {
    this.units = units;
    this.cells = units.frames.map(bytesOf);
    this.frame = 0;
    this.canvas = element("canvas", { role: "img", "aria-label": `Views of ${units.units.join(", ")} units by layer, with the weights as lines` });
    this.node = element("div", { class: "plot" }, this.canvas,
      element("p", { class: "readout" }, "Each unit from its lowest (blue) to its highest output (vermilion); a solid line is a positive weight, a dashed one negative; wide lines are large weights."));
    drawn(this.node, () => this.draw());
  }

  draw() {
    const width = this.node.clientWidth, { units, inputs, layers } = this.units;
    if (width < 120) return;
    const columns = [inputs.length, ...units], tallest = Math.max(...columns);
    const cell = Math.max(14, Math.min(46, (width / columns.length) * 0.55)), pitch = cell + 6, height = tallest * pitch + 24;
    const context = sized(this.canvas, width, height);
    this.canvas.style.width = `${width}px`;
    const x = (column) => (columns.length > 1 ? (column * (width - cell)) / (columns.length - 1) : 0);
    const y = (column, row) => 22 + ((tallest - columns[column]) * pitch) / 2 + row * pitch;
    this.drawWeights(context, columns, x, y, cell);
    let first = 0;
    columns.forEach((count, column) => {
      for (let row = 0; row < count; row += 1) {
        if (column) this.drawView(context, first + row, x(column), y(column, row), cell);
        else this.drawInput(context, inputs[row], x(0), y(0, row), cell);
      }
      if (column) first += count;
      context.fillStyle = styled("--soft");
      context.font = "12px system-ui, sans-serif";
      context.textAlign = column === columns.length - 1 ? "right" : column ? "center" : "left";
      context.fillText(column ? layers[column - 1] : "inputs", x(column) + (column === columns.length - 1 ? cell : column ? cell / 2 : 0), 12);
    });
  }

  drawWeights(context, columns, x, y, cell) {
    this.units.weights[this.frame].forEach((weights, index) => {
      const outputs = columns[index + 1], largest = Math.max(...weights.map(Math.abs), Number.MIN_VALUE);
      weights.forEach((weight, place) => {
        const from = Math.floor(place / outputs), to = place % outputs;
        context.beginPath();
        context.setLineDash(weight < 0 ? [4, 3] : []);
        context.strokeStyle = colorOf(weight < 0 ? 0 : 1);
        context.lineWidth = Math.max(0.2, (4 * Math.abs(weight)) / largest);
        context.globalAlpha = 0.25 + (0.6 * Math.abs(weight)) / largest;
        const start = [x(index) + cell, y(index, from) + cell / 2], end = [x(index + 1), y(index + 1, to) + cell / 2], half = (start[0] + end[0]) / 2;
        context.moveTo(...start);
        context.bezierCurveTo(half, start[1], half, end[1], ...end);
        context.stroke();
      });
    });
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  drawView(context, unit, left, top, cell) {
    const { size } = this.units, cells = this.cells[this.frame].subarray(unit * size * size, (unit + 1) * size * size);
    context.drawImage(image(size, size, (index) => between(SIGNS, cells[index] / 255), true), left, top, cell, cell);
    context.strokeStyle = styled("--line");
    context.lineWidth = 1;
    context.strokeRect(left + 0.5, top + 0.5, cell - 1, cell - 1);
  }

  drawInput(context, name, left, top, cell) {
    context.strokeStyle = styled("--line");
    context.strokeRect(left + 0.5, top + 0.5, cell - 1, cell - 1);
    context.fillStyle = styled("--ink");
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "center";
    context.fillText(name, left + cell / 2, top + cell / 2 + 4, cell - 4);
  }

  show(frame) {
    this.frame = this.units.nearest[frame];
    this.draw();
  }

  details() {
    const { units, inputs, layers } = this.units, counts = [inputs.length, ...units];
    const columns = [{ name: "layer", kind: "text" }, { name: "from", kind: "text" }, { name: "to", kind: "text" }, { name: "weight", kind: "number" }];
    return details("Weights", columns, () => this.units.weights[this.frame].flatMap((weights, layer) => weights.map((weight, place) =>
      [layers[layer], layer ? String(Math.floor(place / counts[layer + 1])) : inputs[Math.floor(place / counts[1])], String(place % counts[layer + 1]), weight])));
  }
}

class Player {
  constructor(block) {
    this.block = block;
    this.frame = block.start;
    this.view = block.view.kind === "plane" ? new PlaneView(block.view, `${block.title}. ${block.message}`) : new FitView(block.view, block.title);
    this.units = block.units ? new UnitsView(block.units) : null;
    this.losses = block.losses ? new Chart(block.losses, 200) : null;
    this.caption = element("output", { class: "moment-text" });
    this.slider = element("input", { type: "range", min: "0", max: String(block.epochs.length - 1), value: String(this.frame), "aria-label": "Epoch", oninput: () => { this.stop(); this.show(Number(this.slider.value)); } });
    this.button = element("button", { type: "button", class: "play", onclick: () => this.toggle() }, "Play");
    const hasFrames = block.epochs.length > 1;
    this.node = element("div", { class: "player", onkeydown: (event) => this.key(event) },
      hasFrames ? element("div", { class: "bar-of-player" }, this.button, this.slider) : null, this.caption,
      element("div", { class: "views" }, element("div", {}, this.view.node, this.view.details(block.title)),
        element("div", {}, this.losses ? [this.losses.node, this.losses.details()] : null,
          this.units ? [element("h4", {}, "Output of each unit"), this.units.node, this.units.details()] : null)));
    this.show(this.frame);
  }

  key(event) {
    const last = this.block.epochs.length - 1, isButton = event.target === this.button;
    if (event.key === " " && !isButton && event.target.tagName !== "SUMMARY" && event.target.tagName !== "BUTTON") this.toggle();
    else if (event.target !== this.slider) return;
    else if (event.key === "Home") this.show(0);
    else if (event.key === "End") this.show(last);
    else return;
    event.preventDefault();
  }

  toggle() {
    if (this.timer) { this.stop(); return; }
    if (this.frame === this.block.epochs.length - 1) this.show(0);
    const isReduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const pause = isReduced ? SLOW * 1000 : Math.max(60, (SECONDS * 1000) / this.block.epochs.length);
    this.button.textContent = "Pause";
    this.timer = setInterval(() => (this.frame < this.block.epochs.length - 1 ? this.show(this.frame + 1) : this.stop()), pause);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.button.textContent = "Play";
  }

  show(frame) {
    this.frame = frame;
    const epoch = this.block.epochs[frame];
    this.slider.value = String(frame);
    const values = this.losses ? this.block.losses.series.map((series) => `${series.name} ${figure(series.y[nearest(series.x, epoch)])}`) : [];
    this.caption.textContent = [`epoch ${figure(epoch)}`, ...values].join(" · ");
    this.slider.setAttribute("aria-valuetext", this.caption.textContent);
    this.view.show(frame);
    this.units?.show(frame);
    this.losses?.at(epoch);
  }
}
