"""The result of a training, printed as a table."""

from typing import Any

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.metrics_table import print_metrics


def show_result(result: dict[str, Any], first: int | None) -> None:
    """Print one row of metrics per split, the epochs that were trained, and the path of the run.

    Args:
        result: the document of the run.
        first: the epoch at which the command began to train; None if nothing was left to train.
    """
    out = Output()
    print_metrics(out, result["splits"])
    best, last = result["epoch"], result["epochs_trained"]
    out.print()
    if first is not None and first < last:
        weights = f"; restored the weights of epoch {best}{' (untrained)' if best == 0 else ''}" if best < last else ""
        out.print(f"{last - first} epochs in {result['seconds']:.1f} s{weights}", soft_wrap=True)
    out.print(Text.assemble("run ", (result["run"], "bold")), soft_wrap=True)
