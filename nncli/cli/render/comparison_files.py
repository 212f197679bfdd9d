"""A comparison as JSON, CSV, Markdown and LaTeX."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nncli.cli.render.format import cell_text, direction, figure

if TYPE_CHECKING:
    from nncli.analysis.comparison import Comparison, Row

ESCAPES = str.maketrans(
    {
        **{each: f"\\{each}" for each in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "↑": r"$\uparrow$",
        "↓": r"$\downarrow$",
        "–": "--",
        "·": r"$\cdot$",
        "±": r"$\pm$",
    }
)
ESCAPED_BAR = "\\|"


def as_document(comparison: "Comparison") -> dict[str, Any]:
    """The JSON document of a comparison, at full precision."""
    runs = [
        {
            "run": str(entry.run.path),
            "status": str(entry.progress),
            "epoch": entry.epoch,
            "metrics": _chosen(entry.metrics, comparison.columns),
            "gap": {"size": entry.gap.size, "chance": entry.gap.margin, "words": entry.gap.description}
            if entry.gap
            else None,
            "warnings": entry.run.warnings,
        }
        for entry in comparison.entries
    ]
    labels = [entry.label for entry in comparison.entries]
    best = {row.name: [labels[index] for index in row.best] for row in comparison.rows if row.best}
    return {
        "runs": runs,
        "differences": comparison.differences,
        "best": best,
        "verdict": comparison.verdict(),
        "sorted_by": comparison.metric,
        "left_out": len(comparison.left_out),
        "not_compared": list(comparison.different),
    }


def _chosen(metrics: Mapping[str, float], columns: Sequence[str]) -> dict[str, float]:
    """The metrics that the user has chosen; all if no columns are chosen."""
    return {name: value for name, value in metrics.items() if not columns or name in columns}


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
    if comparison.is_long:
        return _markdown_rows(comparison, digits)
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
    not_compared = "".join(f"- {sentence}\n" for sentence in comparison.not_compared)
    verdict = comparison.verdict()
    blocks = [
        markdown_table(["config", *labels], configs),
        markdown_table(["metric", *labels], metrics),
        overfitting,
        not_compared,
        f"{verdict}\n" if verdict else "",
    ]
    return "\n".join(filter(None, blocks))


def _markdown_rows(comparison: "Comparison", digits: int | None) -> str:
    """One row per run, with the best value of each metric in bold."""
    headings, rows = _table(comparison, digits)
    bold = [[f"**{cell.text}**" if cell.is_best else cell.text for cell in row] for row in rows]
    sentences = [*comparison.not_compared, *filter(None, [comparison.verdict()])]
    return "\n".join([markdown_table(headings, bold), *(f"{sentence}\n" for sentence in sentences)])


def as_latex(comparison: "Comparison", digits: int | None) -> str:
    """A table for the package booktabs: one row per run, with the best values in bold, and the verdict as a comment.

    Args:
        comparison: the runs.
        digits: significant digits of the metrics; all of them if None.
    """
    headings, rows = _table(comparison, digits)
    numbers = len(comparison.main_rows)
    cells = [[rf"\textbf{{{latex(cell.text)}}}" if cell.is_best else latex(cell.text) for cell in row] for row in rows]
    lines = latex_table(headings, cells, len(headings) - numbers)
    comments = [f"% {sentence}" for sentence in filter(None, [*comparison.not_compared, comparison.verdict()])]
    return "".join(f"{line}\n" for line in [*lines, *comments])


def latex_table(headings: Sequence[str], rows: Iterable[Iterable[str]], text_columns: int) -> list[str]:
    """The lines of a table for the package booktabs.

    Args:
        headings: those of the columns, as plain text.
        rows: cells in LaTeX.
        text_columns: the number of columns, from the left, that are left-aligned; others are right-aligned.
    """
    return [
        rf"\begin{{tabular}}{{{'l' * text_columns}{'r' * (len(headings) - text_columns)}}}",
        r"\toprule",
        _latex_row(map(latex, headings)),
        r"\midrule",
        *map(_latex_row, rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]


def _latex_row(cells: Iterable[str]) -> str:
    return f"{' & '.join(cells)} \\\\"


def latex(text: str) -> str:
    r"""A text with the special characters of LaTeX escaped.

    >>> latex("50% of a_b")
    '50\\% of a\\_b'
    """
    return text.translate(ESCAPES)


class TextCell(NamedTuple):
    """A cell of a table in a file, and whether its value is the best one."""

    text: str
    is_best: bool = False


def _table(comparison: "Comparison", digits: int | None) -> tuple[list[str], list[list[TextCell]]]:
    """The headings and the rows of a table of runs: name, status if not all are finished, keys and main metrics."""
    keys = {key: values for key, values in comparison.differences.items() if key not in comparison.implied}
    metrics = comparison.main_rows
    has_status = not all(entry.is_final for entry in comparison.entries)
    headings = ["run", *["status"] * has_status, *keys, *(f"{row.name}{direction(row.higher)}" for row in metrics)]
    rows = []
    for index, entry in enumerate(comparison.entries):
        texts = [entry.label, *[str(entry.progress)] * has_status, *(cell_text(each[index]) for each in keys.values())]
        rows.append([*map(TextCell, texts), *(_metric_cell(row, index, digits) for row in metrics)])
    return headings, rows


def _metric_cell(row: "Row", index: int, digits: int | None) -> TextCell:
    value = row.values[index]
    return TextCell("–" if value is None else figure(value, digits), index in row.best)


def markdown_table(headings: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, or an empty text if there are no rows."""
    lines = [headings, ["---"] * len(headings), *rows] if rows else []
    return "".join(f"| {' | '.join(cell.replace('|', ESCAPED_BAR) for cell in line)} |\n" for line in lines)
