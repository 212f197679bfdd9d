"""The result of a training, printed as a table."""

from typing import TYPE_CHECKING, Any

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.metrics_table import print_metrics

if TYPE_CHECKING:
    from nncli.config.model import TrainingConfig


def show_result(
    result: dict[str, Any], first: int | None, training: "TrainingConfig | None", digits: int | None
) -> None:
    """Print one row of metrics per split, why training ended early, the epochs that were trained, and the run's path.

    Args:
        result: the document of the run.
        first: the epoch at which the command began to train; None if nothing was left to train.
        training: ``training`` of the config; None if nothing was left to train.
        digits: significant digits of the metrics; all of them if None.
    """
    out = Output()
    print_metrics(out, result["splits"], digits)
    best, last = result["epoch"], result["epochs_trained"]
    out.print()
    if first is not None and first < last:
        restored = f"; weights of epoch {best}{' (untrained)' if best == 0 else ''} restored" if best < last else ""
        early = stopped_early(training, best, last) if training else None
        duration = f"{last - first} epoch{'s' * (last - first != 1)} in {result['seconds']:.1f} s"
        out.print_text(f"{early}{restored}\n{duration}" if early else f"{duration}{restored}")
    out.print(Text.assemble("saved in ", (result["run"], "bold")), soft_wrap=True)


def stopped_early(training: "TrainingConfig", best: int, trained: int) -> str | None:
    """Why early stopping ended training after ``trained`` epochs; None if all epochs were trained."""
    stopping = training.early_stopping
    if stopping is None or trained == training.epochs:
        return None
    improvement = f" by more than {stopping.min_delta:g}" if stopping.min_delta else ""
    return f"stopped early at epoch {trained}: {stopping.metric} no better{improvement} for {trained - best} epochs"
