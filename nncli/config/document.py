"""YAML text as values, each with its line and column; what a YAML reader may guess about is refused here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from nncli.config.diagnostics import Diagnostic, Path, SourceLocation, SourceText, shown
from nncli.config.scalars import scalar

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 20
MAX_NODES = 10_000


class DocumentError(Exception):
    """The text is no document at all; nothing behind the place was read."""

    def __init__(self, place: SourceLocation, message: str) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(place, (), message)


class EmptyDocumentError(DocumentError):
    """There is nothing in the text but white space and comments."""


@dataclass
class Node:
    """One value of a document; ``children`` are the nodes of a mapping or a list, ``keys`` the places of keys."""

    place: SourceLocation
    value: Any = None
    children: dict[str | int, "Node"] = field(default_factory=dict)
    keys: dict[str | int, SourceLocation] = field(default_factory=dict)
    size: int = 1
    height: int = 1

    def plain(self) -> Any:
        """The value as dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.children.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.children.values()]
        return self.value

    def find(self, path: Sequence[str | int]) -> "Node":
        """The node at a path, or the deepest one on the way to it."""
        if path and path[0] in self.children:
            return self.children[path[0]].find(path[1:])
        return self

    def key_place(self, path: Path) -> SourceLocation:
        """Where the last key of a path stands; the nearest enclosing value where it has none."""
        parent = self.find(path[:-1])
        return parent.keys.get(path[-1], parent.place) if path else self.place


@dataclass
class Document:
    """The root of a read text, and the mistakes that did not stop the reading."""

    root: Node
    diagnostics: list[Diagnostic]


def read(source: SourceText) -> Document:
    """Read the only document of a text.

    Raises:
        DocumentError: the text is not YAML, is empty, or is larger or deeper than a config can be.
    """
    if len(source.text) > MAX_CHARACTERS:
        raise DocumentError(
            SourceLocation(source, source.first_line, 1), f"longer than {MAX_CHARACTERS:,} characters: no config is"
        )
    reader = _Reader(source)
    return Document(reader.document(), reader.diagnostics)


