"""What the harnesses at system calls share: commands, the points of their course, and a sample of the trials there."""

import argparse
import shutil
import signal
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.reliability import tracing, trials
from tests.reliability.faults import add_sabotage, sabotaged
from tests.reliability.survey import Check, Survey
from tests.reliability.tracing import CHANGING, Point
from tests.reliability.trials import EXTEND, RESUME, SPECS, TRAIN

SPEC = SPECS["plain"]
TRACE = ("-e", f"trace={','.join(CHANGING)}")
COURSES = ("train", "train and tell", "resume", "extend", *trials.RAISES)
FAST = ("--seccomp-bpf", *TRACE)  # loses signals that are to be injected


class Course(NamedTuple):
    """A command, the folder that is copied for it each time, the run that it should end in, and its points.

    ``again`` goes on where it ended too early.
    """

    name: str
    arguments: tuple[str, ...]
    template: Path
    whole: Path
    points: list[Point]
    again: tuple[str, ...]

    def begin(self, folder: Path) -> Path:
        """A copy of the folder, to run the command in."""
        return Path(shutil.copytree(self.template, folder))


def courses(work: Path) -> list[Course]:
    """Training that is quiet, that reports its progress, that is resumed in the middle, or given more epochs."""
    whole = trials.reference(work / "whole", SPEC)
    longer = trials.reference(work / "longer", SPECS["longer"])
    template = trials.lay_out(work / "template", SPEC)
    half = interrupted(template, work / "half")
    finished = Path(shutil.copytree(template, work / "finished"))
    assert trials.forked(TRAIN, finished).code == 0
    return [
        _course("train", TRAIN, template, whole, RESUME),
        _course("train and tell", TRAIN, template, whole, RESUME),
        _course("resume", RESUME, half, whole, RESUME),
        _course("extend", EXTEND, finished, longer, EXTEND),
        *(_raise(name, work / name.replace(" ", "-")) for name in trials.RAISES),
    ]


def _raise(name: str, work: Path) -> Course:
    """A finished run is given more epochs; its last row is one that it has only as the last."""
    whole = trials.reference(work / "whole", trials.RAISES[name](trials.RAISED))
    words = trials.extended(trials.RAISED)
    return _course(name, words, trials.to_be_raised(work / "finished", name), whole, words)


def _course(name: str, arguments: tuple[str, ...], template: Path, whole: Path, again: tuple[str, ...]) -> Course:
    words = arguments if name.endswith("tell") else (*arguments, "-q")
    folder = Path(shutil.copytree(template, template.parent / f"traced-{name.replace(' ', '-')}"))
    trace = tracing.traced(words, folder, FAST)
    assert trace.outcome.code == 0, f"{name}: {trials.told(trace.outcome)}"
    return Course(name, words, template, whole, tracing.points(trace.calls, folder), again)


def interrupted(template: Path, folder: Path) -> Path:
    """A run that was killed where a row of metrics had been written, and not yet the checkpoint that counts on it."""
    probe = Path(shutil.copytree(template, folder.with_name("probe")))
    found = tracing.points(tracing.traced(TRAIN, probe, FAST).calls, probe)
    synced = [point for point in found if point.call == "fsync" and point.about == f"{trials.RUN}/metrics.csv"]
    place = synced[len(synced) // 2]
    shutil.copytree(template, folder)
    tracing.traced(TRAIN, folder, (*TRACE, *injection(place, f"signal={signal.SIGKILL.name}")))
    assert (folder / trials.RUN).is_dir()
    return folder


def injection(point: Point, what: str, more: str = "") -> tuple[str, str]:
    """The option of strace that lets this happen there; with ``more`` "+" from there on."""
    return "-e", f"inject={point.call}:{what}:when={point.number}{more}"


def arguments_of(harness: str, description: str, names: Sequence[str] = COURSES) -> argparse.Namespace:
    """Read a harness's command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--sample", type=int, help="so many trials, drawn by chance, instead of all")
    parser.add_argument("--course", choices=names, help="one command instead of all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--most", type=int, default=100, help="stop when so many trials were wrong")
    add_sabotage(parser, harness)
    return parser.parse_args()


def conduct(
    harness: str, arguments: argparse.Namespace, trials_of: Callable[[Path], Sequence[Any]], check: Check
) -> int:
    """Make the trials of a harness; prints what was wrong, and the figures; 1 where anything was."""
    if arguments.sabotage:
        return sabotaged(harness, arguments.sabotage)
    if not tracing.is_available():
        print("strace is missing, or may not trace; it is installed as the package strace")
        return 2
    with tempfile.TemporaryDirectory(prefix="calls-", ignore_cleanup_errors=True) as name:
        work = Path(name)
        trials.prepare()
        everything = [each for each in trials_of(work) if arguments.course in (None, each.course.name)]
        chosen = Random(arguments.seed).sample(everything, min(arguments.sample or len(everything), len(everything)))
        survey = Survey(check, work, arguments.processes, arguments.most)
        survey.conduct(chosen)
    print(f"{survey.made} of {len(everything)} trials, {survey.wrong} wrong")
    return 1 if survey.wrong else 0
