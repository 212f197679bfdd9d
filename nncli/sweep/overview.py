"""The state of a group while its trials are trained: how many have ended, the best so far, the time left."""

import time
from collections import Counter
from typing import NamedTuple

from nncli.experiment.metric_columns import higher_is_better
from nncli.sweep.plan import Plan
from nncli.sweep.progress import Progress

ENDED = ("finished", "diverged", "failed")


class Best(NamedTuple):
    """The best trial at a time.

    Args:
        rank: the number of trials that had ended with a value when it ended.
        progress: how it ended.
        value: its metric.
    """

    rank: int
    progress: Progress
    value: float


class Overview:
    """Collects what workers report.

    Args:
        plan: the plan of the group.
    """

    def __init__(self, plan: Plan) -> None:
        self.total, self.metric, self.name = len(plan), plan.record.metric, plan.directory.name
        self.is_higher_better = bool(self.metric and higher_is_better(self.metric))
        self._is_timed = plan.record.method != "halving"  # whose trials are trained in parts
        self._axes = len(plan.record.axes)
        self._states: dict[int, Progress] = {}
        self.counts = Counter[str]()  # trials by state
        self._trained = set[int]()
        self.started = time.monotonic()
        self._measured = set[int]()  # trials with a value
        self.bests: list[Best] = []

    def take(self, progress: Progress) -> bool:
        """Take what a worker reports; return whether a trial has ended, which several workers may report."""
        before, has_ended = self._states.get(progress.number), progress.state in ENDED
        if before:
            if before.state in ENDED and has_ended and not progress.is_new:
                return False
            self.counts[before.state] -= 1
        self._states[progress.number] = progress
        self.counts[progress.state] += 1
        if has_ended:
            self._rank(progress)
            if progress.is_new:
                self._trained.add(progress.number)
        return has_ended and not (before and before.state in ENDED)

    def _rank(self, progress: Progress) -> None:
        """Keep the best trial."""
        if progress.value is None:
            return
        self._measured.add(progress.number)
        sign = 1 if self.is_higher_better else -1
        if not self.bests or sign * progress.value > sign * self.best.value:
            self.bests.append(Best(len(self._measured), progress, progress.value))

    @property
    def ended(self) -> int:
        """The number of trials that have ended."""
        return sum(self.counts[state] for state in ENDED)

    @property
    def trained(self) -> int:
        """The number of trials that were trained now."""
        return len(self._trained)

    @property
    def running(self) -> list[Progress]:
        """The trials that are being trained."""
        return (
            [each for each in list(self._states.values()) if each.state == "running"] if self.counts["running"] else []
        )

    @property
    def done(self) -> float:
        """Trials that have ended, with the parts of those that are being trained."""
        return self.ended + sum(each.part for each in self.running)

    @property
    def seconds_left(self) -> float | None:
        """The time until all trials have ended; None if none was trained now, or trials are trained in parts."""
        trained = len(self._trained)
        if not trained or not self._is_timed:
            return None
        rate = (trained + self.done - self.ended) / (time.monotonic() - self.started)
        return (self.total - self.done) / rate

    @property
    def measured(self) -> int:
        """The number of trials with a value."""
        return len(self._measured)

    @property
    def best(self) -> Best:
        """The best trial so far, if there is one."""
        return self.bests[-1]

    @property
    def best_overrides(self) -> tuple[str, ...]:
        """What distinguishes the best trial: the values of the axes, or else those of its seed or fold."""
        overrides = self.best.progress.overrides
        return overrides[: self._axes] if self._axes else overrides[:1]

    @property
    def curve(self) -> tuple[list[int], list[float]]:
        """The best value over the trials with a value, as the corners of a line with a step at each better one."""
        bests = list(self.bests)
        counts, values = [bests[0].rank], [bests[0].value]
        for best in bests[1:]:
            if best.rank - 1 > counts[-1]:
                counts, values = [*counts, best.rank - 1], [*values, values[-1]]
            counts, values = [*counts, best.rank], [*values, best.value]
        return (counts, values) if counts[-1] >= self.measured else ([*counts, self.measured], [*values, values[-1]])
