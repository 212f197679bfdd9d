"""A disk that refuses: ``python -m tests.reliability.errors_at_calls``.

EIO and ENOSPC at every system call of a training that changes something, once, and from then on. The exit code is 5,
with one line on standard error; nothing that was complete before is damaged; once the fault is gone, training goes on
to the very bytes that it would have had. The same with a standard error that is full. Then disks that are really
full, too small, or read-only.
"""

import sys
from collections import Counter
from pathlib import Path, PurePath
from typing import NamedTuple

from tests.reliability import calls, scarcity, tracing, trials
from tests.reliability.calls import Course
from tests.reliability.promises import position
from tests.reliability.tracing import Call, Descriptor, Point, Trace
from tests.reliability.trials import RUN

ERRORS = ("EIO", "ENOSPC")
FULL = Path("/dev/full")
STANDARD_ERROR = 2


class Trial(NamedTuple):
    """An error at a point of a command's course, once or from then on; ``is_deaf``: standard error is full."""

    course: Course
    point: Point
    error: str
    more: str
    is_deaf: bool

    def __str__(self) -> str:
        call, number, about = self.point
        deaf = ", standard error full" if self.is_deaf else ""
        return f"{self.course.name}, {self.error} at {call} {number}{self.more} ({about}){deaf}"


def every_trial(work: Path) -> list[Trial]:
    """Each error at each point of each command, once and from then on, heard and unheard."""
    found = []
    for course in calls.courses(work):
        for point in course.points:
            if course.name == "train and tell" and point.about != "standard error":
                continue
            for more in ("", "+") if point.call != "openat" else ("",):  # all later opens: those of Python's own too
                found += [Trial(course, point, error, more, deaf) for error in ERRORS for deaf in (False, True)]
    told = Counter(trial.point.call for trial in found)
    print(f"trials: {', '.join(f'{name} {count}' for name, count in told.most_common())}")
    return found


def wrong_with(trial: Trial, folder: Path) -> list[str]:
    """What is wrong after the error, a line each."""
    course = trial.course
    options = (*calls.FAST, *calls.injection(trial.point, f"error={trial.error}", trial.more))
    stderr = FULL if trial.is_deaf else None
    trace = tracing.traced(course.arguments, course.begin(folder), options, stderr)
    injected = [call for call in trace.calls if call.is_injected]
    if not injected:
        return [f"nothing was injected: {trials.told(trace.outcome)}"]
    wrong = wrong_ending(trial, trace, injected)
    if not (folder / RUN).is_dir():
        left = [path.name for path in (folder / "runs").iterdir()] if (folder / "runs").is_dir() else []
        if left and trial.point.call not in {"unlink", "unlinkat", "rmdir"}:
            wrong.append(f"left behind: {left}")
        return wrong + trials.not_anew(folder, course.whole)
    copies = [path.name for path in (folder / RUN).rglob(".*")]
    if copies and trial.point.call != "unlink" and course.name != "resume":
        wrong.append(f"left behind: {copies}")
    wrong += trials.lost(folder, course.template) + trials.unreadable(folder, course.whole)
    return wrong + trials.not_resumed(folder, course.whole, _reached(trace, folder), course.again)


def wrong_ending(trial: Trial, trace: Trace, injected: list[Call]) -> list[str]:
    """Whether exit code and standard error are not those of a storage failure, where there was one."""
    is_failure = not all(_is_harmless(call) for call in injected)
    code, err = trace.outcome.code, trace.outcome.err
    wrong = [] if code == (5 if is_failure else 0) else [trials.told(trace.outcome)]
    if "Traceback" in err:
        wrong.append("a traceback")
    is_silent = trial.is_deaf or any(_is_told(call) for call in injected)
    if is_failure and not is_silent:
        wrong += _wrong_message(trial, [line for line in err.splitlines() if "resumed at" not in line])
    return wrong


def _wrong_message(trial: Trial, lines: list[str]) -> list[str]:
    """Whether it is not one line, which begins with what could not be written."""
    about = "standard output" if trial.point.about == "standard output" else "runs"
    return [] if len(lines) == 1 and lines[0].startswith(about) else [f"not one line on {about}: {lines}"]


def _is_harmless(call: Call) -> bool:
    """Whether nothing depends on the call: progress, or a temporary file that is removed."""
    names = [path.name for path in call.paths()]
    is_cleaning = call.name.startswith("unlink") and all(name.startswith(".") for name in names)
    return _is_told(call) or is_cleaning


def _is_told(call: Call) -> bool:
    first = call.tokens[0]
    return call.name == "write" and isinstance(first, Descriptor) and first.number == STANDARD_ERROR


def _reached(trace: Trace, folder: Path) -> tuple[int, int]:
    """Epoch and batch of the last checkpoint that got its name."""
    named = [PurePath(list(call.paths())[-1]) for call in trace.calls if call.name == "rename" and call.result == 0]
    put = [path for path in named if path.suffix == ".ckpt"]
    if not put:
        return (0, 0)
    return position((folder / RUN / "checkpoints" / put[-1].name).read_bytes())


def main(harness: str = "errors_at_calls") -> int:
    """Read the command line, and do it; 1 where anything was wrong."""
    arguments = calls.arguments_of(harness, __doc__)
    code = calls.conduct(harness, arguments, every_trial, wrong_with)
    if arguments.sabotage or arguments.sample or arguments.course:
        return code
    return scarcity.survey() or code


if __name__ == "__main__":
    sys.exit(main())
