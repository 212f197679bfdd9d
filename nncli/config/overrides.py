"""Values given on the command line, ``optimizer.learning_rate=0.1``, put into a document at their paths."""

import re
from collections.abc import Sequence
from dataclasses import replace

from nncli.config.diagnostics import COMMAND_LINE, Diagnostic, Path, SourceLocation, SourceText, path_text, shown
from nncli.config.document import MAX_DEPTH, Document, DocumentError, EmptyDocumentError, Node, read
from nncli.errors import CommandLineError

_STEP = re.compile(r"\.?([A-Za-z_]\w*)|\.?\[(\d{1,6})\]")


def apply(document: Document, overrides: Sequence[str]) -> None:
    """Put each ``path=value`` into the document; what its path or its value has wrong joins the diagnostics.

    Raises:
        CommandLineError: an override has no ``=``, no path before it, or one that no config is deep enough for.
    """
    for number, text in enumerate(overrides, 1):
        path, value, column = _parsed(text)
        source = SourceText(COMMAND_LINE, text, number)
        place = SourceLocation(source, number, column)
        try:
            given = read(SourceText(COMMAND_LINE, " " * (column - 1) + value, number))
        except EmptyDocumentError:
            document.diagnostics.append(Diagnostic(place, path, "no value behind '='; write null to leave a key unset"))
            continue
        except DocumentError as error:
            document.diagnostics.append(Diagnostic(place, path, error.diagnostic.message))
            continue
        node = _at(given.root, source)
        document.diagnostics += [
            Diagnostic(_in(diagnostic.place, source), path + diagnostic.path, diagnostic.message)
            for diagnostic in given.diagnostics
        ]
        diagnostic = _put(document.root, path, node, SourceLocation(source, number, 1))
        document.diagnostics += [diagnostic] if diagnostic else []


def _parsed(text: str) -> tuple[Path, str, int]:
    written, equals, value = text.partition("=")
    steps = list(_STEP.finditer(written))
    if not equals or not steps or "".join(step.group() for step in steps) != written or written.startswith((".", "[")):
        raise CommandLineError(
            f"{shown(text)} is no override; write one as optimizer.learning_rate=0.1 or layers[0].units=128"
        )
    if len(steps) > MAX_DEPTH:
        raise CommandLineError(f"{shown(text)} leads deeper than {MAX_DEPTH} levels: no config does")
    path = tuple(int(step.group(2)) if step.group(2) else step.group(1) for step in steps)
    canonical = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    if written != canonical:
        raise CommandLineError(f"{shown(text)} is no override; write its path as {shown(canonical)}")
    return path, value, len(written) + 2


def _put(root: Node, path: Path, node: Node, place: SourceLocation) -> Diagnostic | None:
    """Set the node at a path, making the mappings on the way; a list grows by no more than its next item."""
    parent = root
    for depth, step in enumerate(path[:-1]):
        reason = _no_room(parent, step)
        if reason:
            return Diagnostic(place, path, f"{path_text(path[:depth]) or 'the config'} {reason}")
        parent.keys.setdefault(step, place)
        parent.children[step] = _opened(parent.children.get(step), path[depth + 1], place)
        parent = parent.children[step]
    reason = _no_room(parent, path[-1])
    if reason:
        return Diagnostic(place, path, f"{path_text(path[:-1]) or 'the config'} {reason}")
    parent.children[path[-1]], parent.keys[path[-1]] = node, place
    return None


def _opened(child: Node | None, step: str | int, place: SourceLocation) -> Node:
    """A node that may be changed below: a copy, since an alias may share it; made where there is none."""
    if child is None or child.value is None:
        return Node(place, [] if isinstance(step, int) else {})
    if isinstance(child.value, str) and isinstance(step, str):  # a bare name is the short form of {type: name}
        return Node(child.place, {}, {"type": child}, {"type": child.place})
    return replace(child, children=dict(child.children), keys=dict(child.keys))


def _no_room(parent: Node, step: str | int) -> str:
    if isinstance(step, int) and not isinstance(parent.value, list):
        return f"is no list, so it has no item [{step}]"
    if isinstance(step, int) and step > len(parent.children):
        return f"has no item [{step}]; the next to be added is [{len(parent.children)}]"
    if isinstance(step, str) and not isinstance(parent.value, dict):
        return f"is no mapping, so it has no key {shown(step)}"
    return ""


def _at(node: Node, source: SourceText) -> Node:
    """The same node, placed in the override as it was typed."""
    children = {step: _at(child, source) for step, child in node.children.items()}
    keys = {step: _in(place, source) for step, place in node.keys.items()}
    return Node(_in(node.place, source), node.value, children, keys)


def _in(place: SourceLocation, source: SourceText) -> SourceLocation:
    return SourceLocation(source, place.line, place.column)
