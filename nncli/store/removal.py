"""Removing a run or a group: only what nncli has written, never while it trains, and never half of it.

A directory is first renamed to a hidden name, then removed. A kill leaves either the run or the hidden directory,
which the next removal in the same place cleans up.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from nncli.errors import BusyError, NncliError, RunError
from nncli.store import atomic_write
from nncli.store.checkpoint import NAME as CHECKPOINT
from nncli.store.group_files import FAILED, GROUP, OUT_OF_FOLD, TRIAL, is_group
from nncli.store.lock import Lock, is_locked
from nncli.store.notes import NOTES
from nncli.store.records import CONFIG
from nncli.store.run_files import OTHER_FILES, PREPROCESSING, is_run
from nncli.store.safe_read import storage_errors

LOCK = "lock"
CHECKPOINTS = "checkpoints"
FILES_OF_RUN = {"run.json", CONFIG, PREPROCESSING, LOCK, NOTES, *OTHER_FILES} - {CHECKPOINTS}
FILES_OF_GROUP = {GROUP, LOCK, NOTES, OUT_OF_FOLD}
STAGING = re.compile(f"{atomic_write.STAGING_NAME}|{atomic_write.REMOVED_NAME}")
MAX_NAMED = 5  # unknown files in a message


class Removal(NamedTuple):
    """A run or a group that can be removed.

    Args:
        path: its directory.
        trials: the number of runs of a group; None for a run.
        bytes: the size of all files.
    """

    path: Path
    trials: int | None
    bytes: int


def outermost(paths: Sequence[Path]) -> list[Path]:
    """The paths without those that are given twice or are trials of a group that is given too."""
    resolved = {path.resolve(): path for path in reversed(paths)}
    return [path for path in paths if resolved.get(path.resolve()) is path and path.resolve().parent not in resolved]


def plan_removal(path: Path) -> Removal:
    """Check that a run or a group can be removed; nothing is changed.

    Raises:
        BusyError: a process trains in it.
        RunError: it is neither a run nor a group, or has files that nncli did not write.
        StorageError: it cannot be read.
    """
    found = _contents(path)
    _require_idle(path, found)
    trials = sum(TRIAL.fullmatch(each.name) is not None for each in found) if is_group(path) else None
    with storage_errors(path):
        return Removal(path, trials, sum(each.lstat().st_size for each in found if not _is_directory(each)))


def remove(path: Path) -> None:
    """Remove a run or a group, and what an earlier removal in the same directory has left.

    The lock is held meanwhile. A trial that starts before its group is renamed keeps the group.

    Raises:
        BusyError: a process trains in it; nothing is removed.
        RunError: it is neither a run nor a group, or has files that nncli did not write; nothing is removed.
        StorageError: it cannot be removed.
    """
    _contents(path)
    lock = Lock(path / LOCK)
    try:
        _require_idle(path, _contents(path), is_held=True)
        hidden = atomic_write.set_aside(path)
        try:
            _require_idle(hidden, _contents(hidden), is_held=True)
        except NncliError:
            atomic_write.put_back(hidden, path)
            raise BusyError(f"{path}: another process has begun to write in this directory") from None
        atomic_write.remove_directory(hidden)
    finally:
        lock.release()
    remove_leftovers(hidden.parent)


def remove_leftovers(directory: Path) -> None:
    """Remove what killed removals have left in a directory, unless a process uses it."""
    with storage_errors(directory):
        hidden = [each for each in directory.iterdir() if re.fullmatch(atomic_write.REMOVED_NAME, each.name)]
    for path in hidden:
        with suppress(NncliError):
            lock = Lock(path / LOCK)
            try:
                if not any(is_locked(each / LOCK) for each in _listed(path) if _is_directory(each)):
                    atomic_write.remove_directory(path)
            finally:
                lock.release()


def _contents(path: Path) -> list[Path]:
    """All files and directories in a run or a group, which nncli wrote.

    Raises:
        RunError: it is neither, or has other files.
    """
    with storage_errors(path):
        if path.is_symlink():
            raise RunError(f"{path}: is a symbolic link; name the directory itself: {path.resolve()}", path)
        if not path.is_dir():
            raise RunError(f"{path}: not a run or a group: it is not a directory", path)
        if not is_group(path) and not is_run(path):
            raise RunError(f"{path}: not a run or a group; nothing was removed", path)
        known = list(_of_group(path) if is_group(path) else _of_run(path))
    unknown = [each.relative_to(path).as_posix() for each, is_known in known if not is_known]
    if unknown:
        more = f" and {len(unknown) - MAX_NAMED} more" if len(unknown) > MAX_NAMED else ""
        names = ", ".join(unknown[:MAX_NAMED])
        raise RunError(f"{path}: has files that nncli did not write: {names}{more}; move them elsewhere first", path)
    return [each for each, _ in known]


def _of_group(path: Path) -> Iterator[tuple[Path, bool]]:
    """All paths in a group, each with whether nncli wrote it, as it did the temporary files of killed processes."""
    for each in _listed(path):
        if not _is_directory(each):
            is_failure = each.name.endswith(FAILED) and TRIAL.fullmatch(each.name.removesuffix(FAILED))
            yield each, each.name in FILES_OF_GROUP or bool(is_failure) or _is_temporary(each)
        elif STAGING.fullmatch(each.name):
            yield from ((inner, True) for inner in (each, *sorted(each.rglob("*"))))
        else:
            yield each, TRIAL.fullmatch(each.name) is not None
            yield from _of_run(each) if TRIAL.fullmatch(each.name) else ()


def _of_run(path: Path) -> Iterator[tuple[Path, bool]]:
    """All paths in a run, each with whether nncli wrote it."""
    for each in _listed(path):
        if not _is_directory(each):
            yield each, each.name.removesuffix(".damaged") in FILES_OF_RUN or _is_temporary(each)
            continue
        yield each, each.name == CHECKPOINTS
        for inner in _listed(each) if each.name == CHECKPOINTS else ():
            is_checkpoint = CHECKPOINT.fullmatch(inner.name.removesuffix(".damaged")) or _is_temporary(inner)
            yield inner, bool(is_checkpoint) and not _is_directory(inner)


def _listed(path: Path) -> list[Path]:
    return sorted(path.iterdir())


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _is_temporary(path: Path) -> bool:
    return re.fullmatch(atomic_write.TEMPORARY_NAME, path.name) is not None


def _require_idle(path: Path, found: list[Path], is_held: bool = False) -> None:
    """Check that no process trains in a run, or in a trial of a group.

    Args:
        path: the run or group.
        found: all that is in it.
        is_held: whether this process holds the lock of the run or group itself.

    Raises:
        BusyError: a process does.
    """
    directories = [each for each in found if _is_directory(each) and each.name != CHECKPOINTS]
    busy = next((each for each in ([] if is_held else [path]) + directories if is_locked(each / LOCK)), None)
    if busy is not None:
        raise BusyError(f"{busy}: another process is training in this directory; stop it first")
