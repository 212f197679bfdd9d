"""The reference of the components as Markdown for configs/README.md, as JSON, and as an example for a config."""

import json
from collections.abc import Iterable
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from nncli.cli.render.comparison_files import markdown_table
from nncli.registry import Bounds, Component, ComponentOf, Parameter, components, kinds

TABLE = "data:\n  type: table\n  path: data.csv\n  target: target\n  columns:\n"
TEMPLATES = {  # where a config names a component, by kind; the key is the kind for all others
    "layer": "layers:\n  - {}",
    "initializer": "layers:\n  - {{type: dense, units: 64, initializer: {}}}",
    "metric": "metrics:\n  - {}",
    "dataset": "data: {}",
    "column": f"{TABLE}    age: {{}}",
    "transform": f"{TABLE}    age: {{{{type: number, transform: {{}}}}}}",
    "encoding": f"{TABLE}    color: {{{{type: category, encoding: {{}}}}}}",
    "imputation": f"{TABLE}    age: {{{{type: number, missing: {{}}}}}}",
}
HEADINGS = ["key", "type", "default", "range", "meaning"]
EXAMPLES = {int: 1, float: 1.0, str: "text", bool: True, Path: "path/to/file"}
SIGNS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}


class ParameterDoc(NamedTuple):
    """The documentation of a parameter; without a default it is required."""

    name: str
    type: str
    default: str
    range: str
    meaning: str


def describe(parameter: Parameter) -> ParameterDoc:
    """The documentation of a parameter."""
    name, annotation, default, meaning = parameter
    limits = [limit for bounds in _bounds(annotation) for limit in bounds.limits.items()]
    value_range = ", ".join(f"{SIGNS[key]} {limit}" for key, limit in limits if key in SIGNS)
    return ParameterDoc(name, _type(annotation), "" if default is ... else _value(default), value_range, meaning)


def components_as_markdown(components: Iterable[Component]) -> str:
    """One section per component: its summary, its formulas, and one row per parameter."""
    return "\n".join(map(_section, components))


def _section(component: Component) -> str:
    alias = f", in the book `{component.alias}`" if component.alias else ""
    parts = [f"### `{component.name}` ({component.kind}{alias})\n\n{component.documentation.summary}\n"]
    if component.documentation.formulas:
        parts.append("".join(f"    {formula}\n" for formula in component.documentation.formulas))
    if component.parameters:
        parts.append(markdown_table(HEADINGS, [_row(each) for each in component.parameters]))
    return "\n".join(parts)


def _row(parameter: Parameter) -> list[str]:
    doc = describe(parameter)
    return [
        f"`{doc.name}`",
        doc.type,
        default_text(parameter, "{}") or "–",
        doc.range or "–",
        doc.meaning.replace("``", "`"),
    ]


def as_document(component: Component) -> dict[str, Any]:
    """The documentation of a component as JSON types."""
    return {
        "kind": component.kind,
        "name": component.name,
        "alias": component.alias,
        "summary": component.documentation.summary,
        "text": component.documentation.text,
        "parameters": [describe(parameter)._asdict() for parameter in component.parameters],
        "source": component.documentation.source,
        "example": example(component),
    }


def example(component: Component) -> str:
    """Lines of a config with the component and its required parameters, or else its first default."""
    parameters = component.parameters
    required = [(each.name, _example(each.annotation)) for each in parameters if each.default is ...]
    defaults = [
        (each.name, each.default) for each in parameters if each.default is not ... and each.default is not None
    ]
    values = [f"{name}: {json.dumps(value)}" for name, value in required or defaults[:1]]
    mapping = f"{{{', '.join([f'type: {component.name}', *values])}}}" if values else component.name
    return TEMPLATES.get(component.kind, f"{component.kind}: {{}}").format(mapping)


def one_line(parameter: Parameter) -> str:
    """Type, default and range of a parameter, as in "float, default: 0.5, ≥ 0"."""
    doc = describe(parameter)
    return ", ".join(filter(None, (doc.type, default_text(parameter, "default: {}"), doc.range)))


def default_text(parameter: Parameter, template: str) -> str:
    """The default in a format template, or "required"; empty if the default is None."""
    if parameter.default is ...:
        return "required"
    return "" if parameter.default is None else template.format(_value(parameter.default))


def _type(annotation: Any) -> str:
    """The name of a type: int, float, str, bool, Path, the kind of a component, or a combination of these."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        of_kind = next((each.kind for each in arguments[1:] if isinstance(each, ComponentOf)), None)
        return of_kind or _type(arguments[0])
    if origin in {list, dict}:
        return f"{'list of' if origin is list else 'mapping to'} {_type(arguments[-1])}"
    if origin is Literal:
        return " or ".join(arguments)
    if origin in {Union, UnionType}:
        types = " or ".join(_type(each) for each in arguments if each is not NoneType)
        return f"{types}, optional" if NoneType in arguments else types
    if annotation in EXAMPLES:
        return str(annotation.__name__)
    return next(kind for kind in kinds() if issubclass(components(kind)[0].target, annotation))


def _value(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _example(annotation: Any) -> Any:
    """A value that an annotation accepts."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    examples = [bounds.example for bounds in _bounds(annotation) if bounds.example is not None]
    if origin is list:
        return [_example(arguments[0])]
    if examples or origin is Literal:
        return examples[0] if examples else arguments[0]
    if origin in {Annotated, Union, UnionType}:
        return _example(arguments[0])
    return EXAMPLES[annotation] if annotation in EXAMPLES else components(_type(annotation))[0].name


def _bounds(annotation: Any) -> list[Bounds]:
    """All bounds in an annotation."""
    inner = [bounds for argument in get_args(annotation) for bounds in _bounds(argument)]
    return [annotation] if isinstance(annotation, Bounds) else inner
