// Colors: those of Okabe and Ito for classes and runs, viridis for values, blue to vermilion for signs.

const VIRIDIS = [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129],
  [92, 200, 99], [170, 220, 50], [253, 231, 37]];
const SIGNS = [[0, 114, 178], [247, 247, 247], [213, 94, 0]];
const COLORS = 8;
const DASHES = ["", "6 4", "2 3", "9 3 2 3"];
const SHAPES = ["circle", "square", "triangle", "diamond", "cross", "down", "plus", "bar"];

/** A color of the style, as a text. */
const styled = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The color of a class, a run or a series, as a text. */
const colorOf = (index) => styled(`--color-${index % COLORS}`);

/** A color such as #0072b2 as red, green and blue. */
const channels = (text) => [1, 3, 5].map((start) => parseInt(text.slice(start, start + 2), 16));

/** The color at a position from 0 to 1 of a list of colors. */
function between(colors, position) {
  const place = Math.min(1, Math.max(0, position)) * (colors.length - 1);
  const index = Math.min(colors.length - 2, Math.floor(place));
  return colors[index].map((from, channel) => from + (colors[index + 1][channel] - from) * (place - index));
}

/** The outline of a shape around a point, for SVG and canvas. */
function outline(index, x, y, size) {
  const line = (...points) => `M${points.map(([dx, dy]) => `${(x + dx * size).toFixed(1)} ${(y + dy * size).toFixed(1)}`).join("L")}`;
  switch (SHAPES[index % SHAPES.length]) {
    case "circle": return `M${x - size} ${y}a${size} ${size} 0 1 0 ${2 * size} 0a${size} ${size} 0 1 0 ${-2 * size} 0Z`;
    case "square": return `${line([-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9])}Z`;
    case "triangle": return `${line([0, -1.2], [1.1, 0.8], [-1.1, 0.8])}Z`;
    case "diamond": return `${line([0, -1.3], [1.1, 0], [0, 1.3], [-1.1, 0])}Z`;
    case "cross": return `${line([-1, -1], [1, 1])}${line([-1, 1], [1, -1])}`;
    case "down": return `${line([0, 1.2], [1.1, -0.8], [-1.1, -0.8])}Z`;
    case "plus": return `${line([0, -1.2], [0, 1.2])}${line([-1.2, 0], [1.2, 0])}`;
    default: return line([-1.2, 0], [1.2, 0]);
  }
}

/** An image of bytes: a function gives red, green and blue of each. */
function image(width, height, color, flipped = false) {
  const canvas = element("canvas", { width, height });
  const context = canvas.getContext("2d"), pixels = context.createImageData(width, height);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const target = 4 * ((flipped ? height - 1 - row : row) * width + column);
      pixels.data.set([...color(row * width + column).map(Math.round), 255], target);
    }
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/** A canvas of a size in CSS pixels, sharp on any screen; its context. */
function sized(canvas, width, height) {
  const ratio = Math.max(1, devicePixelRatio || 1);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
