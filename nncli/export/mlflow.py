"""Runs as runs of an MLflow tracking server: parameters, metrics by epoch, tags and status."""

from typing import Any

from nncli.export.change import Change
from nncli.export.exported_run import ExportedRun
from nncli.export.mlflow_client import MlflowClient
from nncli.store.run_status import RunStatus

IDENTITY, NAME, EPOCH, TAGS = "nncli.identity", "nncli.run", "nncli.epoch", "nncli.tags"
NOTE = "mlflow.note.content"  # which MLflow shows as the description
LONGEST_VALUE = 500  # characters of a parameter; what every version of MLflow accepts
LONGEST_TAG = 5000
STATUS = {RunStatus.FINISHED: "FINISHED", RunStatus.RUNNING: "RUNNING"}  # else FAILED


def send_run(client: MlflowClient, experiment: str, run: ExportedRun) -> Change:
    """Send a run to a tracking server, or what is new of it since it was sent.

    The tags nncli.identity and nncli.run find the run again; nncli.epoch, which is written after all metrics, is the
    last epoch that the server has.

    Args:
        client: the server.
        experiment: the ID of the experiment.
        run: the run.

    Raises:
        StorageError: the server cannot be reached, or answers with an error.
    """
    key = {IDENTITY: run.identity, NAME: run.name}
    found = client.find_run(experiment, key)
    tags = _tags(run)
    if found is None:
        run_id = client.create_run(experiment, run.name, _milliseconds(run.started), key)
        client.log(run_id, _metrics(run, -1), _parameters(run), tags)
        _update(client, run_id, run)
        return Change.CREATED
    run_id, before = str(found["info"]["run_id"]), _tags_of(found)
    removed = [name for name in (NOTE, TAGS) if name in before and name not in tags]
    is_same = all(before.get(name) == value for name, value in tags.items()) and not removed
    if is_same and found["info"].get("status") == _status(run):
        return Change.UNCHANGED
    logged = before.get(EPOCH, "")
    is_complete = logged.isdecimal()  # else an earlier export was interrupted
    client.log(run_id, _metrics(run, int(logged) if is_complete else -1), {} if is_complete else _parameters(run), tags)
    for name in removed:
        client.delete_tag(run_id, name)
    _update(client, run_id, run)
    return Change.UPDATED


def _update(client: MlflowClient, run_id: str, run: ExportedRun) -> None:
    """Set the status and the end."""
    client.update_run(run_id, _status(run), None if run.status is RunStatus.RUNNING else _milliseconds(run.ended))


def _status(run: ExportedRun) -> str:
    return STATUS.get(run.status, "FAILED")


def _metrics(run: ExportedRun, after: int) -> list[dict[str, Any]]:
    """The metrics of all epochs after one, and those of the final weights, as the server takes them."""
    rows = [*((epoch, row) for epoch, row in run.rows if epoch > after), run.final]
    return [
        {"key": name, "value": value, "timestamp": _milliseconds(run.time(epoch)), "step": epoch}
        for epoch, row in rows
        for name, value in row.items()
    ]


def _parameters(run: ExportedRun) -> dict[str, str]:
    """The parameters as text; the number of epochs, which may be raised, is a tag."""
    return {name: _text(value)[:LONGEST_VALUE] for name, value in run.parameters.items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _tags(run: ExportedRun) -> dict[str, str]:
    """The tags of a run; the last one is the last epoch that was sent."""
    tags = {"nncli.status": str(run.status), "nncli.epochs": str(run.epochs)}
    tags |= {NOTE: run.note[:LONGEST_TAG]} if run.note else {}
    tags |= {TAGS: ", ".join(run.tags)[:LONGEST_TAG]} if run.tags else {}
    return {**tags, EPOCH: str(run.rows[-1][0] if run.rows else 0)}


def _tags_of(found: dict[str, Any]) -> dict[str, str]:
    """The tags of a run on the server."""
    return {str(tag["key"]): str(tag["value"]) for tag in found.get("data", {}).get("tags", ())}


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
