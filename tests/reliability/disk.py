"""A disk that forgets: what fsync has made durable, what is pending, and what a power cut may leave of it.

In the terms of POSIX: fsync of a file makes its bytes durable, not its name; fsync of a folder makes its names durable;
a rename happens as a whole or not at all. What is pending may be lost, also where something later is not.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from random import Random
from typing import NamedTuple, TypeAlias

SECTOR = 512  # bytes that a disk writes at once
Tree: TypeAlias = Mapping[str, "bytes | Tree"]  # a folder as a power cut has left it


class Write(NamedTuple):
    """Bytes that were written at an offset."""

    offset: int
    data: bytes

    def applied(self, content: bytes) -> bytes:
        """The content with these bytes in it; a gap before them is of zeros."""
        return content[: self.offset].ljust(self.offset, b"\0") + self.data + content[self.offset + len(self.data) :]


class Cut(NamedTuple):
    """A file that was made so long."""

    length: int

    def applied(self, content: bytes) -> bytes:
        """The content cut there, or filled up with zeros."""
        return content[: self.length].ljust(self.length, b"\0")


@dataclass
class Fate:
    """Decides, for one pending change after another, whether a power cut leaves it.

    Args:
        random: draws it.
        survives: how likely a change is left as a whole; 0: nothing is left, 1: everything.
        victim: the number of the only change that is lost, or torn; what ``survives`` says does not count then.
    """

    random: Random
    survives: float = 1.0
    victim: int | None = None
    _count: int = 0

    def keeps(self) -> bool:
        """Whether the next change is left as a whole."""
        self._count += 1
        if self.victim is not None:
            return self._count - 1 != self.victim
        return self.random.random() < self.survives

    def tears(self) -> bool:
        """Whether a write that is not left as a whole is torn, instead of lost."""
        return self.survives > 0 and self.random.random() < 0.5


@dataclass(eq=False)
class File:
    """The durable bytes of a file, and what has happened to it since."""

    durable: bytes = b""
    pending: list[Write | Cut] = field(default_factory=list)

    def content(self) -> bytes:
        """The bytes as the running system sees them."""
        content = self.durable
        for change in self.pending:
            content = change.applied(content)
        return content

    def sync(self) -> None:
        """Make all of it durable."""
        self.durable, self.pending = self.content(), []


@dataclass(eq=False)
class Folder:
    """The names in a folder: as the running system sees them, and those that are durable."""

    entries: "dict[str, Node]" = field(default_factory=dict)
    durable: "dict[str, Node]" = field(default_factory=dict)


Node: TypeAlias = File | Folder


class Entry(NamedTuple):
    """A name that appears, or goes away."""

    folder: Folder
    name: str
    node: Node
    appears: bool


Change: TypeAlias = tuple[Entry, ...]  # of names, all at once


class Disk:
    """Files and folders below one root, and everything that is pending.

    The methods are named after system calls, and raise what is not possible as a KeyError or AssertionError.

    Args:
        lies: whether it says of files that it has synced them, and has not; names it does sync.
    """

    def __init__(self, lies: bool = False) -> None:
        self.lies = lies
        self.root = Folder()
        self.pending: list[Change] = []
        self._open: dict[int, Node] = {}

    @classmethod
    def of(cls, folder: Path, lies: bool = False) -> "Disk":
        """A disk on which everything below a real folder is durable."""
        disk = cls(lies)
        disk.root = _loaded(folder)
        return disk

    def find(self, path: str) -> Node:
        """What is there, as the running system sees it."""
        node: Node = self.root
        for part in PurePath(path).parts:
            assert isinstance(node, Folder), path
            node = node.entries[part]
        return node

    def open(self, handle: int, path: str, creates: bool = False, empties: bool = False) -> None:
        """Open a file or folder, from now on known by a number."""
        if creates and not self._is_there(path):
            self._add(path, File())
        self._open[handle] = self.find(path)
        if empties:
            self.truncate(handle, 0)

    def opened(self, handle: int) -> Node:
        """What a number stands for."""
        return self._open[handle]

    def write(self, handle: int, offset: int | None, data: bytes) -> None:
        """Write bytes at an offset, or at the end where there is none."""
        file = self._file(handle)
        file.pending.append(Write(len(file.content()) if offset is None else offset, data))

    def truncate(self, handle: int, length: int) -> None:
        """Make a file so long."""
        self._file(handle).pending.append(Cut(length))

    def fsync(self, handle: int) -> None:
        """Make the bytes of a file durable, or the names in a folder."""
        node = self._open[handle]
        if isinstance(node, File):
            if not self.lies:
                node.sync()
            return
        for change in [each for each in self.pending if any(entry.folder is node for entry in each)]:
            self.pending.remove(change)
            for entry in change:
                _enter(entry, entry.folder.durable)

    def rename(self, old: str, new: str) -> None:
        """Give another name, in the place of whatever has that name."""
        node = self.find(old)
        self._change(Entry(*self._place(old), node, False), Entry(*self._place(new), node, True))

    def link(self, old: str, new: str) -> None:
        """Give a second name."""
        assert not self._is_there(new), new
        self._add(new, self.find(old))

    def mkdir(self, path: str) -> None:
        """Make an empty folder."""
        assert not self._is_there(path), path
        self._add(path, Folder())

    def unlink(self, path: str) -> None:
        """Take a name away."""
        self._change(Entry(*self._place(path), self.find(path), False))

    def rmdir(self, path: str) -> None:
        """Take an empty folder away."""
        node = self.find(path)
        assert isinstance(node, Folder), path
        assert not node.entries, path
        self.unlink(path)

    def after_power_cut(self, fate: Fate) -> Tree:
        """What a power cut at this moment may leave, by what fate decides."""
        names: dict[int, dict[str, Node]] = {}
        for change in self.pending:
            if fate.keeps():
                _carry_out(change, names)
        return data_matches_config(self.root, names, fate)

    def count_pending(self) -> int:
        """How many changes are pending, of names and of bytes."""
        return len(self.pending) + sum(len(file.pending) for file in _files(self.root))

    def _file(self, handle: int) -> File:
        node = self._open[handle]
        assert isinstance(node, File)
        return node

    def _place(self, path: str) -> tuple[Folder, str]:
        folder = self.find(str(PurePath(path).parent))
        assert isinstance(folder, Folder), path
        return folder, PurePath(path).name

    def _is_there(self, path: str) -> bool:
        folder, name = self._place(path)
        return name in folder.entries

    def _add(self, path: str, node: Node) -> None:
        self._change(Entry(*self._place(path), node, True))

    def _change(self, *change: Entry) -> None:
        for entry in change:
            _enter(entry, entry.folder.entries)
        self.pending.append(change)


def _enter(entry: Entry, names: dict[str, Node]) -> None:
    if entry.appears:
        names[entry.name] = entry.node
    else:
        names.pop(entry.name, None)


def _carry_out(change: Change, names: dict[int, dict[str, Node]]) -> None:
    """Change durable names, where what goes away is there; folders that differ from their durable ones are copied."""
    for entry in change:
        names.setdefault(id(entry.folder), dict(entry.folder.durable))
    if all(entry.appears or names[id(entry.folder)].get(entry.name) is entry.node for entry in change):
        for entry in change:
            _enter(entry, names[id(entry.folder)])


def data_matches_config(folder: Folder, names: dict[int, dict[str, Node]], fate: Fate) -> Tree:
    tree: dict[str, bytes | Tree] = {}
    for name, node in names.get(id(folder), folder.durable).items():
        tree[name] = data_matches_config(node, names, fate) if isinstance(node, Folder) else _drawn_content(node, fate)
    return tree


def _drawn_content(file: File, fate: Fate) -> bytes:
    """Each change whole, lost, or, if it is a write, torn: at any byte or between sectors, zeros behind or nothing."""
    content = file.durable
    for change in file.pending:
        if fate.keeps():
            content = change.applied(content)
        elif isinstance(change, Write) and fate.tears():
            content = _torn(change, fate.random).applied(content)
    return content


def _files(folder: Folder) -> Iterator[File]:
    for node in folder.entries.values():
        if isinstance(node, Folder):
            yield from _files(node)
        else:
            yield node


def _torn(write: Write, random: Random) -> Write:
    kept = random.randrange(len(write.data) + 1)
    if random.random() < 0.5:
        kept = max(0, kept - (write.offset + kept) % SECTOR)
    zeros = b"\0" * (len(write.data) - kept) if random.random() < 0.5 else b""
    return Write(write.offset, write.data[:kept] + zeros)


def _loaded(path: Path) -> Folder:
    nodes: dict[str, Node] = {
        each.name: _loaded(each) if each.is_dir() else File(each.read_bytes()) for each in path.iterdir()
    }
    return Folder(dict(nodes), dict(nodes))


def lay_down(tree: Tree, folder: Path) -> None:
    """Write a tree into a real folder, which is there and empty."""
    for name, content in tree.items():
        path = folder / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.mkdir()
            lay_down(content, path)


def digest(tree: Tree) -> str:
    """A digest that only equal trees share."""
    found = hashlib.sha256()
    for name, content in sorted(tree.items()):
        below = hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else "/" + digest(content)
        found.update(f"{name}\0{below}\0".encode())
    return found.hexdigest()
