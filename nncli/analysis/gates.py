"""Gates: thresholds on metrics that are checked after an evaluation, for example in CI."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nncli.config.hints import suggestion
from nncli.errors import CommandLineError
from nncli.experiment.metric_columns import known_columns


@dataclass(frozen=True)
class Gate:
    """A threshold on a metric: on one split if the name has a split as its prefix, otherwise on every evaluated split.

    Args:
        name: the metric, with or without a split.
        bound: the largest or smallest value that passes.
        upper: whether the bound is the largest value.
    """

    name: str
    bound: float
    upper: bool

    def covers(self, split: str, metric: str) -> bool:
        """Whether the gate applies to this metric of this split."""
        return self.name in {metric, f"{split}_{metric}"}

    def passes(self, value: float) -> bool:
        """Whether a value is within the bound or equal to it."""
        return value <= self.bound if self.upper else value >= self.bound


def parse_gate(text: str, upper: bool) -> Gate:
    """A gate from ``metric=value``.

    Raises:
        CommandLineError: the metric is unknown, or the value is not a number.
    """
    name, _, number = text.partition("=")
    measured = [column for column in known_columns() if column.split]
    metrics = {column.name for column in measured}
    known = metrics | {f"{column.split}_{column.name}" for column in measured}
    if name not in known:
        written = re.fullmatch(r"\s*(\w*?)[\s<>=:]*([-+.\deE]+)\s*", text)
        if written and written[1] in {"", *known}:
            raise CommandLineError(f"{text!r} is no bound; write {written[1] or 'accuracy'}={written[2]}")
        raise CommandLineError(f"{text!r}: unknown metric {name!r}{suggestion(name, known, listed=metrics)}")
    try:
        bound = float(number)
    except ValueError:
        bound = math.nan
    if not math.isfinite(bound):
        raise CommandLineError(f"{text!r}: {number!r} is not a number; write METRIC=VALUE, such as {name}=0.9")
    return Gate(name, bound, upper)


def gate_failures(assessment: dict[str, Any], gates: Sequence[Gate]) -> list[str]:
    """One sentence per value that does not pass a gate, and per gate whose metric was not evaluated."""
    sentences = []
    for gate in gates:
        covered = [
            (split, metric, value)
            for split, evaluated in assessment["splits"].items()
            for metric, value in evaluated["metrics"].items()
            if gate.covers(split, metric)
        ]
        if not covered:
            metrics = dict.fromkeys(name for each in assessment["splits"].values() for name in each["metrics"])
            sentences.append(f"{gate.name}: not evaluated, so the gate fails; evaluated: {', '.join(metrics)}")
        side = "above" if gate.upper else "below"
        sentences += [
            f"{split} {metric} is {value:.6g}, {side} {gate.bound:g}"
            for split, metric, value in covered
            if not gate.passes(value)
        ]
    return sentences
