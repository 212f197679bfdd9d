// The page: a heading, a list of the sections, and the sections with their blocks.

const report = JSON.parse(document.getElementById("data").textContent);

const isComparison = report.sections.some((section) => section.blocks.filter((block) => block.kind === "player").length > 1);

/** Whether a block needs the whole width, half of it, or a third. */
function widthOf(block) {
  if (block.kind === "table") return block.columns.length > 7 ? "full" : block.columns.length > 2 || block.columns[1]?.kind === "code" ? "half" : "";
  if (block.kind === "matrix") return block.names.join("").length > 60 ? "full" : "half";
  return { text: "half", player: isComparison ? "half" : "full", images: "full", commands: "half" }[block.kind] ?? "";
}

/** A block as an article with its title and its message. */
function article(block) {
  const id = newId("block");
  return element("article", { class: `${block.kind} ${widthOf(block)}`, "aria-labelledby": block.title ? id : null },
    block.title ? element("h3", { id }, block.title) : null,
    block.message ? element("p", { class: "message" }, block.message) : null, BLOCKS[block.kind](block));
}

const sections = report.sections.map((section) => element("section", { id: section.name, "aria-labelledby": `${section.name}-title` },
  element("h2", { id: `${section.name}-title` }, section.title), element("div", { class: "blocks" }, section.blocks.map(article))));
const links = report.sections.map((section) => element("li", {}, element("a", { href: `#${section.name}` }, section.title)));

document.body.prepend(
  element("header", {}, element("h1", {}, report.title), element("p", {}, report.subtitle)),
  element("nav", { "aria-label": "Sections" }, element("ul", {}, links)),
  element("main", {}, sections),
  element("footer", {}, element("p", {}, `Made with nncli ${report.version}. This file makes no request.`)));
