"""``nncli show``: a config resolved, and its network in figures."""

from pathlib import Path
from typing import Any

import click

from nncli.cli.output import print_json


@click.command()
@click.argument("path", metavar="CONFIG", type=click.Path(path_type=Path))
@click.argument("overrides", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
def show(path: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Print a config resolved, and its network in figures.

    OVERRIDES change values of the config: optimizer.learning_rate=0.1 layers[0].units=128
    """
    from nncli.experiment.loading import load
    from nncli.experiment.summary import memory_bytes, step_macs, step_rows, summarize

    loaded = load(path, overrides)
    config, plan = loaded.config, loaded.plan
    layers, rows = summarize(config, plan), step_rows(config, plan)
    figures = {
        "parameters": sum(layer.parameters for layer in layers),
        "rows_a_step": rows,
        "multiply_adds_a_step": step_macs(config, plan, rows),
        "memory_bytes": memory_bytes(config, plan),
    }
    document: dict[str, Any] = {
        "spec": config.model_dump(),
        "layers": [layer._asdict() for layer in layers],
        **figures,
    }
    if as_json:
        print_json(document)
        return
    from nncli.cli.render.show import show_summary

    show_summary({**document, "spec": _without_nulls(document["spec"])})


def _without_nulls(value: Any) -> Any:
    """The value as a person would write it."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return list(map(_without_nulls, value)) if isinstance(value, list) else value
