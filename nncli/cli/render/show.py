"""A resolved config and the summary of its network in the terminal."""

from typing import Any

from nncli.cli.render.console import Output
from nncli.cli.render.table import Table


def show_summary(document: dict[str, Any]) -> None:
    """Print the resolved config as YAML, a table with one row per layer, and the totals."""
    import yaml

    out = Output()
    config = yaml.safe_dump(_without_nulls(document["spec"]), sort_keys=False, default_flow_style=None, width=76)
    out.print(config.rstrip(), soft_wrap=True)
    out.print()
    layers = Table("layer", "output", "parameters", "MACs per row")
    for index, layer in enumerate(document["layers"]):
        layers.add_row(
            f"{index} {layer['type']}",
            f"(N, {layer['outputs']})",
            f"{layer['parameters']:,}",
            f"{layer['multiply_adds']:,}",
        )
    layers.print(out)
    out.print_text(
        f"\n{document['parameters']:,} parameters, about {document['memory_bytes'] / 2**20:,.1f} MiB of memory, "
        f"{document['multiply_adds_a_step']:,} MACs per training step of {document['rows_a_step']:,} rows"
    )


def _without_nulls(value: Any) -> Any:
    """Leave out the keys that are null, as in a config written by hand."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return list(map(_without_nulls, value)) if isinstance(value, list) else value
