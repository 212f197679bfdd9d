"""The result of a training, printed as a table."""

from typing import Any

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.metrics_table import print_metrics


def show_result(result: dict[str, Any]) -> None:
    """Print one row of metrics per split, the epochs, and the path of the run."""
    out = Output()
    print_metrics(out, result["splits"])
    best, trained = result["epoch"], result["epochs_trained"]
    restored = "" if best == trained else f"; restored the weights of epoch {best}{' (untrained)' if best == 0 else ''}"
    out.print(f"\n{trained} epochs in {result['seconds']:.1f} s{restored}", soft_wrap=True)
    out.print(Text.assemble("run ", (result["run"], "bold")), soft_wrap=True)
