"""A comparison as JSON, CSV and Markdown."""

from typing import TYPE_CHECKING, Any

from nncli.cli.render.format import cell_text, direction, figure

if TYPE_CHECKING:
    from nncli.analysis.comparison import Comparison

ESCAPED_BAR = "\\|"


def as_document(comparison: "Comparison") -> dict[str, Any]:
    """The JSON document of a comparison, at full precision."""
    runs = [
        {
            "run": str(entry.run.path),
            "status": str(entry.progress),
            "epoch": entry.epoch,
            "metrics": entry.metrics,
            "gap": {"size": entry.gap.size, "chance": entry.gap.margin, "words": entry.gap.description}
            if entry.gap
            else None,
            "warnings": entry.run.warnings,
        }
        for entry in comparison.entries
    ]
    labels = [entry.label for entry in comparison.entries]
    best = {row.name: [labels[index] for index in row.best] for row in comparison.rows if row.best}
    return {"runs": runs, "differences": comparison.differences, "best": best, "verdict": comparison.verdict()}


def as_csv(comparison: "Comparison") -> str:
    """One row per run: status, metrics at full precision, and the keys in which the configs differ."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run", "status", "epoch", *(row.name for row in comparison.rows), *comparison.differences])
    for index, entry in enumerate(comparison.entries):
        values = [row.values[index] for row in comparison.rows]
        keys = [column[index] for column in comparison.differences.values()]
        writer.writerow([entry.label, str(entry.progress), entry.epoch, *values, *keys])
    return text.getvalue()


def as_markdown(comparison: "Comparison", digits: int | None) -> str:
    """The tables of the terminal, with the best value of each row in bold.

    Args:
        comparison: the runs side by side.
        digits: significant digits of the metrics; all of them if None.
    """
    labels = [entry.label for entry in comparison.entries]
    configs = [[key, *(cell_text(value) for value in values)] for key, values in comparison.differences.items()]
    metrics = [["status", *(str(entry.progress) for entry in comparison.entries)]]
    metrics += [["epoch", *(str(entry.epoch) for entry in comparison.entries)]]
    for row in comparison.rows:
        cells = ["–" if value is None else figure(value, digits) for value in row.values]
        for index in row.best:
            cells[index] = f"**{cells[index]}**"
        metrics.append([f"{row.name}{direction(row.higher)}", *cells])
    overfitting = "".join(f"- **{entry.label}** {entry.description}\n" for entry in comparison.entries)
    verdict = comparison.verdict()
    blocks = [
        markdown_table(["config", *labels], configs),
        markdown_table(["metric", *labels], metrics),
        overfitting,
        f"{verdict}\n" if verdict else "",
    ]
    return "\n".join(filter(None, blocks))


def markdown_table(headings: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, or an empty text if there are no rows."""
    lines = [headings, ["---"] * len(headings), *rows] if rows else []
    return "".join(f"| {' | '.join(cell.replace('|', ESCAPED_BAR) for cell in line)} |\n" for line in lines)
