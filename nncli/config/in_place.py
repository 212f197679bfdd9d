"""Replacement of values in the text of a config, in place: comments, order and layout of the rest are unchanged."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from nncli.config.document import Node
from nncli.config.yaml_output import to_yaml_value

_ANCHOR = re.compile(r"(&\S+\s+)?")


class _Edit(NamedTuple):
    """A part of a text, from ``start`` to ``end``, and what replaces it."""

    start: int
    end: int
    text: str


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are equal in value and type: 1, 1.0 and true differ.

    >>> is_same({"a": 1, "b": 2}, {"b": 2, "a": 1}), is_same(1, 1.0)
    (True, False)
    """
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def replaced(root: Node, before: Any, after: Any) -> str:
    """The source text of a tree, with those values replaced that differ; new keys and items follow the existing ones.

    The caller has to read the text back: it may have other values, or be invalid, if it has anchors.

    Args:
        root: the tree.
        before: the value that the text stands for: usually that of the tree.
        after: the value that the text is to stand for.
    """
    text = root.location.source.text
    return _edited(text, _edits(text, root, before, after))


def without_aliases(root: Node) -> str:
    """The source text of a tree, with each alias replaced by the value that it stands for; anchors stay."""
    text = root.location.source.text
    return _edited(text, _aliases(text, root))


def _edited(text: str, edits: Iterable[_Edit]) -> str:
    """The text with all edits; of those at the same place, the first one comes first."""
    in_order = sorted(edits, key=lambda edit: edit.start)  # stable: inner ones stay first
    for edit in reversed(in_order):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _aliases(text: str, node: Node) -> Iterator[_Edit]:
    start, end = node.span
    if text[start : start + 1] == "*":
        yield _Edit(start, end, _inline([], 0, node.plain()))
        return
    for child in node.children.values():
        yield from _aliases(text, child)


def _edits(text: str, node: Node, before: Any, after: Any) -> Iterator[_Edit]:
    if is_same(before, after):
        return
    old, new = _items(before), _items(after)
    is_extended = type(before) is type(after) and old.keys() <= new.keys()
    start = _start(text, node)
    if not is_extended or node.children.keys() != old.keys() or text[start : start + 1] == "*" or not new:
        yield _replacement(text, start, node.span[1], after)
        return
    for key in old:
        yield from _edits(text, node.children[key], old[key], new[key])
    added = [_inline(after, key, new[key]) for key in new if key not in old]
    if added:
        yield _insertion(text, start, node, added)


def _items(value: Any) -> dict[str | int, Any]:
    """The children of a value by key or index; none of a scalar."""
    if isinstance(value, list):
        return dict(enumerate(value))
    return value if isinstance(value, dict) else {}


def _inline(parent: Any, key: str | int, value: Any) -> str:
    """A child as YAML in one line, valid within braces too."""
    return to_yaml_value([value] if isinstance(parent, list) else {key: value})[1:-1]


def _start(text: str, node: Node) -> int:
    """Where the value of a node begins, after its anchor."""
    found = _ANCHOR.match(text, node.span[0])
    return found.end() if found else node.span[0]


def _is_block(text: str, start: int, node: Node) -> bool:
    """Whether a node is a mapping or list without braces or brackets."""
    return isinstance(node.value, dict | list) and text[start] not in "{["


def _replacement(text: str, start: int, end: int, value: Any) -> _Edit:
    """The whole value replaced; one that begins below its key moves up to it, unless a comment is between them."""
    before = text[:start].rstrip()
    has_own_line = "\n" in text[len(before) : start]
    space = " " if has_own_line or start == end else ""
    if has_own_line and "#" not in before[before.rfind("\n") + 1 :]:
        start = len(before)
    return _Edit(start, end, space + _inline([], 0, value))


def _insertion(text: str, start: int, node: Node, added: list[str]) -> _Edit:
    """New children after the last one of a node: on lines of their own, or within its braces or brackets."""
    if not _is_block(text, start, node):
        position = max((child.span[1] for child in node.children.values()), default=node.span[1] - 1)
        return _Edit(position, position, (", " if node.children else "") + ", ".join(added))
    end = node.span[1]
    position = end + len(text[end:].split("\n", 1)[0].rstrip("\r"))
    indentation = " " * (start - text.rfind("\n", 0, start) - 1) + ("- " if isinstance(node.value, list) else "")
    line_break = "\r\n" if "\r\n" in text else "\n"
    return _Edit(position, position, "".join(f"{line_break}{indentation}{each}" for each in added))
