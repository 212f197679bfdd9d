"""The export of listed runs: to a log directory of TensorBoard, or to an MLflow tracking server."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from nncli.analysis.run_list import RunListing
from nncli.config.diagnostics import shown
from nncli.config.hints import suggestion
from nncli.errors import CommandLineError, NncliError
from nncli.export.change import Change
from nncli.export.exported_run import ExportedRun, exported_run
from nncli.export.mlflow import send_run
from nncli.export.mlflow_client import MlflowClient
from nncli.export.tensorboard import write_events


@dataclass(frozen=True)
class Export:
    """What was exported.

    Args:
        kind: one of ``KINDS``.
        target: the directory or the address.
        outcomes: the number of runs that were created, updated, or not changed.
        skipped: why runs were not exported, by their paths.
    """

    kind: str
    target: str
    outcomes: Counter[Change] = field(default_factory=Counter)
    skipped: dict[Path, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The export as JSON values."""
        counts = {str(outcome): self.outcomes[outcome] for outcome in Change}
        return {"kind": self.kind, "target": self.target, **counts, "skipped": list(map(str, self.skipped))}


def export_runs(runs: Sequence[RunListing], kind: str, target: str) -> Export:
    """Export runs; those that cannot be read are skipped.

    Args:
        runs: the listed runs.
        kind: one of ``KINDS``.
        target: the log directory of TensorBoard, or the address of the tracking server.

    Raises:
        CommandLineError: there is no such kind, or the address is not valid.
        StorageError: the directory cannot be written, or the server cannot be reached or answers with an error.
    """
    if kind not in KINDS:
        raise CommandLineError(f"unknown kind of export {shown(kind)}{suggestion(kind, KINDS)}")
    write, done = WRITERS[kind](target), Export(kind, target)
    for listed in runs:
        try:
            run = exported_run(listed)
        except NncliError as error:
            done.skipped[listed.path] = str(error)
        else:
            done.outcomes[write(run)] += 1
    return done


def _to_tensorboard(directory: str) -> Callable[[ExportedRun], Change]:
    """The function that writes the event file of a run."""
    return lambda run: write_events(Path(directory), run)


def _to_mlflow(uri: str) -> Callable[[ExportedRun], Change]:
    """The function that sends a run to a server; the experiment has the name of the group, or of the directory."""
    client = MlflowClient(uri)
    experiment = cache(client.experiment)
    return lambda run: send_run(client, experiment(run.group), run)


WRITERS = {"tensorboard": _to_tensorboard, "mlflow": _to_mlflow}  # each makes the function that exports one run
KINDS = tuple(WRITERS)
