"""The gate on regressions: a comparison with a baseline fails where the verdict says worse."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from nncli.analysis.group_sentences import number_format, sentence
from nncli.analysis.group_verdict import Outcome, Verdict
from nncli.config.hints import suggestion
from nncli.errors import CommandLineError
from nncli.experiment.metric_columns import higher_is_better, known_columns


class RegressionGate(NamedTuple):
    """A metric that must not become worse.

    Args:
        metric: its column.
        tolerance: the largest difference to the baseline that passes, even if it is significant.
    """

    metric: str
    tolerance: float


def parse_regression_gate(text: str) -> RegressionGate:
    """A gate from ``METRIC`` or ``METRIC:TOLERANCE``.

    Raises:
        CommandLineError: the metric is unknown, or the tolerance is not a number from 0 on.
    """
    metric, colon, number = text.partition(":")
    known = [column.header for column in known_columns() if column.split and column.higher_is_better is not None]
    if metric not in known:
        raise CommandLineError(f"{text!r}: unknown metric {metric!r}{suggestion(metric, known)}")
    try:
        tolerance = float(number) if colon else 0.0
    except ValueError:
        tolerance = math.nan
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise CommandLineError(
            f"{text!r}: {number!r} is not a tolerance; write METRIC:TOLERANCE, such as {metric}:0.01"
        )
    return RegressionGate(metric, tolerance)


def regressions(verdicts: Sequence[Verdict], tolerance: float) -> list[str]:
    """One sentence for each group that is worse than the baseline, or that cannot be compared with it.

    Args:
        verdicts: those on each group compared with the baseline.
        tolerance: the largest difference that passes.
    """
    return [text for verdict in verdicts if (text := _regression(verdict, tolerance))]


def _regression(verdict: Verdict, tolerance: float) -> str | None:
    """Why a verdict fails the gate; None if it passes."""
    comparison = verdict.comparison
    names = f"{comparison.first.label} and {comparison.second.label}"
    if verdict.outcome is Outcome.NOT_COMPARED:
        return f"{sentence(verdict)}, so the gate fails"
    if verdict.outcome is Outcome.ONE_SEED and comparison.trainings is None:
        reason = f"{comparison.metric} of a single run has no margin; compare groups of seeds"
        return f"{names} cannot be tested, so the gate fails: {reason}"
    loss = -comparison.difference if higher_is_better(comparison.metric) else comparison.difference
    if not _is_worse(verdict, loss) or loss <= tolerance:
        return None
    allowed = f" (tolerance {tolerance:{number_format(comparison.metric)}})" if tolerance else ""
    text = f"{comparison.first.label} is worse than {comparison.second.label}"
    detail = comparison.trainings.description if comparison.trainings else sentence(verdict).partition(": ")[2]
    return f"{comparison.metric}: {text}{allowed}: {detail}"


def _is_worse(verdict: Verdict, loss: float) -> bool:
    """Whether a verdict says worse: by the runs of two groups, or by the rows of two runs."""
    trainings = verdict.comparison.trainings
    if verdict.outcome is Outcome.ONE_SEED and trainings:
        return trainings.is_significant and loss > 0
    return verdict.outcome is Outcome.WORSE
