"""The components as tables of Markdown, for the reference in configs/README.md."""

from collections.abc import Iterable

from nncli.registry import Component


def components_as_markdown(components: Iterable[Component]) -> str:
    """A section a component: its summary, and a row for each parameter."""
    return "\n".join(map(_section, components))


def _section(component: Component) -> str:
    known = f", in the book `{component.alias}`" if component.alias else ""
    lines = [f"### `{component.name}` ({component.kind}{known})", "", component.summary, ""]
    if component.parameters:
        lines += ["| key | type | default | range | meaning |", "| --- | --- | --- | --- | --- |"]
        for each in component.parameters:
            default = each.default or "required"
            lines.append(f"| `{each.name}` | {each.type} | {default} | {each.range or '–'} | {_cell(each.meaning)} |")
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
