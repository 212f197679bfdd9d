"""A comparison of groups as JSON, CSV, Markdown and LaTeX."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nncli.cli.render.compare_groups import mean_text
from nncli.cli.render.comparison_files import TextCell, latex_table, markdown_table
from nncli.cli.render.format import direction, figure

if TYPE_CHECKING:
    from nncli.analysis.compared_groups import ComparedGroups
    from nncli.analysis.group_results import GroupResult
    from nncli.analysis.group_verdict import Verdict

COUNTS = ("failed", "diverged", "unfinished")


def as_document(compared: "ComparedGroups", sentences: Sequence[str]) -> dict[str, Any]:
    """The JSON document, at full precision.

    Args:
        compared: the groups side by side.
        sentences: the verdicts.
    """
    return {
        "metric": compared.metric,
        "by": list(compared.by),
        "baseline": compared.baseline,
        "groups": [_group(group) for group in compared.groups],
        "comparisons": [_verdict(each, text) for each, text in zip(compared.verdicts, sentences, strict=True)],
        "notes": [*compared.basis, *compared.notes],
    }


def _group(group: "GroupResult") -> dict[str, Any]:
    """The results of a group as JSON values."""
    statistics = group.statistics
    return {
        "label": group.label,
        "runs": [str(entry.run.path) for entry in group.finished],
        "n": len(group.finished),
        "mean": statistics and statistics.mean,
        "deviation": statistics and statistics.deviation,
        "min": statistics and statistics.lowest,
        "max": statistics and statistics.highest,
        **{name: getattr(group, name) for name in COUNTS},
    }


def _verdict(verdict: "Verdict", text: str) -> dict[str, Any]:
    """A verdict as JSON values."""
    comparison = verdict.comparison
    is_compared = comparison.reason is None
    intervals = {"runs": comparison.over_runs, "rows": comparison.over_rows and comparison.over_rows.estimate}
    return {
        "first": comparison.first.label,
        "second": comparison.second.label,
        "verdict": str(verdict.outcome),
        "words": text,
        "difference": comparison.difference if is_compared else None,
        "interval_over_runs": intervals["runs"] and list(intervals["runs"].interval),
        "interval_over_rows": intervals["rows"] and list(intervals["rows"].interval),
        "decided_by_rows": comparison.decided_by_rows,
        "p": verdict.p_value,
        "pairs": comparison.pairs,
        "pairs_won": comparison.fraction_won,
        "probability": comparison.probability if is_compared else None,
        "sign_flip_p": comparison.sign_flip and comparison.sign_flip.p_value,
        "pairing_gain": comparison.gain,
        "more_runs": verdict.more_runs,
        "required_rows": verdict.required_rows,
    }


def as_csv(compared: "ComparedGroups") -> str:
    """One row per group, at full precision, with its verdict against the best group or the baseline."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = [
        "group",
        "n",
        "mean",
        "deviation",
        "min",
        "max",
        *COUNTS,
        "compared_with",
        "difference",
        "low",
        "high",
        "p",
    ]
    writer.writerow([*heads, "verdict"])
    against = _against(compared)
    for group in compared.groups:
        values = _group(group)
        writer.writerow([values[key] for key in ("label", *heads[1:9])] + against.get(group.label, [None] * 6))
    return text.getvalue()


def _against(compared: "ComparedGroups") -> dict[str, list[Any]]:
    """By group, the cells of the comparison in which it is not the best group or the baseline.

    The difference is that of the group minus the other one.
    """
    found = {}
    for verdict in compared.verdicts:
        comparison, sign = verdict.comparison, 1 if compared.baseline else -1
        own, other = (comparison.first, comparison.second)[::sign]
        low, high = sorted(sign * end for end in comparison.deciding.interval) if comparison.deciding else (None, None)
        difference = sign * comparison.difference if comparison.reason is None else None
        found[own.label] = [other.label, difference, low, high, verdict.p_value, _verdict_on(verdict, sign)]
    return found


def _verdict_on(verdict: "Verdict", sign: int) -> str:
    """The verdict on the first group, or on the second one if ``sign`` is -1."""
    opposite = {"better": "worse", "worse": "better"}
    return opposite.get(str(verdict.outcome), str(verdict.outcome)) if sign < 0 else str(verdict.outcome)


def as_markdown(compared: "ComparedGroups", sentences: Sequence[str], digits: int | None) -> str:
    """The table of the terminal and the sentences.

    Args:
        compared: the groups side by side.
        sentences: the verdicts.
        digits: significant digits of the metrics; all of them if None.
    """
    headings, rows = _table(compared, digits)
    lines = "".join(f"- {text}\n" for text in (*sentences, *compared.basis, *compared.notes))
    return f"{markdown_table(headings, rows)}\n{lines}"


def as_latex(compared: "ComparedGroups", sentences: Sequence[str], digits: int | None) -> str:
    """The table for the package booktabs, and the sentences as comments.

    Args:
        compared: the groups side by side.
        sentences: the verdicts.
        digits: significant digits of the metrics; all of them if None.
    """
    headings, rows = _table(compared, digits)
    cells = [[TextCell(text) for text in row] for row in rows]
    return latex_table(headings, cells, len(headings) - 1, [*sentences, *compared.basis, *compared.notes])


def _table(compared: "ComparedGroups", digits: int | None) -> tuple[list[str], list[list[str]]]:
    """The headings and the rows of the table of groups."""
    metric = f"{compared.metric}{direction(compared.groups[0].higher_is_better)}"
    rows = []
    for group in compared.groups:
        found = group.statistics
        numbers = [mean_text(found, digits), *(figure(each, digits) for each in found[2:])] if found else ["–"] * 3
        rows.append([group.label, str(len(group.finished)), *numbers, *(str(getattr(group, name)) for name in COUNTS)])
    return [metric, "n", "mean ± std", "min", "max", *COUNTS], rows
