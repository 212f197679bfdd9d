"""A signal at every system call that changes something: ``python -m tests.reliability.signals_at_calls``.

Training is killed, or asked to end by SIGTERM, SIGINT or SIGHUP, at each of these calls. What is left must be readable,
and training must go on to the very bytes that it would have had; where no run is left, nothing hinders a new one.
"""

import re
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.reliability import calls, tracing, trials
from tests.reliability.calls import Course
from tests.reliability.tracing import Point
from tests.reliability.trials import RUN, Outcome

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
INTERRUPTED = re.compile(r"interrupted by \w+ at epoch (\d+)(?:, batch (\d+))?")


class Trial(NamedTuple):
    """A signal at a point of a command's course."""

    course: Course
    point: Point
    signal: signal.Signals

    def __str__(self) -> str:
        call, number, about = self.point
        return f"{self.course.name}, {self.signal.name} at {call} {number} ({about})"


def every_trial(work: Path) -> list[Trial]:
    """Each signal at each point of each command."""
    made = [course for course in calls.courses(work) if course.name != "train"]
    found = [Trial(course, point, signum) for course in made for point in course.points for signum in SIGNALS]
    told = Counter(point.call for course in made for point in course.points)
    print(f"points: {', '.join(f'{name} {count}' for name, count in told.most_common())}; signals: {len(SIGNALS)}")
    return found


def wrong_with(trial: Trial, folder: Path) -> list[str]:
    """What is wrong after the signal, a line each."""
    course = trial.course
    options = (*calls.TRACE, *calls.injection(trial.point, f"signal={trial.signal.name}"))
    trace = tracing.traced(course.arguments, course.begin(folder), options)
    if trial.signal.name not in trace.signals:
        return [f"the signal was not sent: {trials.told(trace.outcome)}"]
    wrong = [] if "Traceback" not in trace.outcome.err else [f"a traceback: {trace.outcome.err}"]
    if not (folder / RUN).is_dir():
        return wrong + wrong_ending(trial, trace.outcome, is_finished=False) + trials.not_anew(folder, course.whole)
    is_finished = not trials.differences(folder / RUN, course.whole)
    wrong += wrong_ending(trial, trace.outcome, is_finished)
    reached = INTERRUPTED.search(trace.outcome.err)
    at_least = (int(reached[1]), int(reached[2] or 0)) if reached else (0, 0)
    return (
        wrong
        + trials.lost(folder, course.template)
        + trials.unreadable(folder, course.whole)
        + trials.not_resumed(folder, course.whole, at_least, course.again)
    )


def wrong_ending(trial: Trial, outcome: Outcome, is_finished: bool) -> list[str]:
    """Whether the exit code is none that it may be: 0, or an end by the signal itself, only where all is done."""
    expected = {-signal.SIGKILL} if trial.signal == signal.SIGKILL else {128 + trial.signal}
    if is_finished:
        expected |= {0, -trial.signal}
    return [] if outcome.code in expected else [trials.told(outcome)]


def main(harness: str = "signals_at_calls") -> int:
    """Read the command line, and do it; 1 where anything was wrong."""
    return calls.conduct(harness, calls.arguments_of(harness, __doc__), every_trial, wrong_with)


if __name__ == "__main__":
    sys.exit(main())
