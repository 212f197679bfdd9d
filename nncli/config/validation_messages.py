"""pydantic's findings as sentences that name the value and the cure."""

import re
from collections.abc import Callable, Iterator
from typing import Any, get_args

from pydantic_core import ValidationError

from nncli.config.diagnostics import Diagnostic, Path, shown, suggestion
from nncli.config.document import Node, refused
from nncli.config.model import Config, Fraction
from nncli.registry import Model, components, names

LARGEST_WRITTEN_OUT = 1e15

_SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "greater_than": lambda found: f"must be greater than {_bound(found['gt'])}",
    "greater_than_equal": lambda found: f"must be at least {_bound(found['ge'])}",
    "less_than": lambda found: f"must be less than {_bound(found['lt'])}",
    "less_than_equal": lambda found: f"must be at most {_bound(found['le'])}",
    "int_type": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "float_type": lambda _: "must be a number",
    "finite_number": lambda _: "must be a finite number",
    "string_type": lambda _: "must be text",
    "bool_type": lambda _: "must be true or false",
    "list_type": lambda _: "must be a list",
    "dict_type": lambda _: "must be a mapping of keys to values",
    "literal_error": lambda found: f"must be {found['expected']}",
    "too_short": lambda found: f"must have at least {found['min_length']} item",
    "too_long": lambda found: f"must have at most {found['max_length']} items",
}


def problems_of(error: ValidationError, root: Node, section: str) -> Iterator[Diagnostic]:
    """Each finding at its place, except those on values which the reader has refused already."""
    for found in error.errors(include_url=False):
        steps = (section, *found["loc"])
        written = found["type"] == "extra_forbidden"  # then the last step is the user's own text
        path = tuple(step for step in steps[:-1] if not parse_union_tag(step))
        path += steps[-1:] if written or not parse_union_tag(steps[-1]) else ()
        if not _refused(found["input"]):
            yield _problem(found, steps, path, root)


def parse_union_tag(step: str | int) -> tuple[str, str] | None:
    """The kind and the name in a step that a choice has added; None for a step that a user wrote."""
    found = re.fullmatch(r"<(\w+) (\w+)>", str(step))
    return (found[1], found[2]) if found else None


def _problem(found: Any, steps: Path, path: Path, root: Node) -> Diagnostic:
    key, around = path[-1], path[:-1]
    match found["type"]:
        case "missing":
            return Diagnostic(root.find(around).place, around, f"key {key!r} is missing")
        case "extra_forbidden":
            cure = suggestion(str(key), _known_keys(steps))
            return Diagnostic(root.key_place(path), around, f"unknown key {shown(key)}{cure}")
        case "unknown_type":
            message, at = _unknown_type(found["ctx"]["kind"], found["input"], path)
            return Diagnostic(root.find(at).place, path, message)
        case kind:
            sentence = _SENTENCES[kind](found.get("ctx", {})) if kind in _SENTENCES else found["msg"].lower()
            return Diagnostic(root.find(path).place, path, f"{sentence}, got {shown(found['input'])}{_cure(found)}")


def _unknown_type(kind: str, value: Any, path: Path) -> tuple[str, Path]:
    """What is wrong with a value that names no component, and where."""
    also = ", or {fraction: 0.2}" if path[0] in {"validation", "test"} else ""
    value = {"type": value} if isinstance(value, str) else value
    if not isinstance(value, dict):
        return f"must be the name of one {kind} or a mapping with 'type'{also}, got {shown(value)}", path
    if "type" not in value:
        return f"key 'type' is missing{_choice('', kind)}{also}", path
    name = value["type"]
    return f"unknown type {shown(name)}{_choice(str(name), kind)}", (*path, "type")


def _choice(word: str, kind: str) -> str:
    """A suggestion among the components of a kind; the book's names are understood, but not listed."""
    return suggestion(word, names(kind), (entry.name for entry in components(kind)))


def _cure(found: Any) -> str:
    """What to write instead, where a whole number was written as another one."""
    value = found["input"]
    is_whole = found["type"] == "int_type" and isinstance(value, float) and value.is_integer()
    return f"; write {int(value)}" if is_whole and abs(value) < LARGEST_WRITTEN_OUT else ""


def _bound(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else f"{number:g}"


def _known_keys(steps: Path) -> list[str]:
    """The keys of the model that holds the last step."""
    model: type[Model] = Config
    for step in steps[:-1]:
        if choice := parse_union_tag(step):
            kind, name = choice
            model = Fraction if name == "fraction" else names(kind)[name].model if kind != "split" else model
        elif isinstance(step, str) and step in model.model_fields:
            annotation = model.model_fields[step].annotation
            inner = [part for part in (annotation, *get_args(annotation)) if _is_model(part)]
            model = inner[0] if inner else model
    return list(model.model_fields)


def _is_model(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, Model)


def _refused(value: Any) -> bool:
    return refused(value) or (isinstance(value, dict) and refused(value.get("type")))
