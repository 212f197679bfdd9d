"""A disk that cannot be read: ``python -m tests.reliability.errors_at_reads``.

EIO at every system call that reads in a run, of every command that reads one, and of a resume. Such an error
says nothing about the run: the exit code is 5, with one line on standard error, or the result is that of an undisturbed
command; ``runs`` lists the run as unreadable. Nothing is changed, and a resume afterwards ends in the same bytes.
"""

import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.reliability import calls, tracing, trials
from tests.reliability.calls import SPEC
from tests.reliability.tracing import READING, Point
from tests.reliability.trials import RESUME, RUN, TRAIN, Outcome

TRACE = ("--seccomp-bpf", "-e", f"trace={','.join(READING)}", "-s", "0")
COURSES = tuple(
    f"{name} {state}"
    for name in ("evaluate", "compare", "runs", "verify", "resume")
    for state in ("finished", "interrupted")
)


class Course(NamedTuple):
    """A command on a copy of a run, how it ends undisturbed, its reading calls, and the uninterrupted run."""

    name: str
    arguments: tuple[str, ...]
    template: Path
    expected: Outcome
    points: list[Point]
    whole: Path


class Trial(NamedTuple):
    """EIO at a call of a command."""

    course: Course
    point: Point

    def __str__(self) -> str:
        call, number, about = self.point
        return f"{self.course.name}, EIO at {call} {number} ({about})"


def every_trial(work: Path) -> list[Trial]:
    """EIO at each reading call of each command."""
    whole = trials.reference(work / "whole", SPEC)
    template = trials.lay_out(work / "template", SPEC)
    templates = {"interrupted": calls.interrupted(template, work / "half"), "finished": template}
    assert trials.forked(TRAIN, template).code == 0
    found = []
    for name, words in {**trials.readers(whole), "resume": (*RESUME, "-q")}.items():
        for state, folder in templates.items():
            course = _course(f"{name} {state}", words, folder, whole)
            found += [Trial(course, point) for point in course.points]
    told = Counter(trial.point.call for trial in found)
    print(f"trials: {', '.join(f'{name} {count}' for name, count in told.most_common())}")
    return found


def _course(name: str, words: tuple[str, ...], template: Path, whole: Path) -> Course:
    folder = Path(shutil.copytree(template, template.parent / name.replace(" ", "-")))
    trace = tracing.traced(words, folder, TRACE)
    assert trace.outcome.code == 0, f"{name}: {trials.told(trace.outcome)}"
    found = tracing.points(trace.calls, folder, tracing.reads)
    return Course(name, words, template, trace.outcome, [each for each in found if each.about.startswith(RUN)], whole)


def wrong_with(trial: Trial, folder: Path) -> list[str]:
    """What is wrong after the error, a line each."""
    course = trial.course
    shutil.copytree(course.template, folder)
    before = _contents(folder)
    options = (*TRACE, *calls.injection(trial.point, "error=EIO"))
    trace = tracing.traced(course.arguments, folder, options)
    if not any(call.is_injected for call in trace.calls):
        return [f"nothing was injected: {trials.told(trace.outcome)}"]
    wrong = wrong_ending(course, trace.outcome)
    if course.arguments[0] == "train":
        wrong += [f"called damaged: {path.name}" for path in folder.rglob("*.damaged")]
        return wrong + trials.unreadable(folder, course.whole) + trials.not_resumed(folder, course.whole)
    return wrong if _contents(folder) == before else [*wrong, "a reader has changed something"]


def wrong_ending(course: Course, outcome: Outcome) -> list[str]:
    """Whether it is neither the undisturbed result nor a storage error in one line."""
    lines = [line for line in outcome.err.splitlines() if "resumed at" not in line]
    if outcome.code == 5:
        is_right = len(lines) == 1 and lines[0].startswith("runs")
    elif course.arguments[0] == "runs" and outcome.out != course.expected.out:
        is_right = outcome.code == 0 and '"status": "unreadable"' in outcome.out
    else:
        is_right = outcome[:2] == course.expected[:2]
    return [] if is_right else [f"{trials.told(outcome)}, {outcome.out[:300]!r}"]


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def main(harness: str = "errors_at_reads") -> int:
    """Read the command line, and do it; 1 where anything was wrong."""
    return calls.conduct(harness, calls.arguments_of(harness, __doc__, COURSES), every_trial, wrong_with)


if __name__ == "__main__":
    sys.exit(main())
