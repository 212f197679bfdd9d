"""``nncli show``: the resolved config, and a summary of its network."""

from pathlib import Path

import click

from nncli.cli.options import config_argument, examples, json_option, overrides_argument, runs_dir_option
from nncli.cli.output import print_json


@click.command(epilog=examples("nncli show config.yaml", "nncli show config.yaml optimizer=sgd --json"))
@config_argument
@overrides_argument
@runs_dir_option
@json_option
def show(config: Path, overrides: tuple[str, ...], runs_dir: Path | None, as_json: bool) -> None:
    """Print the config with all defaults, and a model summary."""
    from nncli.experiment.memory import memory_bytes
    from nncli.experiment.summary import step_macs, step_rows, summarize
    from nncli.runner.run_config import load_any

    loaded = load_any(config, overrides, runs_dir)
    resolved, plan = loaded.config, loaded.plan
    layers, rows = summarize(resolved, plan), step_rows(resolved, plan)
    document = {
        "spec": resolved.model_dump(),
        "layers": [layer._asdict() for layer in layers],
        "parameters": sum(layer.parameters for layer in layers),
        "rows_a_step": rows,
        "multiply_adds_a_step": step_macs(resolved, plan, rows),
        "memory_bytes": memory_bytes(resolved, plan),
    }
    if as_json:
        print_json(document)
        return
    from nncli.cli.render.show import show_summary

    show_summary(document)
