"""The list of components in the terminal."""

from collections.abc import Iterable
from textwrap import indent
from typing import TYPE_CHECKING

from rich.text import Text

from nncli.cli.render.component_reference import default_text, describe
from nncli.cli.render.console import Output
from nncli.cli.render.table import Table, broken

if TYPE_CHECKING:
    from nncli.registry import Component

INDENT = 4 * " "


def show_components(components: Iterable["Component"]) -> None:
    """Print every component with its parameters, under a heading for each kind."""
    out = Output()
    kind = ""
    for entry in components:
        if entry.kind != kind:
            kind = entry.kind
            out.print(Text(kind, style="bold underline"))
        alias = f"  (in the book {entry.alias})" if entry.alias else ""
        out.print(Text.assemble((f"  {entry.name}", "bold"), (alias, "dim")))
        out.print(
            indent("\n".join(broken(entry.documentation.summary, out.width - len(INDENT))), INDENT), soft_wrap=True
        )
        if entry.parameters:
            grid = Table("", "", "", "", text_columns=4)
            for parameter in entry.parameters:
                doc = describe(parameter)
                grid.add_row(f"{INDENT}{doc.name}", doc.type, default_text(parameter, "default: {}"), doc.range)
            grid.print(out)
    out.print()
