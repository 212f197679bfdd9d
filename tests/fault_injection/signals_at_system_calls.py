"""A signal at every system call that changes something: ``python -m tests.fault_injection.signals_at_system_calls``.

Each of these calls of a training gets SIGKILL, SIGTERM, SIGINT and SIGHUP. The run that is left must be readable, and a
resume must end in the bytes of the reference run. If no run is left, a new training must work.
"""

import re
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.fault_injection import child_processes, run_checks, strace, system_calls
from tests.fault_injection.child_processes import Outcome
from tests.fault_injection.small_runs import RUN
from tests.fault_injection.strace import Point
from tests.fault_injection.system_calls import Scenario

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
INTERRUPTED = re.compile(r"interrupted by \w+ at epoch (\d+)(?:, batch (\d+))?")


class TestCase(NamedTuple):
    """A signal at a system call of a scenario."""

    scenario: Scenario
    point: Point
    signal: signal.Signals

    def __str__(self) -> str:
        call, number, about = self.point
        return f"{self.scenario.name}, {self.signal.name} at {call} {number} ({about})"


def all_test_cases(work: Path, names: Sequence[str]) -> list[TestCase]:
    """Each signal at each system call of each scenario."""
    scenarios = [system_calls.build_scenario(name, work) for name in names if name != "train"]
    found = [
        TestCase(scenario, point, signum) for scenario in scenarios for point in scenario.points for signum in SIGNALS
    ]
    counts = Counter(point.call for scenario in scenarios for point in scenario.points)
    print(f"points: {', '.join(f'{name} {count}' for name, count in counts.most_common())}; signals: {len(SIGNALS)}")
    return found


def check(case: TestCase, directory: Path) -> list[str]:
    """Problems after the signal."""
    scenario = case.scenario
    options = (*system_calls.TRACE, *system_calls.injection(case.point, f"signal={case.signal.name}"))
    trace = strace.traced(scenario.arguments, scenario.copy_template(directory), options)
    if case.signal.name not in trace.signals:
        return [f"the signal was not sent: {child_processes.summary(trace.outcome)}"]
    problems = [] if "Traceback" not in trace.outcome.err else [f"a traceback: {trace.outcome.err}"]
    if not (directory / RUN).is_dir():
        return (
            problems
            + exit_problems(case, trace.outcome, is_finished=False)
            + run_checks.new_run_problems(directory, scenario.expected)
        )
    is_finished = not run_checks.different_files(directory / RUN, scenario.expected)
    problems += exit_problems(case, trace.outcome, is_finished)
    reached = INTERRUPTED.search(trace.outcome.err)
    at_least = (int(reached[1]), int(reached[2] or 0)) if reached else (0, 0)
    return (
        problems
        + run_checks.lost_results(directory, scenario.template)
        + run_checks.reader_problems(directory, scenario.expected)
        + run_checks.resume_problems(directory, scenario.expected, at_least, scenario.resume_command)
    )


def exit_problems(case: TestCase, outcome: Outcome, is_finished: bool) -> list[str]:
    """Whether the exit code is wrong; 0, or an end by the signal itself, are right only for a finished run."""
    expected = {-signal.SIGKILL} if case.signal == signal.SIGKILL else {128 + case.signal}
    if is_finished:
        expected |= {0, -case.signal}
    return [] if outcome.code in expected else [child_processes.summary(outcome)]


def main(harness: str = "signals_at_system_calls") -> int:
    """Run the command line; returns 1 if a test case fails."""
    return system_calls.run_cases(harness, system_calls.arguments_of(harness, __doc__), all_test_cases, check)


if __name__ == "__main__":
    sys.exit(main())
