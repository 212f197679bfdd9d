"""The result of a training in the terminal."""

from typing import Any

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.metrics_table import print_metrics


def show_result(result: dict[str, Any]) -> None:
    """What a training ended with: a row a split, and the run's path."""
    out = Output()
    print_metrics(out, result["splits"])
    kept = result["epoch"]
    trained = result["epochs_trained"]
    note = f"{trained} epochs" if kept == trained else f"{trained} epochs, weights of epoch {kept} kept"
    note += ", untrained ones," if kept == 0 else ""
    out.print(f"\n{note} in {result['seconds']:.1f} s", soft_wrap=True)
    out.print(Text.assemble("run ", (result["run"], "bold")), soft_wrap=True)
