"""pydantic's findings as sentences that name the value and the cure."""

from collections.abc import Callable, Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from nncli.registry import entered, names
from nncli.spec.document import Node, refused
from nncli.spec.problems import Path, Problem, did_you_mean
from nncli.spec.sections import Fraction, Spec

_LONGEST_VALUE = 60

_SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "greater_than": lambda found: f"must be greater than {found['gt']:g}",
    "greater_than_equal": lambda found: f"must be at least {found['ge']:g}",
    "less_than": lambda found: f"must be less than {found['lt']:g}",
    "less_than_equal": lambda found: f"must be at most {found['le']:g}",
    "int_type": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "float_type": lambda _: "must be a number",
    "finite_number": lambda _: "must be a finite number",
    "string_type": lambda _: "must be text",
    "bool_type": lambda _: "must be true or false",
    "list_type": lambda _: "must be a list",
    "model_type": lambda _: "must be a mapping of keys to values",
    "literal_error": lambda found: f"must be {found['expected']}",
    "too_short": lambda found: f"must have at least {found['min_length']} item",
    "too_long": lambda found: f"must have at most {found['max_length']} items",
}


def problems_of(error: ValidationError, root: Node, section: str) -> Iterator[Problem]:
    """Each finding at its place, except those on values which the reader has refused already."""
    for found in error.errors(include_url=False):
        steps = (section, *found["loc"])
        path = tuple(step for step in steps if not entered(step))
        if not _refused(found["input"]):
            yield _problem(found, steps, path, root)


def shown(value: Any) -> str:
    """A value as a message shows it: cut where it is long."""
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _problem(found: Any, steps: Path, path: Path, root: Node) -> Problem:
    key, around = path[-1], path[:-1]
    match found["type"]:
        case "missing":
            return Problem(root.find(around).place, around, f"key {key!r} is missing")
        case "extra_forbidden":
            cure = did_you_mean(str(key), _known_keys(steps))
            return Problem(root.key_place(path), around, f"unknown key {key!r}{cure}")
        case "unknown_type":
            return _unknown_type(found["ctx"]["kind"], found["input"], root, path)
        case kind:
            sentence = _SENTENCES[kind](found.get("ctx", {})) if kind in _SENTENCES else found["msg"].lower()
            return Problem(root.find(path).place, path, f"{sentence}, got {shown(found['input'])}")


def _unknown_type(kind: str, value: Any, root: Node, path: Path) -> Problem:
    if not isinstance(value, dict):
        message = f"must be the name of one {kind}, or a mapping with 'type', got {shown(value)}"
        return Problem(root.find(path).place, path, message)
    if "type" not in value:
        return Problem(root.find(path).place, path, f"key 'type' is missing{did_you_mean('', names(kind))}")
    name = value["type"]
    message = f"unknown type {shown(name)}{did_you_mean(str(name), names(kind))}"
    return Problem(root.find((*path, "type")).place, path, message)


def _known_keys(steps: Path) -> list[str]:
    """The keys of the model that holds the last step."""
    model: type[BaseModel] = Spec
    for step in steps[:-1]:
        if choice := entered(step):
            kind, name = choice
            model = Fraction if name == "fraction" else names(kind)[name].model if kind != "split" else model
        elif isinstance(step, str) and step in model.model_fields:
            annotation = model.model_fields[step].annotation
            inner = [part for part in (annotation, *get_args(annotation)) if _is_model(part)]
            model = inner[0] if inner else model
    return list(model.model_fields)


def _is_model(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel)


def _refused(value: Any) -> bool:
    return refused(value) or (isinstance(value, dict) and refused(value.get("type")))
