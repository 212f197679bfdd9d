"""YAML text as a tree of values, each with its source location; ambiguous YAML is rejected."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from nncli.config.diagnostics import Diagnostic, Path, SourceLocation, SourceText, shown
from nncli.config.scalars import scalar

EXTENSION = "x-"  # keys at the top level that begin with it are ignored; they have room for anchors
SWEEP = "base"  # the key that makes a YAML file a sweep file
MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 20
MAX_NODES = 100_000
FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the parser in C, if PyYAML has it
TOO_DEEP = f"nested too deeply (limit: {MAX_DEPTH} levels)"
TOO_LARGE = f"config too large (limit: {MAX_CHARACTERS:,} characters)"


class DocumentError(Exception):
    """The text cannot be read as a config; reading stopped at the location."""

    def __init__(self, location: SourceLocation, message: str) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(location, (), message)


class EmptyDocumentError(DocumentError):
    """The text contains only white space and comments."""


@dataclass
class Node:
    """A value, its source location, its child nodes, and the locations of its keys.

    ``size`` and ``height`` count its nodes and levels with all aliases expanded. ``span`` is where the source text of
    the value begins and ends, in characters from the beginning of the text. ``input_width`` is the number of inputs
    that a layer states; it is no value of the config, but is compared with the data.
    """

    location: SourceLocation
    value: Any = None
    children: dict[str | int, "Node"] = field(default_factory=dict)
    keys: dict[str | int, SourceLocation] = field(default_factory=dict)
    size: int = 1
    height: int = 1
    span: tuple[int, int] = (0, 0)
    input_width: "Node | None" = None

    def copy(self) -> "Node":
        """A copy of the node and of all nodes below it."""
        children = {key: child.copy() for key, child in self.children.items()}
        return replace(self, children=children, keys=dict(self.keys))

    def plain(self) -> Any:
        """The value as dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.children.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.children.values()]
        return self.value

    def find(self, path: Sequence[str | int]) -> "Node":
        """Return the node at a path, or the deepest existing node on the way to it."""
        if path and path[0] in self.children:
            return self.children[path[0]].find(path[1:])
        return self

    def key_location(self, path: Path) -> SourceLocation:
        """Return the location of the last key of a path, or of the nearest enclosing value."""
        parent = self.find(path[:-1])
        return parent.keys.get(path[-1], parent.location) if path else self.location


@dataclass
class Document:
    """The tree of values in a YAML text, and the errors that did not stop the reading.

    ``written`` is the tree as the text has it; ``root`` may have been normalized, and overrides applied to it.
    """

    root: Node
    diagnostics: list[Diagnostic]
    written: Node


def read(source: SourceText, loader: Any = yaml.SafeLoader) -> Document:
    """Read a YAML text.

    Args:
        source: the text.
        loader: the class whose instances yield the events of the text; error messages are made for the default.

    Raises:
        DocumentError: the text is invalid YAML, empty, too large or too deeply nested.
    """
    if len(source.text) > MAX_CHARACTERS:
        raise DocumentError(SourceLocation(source, source.first_line, 1), TOO_LARGE)
    reader = _Reader(source, loader)
    root = reader.document()
    return Document(root, reader.diagnostics, root)


