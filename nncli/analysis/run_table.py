"""A list of runs as one table: a row per run, with its metrics and the keys in which the configs differ."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nncli.analysis.config_table import differing_keys
from nncli.analysis.run_list import RunListing
from nncli.analysis.table_columns import follows_from_type


def run_table(directory: Path, runs: Sequence[RunListing]) -> tuple[list[str], list[list[Any]]]:
    """The headings and the rows of a table of all values.

    Args:
        directory: the directory that the paths of the runs are relative to.
        runs: the runs.
    """
    metrics = list(dict.fromkeys(name for run in runs for name in run.metrics))
    keys = _differing(runs)
    headings = ["run", "status", "epoch", *metrics, *keys, "tags", "note", "problem"]
    rows = [
        [
            run.path.relative_to(directory).as_posix(),
            str(run.progress.status),
            run.epoch,
            *(run.metrics.get(name) for name in metrics),
            *(values[index] for values in keys.values()),
            " ".join(run.tags),
            run.note,
            run.problem,
        ]
        for index, run in enumerate(runs)
    ]
    return headings, rows


def varied_keys(trials: Sequence[RunListing]) -> dict[str, list[Any]]:
    """The keys in which the trials of a group differ, with the value of each trial; None if it cannot be read.

    Keys that always have the same value are one column, as the seeds of weights, order and dropout are. A key that
    follows from the type of its component, as the default of an optimizer's parameter, is left out. Names are without
    the section if that leaves them different.
    """
    table = _differing(trials)
    columns: dict[str, tuple[list[str], list[Any]]] = {}
    for key, values in table.items():
        if not follows_from_type(key, table):
            columns.setdefault(repr(values), ([], values))[0].append(key)
    joined = {_joined(keys): values for keys, values in columns.values()}
    short = [key.rpartition(".")[2] for key in joined]
    return {name if short.count(name) == 1 else key: joined[key] for key, name in zip(joined, short, strict=True)}


def _differing(runs: Sequence[RunListing]) -> dict[str, list[Any]]:
    """The keys in which the runs that can be read differ, with the value of each run."""
    keys = differing_keys([run.config for run in runs if run.config])
    return {key: [run.config.get(key) for run in runs] for key in keys}


def _joined(keys: Sequence[str]) -> str:
    """One name for several keys: their common section, or else the first of them."""
    sections = {key.rpartition(".")[0] for key in keys}
    return sections.pop() or keys[0] if len(keys) > 1 and len(sections) == 1 else keys[0]