class _Reader:
    """Builds nodes from the events of the YAML parser, so that size and depth are known before anything is built."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []
        self.anchors: dict[str, Node] = {}
        self.events: Iterator[Any] = self._parsed()
        self.nodes = 0

    def _parsed(self) -> Iterator[Any]:
        mark = None
        try:
            loader = yaml.SafeLoader(self.source.text)
            while loader.check_event():
                event: Any = loader.get_event()  # type: ignore[no-untyped-call]
                mark = event.end_mark
                yield event
        except yaml.MarkedYAMLError as error:
            cut_off = "end of stream" in (error.problem or "")
            mark = (error.context_mark if cut_off else None) or error.problem_mark or error.context_mark
            raise DocumentError(self._place(mark), _yaml_words(error)) from None
        except (ValueError, OverflowError):  # a character or a version beyond all bounds
            raise DocumentError(self._place(mark), "not YAML: a number in it is too large") from None
        except yaml.reader.ReaderError as error:
            raise DocumentError(
                self._place_of_character(error.position), "not text: a control character or binary data"
            ) from None

    def document(self) -> Node:
        start = SourceLocation(self.source, self.source.first_line, 1)
        root = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise DocumentError(
                        self._place(event.start_mark), "a second document begins here; a config is one document"
                    )
                root = self._node(next(self.events), (), 0)
        if root is None:
            raise EmptyDocumentError(start, "empty; 'nncli init' writes a config to start from")
        return root

    def _node(self, event: Any, path: Path, depth: int) -> Node:
        place = self._place(event.start_mark)
        self._bound_depth(depth, place)
        if isinstance(event, yaml.AliasEvent):
            node = self._aliased(event, place, depth)
        elif isinstance(event, yaml.ScalarEvent):
            node = Node(place, _Refused(event.value) if event.tag else self._scalar(event, place, path))
        elif isinstance(event, yaml.MappingStartEvent):
            node = self._mapping(place, path, depth)
        else:
            node = self._sequence(place, path, depth)
        self._count(node, place)
        if getattr(event, "tag", None):
            self.diagnostics.append(
                Diagnostic(place, path, f"tag {shown(event.tag)} is not used in a config; leave it out")
            )
        if not isinstance(event, yaml.AliasEvent) and event.anchor:
            self.anchors[event.anchor] = node
        return node

    def _bound_depth(self, depth: int, place: SourceLocation) -> None:
        if depth > MAX_DEPTH:
            raise DocumentError(place, f"nested deeper than {MAX_DEPTH} levels: no config is")

    def _count(self, node: Node, place: SourceLocation) -> None:
        node.size = 1 + sum(child.size for child in node.children.values())
        node.height = 1 + max((child.height for child in node.children.values()), default=0)
        self.nodes += 1
        if max(node.size, self.nodes) > MAX_NODES:
            raise DocumentError(
                place, f"more than {MAX_NODES:,} values, counting what aliases repeat: no config has so many"
            )

    def _aliased(self, event: Any, place: SourceLocation, depth: int) -> Node:
        if event.anchor not in self.anchors:
            raise DocumentError(place, f"alias *{event.anchor} before its anchor &{event.anchor}")
        known = self.anchors[event.anchor]
        self._bound_depth(depth + known.height - 1, place)
        return Node(place, known.value, known.children, known.keys)

    def _mapping(self, place: SourceLocation, path: Path, depth: int) -> Node:
        node = Node(place, {})
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key_place = self._place(event.start_mark)
            if not isinstance(event, yaml.ScalarEvent):
                raise DocumentError(key_place, "a key must be a plain word")
            if event.tag or event.anchor:
                self.diagnostics.append(
                    Diagnostic(key_place, path, f"key {shown(event.value)} has a tag or an anchor; leave it out")
                )
            child = self._node(next(self.events), (*path, event.value), depth + 1)
            if event.value in node.children:
                first = node.keys[event.value].line
                message = f"key {shown(event.value)} stands twice, first on line {first}; keep one"
                self.diagnostics.append(Diagnostic(key_place, path, message))
            else:
                node.keys[event.value], node.children[event.value] = key_place, child
        return node

    def _sequence(self, place: SourceLocation, path: Path, depth: int) -> Node:
        node = Node(place, [])
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            index = len(node.children)
            node.children[index] = self._node(event, (*path, index), depth + 1)
        return node

    def _scalar(self, event: Any, place: SourceLocation, path: Path) -> Any:
        if not event.implicit[0]:  # quoted, or a block of text
            return event.value
        try:
            return scalar(event.value)
        except ValueError as error:
            self.diagnostics.append(Diagnostic(place, path, str(error)))
            return _Refused(event.value)

    def _place(self, mark: Any) -> SourceLocation:
        if mark is None:
            return SourceLocation(self.source, self.source.first_line, 1)
        return SourceLocation(self.source, mark.line + self.source.first_line, mark.column + 1)

    def _place_of_character(self, position: int) -> SourceLocation:
        before = f"{self.source.text[:position]}.".splitlines()
        return SourceLocation(self.source, len(before) - 1 + self.source.first_line, len(before[-1]))


class _Refused(str):
    """A scalar that has a diagnostic already: what else may be wrong with it is not worth a second message."""

    __slots__ = ()


def refused(value: Any) -> bool:
    """Whether the reader has reported this value already."""
    return isinstance(value, _Refused)


def _yaml_words(error: yaml.MarkedYAMLError) -> str:
    diagnostic = (error.problem or "not YAML").replace("\n", " ")
    if "'\\t'" in diagnostic:
        return "a tab cannot stand here; YAML is indented and separated with spaces"
    context = f"{error.context}: " if error.context else ""
    return f"not YAML: {context}{diagnostic}"
