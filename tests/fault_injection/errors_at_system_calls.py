"""A disk that fails: ``python -m tests.fault_injection.errors_at_system_calls``.

EIO and ENOSPC at every system call of a training that changes something, once, and at all later calls too. The exit
code is 5, with one line on standard error; no complete file is damaged; after the fault a resume ends in the bytes of
the reference run. The same with a full standard error. Then disks that are really full, too small, or read-only.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from tests.fault_injection import child_processes, full_disks, run_checks, strace, system_calls
from tests.fault_injection.durability_oracle import position
from tests.fault_injection.small_runs import RUN
from tests.fault_injection.strace import Call, Descriptor, Point, Trace
from tests.fault_injection.system_calls import Scenario

ERRORS = ("EIO", "ENOSPC")
FULL = Path("/dev/full")
STANDARD_ERROR = 2


class TestCase(NamedTuple):
    """An error at a system call of a scenario; ``repeat`` is "+" if all later calls fail too."""

    scenario: Scenario
    point: Point
    error: str
    repeat: str
    is_stderr_full: bool

    def __str__(self) -> str:
        call, number, about = self.point
        more = ", standard error full" if self.is_stderr_full else ""
        return f"{self.scenario.name}, {self.error} at {call} {number}{self.repeat} ({about}){more}"


def all_test_cases(work: Path, names: Sequence[str]) -> list[TestCase]:
    """Each error at each system call of each scenario, once and repeated, with standard error open and full."""
    found = []
    for scenario in (system_calls.build_scenario(name, work) for name in names):
        for point in scenario.points:
            if scenario.name == "train with progress" and point.about != "standard error":
                continue
            for repeat in ("", "+") if point.call != "openat" else ("",):  # Python itself opens files too
                found += [TestCase(scenario, point, error, repeat, full) for error in ERRORS for full in (False, True)]
    counts = Counter(case.point.call for case in found)
    print(f"test cases: {', '.join(f'{name} {count}' for name, count in counts.most_common())}")
    return found


def check(case: TestCase, directory: Path) -> list[str]:
    """Problems after the error."""
    scenario = case.scenario
    options = (*system_calls.FAST, *system_calls.injection(case.point, f"error={case.error}", case.repeat))
    stderr = FULL if case.is_stderr_full else None
    trace = strace.traced(scenario.arguments, scenario.copy_template(directory), options, stderr)
    injected = [call for call in trace.calls if call.is_injected]
    if not injected:
        return [f"nothing was injected: {child_processes.summary(trace.outcome)}"]
    problems = exit_problems(case, trace, injected)
    if not (directory / RUN).is_dir():
        leftovers = [path.name for path in (directory / "runs").iterdir()] if (directory / "runs").is_dir() else []
        if leftovers and case.point.call not in {"unlink", "unlinkat", "rmdir"}:
            problems.append(f"left behind: {leftovers}")
        return problems + run_checks.new_run_problems(directory, scenario.expected)
    temporary_files = [path.name for path in (directory / RUN).rglob(".*")]
    if temporary_files and case.point.call != "unlink" and scenario.name != "resume":
        problems.append(f"left behind: {temporary_files}")
    problems += run_checks.lost_results(directory, scenario.template) + run_checks.reader_problems(
        directory, scenario.expected
    )
    return problems + run_checks.resume_problems(
        directory, scenario.expected, _last_checkpoint(trace, directory), scenario.resume_command
    )


def exit_problems(case: TestCase, trace: Trace, injected: list[Call]) -> list[str]:
    """Whether exit code and standard error are not those of a storage error, if there was one."""
    is_failure = not all(_is_harmless(call) for call in injected)
    code, err = trace.outcome.code, trace.outcome.err
    problems = [] if code == (5 if is_failure else 0) else [child_processes.summary(trace.outcome)]
    if "Traceback" in err:
        problems.append("a traceback")
    is_silent = case.is_stderr_full or any(_is_progress(call) for call in injected)
    if is_failure and not is_silent:
        problems += _message_problems(case, [line for line in err.splitlines() if "resumed at" not in line])
    return problems


def _message_problems(case: TestCase, lines: list[str]) -> list[str]:
    """Whether the message is not one line that begins with what could not be written."""
    about = "standard output" if case.point.about == "standard output" else "runs"
    return [] if len(lines) == 1 and lines[0].startswith(about) else [f"not one line on {about}: {lines}"]


def _is_harmless(call: Call) -> bool:
    """Whether the call may fail: it writes progress, or removes a temporary file."""
    names = [path.name for path in call.paths()]
    is_cleanup = call.name.startswith("unlink") and all(name.startswith(".") for name in names)
    return _is_progress(call) or is_cleanup


def _is_progress(call: Call) -> bool:
    first = call.tokens[0]
    return call.name == "write" and isinstance(first, Descriptor) and first.number == STANDARD_ERROR


def _last_checkpoint(trace: Trace, directory: Path) -> tuple[int, int]:
    """Epoch and batch of the last checkpoint that was renamed into place."""
    renamed = [PurePath(list(call.paths())[-1]) for call in trace.calls if call.name == "rename" and call.result == 0]
    written = [path for path in renamed if path.suffix == ".ckpt"]
    if not written:
        return (0, 0)
    return position((directory / RUN / "checkpoints" / written[-1].name).read_bytes())


def main(harness: str = "errors_at_system_calls") -> int:
    """Run the command line; returns 1 if a test case fails."""
    arguments = system_calls.arguments_of(harness, __doc__)
    code = system_calls.run_cases(harness, arguments, all_test_cases, check)
    if arguments.fault or arguments.sample or arguments.scenario:
        return code
    return full_disks.run_all() or code


if __name__ == "__main__":
    sys.exit(main())
