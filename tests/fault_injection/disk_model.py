"""A model of a disk: what fsync has made durable, what is pending, and what a power loss may leave.

As in POSIX, fsync of a file makes its bytes durable, not its name; fsync of a directory makes its names durable; a
rename is atomic. Each pending change may be lost, even if a later one is not.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from random import Random
from typing import NamedTuple, TypeAlias

SECTOR = 512  # bytes that a disk writes atomically
Tree: TypeAlias = Mapping[str, "bytes | Tree"]  # a directory after a power loss


class Write(NamedTuple):
    """Bytes that were written at an offset."""

    offset: int
    data: bytes

    def applied(self, content: bytes) -> bytes:
        """The content after the write; a gap before it is filled with zeros."""
        return content[: self.offset].ljust(self.offset, b"\0") + self.data + content[self.offset + len(self.data) :]


class Truncate(NamedTuple):
    """A file that was truncated or extended to a length."""

    length: int

    def applied(self, content: bytes) -> bytes:
        """The content truncated, or extended with zeros."""
        return content[: self.length].ljust(self.length, b"\0")


@dataclass
class Fate:
    """Decides for each pending change whether it survives a power loss.

    Args:
        random: draws the decisions.
        survival: the probability that a change survives completely.
        victim: the index of the only change that is lost or torn; ``survival`` is ignored then.
    """

    random: Random
    survival: float = 1.0
    victim: int | None = None
    _count: int = 0

    def keeps(self) -> bool:
        """Whether the next change is left as a expected."""
        self._count += 1
        if self.victim is not None:
            return self._count - 1 != self.victim
        return self.random.random() < self.survival

    def tears(self) -> bool:
        """Whether a write that does not survive completely is torn instead of lost."""
        return self.survival > 0 and self.random.random() < 0.5


@dataclass(eq=False)
class File:
    """A file: its durable bytes and its pending changes."""

    durable: bytes = b""
    pending: list[Write | Truncate] = field(default_factory=list)

    def content(self) -> bytes:
        """The bytes as the running system sees them."""
        content = self.durable
        for change in self.pending:
            content = change.applied(content)
        return content

    def sync(self) -> None:
        """Make all bytes durable."""
        self.durable, self.pending = self.content(), []


@dataclass(eq=False)
class Directory:
    """The names in a directory: those that the running system sees, and those that are durable."""

    entries: "dict[str, Node]" = field(default_factory=dict)
    durable: "dict[str, Node]" = field(default_factory=dict)


Node: TypeAlias = File | Directory


class Entry(NamedTuple):
    """A name that is added or removed."""

    directory: Directory
    name: str
    node: Node
    is_added: bool


Change: TypeAlias = tuple[Entry, ...]  # of names, atomically


class Disk:
    """Files and directories below one root, and everything that is pending.

    The methods are named after system calls; impossible ones raise a KeyError or an AssertionError.

    Args:
        lies: whether fsync of a file has no effect; fsync of a directory always has.
    """

    def __init__(self, lies: bool = False) -> None:
        self.lies = lies
        self.root = Directory()
        self.pending: list[Change] = []
        self._open: dict[int, Node] = {}

    @classmethod
    def of(cls, directory: Path, lies: bool = False) -> "Disk":
        """A disk on which everything below a real directory is durable."""
        disk = cls(lies)
        disk.root = _loaded(directory)
        return disk

    def find(self, path: str) -> Node:
        """The file or directory at a path, as the running system sees it."""
        node: Node = self.root
        for part in PurePath(path).parts:
            assert isinstance(node, Directory), path
            node = node.entries[part]
        return node

    def open(self, handle: int, path: str, creates: bool = False, truncates: bool = False) -> None:
        """Open a file or directory under a handle."""
        if creates and not self._exists(path):
            self._add(path, File())
        self._open[handle] = self.find(path)
        if truncates:
            self.truncate(handle, 0)

    def opened(self, handle: int) -> Node:
        """The file or directory of a handle."""
        return self._open[handle]

    def write(self, handle: int, offset: int | None, data: bytes) -> None:
        """Write bytes at an offset, or at the end if it is None."""
        file = self._file(handle)
        file.pending.append(Write(len(file.content()) if offset is None else offset, data))

    def truncate(self, handle: int, length: int) -> None:
        """Set the length of a file."""
        self._file(handle).pending.append(Truncate(length))

    def fsync(self, handle: int) -> None:
        """Make the bytes of a file durable, or the names in a directory."""
        node = self._open[handle]
        if isinstance(node, File):
            if not self.lies:
                node.sync()
            return
        for change in [each for each in self.pending if any(entry.directory is node for entry in each)]:
            self.pending.remove(change)
            for entry in change:
                _enter(entry, entry.directory.durable)

    def rename(self, old: str, new: str) -> None:
        """Rename, replacing what has the new name."""
        node = self.find(old)
        self._change(Entry(*self._locate(old), node, False), Entry(*self._locate(new), node, True))

    def link(self, old: str, new: str) -> None:
        """Add a hard link."""
        assert not self._exists(new), new
        self._add(new, self.find(old))

    def mkdir(self, path: str) -> None:
        """Create an empty directory."""
        assert not self._exists(path), path
        self._add(path, Directory())

    def unlink(self, path: str) -> None:
        """Remove a name."""
        self._change(Entry(*self._locate(path), self.find(path), False))

    def rmdir(self, path: str) -> None:
        """Remove an empty directory."""
        node = self.find(path)
        assert isinstance(node, Directory), path
        assert not node.entries, path
        self.unlink(path)

    def after_power_loss(self, fate: Fate) -> Tree:
        """What a power loss at this moment leaves, as decided by fate."""
        names: dict[int, dict[str, Node]] = {}
        for change in self.pending:
            if fate.keeps():
                _apply(change, names)
        return _surviving_tree(self.root, names, fate)

    def count_pending(self) -> int:
        """The number of pending changes of names and of bytes."""
        return len(self.pending) + sum(len(file.pending) for file in _files(self.root))

    def _file(self, handle: int) -> File:
        node = self._open[handle]
        assert isinstance(node, File)
        return node

    def _locate(self, path: str) -> tuple[Directory, str]:
        directory = self.find(str(PurePath(path).parent))
        assert isinstance(directory, Directory), path
        return directory, PurePath(path).name

    def _exists(self, path: str) -> bool:
        directory, name = self._locate(path)
        return name in directory.entries

    def _add(self, path: str, node: Node) -> None:
        self._change(Entry(*self._locate(path), node, True))

    def _change(self, *change: Entry) -> None:
        for entry in change:
            _enter(entry, entry.directory.entries)
        self.pending.append(change)


def _enter(entry: Entry, names: dict[str, Node]) -> None:
    if entry.is_added:
        names[entry.name] = entry.node
    else:
        names.pop(entry.name, None)


def _apply(change: Change, names: dict[int, dict[str, Node]]) -> None:
    """Apply a change to copies of durable names, unless a name that it removes is not there."""
    for entry in change:
        names.setdefault(id(entry.directory), dict(entry.directory.durable))
    if all(entry.is_added or names[id(entry.directory)].get(entry.name) is entry.node for entry in change):
        for entry in change:
            _enter(entry, names[id(entry.directory)])


def _surviving_tree(directory: Directory, names: dict[int, dict[str, Node]], fate: Fate) -> Tree:
    tree: dict[str, bytes | Tree] = {}
    for name, node in names.get(id(directory), directory.durable).items():
        tree[name] = (
            _surviving_tree(node, names, fate) if isinstance(node, Directory) else _surviving_content(node, fate)
        )
    return tree


def _surviving_content(file: File, fate: Fate) -> bytes:
    """Each change expected, lost, or, if it is a write, torn."""
    content = file.durable
    for change in file.pending:
        if fate.keeps():
            content = change.applied(content)
        elif isinstance(change, Write) and fate.tears():
            content = _torn(change, fate.random).applied(content)
    return content


def _files(directory: Directory) -> Iterator[File]:
    for node in directory.entries.values():
        if isinstance(node, Directory):
            yield from _files(node)
        else:
            yield node


def _torn(write: Write, random: Random) -> Write:
    """A prefix of a write, up to any byte or sector; the rest is zeros or missing."""
    length = random.randrange(len(write.data) + 1)
    if random.random() < 0.5:
        length = max(0, length - (write.offset + length) % SECTOR)
    zeros = b"\0" * (len(write.data) - length) if random.random() < 0.5 else b""
    return Write(write.offset, write.data[:length] + zeros)


def _loaded(path: Path) -> Directory:
    nodes: dict[str, Node] = {
        each.name: _loaded(each) if each.is_dir() else File(each.read_bytes()) for each in path.iterdir()
    }
    return Directory(dict(nodes), dict(nodes))


def write_tree(tree: Tree, directory: Path) -> None:
    """Write a tree into an empty real directory."""
    for name, content in tree.items():
        path = directory / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.mkdir()
            write_tree(content, path)


def digest(tree: Tree) -> str:
    """A digest of a tree."""
    result = hashlib.sha256()
    for name, content in sorted(tree.items()):
        child = hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else "/" + digest(content)
        result.update(f"{name}\0{child}\0".encode())
    return result.hexdigest()
