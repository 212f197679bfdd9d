"""The result of a training, printed as a table."""

from typing import TYPE_CHECKING, Any

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.metrics_table import print_metrics

if TYPE_CHECKING:
    from nncli.config.model import TrainingConfig


def show_result(result: dict[str, Any], training: "TrainingConfig | None" = None) -> None:
    """Print one row of metrics per split, why training ended early, the epochs, and the path of the run.

    Args:
        result: the document of ``nncli train --json``.
        training: ``training`` of the config; None if the run was already finished.
    """
    out = Output()
    print_metrics(out, result["splits"])
    best, trained = result["epoch"], result["epochs_trained"]
    restored = "" if best == trained else f"; weights of epoch {best}{' (untrained)' if best == 0 else ''} restored"
    early = stopped_early(training, best, trained) if training else None
    duration = f"{trained} epochs in {result['seconds']:.1f} s"
    out.print(f"\n{early}{restored}\n{duration}" if early else f"\n{duration}{restored}", soft_wrap=True)
    out.print(Text.assemble("run ", (result["run"], "bold")), soft_wrap=True)


def stopped_early(training: "TrainingConfig", best: int, trained: int) -> str | None:
    """Why early stopping ended training after ``trained`` epochs; None if all epochs were trained."""
    stopping = training.early_stopping
    if stopping is None or trained == training.epochs:
        return None
    improvement = f" by more than {stopping.min_delta:g}" if stopping.min_delta else ""
    return f"stopped early at epoch {trained}: {stopping.metric} no better{improvement} for {trained - best} epochs"
