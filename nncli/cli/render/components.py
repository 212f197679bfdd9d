"""The list of components in the terminal."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from nncli.cli.render.component_reference import describe
from nncli.cli.render.console import Output

if TYPE_CHECKING:
    from nncli.registry import Component


def show_components(components: Iterable["Component"]) -> None:
    """Every component with its parameters, a table a kind."""
    out = Output()
    kind = ""
    for entry in components:
        if entry.kind != kind:
            kind = entry.kind
            out.print(Text(f"{kind}", style="bold underline"))
        known = f"  (in the book {entry.alias})" if entry.alias else ""
        out.print(Text.assemble((f"  {entry.name}", "bold"), (known, "dim")))
        out.print(Padding(Text(entry.summary), (0, 0, 0, 4)))
        if entry.parameters:
            made = Table.grid(padding=(0, 2))
            for each in map(describe, entry.parameters):
                given = f"= {each.default}" if each.default else "required"
                made.add_row("   ", each.name, each.type, given, each.range)
            out.print(made)
    out.print()
