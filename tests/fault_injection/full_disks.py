"""Disks that are full or read-only, and limits on the size of files; parts that are not permitted are skipped."""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.fault_injection import child_processes, run_checks, small_runs
from tests.fault_injection.child_processes import Outcome
from tests.fault_injection.small_runs import CONFIGS, RESUME, RUN, TRAIN

SIZES = 40
SHOWN = 20  # problems of a part
# metrics of 27 KB, checkpoints of 9 KB
LARGE = small_runs.config_text(epochs=400, layers="{type: dense, units: 128}, relu, ")


class NotPermittedError(Exception):
    """Mounting is not permitted, or a program is missing."""


@contextmanager
def mounted(path: Path, *options: str) -> Iterator[None]:
    """Mount something, and unmount it afterwards.

    Raises:
        NotPermittedError: mounting is not permitted.
    """
    done = subprocess.run(["mount", *options, str(path)], capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise NotPermittedError(done.stderr.strip())
    try:
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


def remount(path: Path, options: str) -> None:
    """Change the options of a mount."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(path)], check=True)


def storage_error_problems(name: str, outcome: Outcome) -> list[str]:
    """Whether a command did not end with a storage error in one line."""
    lines = [line for line in outcome.err.splitlines() if "resumed at" not in line]
    problems = [] if outcome.code == 5 else [f"{name}: {child_processes.summary(outcome)}"]
    return problems if len(lines) == 1 else [*problems, f"{name}: not one line: {outcome.err!r}"]


def full_disk(work: Path) -> list[str]:
    """A disk of 64 KB fills up during training, and is enlarged before the run is resumed."""
    expected = small_runs.reference_run(work / "reference", LARGE)
    directory = small_runs.working_directory(work / "run", LARGE)
    with mounted(directory / "runs", "-t", "tmpfs", "-o", "size=64k", "tmpfs"):
        problems = storage_error_problems(
            "train on a disk that fills up", child_processes.run_forked((*TRAIN, "-q"), directory)
        )
        problems += run_checks.reader_problems(directory, expected)
        problems += storage_error_problems(
            "resume on a full disk", child_processes.run_forked((*RESUME, "-q"), directory)
        )
        problems += run_checks.reader_problems(directory, expected)
        remount(directory / "runs", "size=4m")
        return problems + run_checks.resume_problems(directory, expected, (1, 0))


def read_only_disk(work: Path) -> list[str]:
    """A read-only disk: runs can be read, and a training reports the error at once."""
    expected = small_runs.reference_run(work / "reference", CONFIGS["plain"])
    directory = small_runs.working_directory(work / "run", CONFIGS["plain"])
    runs = directory / "runs"
    shutil.copytree(expected, directory / RUN)
    for name in ("weights.npz", "evaluation.json"):
        (directory / RUN / name).unlink()
    with mounted(runs, "--bind", str(runs)):
        remount(runs, "bind,ro")
        problems = run_checks.reader_problems(directory, expected)
        problems += storage_error_problems(
            "resume on a read-only disk", child_processes.run_forked((*RESUME, "-q"), directory)
        )
        problems += storage_error_problems(
            "train on a read-only disk", child_processes.run_forked(("train", "config.yaml", "-q"), directory)
        )
    return problems + run_checks.resume_problems(directory, expected)


def small_files(work: Path, sizes: int = SIZES) -> list[str]:
    """A limit on the size of files, under which writes are partial: exit code 5, or 0 if every file fits."""
    expected = small_runs.reference_run(work / "reference", CONFIGS["plain"])
    largest = max(path.stat().st_size for path in expected.rglob("*") if path.is_file())
    problems = []
    for index in range(sizes):
        size = largest * index // (sizes - 1)
        problems += [f"files of {size} bytes: {each}" for each in _with_limit(size, size == largest, work, expected)]
    return problems


def _with_limit(size: int, fits: bool, work: Path, expected: Path) -> list[str]:
    directory = small_runs.working_directory(work / f"size-{size}", CONFIGS["plain"])
    outcome = child_processes.run(
        (*TRAIN, "-q"), directory, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    )
    problems = (
        storage_error_problems("train", outcome)
        if not fits
        else []
        if outcome.code == 0
        else [child_processes.summary(outcome)]
    )
    if not (directory / RUN).is_dir():
        return problems + run_checks.new_run_problems(directory, expected)
    return problems + run_checks.reader_problems(directory, expected) + run_checks.resume_problems(directory, expected)


def run_all(sizes: int = SIZES) -> int:
    """Run all parts; returns 1 if there is a problem."""
    return run_parts(full_disk, read_only_disk, partial(small_files, sizes=sizes))


def run_parts(*parts: Callable[[Path], list[str]]) -> int:
    """Run each part in a new directory; prints problems and skipped parts, and returns 1 if there is a problem."""
    code = 0
    for part in parts:
        name = getattr(part, "func", part).__name__.replace("_", " ")
        with tempfile.TemporaryDirectory(prefix="full-disks-", ignore_cleanup_errors=True) as work:
            try:
                problems = part(Path(work))
            except NotPermittedError as error:
                print(f"{name}: skipped, {error}")
                continue
        print("\n".join([f"{name}: {len(problems)} wrong", *problems[:SHOWN]]))
        code = code or int(bool(problems))
    return code


def main() -> int:
    """Run the command line; returns 1 if a test case fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, default=SIZES, help="number of limits on the size of files")
    child_processes.import_everything()
    return run_all(parser.parse_args().sizes)


if __name__ == "__main__":
    sys.exit(main())
