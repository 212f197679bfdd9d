"""The components as documents: Markdown for the reference in configs/README.md, JSON, and a line of a spec."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from nncli.cli.tables import markdown_table
from nncli.registry import Component, Parameter

PLACES = {  # where a spec names a component of a kind, if not under a key of that name
    "layer": "layers:\n  - {}",
    "initializer": "layers:\n  - {{type: dense, units: 64, initializer: {}}}",
    "metric": "metrics:\n  - {}",
    "dataset": "data: {}",
}
HEADINGS = ["key", "type", "default", "range", "meaning"]


def components_as_markdown(components: Iterable[Component]) -> str:
    """A section for each component: its summary, and a row for each parameter."""
    return "\n".join(map(_section, components))


def _section(component: Component) -> str:
    known = f", in the book `{component.alias}`" if component.alias else ""
    heading = f"### `{component.name}` ({component.kind}{known})\n\n{component.summary}\n"
    rows = [
        [f"`{each.name}`", each.type, each.default or "required", each.range or "–", each.meaning]
        for each in component.parameters
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
        "parameters": [asdict(parameter) for parameter in component.parameters],
        "source": component.source,
        "example": example(component),
    }


def example(component: Component) -> str:
    """The lines of a spec that name a component."""
    words = [f"{key}: {json.dumps(value)}" for key, value in component.example.items() if key != "type"]
    written = f"{{{', '.join([f'type: {component.name}', *words])}}}" if words else component.name
    return PLACES.get(component.kind, f"{component.kind}: {{}}").format(written)


def facts(parameter: Parameter) -> str:
    """Type, default and range of a parameter in a line."""
    given = f"{parameter.default} by default" if parameter.default else "required"
    return ", ".join(filter(None, (parameter.type, given, parameter.range)))
