"""The components as documents: Markdown for the reference in configs/README.md, JSON, and a line of a config."""

import json
from collections.abc import Iterable
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from nncli.cli.render.comparison_files import markdown_table
from nncli.registry import Bounds, Component, Parameter, components, kinds

PLACES = {  # where a config names a component of a kind, if not under a key of that name
    "layer": "layers:\n  - {}",
    "initializer": "layers:\n  - {{type: dense, units: 64, initializer: {}}}",
    "metric": "metrics:\n  - {}",
    "dataset": "data: {}",
}
HEADINGS = ["key", "type", "default", "range", "meaning"]
TYPES = {int: "whole number", float: "number", str: "text", bool: "true or false", NoneType: "null"}
EXAMPLES = {int: 1, float: 1.0, str: "text", bool: True, NoneType: None}
SIGNS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}


class ParameterDoc(NamedTuple):
    """A parameter as a reader of its documentation needs it; without a default it is required."""

    name: str
    type: str
    default: str
    range: str
    meaning: str


def describe(parameter: Parameter) -> ParameterDoc:
    """Type, default and range of a parameter as words."""
    key, annotation, default, meaning = parameter
    limits = [limit for bounds in _bounds(annotation) for limit in bounds.limits.items()]
    within = ", ".join(f"{SIGNS[name]} {limit}" for name, limit in limits if name in SIGNS)
    return ParameterDoc(key, _type(annotation), "" if default is ... else _value(default), within, meaning)


def components_as_markdown(components: Iterable[Component]) -> str:
    """A section for each component: its summary, and a row for each parameter."""
    return "\n".join(map(_section, components))


def _section(component: Component) -> str:
    known = f", in the book `{component.alias}`" if component.alias else ""
    heading = f"### `{component.name}` ({component.kind}{known})\n\n{component.summary}\n"
    rows = [
        [f"`{each.name}`", each.type, each.default or "required", each.range or "–", each.meaning]
        for each in map(describe, component.parameters)
    ]
    return f"{heading}\n{markdown_table(HEADINGS, rows)}" if rows else heading


def as_document(component: Component) -> dict[str, Any]:
    """All that is known of a component, as JSON has it."""
    return {
        "kind": component.kind,
        "name": component.name,
        "alias": component.alias,
        "summary": component.summary,
        "text": component.text,
        "parameters": [describe(parameter)._asdict() for parameter in component.parameters],
        "source": component.source,
        "example": example(component),
    }


def example(component: Component) -> str:
    """The lines of a config that name a component: with what is required, else with its first parameter by default."""
    parameters = component.parameters
    required = [(each.name, _example(each.annotation)) for each in parameters if each.default is ...]
    given = [(each.name, each.default) for each in parameters if each.default is not ... and each.default is not None]
    words = [f"{key}: {json.dumps(value)}" for key, value in required or given[:1]]
    written = f"{{{', '.join([f'type: {component.name}', *words])}}}" if words else component.name
    return PLACES.get(component.kind, f"{component.kind}: {{}}").format(written)


def one_line(parameter: Parameter) -> str:
    """Type, default and range of a parameter in a line."""
    words = describe(parameter)
    given = f"{words.default} by default" if words.default else "required"
    return ", ".join(filter(None, (words.type, given, words.range)))


def _type(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(parts[0])
    if origin in {Literal, Union, UnionType}:
        return " or ".join(part if origin is Literal else _type(part) for part in parts)
    return TYPES.get(annotation) or next(kind for kind in kinds() if issubclass(components(kind)[0].target, annotation))


def _value(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _example(annotation: Any) -> Any:
    """A value that an annotation allows."""
    given = [bounds.example for bounds in _bounds(annotation) if bounds.example is not None]
    origin, parts = get_origin(annotation), get_args(annotation)
    if given or origin is Literal:
        return given[0] if given else parts[0]
    if origin in {Annotated, Union, UnionType}:
        return _example(parts[0])
    return EXAMPLES[annotation] if annotation in EXAMPLES else components(_type(annotation))[0].name


def _bounds(annotation: Any) -> list[Bounds]:
    """All bounds in an annotation."""
    within = [bounds for part in get_args(annotation) for bounds in _bounds(part)]
    return [annotation] if isinstance(annotation, Bounds) else within
