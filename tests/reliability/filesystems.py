"""File systems that lack something: ``python -m tests.reliability.filesystems``.

exFAT, which has no hard links, from a real image where it can be mounted; a directory that cannot be synced (EINVAL, as
on SMB and FUSE); no locks (ENOLCK, ENOSYS, EOPNOTSUPP). A part that cannot be tried here is skipped and says so.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.reliability import calls, scarcity, tracing, trials
from tests.reliability.faults import add_sabotage, sabotaged
from tests.reliability.scarcity import NotPermittedError
from tests.reliability.tracing import Call
from tests.reliability.trials import RUN, SPECS, TRAIN

NO_LOCKS = ("ENOLCK", "ENOSYS", "EOPNOTSUPP")
TRACE = ("-e", "trace=fcntl")
SIZE = 32 << 20  # bytes of the image


def exfat(work: Path) -> list[str]:
    """A config is written once and never over another file; training, a kill and a resume end as on any disk."""
    whole = trials.reference(work / "whole", SPECS["plain"])
    folder = work / "here"
    folder.mkdir()
    with _image(work / "image") as device, _exfat_mounted(device, folder):
        wrong = []
        for code in (0, 6):
            outcome = trials.forked(("init", "new.yaml"), folder)
            wrong += [] if outcome.code == code else [f"init: {trials.told(outcome)}, expected {code}"]
        checked = trials.forked(("check", "new.yaml"), folder)
        wrong += [] if checked.code == 0 else [f"check: {trials.told(checked)}"]
        trials.lay_out(folder, SPECS["plain"])
        wrong += trials.not_anew(folder, whole) + trials.unreadable(folder, whole)
        for name in ("evaluation.json", "weights.npz"):
            (folder / RUN / name).unlink()
        wrong += trials.not_resumed(folder, whole)
        left = [path.name for path in folder.rglob(".*")]
        return wrong + ([f"left behind: {left}"] if left else [])


@contextmanager
def _image(path: Path) -> Iterator[str]:
    """A loop device with an empty exFAT file system."""
    with path.open("wb") as file:
        file.truncate(SIZE)
    _permitted("mkfs.exfat", str(path))
    device = _permitted("losetup", "--find", "--show", str(path))
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


@contextmanager
def _exfat_mounted(device: str, folder: Path) -> Iterator[None]:
    """Mounted by the kernel, or where that has no exFAT by FUSE."""
    try:
        _permitted("mount", "-t", "exfat", device, str(folder))
    except NotPermittedError:
        _permitted("mount.exfat-fuse", device, str(folder))
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _permitted(*words: str) -> str:
    """What a command prints.

    Raises:
        NotPermittedError: it is missing, or fails.
    """
    try:
        done = subprocess.run(words, capture_output=True, encoding="utf-8", check=False)
    except FileNotFoundError:
        raise NotPermittedError(f"{words[0]} is missing") from None
    if done.returncode:
        raise NotPermittedError(f"{words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def directories_without_fsync(work: Path) -> list[str]:
    """EINVAL at each fsync of a directory, one after another: training ends as it would have."""
    whole, traced = _traced(work, calls.FAST)
    found = [point for point in tracing.points(traced.calls, work / "traced") if point.call == "fsync"]
    wrong = []
    for point in (each for each in found if not Path(each.about).suffix and not each.about.endswith("lock")):
        folder = trials.lay_out(work / f"fsync-{point.number}", SPECS["plain"])
        options = (*calls.FAST, *calls.injection(point, "error=EINVAL"))
        outcome = tracing.traced((*TRAIN, "-q"), folder, options).outcome
        wrong += [] if outcome.code == 0 else [f"EINVAL at fsync of {point.about}: {trials.told(outcome)}"]
        wrong += trials.unreadable(folder, whole) if outcome.code == 0 else []
    return wrong if found else ["no fsync was found"]


def no_locks(work: Path) -> list[str]:
    """No lock can be taken: exit code 5 with what to do, nothing left behind; a resume changes nothing."""
    whole, traced = _traced(work, TRACE)
    locks = [number for number, call in enumerate(traced.calls, 1) if _is_lock(call)]
    wrong = [] if locks else ["no lock was found"]
    for error in NO_LOCKS if locks else ():
        for name, words in {"train": TRAIN, "resume": trials.RESUME}.items():
            folder = trials.lay_out(work / f"{error}-{name}", SPECS["plain"])
            if name == "resume":
                shutil.copytree(whole, folder / RUN)
                (folder / RUN / "evaluation.json").unlink()
            before = sorted(folder.rglob("*"))
            options = (*TRACE, "-e", f"inject=fcntl:error={error}:when={locks[0]}")
            outcome = tracing.traced((*words, "-q"), folder, options).outcome
            wrong += scarcity.refused(f"{name} with {error}", outcome)
            wrong += [] if "--runs" in outcome.err else [f"{error}: {outcome.err!r} does not say what to do"]
            wrong += [] if sorted(folder.rglob("*")) == before else [f"{error}: {name} has left something behind"]
    return wrong


def _traced(work: Path, options: tuple[str, ...]) -> tuple[Path, tracing.Trace]:
    """The undisturbed run, and a trace of a training like it."""
    if not tracing.is_available():
        raise NotPermittedError("strace is missing, or may not trace")
    whole = trials.reference(work / "whole", SPECS["plain"])
    return whole, tracing.traced((*TRAIN, "-q"), trials.lay_out(work / "traced", SPECS["plain"]), options)


def _is_lock(call: Call) -> bool:
    return bool({"F_OFD_SETLK", "F_SETLK"} & call.words)


def main() -> int:
    """Read the command line, and do it; 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_sabotage(parser, "filesystems")
    arguments = parser.parse_args()
    if arguments.sabotage:
        return sabotaged("filesystems", arguments.sabotage)
    trials.prepare()
    return scarcity.conduct(exfat, directories_without_fsync, no_locks)


if __name__ == "__main__":
    sys.exit(main())