class _Reader:
    """Builds nodes from parser events, so that size and depth are limited while reading."""

    def __init__(self, source: SourceText, loader: Any) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []
        self.anchors: dict[str, Node] = {}
        self.position = 0  # where the last event ends
        self.events: Iterator[Any] = self._parsed(loader)
        self.nodes = 0

    def _parsed(self, loader_class: Any) -> Iterator[Any]:
        mark: Any = None
        try:
            loader = loader_class(self.source.text)
            while loader.check_event():
                event = loader.get_event()
                mark = event.end_mark
                self.position = mark.index
                yield event
        except yaml.MarkedYAMLError as error:
            from nncli.config.yaml_errors import explain

            problem = explain(self.source.text, error)
            raise DocumentError(self._location(problem), problem.message) from None
        except (ValueError, OverflowError):  # a character code or a YAML version
            raise DocumentError(self._location(mark), "invalid YAML: a number is too large") from None
        except yaml.reader.ReaderError as error:
            location = self._character_location(error.position)
            raise DocumentError(location, "not a text file: control character or binary data") from None

    def document(self) -> Node:
        start = SourceLocation(self.source, self.source.first_line, 1)
        root = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    message = "a second YAML document starts here; a config is a single document"
                    raise DocumentError(self._location(event.start_mark), message)
                root = self._node(next(self.events), (), 0)
        if root is None:
            raise EmptyDocumentError(start, "empty; 'nncli init' writes a config to start from")
        return root

    def _node(self, event: Any, path: Path, depth: int) -> Node:
        location = self._location(event.start_mark)
        self._limit_depth(depth, location)
        if isinstance(event, yaml.AliasEvent):
            node = self._aliased(event, location, depth)
        elif isinstance(event, yaml.ScalarEvent):
            node = Node(location, _Rejected(event.value) if event.tag else self._scalar(event, location, path))
        elif isinstance(event, yaml.MappingStartEvent):
            node = self._mapping(location, path, depth)
        else:
            node = self._sequence(location, path, depth)
        node.span = (event.start_mark.index, self._end(event, node))
        self._count(node, location)
        if getattr(event, "tag", None):
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.diagnostics.append(Diagnostic(location, path, f"unsupported tag {shown(tag)}; remove it"))
        if not isinstance(event, yaml.AliasEvent) and event.anchor:
            self.anchors[event.anchor] = node
        return node

    def _end(self, event: Any, node: Node) -> int:
        """Where a value ends, without the white space and comments that follow."""
        if isinstance(event, yaml.CollectionStartEvent) and not event.flow_style:
            return max(child.span[1] for child in node.children.values())
        start: int = event.start_mark.index
        return start + len(self.source.text[start : self.position].rstrip())

    def _limit_depth(self, depth: int, location: SourceLocation) -> None:
        if depth > MAX_DEPTH:
            raise DocumentError(location, TOO_DEEP)

    def _count(self, node: Node, location: SourceLocation) -> None:
        node.size = 1 + sum(child.size for child in node.children.values())
        node.height = 1 + max((child.height for child in node.children.values()), default=0)
        self.nodes += 1
        if max(node.size, self.nodes) > MAX_NODES:
            raise DocumentError(location, f"too many values (limit: {MAX_NODES:,}, aliases expanded)")

    def _aliased(self, event: Any, location: SourceLocation, depth: int) -> Node:
        if event.anchor not in self.anchors:
            raise DocumentError(location, f"undefined alias *{event.anchor}; define &{event.anchor} before it")
        target = self.anchors[event.anchor]
        self._limit_depth(depth + target.height - 1, location)
        return Node(location, target.value, target.children, target.keys)

    def _mapping(self, location: SourceLocation, path: Path, depth: int) -> Node:
        node = Node(location, {})
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key_location = self._location(event.start_mark)
            if not isinstance(event, yaml.ScalarEvent):
                raise DocumentError(key_location, "a key must be a string, not a list or a mapping")
            if event.tag or event.anchor:
                message = f"unsupported tag or anchor on key {shown(event.value)}; remove it"
                self.diagnostics.append(Diagnostic(key_location, path, message))
            child = self._node(next(self.events), (*path, event.value), depth + 1)
            if event.value in node.children:
                first = node.keys[event.value].line
                message = f"duplicate key {shown(event.value)} (first on line {first}); remove one"
                self.diagnostics.append(Diagnostic(key_location, path, message))
            else:
                node.keys[event.value], node.children[event.value] = key_location, child
        return node

    def _sequence(self, location: SourceLocation, path: Path, depth: int) -> Node:
        node = Node(location, [])
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            index = len(node.children)
            node.children[index] = self._node(event, (*path, index), depth + 1)
        return node

    def _scalar(self, event: Any, location: SourceLocation, path: Path) -> Any:
        if not event.implicit[0]:  # quoted, or a block scalar
            return event.value
        try:
            return scalar(event.value)
        except ValueError as error:
            self.diagnostics.append(Diagnostic(location, path, str(error)))
            return _Rejected(event.value)

    def _location(self, mark: Any) -> SourceLocation:
        if mark is None:
            return SourceLocation(self.source, self.source.first_line, 1)
        return SourceLocation(self.source, mark.line + self.source.first_line, mark.column + 1)

    def _character_location(self, position: int) -> SourceLocation:
        before = f"{self.source.text[:position]}.".splitlines()
        return SourceLocation(self.source, len(before) - 1 + self.source.first_line, len(before[-1]))


class _Rejected(str):
    """A scalar that has a diagnostic already, and needs no second one."""

    __slots__ = ()


def is_rejected(value: Any) -> bool:
    """Whether the reader has already reported this value."""
    return isinstance(value, _Rejected)
