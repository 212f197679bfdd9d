"""Validation errors of pydantic-core as messages that state the value and the fix."""

import re
from collections.abc import Callable, Iterator
from typing import Any, get_args

from pydantic_core import ValidationError

from nncli.config.diagnostics import Diagnostic, Path, shown, suggestion
from nncli.config.document import Node, is_rejected
from nncli.config.model import Config, Fraction
from nncli.registry import Model, components, names

MAX_SUGGESTED = 1e15  # a larger float is not suggested as an integer
EXAMPLES = {  # of the mappings that are not components
    "training": "{epochs: 100}",
    "early_stopping": "{patience: 50}",
    "regularization": "{l2: 1e-4}",
}

_MESSAGES: dict[str, Callable[[dict[str, Any]], str]] = {
    "greater_than": lambda context: f"must be greater than {_limit(context['gt'])}",
    "greater_than_equal": lambda context: f"must be at least {_limit(context['ge'])}",
    "less_than": lambda context: f"must be less than {_limit(context['lt'])}",
    "less_than_equal": lambda context: f"must be at most {_limit(context['le'])}",
    "int_type": lambda _: "must be an integer",
    "int_from_float": lambda _: "must be an integer",
    "float_type": lambda _: "must be a number",
    "finite_number": lambda _: "must be a finite number",
    "string_type": lambda _: "must be a string",
    "bool_type": lambda _: "must be true or false",
    "list_type": lambda _: "must be a list",
    "literal_error": lambda context: f"must be {context['expected']}",
    "too_short": lambda context: f"must have at least {context['min_length']} item",
    "too_long": lambda context: f"must have at most {context['max_length']} items",
}


def diagnostics_of(error: ValidationError, root: Node, section: str) -> Iterator[Diagnostic]:
    """Yield a diagnostic per error, except for values that the reader has already rejected."""
    for each in error.errors(include_url=False):
        keys = (section, *each["loc"])
        is_user_text = each["type"] == "extra_forbidden"  # the last key is then what the user wrote
        path = tuple(key for key in keys[:-1] if not parse_union_tag(key))
        path += keys[-1:] if is_user_text or not parse_union_tag(keys[-1]) else ()
        if not _is_rejected(each["input"]):
            yield _diagnostic(each, keys, path, root)


def parse_union_tag(key: str | int) -> tuple[str, str] | None:
    """Return the namespace and the component of a union tag in a path; None for a key of the config."""
    found = re.fullmatch(r"<(\w+) (\w+)>", str(key))
    return (found[1], found[2]) if found else None


def _diagnostic(error: Any, keys: Path, path: Path, root: Node) -> Diagnostic:
    key, parent = path[-1], path[:-1]
    match error["type"]:
        case "missing":
            return Diagnostic(root.find(parent).location, parent, f"key {key!r} is missing")
        case "extra_forbidden":
            fix = suggestion(str(key), _known_keys(keys))
            return Diagnostic(root.key_location(path), parent, f"unknown key {shown(key)}{fix}")
        case "unknown_type":
            message, at = _unknown_type(error["ctx"]["kind"], error["input"], path)
            return Diagnostic(root.find(at).location, path, message)
        case _:
            message = f"{_message(error, path)}, got {shown(error['input'])}{_fix(error)}"
            return Diagnostic(root.find(path).location, path, message)


def _message(error: Any, path: Path) -> str:
    """What a value must be."""
    if error["type"] == "dict_type":
        example = EXAMPLES.get(str(path[-1]))
        return f"must be a mapping, e.g. {example}" if example else "must be a mapping"
    format_message = _MESSAGES.get(error["type"])
    return format_message(error.get("ctx", {})) if format_message else str(error["msg"]).lower()


def _unknown_type(kind: str, value: Any, path: Path) -> tuple[str, Path]:
    """The message for a value that names no component, and the path of its location."""
    or_fraction = ", or {fraction: 0.2}" if path[0] in {"validation", "test"} else ""
    value = {"type": value} if isinstance(value, str) else value
    if not isinstance(value, dict):
        article = "an" if kind[0] in "aeiou" else "a"
        expected = f"must be the name of {article} {kind} or a mapping with 'type'{or_fraction}"
        return f"{expected}, got {shown(value)}", path
    if "type" not in value:
        name = next((key for key in value if key in names(kind)), None)  # {dense: 16}
        fix = f"; write {{type: {name}, ...}}" if name else f"{_suggested_type('', kind)}{or_fraction}"
        return f"key 'type' is missing{fix}", path
    name = value["type"]
    return f"unknown type {shown(name)}{_suggested_type(str(name), kind)}", (*path, "type")


def _suggested_type(word: str, kind: str) -> str:
    """A suggestion among the components of a kind; aliases are accepted, but not listed."""
    return suggestion(word, names(kind), (entry.name for entry in components(kind)))


def _fix(error: Any) -> str:
    """The same value in the right type, if there is one."""
    value, expected = error["input"], error["type"]
    if expected == "int_type" and isinstance(value, float) and value.is_integer() and abs(value) < MAX_SUGGESTED:
        return f"; write {int(value)}"
    if expected == "int_type" and isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}", value):
        return f"; write {value} without quotes"
    if expected == "list_type" and isinstance(value, str):
        return f"; write [{shown(value)[1:-1]}]" if len(shown(value)) == len(value) + 2 else ""
    return ""


def _limit(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:g}"


def _known_keys(keys: Path) -> list[str]:
    """The keys of the model that contains the last key."""
    model: type[Model] = Config
    for key in keys[:-1]:
        if tag := parse_union_tag(key):
            kind, name = tag
            model = Fraction if name == "fraction" else names(kind)[name].model if kind != "split" else model
        elif isinstance(key, str) and key in model.model_fields:
            annotation = model.model_fields[key].annotation
            inner = [each for each in (annotation, *get_args(annotation)) if _is_model(each)]
            model = inner[0] if inner else model
    return list(model.model_fields)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Model)


def _is_rejected(value: Any) -> bool:
    return is_rejected(value) or (isinstance(value, dict) and is_rejected(value.get("type")))
