// One function for each kind of block; each returns what stands below the block's title and message.

const BLOCKS = {
  text: (block) => [block.warnings.map((text) => element("p", { class: "warning" }, element("strong", {}, "Warning: "), text)),
    block.sentences.map((text) => element("p", {}, text))],
  table: (block) => [table(block.columns, block.rows, block.title)],
  chart: (block) => {
    const chart = new Chart(block);
    return [chart.node, chart.details()];
  },
  matrix: (block) => [matrix(block)],
  player: (block) => [new Player(block).node],
  images: (block) => [element("ul", { class: "gallery" }, block.images.map(captioned)), details(block.title, block.columns, () => block.rows)],
  commands: (block) => [element("pre", { class: "scroll", tabindex: "0", role: "group", "aria-label": `${block.title}: text` }, element("code", {}, block.lines.join("\n")))],
};

/** A confusion matrix as a table, whose cells are as dark as their share of the row; right ones have a frame. */
function matrix(block) {
  const heads = block.names.map((name) => element("th", { scope: "col" }, name));
  const rows = block.counts.map((counts, actual) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return element("tr", {}, element("th", { scope: "row" }, block.names[actual]), counts.map((count, predicted) => {
      const step = count ? Math.min(10, Math.ceil((10 * count) / total)) : 0;
      const label = `${count} of ${total}: ${block.names[actual]} predicted as ${block.names[predicted]}`;
      return element("td", { class: `number share-${step}${actual === predicted ? " right" : ""}`, title: label }, figure(count));
    }));
  });
  const corner = element("td", { class: "corner" }, "actual ↓ predicted →");
  return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": `${block.title}: table` },
    element("table", { class: "matrix" }, element("caption", { class: "hidden" }, block.title), element("thead", {}, element("tr", {}, corner, heads)), element("tbody", {}, rows)));
}

const PIXELS = {
  gray: (bytes) => (index) => [bytes[index], bytes[index], bytes[index]],
  rgb: (bytes) => (index) => [...bytes.subarray(3 * index, 3 * index + 3)],
  diverging: (bytes) => (index) => between(SIGNS, bytes[index] / 255),
};

/** An image with its caption, enlarged without smoothing. */
function captioned(each) {
  const canvas = image(each.width, each.height, PIXELS[each.form](bytesOf(each.pixels)));
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", each.caption);
  return element("li", {}, canvas, element("span", {}, each.caption));
}
