"""File systems without hard links, fsync of directories, or locks: ``python -m tests.fault_injection.filesystems``.

A real exFAT image, which has no hard links; directories that cannot be synced (EINVAL, as on SMB and FUSE); no locks
(ENOLCK, ENOSYS, EOPNOTSUPP). Parts that are not permitted are skipped.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fault_injection import child_processes, full_disks, run_checks, small_runs, strace, system_calls
from tests.fault_injection.full_disks import NotPermittedError
from tests.fault_injection.harnesses import add_fault_option, run_with_fault
from tests.fault_injection.small_runs import CONFIGS, RUN, TRAIN
from tests.fault_injection.strace import Call

NO_LOCKS = ("ENOLCK", "ENOSYS", "EOPNOTSUPP")
TRACE = ("-e", "trace=fcntl")
SIZE = 32 << 20  # bytes of the image


def exfat(work: Path) -> list[str]:
    """``init`` never overwrites a file; training and a resume end as on any file system."""
    expected = small_runs.reference_run(work / "reference", CONFIGS["plain"])
    directory = work / "mount"
    directory.mkdir()
    with _image(work / "image") as device, _exfat_mounted(device, directory):
        problems = []
        for code in (0, 6):
            outcome = child_processes.run_forked(("init", "new.yaml"), directory)
            problems += [] if outcome.code == code else [f"init: {child_processes.summary(outcome)}, expected {code}"]
        checked = child_processes.run_forked(("check", "new.yaml"), directory)
        problems += [] if checked.code == 0 else [f"check: {child_processes.summary(checked)}"]
        small_runs.working_directory(directory, CONFIGS["plain"])
        problems += run_checks.new_run_problems(directory, expected) + run_checks.reader_problems(directory, expected)
        for name in ("evaluation.json", "weights.npz"):
            (directory / RUN / name).unlink()
        problems += run_checks.resume_problems(directory, expected)
        leftovers = [path.name for path in directory.rglob(".*")]
        return problems + ([f"left behind: {leftovers}"] if leftovers else [])


@contextmanager
def _image(path: Path) -> Iterator[str]:
    """A loop device with an empty exFAT file system."""
    with path.open("wb") as file:
        file.truncate(SIZE)
    _run("mkfs.exfat", str(path))
    device = _run("losetup", "--find", "--show", str(path))
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


@contextmanager
def _exfat_mounted(device: str, directory: Path) -> Iterator[None]:
    """Mount by the kernel, or by FUSE if the kernel has no exFAT."""
    try:
        _run("mount", "-t", "exfat", device, str(directory))
    except NotPermittedError:
        _run("mount.exfat-fuse", device, str(directory))
    try:
        yield
    finally:
        subprocess.run(["umount", str(directory)], check=True)


def _run(*arguments: str) -> str:
    """Run a command, and return its standard output.

    Raises:
        NotPermittedError: the command is missing, or fails.
    """
    try:
        done = subprocess.run(arguments, capture_output=True, encoding="utf-8", check=False)
    except FileNotFoundError:
        raise NotPermittedError(f"{arguments[0]} is missing") from None
    if done.returncode:
        raise NotPermittedError(f"{arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def directories_without_fsync(work: Path) -> list[str]:
    """EINVAL at each fsync of a directory, one per training: the training succeeds."""
    expected, traced = _traced(work, system_calls.FAST)
    found = [point for point in strace.points(traced.calls, work / "traced") if point.call == "fsync"]
    problems = []
    for point in (each for each in found if not Path(each.about).suffix and not each.about.endswith("lock")):
        directory = small_runs.working_directory(work / f"fsync-{point.number}", CONFIGS["plain"])
        options = (*system_calls.FAST, *system_calls.injection(point, "error=EINVAL"))
        outcome = strace.traced((*TRAIN, "-q"), directory, options).outcome
        problems += (
            [] if outcome.code == 0 else [f"EINVAL at fsync of {point.about}: {child_processes.summary(outcome)}"]
        )
        problems += run_checks.reader_problems(directory, expected) if outcome.code == 0 else []
    return problems if found else ["no fsync was found"]


def no_locks(work: Path) -> list[str]:
    """Without locks: exit code 5 with a suggestion, no leftovers, and a resume that changes nothing."""
    expected, traced = _traced(work, TRACE)
    locks = [number for number, call in enumerate(traced.calls, 1) if _is_lock(call)]
    problems = [] if locks else ["no lock was found"]
    for error in NO_LOCKS if locks else ():
        for name, arguments in {"train": TRAIN, "resume": small_runs.RESUME}.items():
            directory = small_runs.working_directory(work / f"{error}-{name}", CONFIGS["plain"])
            if name == "resume":
                shutil.copytree(expected, directory / RUN)
                (directory / RUN / "evaluation.json").unlink()
            before = sorted(directory.rglob("*"))
            options = (*TRACE, "-e", f"inject=fcntl:error={error}:when={locks[0]}")
            outcome = strace.traced((*arguments, "-q"), directory, options).outcome
            problems += full_disks.storage_error_problems(f"{name} with {error}", outcome)
            problems += [] if "--runs-dir" in outcome.err else [f"{error}: {outcome.err!r} has no suggestion"]
            problems += [] if sorted(directory.rglob("*")) == before else [f"{error}: {name} has left files behind"]
    return problems


def _traced(work: Path, options: tuple[str, ...]) -> tuple[Path, strace.Trace]:
    """The reference run, and the trace of a training of the same config."""
    if not strace.is_available():
        raise NotPermittedError("strace is missing or not permitted")
    expected = small_runs.reference_run(work / "reference", CONFIGS["plain"])
    return expected, strace.traced(
        (*TRAIN, "-q"), small_runs.working_directory(work / "traced", CONFIGS["plain"]), options
    )


def _is_lock(call: Call) -> bool:
    return bool({"F_OFD_SETLK", "F_SETLK"} & call.words)


def main() -> int:
    """Run the command line; returns 1 if a test case fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_fault_option(parser, "filesystems")
    arguments = parser.parse_args()
    if arguments.fault:
        return run_with_fault("filesystems", arguments.fault)
    child_processes.import_everything()
    return full_disks.run_parts(exfat, directories_without_fsync, no_locks)


if __name__ == "__main__":
    sys.exit(main())
