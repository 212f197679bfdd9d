"""Disks that are really full, read-only, or allow only small files; a part that may not mount says so."""

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

from tests.reliability import trials
from tests.reliability.trials import RESUME, RUN, SPECS, TRAIN, Outcome

SIZES = 40
SHOWN = 20  # lines of what is wrong
LONG = trials.config(epochs=400, layers="{type: dense, units: 128}, relu, ")  # metrics of 27 KB, checkpoints of 9 KB


class NotPermittedError(Exception):
    """Mounting is not allowed here."""


@contextmanager
def mounted(place: Path, *options: str) -> Iterator[None]:
    """Something mounted there, and gone afterwards.

    Raises:
        NotPermittedError: it may not be.
    """
    done = subprocess.run(["mount", *options, str(place)], capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise NotPermittedError(done.stderr.strip())
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def remounted(place: Path, options: str) -> None:
    """The same mount with other options."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


def refused(what: str, outcome: Outcome) -> list[str]:
    """Whether a command did not end as it should where storage fails, a line each."""
    lines = [line for line in outcome.err.splitlines() if "resumed at" not in line]
    wrong = [] if outcome.code == 5 else [f"{what}: {trials.told(outcome)}"]
    return wrong if len(lines) == 1 else [*wrong, f"{what}: not one line: {outcome.err!r}"]


def full_disk(work: Path) -> list[str]:
    """A disk of 64 KB that fills up while training, and that is larger when training goes on."""
    whole = trials.reference(work / "whole", LONG)
    folder = trials.lay_out(work / "here", LONG)
    with mounted(folder / "runs", "-t", "tmpfs", "-o", "size=64k", "tmpfs"):
        wrong = refused("train on a disk that fills up", trials.forked((*TRAIN, "-q"), folder))
        wrong += trials.unreadable(folder, whole)
        wrong += refused("resume on a full disk", trials.forked((*RESUME, "-q"), folder))
        wrong += trials.unreadable(folder, whole)
        remounted(folder / "runs", "size=4m")
        return wrong + trials.not_resumed(folder, whole, (1, 0))


def read_only_disk(work: Path) -> list[str]:
    """A disk that nothing can be written to: readers work, trainers say so at once."""
    whole = trials.reference(work / "whole", SPECS["plain"])
    folder = trials.lay_out(work / "here", SPECS["plain"])
    runs = folder / "runs"
    shutil.copytree(whole, folder / RUN)
    for name in ("weights.npz", "evaluation.json"):
        (folder / RUN / name).unlink()
    with mounted(runs, "--bind", str(runs)):
        remounted(runs, "bind,ro")
        wrong = trials.unreadable(folder, whole)
        wrong += refused("resume on a read-only disk", trials.forked((*RESUME, "-q"), folder))
        wrong += refused("train on a read-only disk", trials.forked(("train", "config.yaml", "-q"), folder))
    return wrong + trials.not_resumed(folder, whole)


def small_files(work: Path, sizes: int = SIZES) -> list[str]:
    """A limit of so many bytes a file, which lets a part of a write through: 5, or 0 where every file fits."""
    whole = trials.reference(work / "whole", SPECS["plain"])
    largest = max(path.stat().st_size for path in whole.rglob("*") if path.is_file())
    wrong = []
    for number in range(sizes):
        size = largest * number // (sizes - 1)
        wrong += [f"files of {size} bytes: {each}" for each in _with_limit(size, size == largest, work, whole)]
    return wrong


def _with_limit(size: int, fits: bool, work: Path, whole: Path) -> list[str]:
    folder = trials.lay_out(work / f"size-{size}", SPECS["plain"])
    outcome = trials.run((*TRAIN, "-q"), folder, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
    wrong = refused("train", outcome) if not fits else [] if outcome.code == 0 else [trials.told(outcome)]
    if not (folder / RUN).is_dir():
        return wrong + trials.not_anew(folder, whole)
    return wrong + trials.unreadable(folder, whole) + trials.not_resumed(folder, whole)


def survey(sizes: int = SIZES) -> int:
    """Every part; 1 where anything was wrong."""
    return conduct(full_disk, read_only_disk, partial(small_files, sizes=sizes))


def conduct(*parts: Callable[[Path], list[str]]) -> int:
    """Make each part in a directory; prints what was wrong and what could not be tried; 1 where anything was wrong."""
    code = 0
    for part in parts:
        name = getattr(part, "func", part).__name__.replace("_", " ")
        with tempfile.TemporaryDirectory(prefix="scarcity-", ignore_cleanup_errors=True) as work:
            try:
                wrong = part(Path(work))
            except NotPermittedError as error:
                print(f"{name}: skipped, {error}")
                continue
        print("\n".join([f"{name}: {len(wrong)} wrong", *wrong[:SHOWN]]))
        code = code or int(bool(wrong))
    return code


def main() -> int:
    """Read the command line, and do it; 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, default=SIZES, help="how many limits on the size of a file")
    trials.prepare()
    return survey(parser.parse_args().sizes)


if __name__ == "__main__":
    sys.exit(main())
