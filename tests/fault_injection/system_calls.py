"""What the harnesses at system calls share: the commands that they disturb, and the system calls at which they do."""

import argparse
import shutil
import signal
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.fault_injection import child_processes, small_runs, strace
from tests.fault_injection.harnesses import add_fault_option, run_with_fault
from tests.fault_injection.parallel_runner import Check, ParallelRunner
from tests.fault_injection.small_runs import CONFIGS, EXTENDED_EPOCHS, RESUME, RESUME_LONGER, TRAIN
from tests.fault_injection.strace import CHANGING, Point

PLAIN = CONFIGS["plain"]
TRACE = ("-e", f"trace={','.join(CHANGING)}")
SCENARIOS = ("train", "train with progress", "resume", "extend", *small_runs.EXTENSIONS)
FAST = ("--seccomp-bpf", *TRACE)  # strace injects no signals in this mode


class Scenario(NamedTuple):
    """A command and the system calls at which a fault can be injected.

    Args:
        name: the name for ``--scenario``.
        arguments: the command.
        template: the directory that is copied for each test case.
        expected: the run that the command has to end in.
        points: the system calls.
        resume_command: the command that continues after the fault.
    """

    name: str
    arguments: tuple[str, ...]
    template: Path
    expected: Path
    points: list[Point]
    resume_command: tuple[str, ...]

    def copy_template(self, directory: Path) -> Path:
        """Copy the template, to run the command in the copy."""
        return Path(shutil.copytree(self.template, directory))


def build_scenario(name: str, work: Path) -> Scenario:
    """Training that is quiet, reports its progress, is resumed after a kill, or is extended by more epochs."""
    work = work / name.replace(" ", "-")
    if name in small_runs.EXTENSIONS:
        expected = small_runs.reference_run(work / "reference", small_runs.EXTENSIONS[name](EXTENDED_EPOCHS))
        extend = small_runs.resume_with_epochs(EXTENDED_EPOCHS)
        return _scenario(name, extend, small_runs.run_to_extend(work / "finished", name), expected, extend)
    template = small_runs.working_directory(work / "template", PLAIN)
    if name == "extend":
        expected = small_runs.reference_run(work / "reference", CONFIGS["longer"])
        assert child_processes.run_forked(TRAIN, template).code == 0
        return _scenario(name, RESUME_LONGER, template, expected, RESUME_LONGER)
    expected = small_runs.reference_run(work / "reference", PLAIN)
    if name == "resume":
        return _scenario(name, RESUME, interrupted(template, work / "interrupted"), expected, RESUME)
    return _scenario(name, TRAIN, template, expected, RESUME)


def _scenario(
    name: str, arguments: tuple[str, ...], template: Path, expected: Path, resume_command: tuple[str, ...]
) -> Scenario:
    arguments = arguments if name.endswith("progress") else (*arguments, "-q")
    directory = Path(shutil.copytree(template, template.parent / f"traced-{name.replace(' ', '-')}"))
    trace = strace.traced(arguments, directory, FAST)
    assert trace.outcome.code == 0, f"{name}: {child_processes.summary(trace.outcome)}"
    return Scenario(name, arguments, template, expected, strace.points(trace.calls, directory), resume_command)


def interrupted(template: Path, directory: Path) -> Path:
    """A run that was killed after a row of metrics was written, and before the checkpoint that includes the row."""
    probe = Path(shutil.copytree(template, directory.with_name("probe")))
    found = strace.points(strace.traced(TRAIN, probe, FAST).calls, probe)
    synced = [point for point in found if point.call == "fsync" and point.about == f"{small_runs.RUN}/metrics.csv"]
    point = synced[len(synced) // 2]
    shutil.copytree(template, directory)
    strace.traced(TRAIN, directory, (*TRACE, *injection(point, f"signal={signal.SIGKILL.name}")))
    assert (directory / small_runs.RUN).is_dir()
    return directory


def injection(point: Point, fault: str, repeat: str = "") -> tuple[str, str]:
    """The option of strace that injects a fault at a call, and if ``repeat`` is "+" at all later ones too."""
    return "-e", f"inject={point.call}:{fault}:when={point.number}{repeat}"


def arguments_of(harness: str, description: str, names: Sequence[str] = SCENARIOS) -> argparse.Namespace:
    """Read the command line of a harness."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--sample", type=int, help="number of test cases, drawn at random; default: all")
    parser.add_argument("--scenario", choices=names, help="one command; default: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--max-failures", type=int, default=100, help="stop after this many test cases have failed")
    parser.set_defaults(scenarios=names)
    add_fault_option(parser, harness)
    return parser.parse_args()


def run_cases(
    harness: str,
    arguments: argparse.Namespace,
    list_cases: Callable[[Path, Sequence[str]], Sequence[Any]],
    check: Check,
) -> int:
    """Run the test cases of a harness, print problems and counts; returns 1 if a test case fails."""
    if arguments.fault:
        return run_with_fault(harness, arguments.fault)
    if not strace.is_available():
        print("strace is missing or not permitted; install the package strace")
        return 2
    with tempfile.TemporaryDirectory(prefix="system-calls-", ignore_cleanup_errors=True) as name:
        work = Path(name)
        child_processes.import_everything()
        cases = list_cases(work, [arguments.scenario] if arguments.scenario else arguments.scenarios)
        chosen = Random(arguments.seed).sample(cases, min(arguments.sample or len(cases), len(cases)))
        runner = ParallelRunner(check, work, arguments.processes, arguments.max_failures)
        runner.run(chosen)
    print(f"{runner.completed} of {len(cases)} test cases, {runner.failed} wrong")
    return 1 if runner.failed else 0
