"""Gates: bounds on metrics, checked after an evaluation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nncli.config.diagnostics import suggestion
from nncli.errors import CommandLineError
from nncli.experiment.metric_columns import SPLITS, possible_names


@dataclass(frozen=True)
class Gate:
    """A bound on a metric: of one split where its name begins with that split's, else of every split shown."""

    name: str
    bound: float
    upper: bool

    def covers(self, split: str, metric: str) -> bool:
        """Whether the bound is for this metric of this split."""
        return self.name in {metric, f"{split}_{metric}"}

    def holds(self, value: float) -> bool:
        """Whether a value is within the bound; at the bound it is."""
        return value <= self.bound if self.upper else value >= self.bound


def parse_gate(text: str, upper: bool) -> Gate:
    """A gate from ``metric=value``.

    Raises:
        CommandLineError: it has another form, or no such metric.
    """
    name, _, number = text.partition("=")
    bare = {metric for split in SPLITS for metric in possible_names(split)}
    known = bare | {f"{split}_{metric}" for split in SPLITS for metric in possible_names(split)}
    if name not in known:
        raise CommandLineError(f"{text!r}: unknown metric {name!r}{suggestion(name, known, listed=bare)}")
    try:
        bound = float(number)
    except ValueError:
        bound = math.nan
    if not math.isfinite(bound):
        raise CommandLineError(f"{text!r}: {number!r} is not a number; write a gate as accuracy=0.9")
    return Gate(name, bound, upper)


def failures(assessment: dict[str, Any], gates: Sequence[Gate]) -> list[str]:
    """A sentence for each gate that is not met, and for each that nothing shown is measured by."""
    sentences = []
    for gate in gates:
        covered = [
            (split, metric, value)
            for split, part in assessment["splits"].items()
            for metric, value in part["metrics"].items()
            if gate.covers(split, metric)
        ]
        if not covered:
            measured = dict.fromkeys(name for part in assessment["splits"].values() for name in part["metrics"])
            sentences.append(f"{gate.name}: no split shown has it, but {', '.join(measured)}; the gate is not met")
        side = "over" if gate.upper else "under"
        sentences += [
            f"{split} {metric} is {value:.6g}, {side} {gate.bound:g}"
            for split, metric, value in covered
            if not gate.holds(value)
        ]
    return sentences
