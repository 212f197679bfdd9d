"""A resolved config and its network in the terminal."""

from typing import Any

from nncli.cli.render.console import Output
from nncli.cli.render.table import table


def show_summary(document: dict[str, Any]) -> None:
    """A resolved config as YAML, and the network in figures."""
    import yaml

    out = Output()
    written = yaml.safe_dump(document["spec"], sort_keys=False, default_flow_style=None, width=76)
    out.print(written.rstrip(), soft_wrap=True)
    out.print()
    made = table("layer", "output", "parameters", "multiply-adds per row")
    for index, layer in enumerate(document["layers"]):
        made.add_row(
            f"{index} {layer['type']}",
            f"(N, {layer['outputs']})",
            f"{layer['parameters']:,}",
            f"{layer['multiply_adds']:,}",
        )
    out.print(made)
    out.print(
        f"\n{document['parameters']:,} parameters, about {document['memory_bytes'] / 2**20:,.1f} MiB of arrays; "
        f"{document['multiply_adds_a_step']:,} multiply-adds a training step of {document['rows_a_step']:,} rows",
        soft_wrap=True,
    )
