"""Progress of reading: an observer is notified of each file that is read, and of each piece of it."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import BinaryIO, TypeAlias

Advance: TypeAlias = Callable[[int], object]  # takes the number of bytes of a piece
Observer: TypeAlias = Callable[[str, int], AbstractContextManager[Advance]]  # takes the name and the size of a file

_observer: ContextVar[Observer | None] = ContextVar("observer", default=None)


@contextmanager
def observed_by(observer: Observer) -> Iterator[None]:
    """Notify an observer of the files that are read within the block."""
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)


def reading(name: str, file: BinaryIO) -> AbstractContextManager[Advance]:
    """Notify the observer of a file; the context returns the function to call with the number of bytes of each piece.

    Args:
        name: the name of the file in messages.
        file: the file. A pipe, whose size is unknown, is not observed.
    """
    observer = _observer.get()
    size = 0 if observer is None else _size(file)
    return observer(name, size) if observer and size else nullcontext(_nothing)


def _size(file: BinaryIO) -> int:
    """The size of a regular file in bytes; 0 for a pipe or a stream without a file."""
    try:
        state = os.fstat(file.fileno())
    except OSError:
        return 0
    return state.st_size if stat.S_ISREG(state.st_mode) else 0


def _nothing(size: int) -> None:
    """Do nothing: there is no observer."""
