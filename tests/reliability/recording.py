"""What a real training does to a disk, operation by operation."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from tests.reliability import tracing
from tests.reliability.disk import Disk, File
from tests.reliability.tracing import Call, Descriptor

STANDARD_OUTPUT = 1
PRINTED = "printed"


class Operation(NamedTuple):
    """A method of Disk with its arguments; ``printed``, which does nothing to a disk, for a result that was told."""

    method: str
    arguments: tuple[Any, ...] = ()

    def carry_out(self, disk: Disk) -> None:
        """Do it."""
        if self.method != PRINTED:
            getattr(disk, self.method)(*self.arguments)


def operations(calls: Iterable[Call], root: Path) -> list[Operation]:
    """The calls that did something to files below ``root``, in which the command ran, as operations of a disk."""
    return list(_Descriptors(root).operations(calls))


@dataclass
class _Descriptors:
    """Which descriptor stands for which opened file, and where it writes next."""

    root: Path
    handles: dict[int, int] = field(default_factory=dict)  # descriptor -> a number that is never used again
    offsets: dict[int, int | None] = field(default_factory=dict)  # handle -> offset; None: at the end
    numbers: Iterator[int] = field(default_factory=count)

    def operations(self, calls: Iterable[Call]) -> Iterator[Operation]:
        for call in calls:
            if call.result is None or call.result < 0:
                continue
            treat = getattr(self, f"_{call.name}", None)
            if treat is not None:
                yield from treat(call)
            elif self._concerns_root(call):
                raise NotImplementedError(f"the model of the disk knows no {call.name}")

    def _concerns_root(self, call: Call) -> bool:
        return any((self.root / path).is_relative_to(self.root) for path in call.paths())

    def _below(self, path: Path) -> str | None:
        whole = self.root / path
        return str(whole.relative_to(self.root)) if whole.is_relative_to(self.root) else None

    def _openat(self, call: Call) -> Iterator[Operation]:
        path = self._below(list(call.paths())[-1])
        self.handles.pop(call.result, None)
        if path is not None:
            handle = self.handles[call.result] = next(self.numbers)
            self.offsets[handle] = None if "O_APPEND" in call.words else 0
            yield Operation("open", (handle, path, "O_CREAT" in call.words, "O_TRUNC" in call.words))

    def _close(self, call: Call) -> Iterator[Operation]:
        self.handles.pop(call.tokens[0].number, None)
        return iter(())

    def _dup(self, call: Call) -> Iterator[Operation]:
        handle = self.handles.get(call.tokens[0].number)
        self.handles.pop(call.result, None)
        if handle is not None:
            self.handles[call.result] = handle
        return iter(())

    _dup2 = _dup3 = _dup

    def _lseek(self, call: Call) -> Iterator[Operation]:
        handle = self.handles.get(call.tokens[0].number)
        if handle is not None and self.offsets[handle] is not None:
            self.offsets[handle] = call.result
        return iter(())

    def _write(self, call: Call) -> Iterator[Operation]:
        descriptor = call.tokens[0].number
        handle = self.handles.get(descriptor)
        data = b"".join(token for token in call.tokens[1:] if isinstance(token, bytes))[: call.result]
        if handle is not None and data:
            offset = self.offsets[handle]
            yield Operation("write", (handle, offset, data))
            self.offsets[handle] = None if offset is None else offset + len(data)
        elif descriptor == STANDARD_OUTPUT and data:
            yield Operation(PRINTED)

    _writev = _write

    def _pwrite64(self, call: Call) -> Iterator[Operation]:
        handle = self.handles.get(call.tokens[0].number)
        if handle is not None:
            yield Operation("write", (handle, int(call.tokens[-1]), call.tokens[1][: call.result]))

    def _ftruncate(self, call: Call) -> Iterator[Operation]:
        handle = self.handles.get(call.tokens[0].number)
        if handle is not None:
            yield Operation("truncate", (handle, int(call.tokens[1])))

    def _truncate(self, call: Call) -> Iterator[Operation]:
        path, handle = self._below(next(call.paths())), next(self.numbers)
        if path is not None:
            yield Operation("open", (handle, path))
            yield Operation("truncate", (handle, int(call.tokens[1])))

    def _fsync(self, call: Call) -> Iterator[Operation]:
        handle = self.handles.get(call.tokens[0].number)
        if handle is not None:
            yield Operation("fsync", (handle,))

    _fdatasync = _fsync

    def _names(self, call: Call) -> Iterator[Operation]:
        given = [path for path, token in _paths_given(call)]
        below = [self._below(path) for path in given]
        if None not in below:
            is_folder = call.name == "unlinkat" and "AT_REMOVEDIR" in call.words
            method = "rmdir" if is_folder else call.name.removesuffix("2").removesuffix("at")
            yield Operation(method, tuple(below))
        elif any(below):
            raise NotImplementedError(f"{call.name} out of the folder that is watched: {given}")

    _rename = _renameat = _renameat2 = _link = _linkat = _unlink = _unlinkat = _mkdir = _mkdirat = _rmdir = _names


def _paths_given(call: Call) -> Iterator[tuple[Path, bytes]]:
    """The paths that a call names, without the folders that they are relative to."""
    start = Path()
    for token in call.tokens:
        if isinstance(token, Descriptor):
            start = Path(token.path)
        elif isinstance(token, bytes):
            yield start / token.decode(), token


def record(arguments: Iterable[str], folder: Path) -> tuple[Path, list[Operation]]:
    """Run a command under strace in ``folder``; returns a copy of the folder before, and what was done to it since.

    That the model follows is checked: it ends in the very files that the real disk has.
    """
    before = Path(shutil.copytree(folder, folder.with_name(f"{folder.name}-before")))
    traced = tracing.traced(arguments, folder, ("--seccomp-bpf", "-e", f"trace={','.join(tracing.ALL)}"))
    assert traced.outcome.code == 0, traced.outcome.err
    found = operations(traced.calls, folder)
    disk = Disk.of(before)
    for operation in found:
        operation.carry_out(disk)
    assert live(disk.root) == real(folder), "the model ends in other files than the disk"
    return before, found


def live(folder) -> dict[str, Any]:
    """A folder of a Disk as the running system sees it."""
    return {
        name: node.content() if isinstance(node, File) else live(node) for name, node in sorted(folder.entries.items())
    }


def real(folder: Path) -> dict[str, Any]:
    """A real folder, in the same form."""
    return {each.name: real(each) if each.is_dir() else each.read_bytes() for each in sorted(folder.iterdir())}
