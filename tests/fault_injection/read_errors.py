"""A disk that cannot be read: ``python -m tests.fault_injection.read_errors``.

EIO at every system call that reads in a run directory, of every command that reads one, and of a resume. Such an error
says nothing about the run: the exit code is 5, with one line on standard error, or the output is that without the
error; ``runs`` lists the run as unreadable. Nothing is changed, and a resume afterwards ends in the reference's bytes.
"""

import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.fault_injection import child_processes, run_checks, small_runs, strace, system_calls
from tests.fault_injection.child_processes import Outcome
from tests.fault_injection.small_runs import RESUME, RUN, TRAIN
from tests.fault_injection.strace import READING, Point
from tests.fault_injection.system_calls import PLAIN

TRACE = ("--seccomp-bpf", "-e", f"trace={','.join(READING)}", "-s", "0")
SCENARIOS = tuple(
    f"{name} {state}"
    for name in ("evaluate", "compare", "runs", "verify", "resume")
    for state in ("finished", "interrupted")
)


class Scenario(NamedTuple):
    """A command that reads a run, and the system calls at which it does.

    Args:
        name: the name for ``--scenario``.
        arguments: the command.
        template: the directory that is copied for each test case.
        outcome: the result of the command without an error.
        points: the system calls.
        expected: the reference run.
    """

    name: str
    arguments: tuple[str, ...]
    template: Path
    outcome: Outcome
    points: list[Point]
    expected: Path


class TestCase(NamedTuple):
    """EIO at a system call of a scenario."""

    scenario: Scenario
    point: Point

    def __str__(self) -> str:
        call, number, about = self.point
        return f"{self.scenario.name}, EIO at {call} {number} ({about})"


def all_test_cases(work: Path, names: Sequence[str]) -> list[TestCase]:
    """EIO at each reading system call of each scenario."""
    expected = small_runs.reference_run(work / "reference", PLAIN)
    template = small_runs.working_directory(work / "template", PLAIN)
    templates = {"interrupted": system_calls.interrupted(template, work / "half"), "finished": template}
    assert child_processes.run_forked(TRAIN, template).code == 0
    found = []
    for name, arguments in {**run_checks.readers(expected), "resume": (*RESUME, "-q")}.items():
        for state, directory in templates.items():
            if f"{name} {state}" in names:
                scenario = _scenario(f"{name} {state}", arguments, directory, expected)
                found += [TestCase(scenario, point) for point in scenario.points]
    counts = Counter(case.point.call for case in found)
    print(f"test cases: {', '.join(f'{name} {count}' for name, count in counts.most_common())}")
    return found


def _scenario(name: str, arguments: tuple[str, ...], template: Path, expected: Path) -> Scenario:
    directory = Path(shutil.copytree(template, template.parent / name.replace(" ", "-")))
    trace = strace.traced(arguments, directory, TRACE)
    assert trace.outcome.code == 0, f"{name}: {child_processes.summary(trace.outcome)}"
    found = strace.points(trace.calls, directory, strace.reads)
    return Scenario(
        name, arguments, template, trace.outcome, [each for each in found if each.about.startswith(RUN)], expected
    )


def check(case: TestCase, directory: Path) -> list[str]:
    """Problems after the error."""
    scenario = case.scenario
    shutil.copytree(scenario.template, directory)
    before = _contents(directory)
    options = (*TRACE, *system_calls.injection(case.point, "error=EIO"))
    trace = strace.traced(scenario.arguments, directory, options)
    if not any(call.is_injected for call in trace.calls):
        return [f"nothing was injected: {child_processes.summary(trace.outcome)}"]
    problems = exit_problems(scenario, trace.outcome)
    if scenario.arguments[0] == "train":
        problems += [f"treated as damaged: {path.name}" for path in directory.rglob("*.damaged")]
        return (
            problems
            + run_checks.reader_problems(directory, scenario.expected)
            + run_checks.resume_problems(directory, scenario.expected)
        )
    return problems if _contents(directory) == before else [*problems, "a reader has changed something"]


def exit_problems(scenario: Scenario, outcome: Outcome) -> list[str]:
    """Whether the outcome is neither the one without an error nor a storage error in one line."""
    lines = [line for line in outcome.err.splitlines() if "resumed at" not in line]
    if outcome.code == 5:
        is_right = len(lines) == 1 and lines[0].startswith("runs")
    elif scenario.arguments[0] == "runs" and outcome.out != scenario.outcome.out:
        is_right = outcome.code == 0 and '"status": "unreadable"' in outcome.out
    else:
        is_right = outcome[:2] == scenario.outcome[:2]
    return [] if is_right else [f"{child_processes.summary(outcome)}, {outcome.out[:300]!r}"]


def _contents(directory: Path) -> dict[Path, bytes]:
    return {path.relative_to(directory): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def main(harness: str = "read_errors") -> int:
    """Run the command line; returns 1 if a test case fails."""
    return system_calls.run_cases(
        harness, system_calls.arguments_of(harness, __doc__, SCENARIOS), all_test_cases, check
    )


if __name__ == "__main__":
    sys.exit(main())
