"""The metrics by which a run is listed: the final ones, or the last logged ones if it is not finished."""

from nncli.experiment.metric_columns import column, find_column
from nncli.store.run_reader import Run


def final_metrics(run: Run) -> tuple[int, dict[str, float]]:
    """The epoch of a run's metrics, and the metrics by column; none if nothing was logged.

    Raises:
        RunError: evaluation.json or metrics.csv is damaged.
    """
    evaluation = run.evaluation
    if evaluation is not None:
        splits = evaluation.splits.items()
        return evaluation.epoch, {column(split, name): value for split, of in splits for name, value in of.items()}
    last = run.metrics.row(-1) if len(run.metrics) else {"epoch": 0}
    metrics = {name: value for name, value in last.items() if name != "epoch" and find_column(name).split}
    return int(last["epoch"]), metrics
