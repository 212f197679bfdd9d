"""The components as tables of Markdown, for the reference in configs/README.md."""

from collections.abc import Iterable

from nncli.cli.tables import markdown_table
from nncli.registry import Component

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
