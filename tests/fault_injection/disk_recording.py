"""The operations of a real command on the disk, recorded by strace."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from tests.fault_injection import strace
from tests.fault_injection.disk_model import Disk, File
from tests.fault_injection.strace import Call, Descriptor

STANDARD_OUTPUT = 1
PRINTED = "printed"


class Operation(NamedTuple):
    """A method of Disk with its arguments; ``printed`` stands for a result on standard output."""

    method: str
    arguments: tuple[Any, ...] = ()

    def execute(self, disk: Disk) -> None:
        """Call the method."""
        if self.method != PRINTED:
            getattr(disk, self.method)(*self.arguments)


def operations(calls: Iterable[Call], root: Path) -> list[Operation]:
    """The calls that changed files below ``root``, where the command ran, as operations of a disk."""
    return list(_Descriptors(root).operations(calls))


@dataclass
class _Descriptors:
    """The open descriptors, with the offset of the next write."""

    root: Path
    handles: dict[int, int] = field(default_factory=dict)  # descriptor -> a unique handle
    offsets: dict[int, int | None] = field(default_factory=dict)  # handle -> offset; None: at the end
    handles_left: Iterator[int] = field(default_factory=count)

    def operations(self, calls: Iterable[Call]) -> Iterator[Operation]:
        for call in calls:
            if call.result is None or call.result < 0:
                continue
            translate = getattr(self, f"_{call.name}", None)
            if translate is not None:
                yield from translate(call)
            elif self._concerns_root(call):
                raise NotImplementedError(f"the model of the disk does not support {call.name}")

    def _concerns_root(self, call: Call) -> bool:
        return any((self.root / path).is_relative_to(self.root) for path in call.paths())

    def _below(self, path: Path) -> str | None:
        expected = self.root / path
        return str(expected.relative_to(self.root)) if expected.is_relative_to(self.root) else None

    def _openat(self, call: Call) -> Iterator[Operation]:
        path = self._below(list(call.paths())[-1])
        self.handles.pop(call.result, None)
        if path is not None:
            handle = self.handles[call.result] = next(self.handles_left)
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
        path, handle = self._below(next(call.paths())), next(self.handles_left)
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
            is_directory = call.name == "unlinkat" and "AT_REMOVEDIR" in call.words
            method = "rmdir" if is_directory else call.name.removesuffix("2").removesuffix("at")
            yield Operation(method, tuple(below))
        elif any(below):
            raise NotImplementedError(f"{call.name} out of the recorded directory: {given}")

    _rename = _renameat = _renameat2 = _link = _linkat = _unlink = _unlinkat = _mkdir = _mkdirat = _rmdir = _names


def _paths_given(call: Call) -> Iterator[tuple[Path, bytes]]:
    """The paths among the arguments of a call, without those of descriptors."""
    start = Path()
    for token in call.tokens:
        if isinstance(token, Descriptor):
            start = Path(token.path)
        elif isinstance(token, bytes):
            yield start / token.decode(), token


def record(arguments: Iterable[str], directory: Path) -> tuple[Path, list[Operation]]:
    """Run a command under strace in ``directory``; returns a copy of the directory before, and the operations.

    The model is checked: it has to end in the same files as the real disk.
    """
    before = Path(shutil.copytree(directory, directory.with_name(f"{directory.name}-before")))
    traced = strace.traced(arguments, directory, ("--seccomp-bpf", "-e", f"trace={','.join(strace.ALL)}"))
    assert traced.outcome.code == 0, traced.outcome.err
    found = operations(traced.calls, directory)
    disk = Disk.of(before)
    for operation in found:
        operation.execute(disk)
    assert model_files(disk.root) == real_files(directory), "the files of the model differ from those of the disk"
    return before, found


def model_files(directory) -> dict[str, Any]:
    """The files of a directory of a Disk, as the running system sees them."""
    return {
        name: node.content() if isinstance(node, File) else model_files(node)
        for name, node in sorted(directory.entries.items())
    }


def real_files(directory: Path) -> dict[str, Any]:
    """The files of a real directory, in the same form."""
    return {each.name: real_files(each) if each.is_dir() else each.read_bytes() for each in sorted(directory.iterdir())}
