"""Overrides, as given on the command line, such as ``optimizer.learning_rate=0.1``, applied to a document."""

import re
from dataclasses import replace

from nncli.config.diagnostics import COMMAND_LINE, Diagnostic, Path, SourceLocation, SourceText, path_text, shown
from nncli.config.document import (
    EXTENSION,
    MAX_DEPTH,
    TOO_DEEP,
    Document,
    DocumentError,
    EmptyDocumentError,
    Node,
    read,
)
from nncli.errors import CommandLineError

_KEY = re.compile(r"\.?([A-Za-z_]\w*)|\.?\[(\d{1,6})\]|\.(\d{1,6})(?!\w)")  # layers.0 is layers[0], as in Hydra


def apply(document: Document, override: str, number: int = 1, origin: str = COMMAND_LINE) -> None:
    """Apply a ``path=value`` to the document; errors in its path and value are added to the diagnostics.

    Args:
        document: is changed.
        override: one line of the source text of all overrides.
        number: the number of this line.
        origin: the name that messages use for this text.

    Raises:
        CommandLineError: the override has no ``=`` or no valid path before it, or is too deeply nested.
    """
    path, value, column = parse_override(override)
    source = SourceText(origin, override, number)
    location = SourceLocation(source, number, column)
    try:
        given = read(SourceText(origin, " " * (column - 1) + value, number))
    except EmptyDocumentError:
        document.diagnostics.append(
            Diagnostic(location, path, f"no value after '='; write one, as in {path_text(path)}=VALUE")
        )
        return
    except DocumentError as error:
        document.diagnostics.append(Diagnostic(location, path, error.diagnostic.message))
        return
    document.diagnostics += [
        Diagnostic(_in(diagnostic.location, source), path + diagnostic.path, diagnostic.message)
        for diagnostic in given.diagnostics
    ]
    diagnostic = set_node(document.root, path, relocated(given.root, source), SourceLocation(source, number, 1))
    document.diagnostics += [diagnostic] if diagnostic else []


def parse_override(text: str) -> tuple[Path, str, int]:
    """The path, the text of the value, and the column at which the value starts.

    Raises:
        CommandLineError: it has no ``=`` or no valid path before it, or is too deeply nested.
    """
    written, equals, value = text.partition("=")
    keys = _keys(written)
    if value.startswith("=") or not equals or not keys:
        raise CommandLineError(f"invalid override {shown(text)}: {_expected(text)}")
    if len(keys) > MAX_DEPTH:
        raise CommandLineError(f"invalid override {shown(text)}: {TOO_DEEP}")
    path = tuple(key[1] or int(key[2] or key[3]) for key in keys)
    canonical = path_text(path)
    if re.sub(r"\.(\d+)", r"[\1]", written) != canonical:
        raise CommandLineError(f"invalid override {shown(text)}: write the key as {shown(canonical)}")
    return path, value, len(written) + 2


def _expected(text: str) -> str:
    """What to write instead of an override that is none."""
    if text.startswith(EXTENSION):
        return f"keys that begin with {EXTENSION} cannot be overridden; override the keys that use their values"
    if text.startswith("~") and _keys(text[1:]):
        return f"write {text[1:]}=null"
    if found := re.match(r"([A-Za-z_][\w.\[\]]*)\[-[0-9]+\]", text):
        return f"items are counted from the first one, such as {found[1]}[0]"
    found = re.fullmatch(r"[-+]*([A-Za-z_][\w./\[\]]*)\s*(=+|:=?|\+=)\s*([^=\s].*)", text)
    if not found or not _keys(key := found[1].replace("/", ".")):
        return "expected KEY=VALUE, e.g. optimizer.learning_rate=0.1 or layers[0].units=128"
    if found[2] == "+=":
        return f"write the index after the last one, such as {key}[4]={found[3]}, to add an item"
    return f"write {key}={found[3]}"


def _keys(written: str) -> list[re.Match[str]]:
    """The keys of a path, as matches; none if it is no path."""
    keys = list(_KEY.finditer(written))
    is_path = "".join(key.group() for key in keys) == written and not written.startswith((".", "["))
    return keys if is_path else []


def set_node(root: Node, path: Path, node: Node, location: SourceLocation) -> Diagnostic | None:
    """Set the node at a path, creating missing mappings; a list can grow by one item at its end.

    Args:
        root: is changed; the nodes below it are copied where they change.
        path: the path.
        node: the new value.
        location: the location of its key.

    Returns:
        Why the path cannot have a value; None if it can.
    """
    parent = root
    for depth, key in enumerate(path):
        if error := _key_error(parent, key, path_text(path[:depth]) or "the config", path[depth + 1 :]):
            return Diagnostic(location, path, error)
        if depth + 1 == len(path):
            parent.children[key], parent.keys[key] = node, location
        else:
            parent.keys.setdefault(key, location)
            parent.children[key] = _container(parent.children.get(key), path[depth + 1], location)
            parent = parent.children[key]
    return None


def _container(child: Node | None, key: str | int, location: SourceLocation) -> Node:
    """A mapping or list that can be changed: a copy of ``child``, which aliases may share, or a new one."""
    if child is None or child.value is None:
        return Node(location, [] if isinstance(key, int) else {})
    if isinstance(child.value, str) and isinstance(key, str):  # a bare name is short for {type: name}
        return Node(child.location, {}, {"type": child}, {"type": child.location})
    return replace(child, children=dict(child.children), keys=dict(child.keys))


def _key_error(parent: Node, key: str | int, name: str, below: Path) -> str:
    """Why ``parent``, called ``name``, cannot have a child at ``key`` with a value ``below``; empty if it can."""
    if isinstance(key, str):
        return "" if isinstance(parent.value, dict) else f"{name} is not a mapping, so it has no key {shown(key)}"
    if not isinstance(parent.value, list):
        return f"{name} is not a list, so it has no item [{key}]"
    count = len(parent.children)
    if key <= count:
        return ""
    items = {0: "no items", 1: "1 item ([0])"}.get(count, f"{count} items ([0]-[{count - 1}])")
    if not below:
        return f"{name} has {items}; to append, write {name}[{count}]=VALUE"
    having = ", ".join(f"[{index}]" for index, child in parent.children.items() if below[0] in child.children)
    return f"{name} has {items}" + (f"; those with {below[0]}: {having}" if having else "")


def relocated(node: Node, source: SourceText) -> Node:
    """The same node, with locations in the override as it was typed."""
    children = {key: relocated(child, source) for key, child in node.children.items()}
    keys = {key: _in(location, source) for key, location in node.keys.items()}
    return Node(_in(node.location, source), node.value, children, keys)


def _in(location: SourceLocation, source: SourceText) -> SourceLocation:
    return SourceLocation(source, location.line, location.column)
