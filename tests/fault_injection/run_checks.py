"""What has to hold for a run directory after a fault: readers work, and a resume ends in the reference run's bytes."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.fault_injection.child_processes import Outcome, run_forked, summary
from tests.fault_injection.small_runs import RESUME, RUN, TRAIN

RESULTS = ("weights.npz", "metrics.csv", "evaluation.json", "snapshots.npz", "health.csv")


def readers(expected: Path) -> Mapping[str, tuple[str, ...]]:
    """Every command that reads a run directory; ``expected`` is the run that ``compare`` compares it with."""
    return {
        "evaluate": ("evaluate", RUN),
        "compare": ("compare", RUN, str(expected), "--json"),
        "runs": ("runs", "--json"),
        "verify": ("verify", RUN),
    }


def reads_well(name: str, outcome: Outcome) -> bool:
    """Whether a reader found an intact run."""
    return outcome.code == 0 and (name != "runs" or '"problem": null' in outcome.out)


def different_files(one: Path, other: Path) -> list[str]:
    """The result files that are not equal byte for byte in two run directories."""
    return [name for name in RESULTS if _bytes(one / name) != _bytes(other / name)]


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


RESUMED = re.compile(r"resumed at epoch (\d+)(?:, batch (\d+))?")


def resumed_at(outcome: Outcome) -> tuple[int, int] | None:
    """Epoch and batch at which a command says it resumed; None if it does not say so."""
    found = RESUMED.search(outcome.err)
    return (int(found[1]), int(found[2] or 0)) if found else None


def is_finished(outcome: Outcome) -> bool:
    """Whether a command says that the run is already finished."""
    return "already finished" in outcome.err


def reader_problems(directory: Path, expected: Path) -> list[str]:
    """Problems of the commands that read the run in ``directory``; a run that exists is readable."""
    problems = []
    for name, arguments in readers(expected).items():
        outcome = run_forked(arguments, directory)
        if not reads_well(name, outcome):
            problems.append(f"{name}: {summary(outcome)}")
    return problems


def lost_results(directory: Path, before: Path) -> list[str]:
    """Whether the run in ``directory`` has lost the result that it had in ``before``, unless it was extended."""
    old, new = (_bytes(each / RUN / "evaluation.json") for each in (before, directory))
    is_extended = _bytes(directory / RUN / "run.json") != _bytes(before / RUN / "run.json")
    return ["the evaluation of a finished run is gone"] if old not in (None, new) and not is_extended else []


def resume_problems(
    directory: Path, expected: Path, at_least: tuple[int, int] = (0, 0), resume_command: Sequence[str] = RESUME
) -> list[str]:
    """Resume the run in ``directory``; its results must equal those of ``expected`` byte for byte."""
    outcome = run_forked(resume_command, directory)
    problems = [] if outcome.code == 0 else [f"resume: {summary(outcome)}"]
    problems += [f"{name} differs after the resume" for name in different_files(directory / RUN, expected)]
    start = resumed_at(outcome)
    if start is None and not is_finished(outcome):
        problems.append("the resume does not say where it starts")
    if start is not None and start < at_least:
        problems.append(f"the resume starts at {start}, although {at_least} had been saved")
    return problems


def new_run_problems(directory: Path, expected: Path) -> list[str]:
    """Train in ``directory``, where no run was left; its results must equal those of ``expected`` byte for byte."""
    outcome = run_forked((*TRAIN, "-q"), directory)
    problems = [] if outcome.code == 0 else [f"a new training: {summary(outcome)}"]
    return problems + [f"{name} of a new training differs" for name in different_files(directory / RUN, expected)]
