"""The small files of runs, read without validation: fast enough for a press of the tab key."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from nncli.errors import NncliError

LONGEST_ROW = 4096  # bytes of a row of metrics.csv
LARGEST_JSON = 2**20  # bytes


def status(run: Path) -> str:
    """The status of a run according to its files, which are not validated."""
    from nncli.store.lock import is_locked

    if (run / "group.json").exists():
        return "group"
    with suppress(NncliError):
        if is_locked(run / "lock"):
            return "running"
    try:
        ended = _has_ended(json_object(run / "run.json")["spec"]["training"], json_object(run / "evaluation.json"))
    except (KeyError, TypeError):
        return "damaged" if (run / "metrics.csv").exists() else "not a run"
    diverged = b"nan" in ends(run / "metrics.csv")[1]
    return "finished" if ended else "diverged" if diverged else "interrupted"


def _has_ended(training: Any, evaluation: dict[str, Any]) -> bool:
    """Whether an evaluation is of the last epoch: the number of epochs may have been raised since."""
    if not evaluation:
        return False
    trained, stopping = evaluation["epochs_trained"], training["early_stopping"]
    is_due = bool(stopping) and trained - evaluation["epoch"] >= stopping["patience"]
    return is_due or bool(trained == training["epochs"])


def ends(path: Path) -> tuple[bytes, bytes]:
    """The first and the last line of a file; empty if it cannot be read."""
    with suppress(OSError):
        if path.is_file():
            with path.open("rb") as file:
                first = file.readline(LONGEST_ROW).rstrip()
                file.seek(max(0, path.stat().st_size - LONGEST_ROW))
                return first, file.read().rstrip().rpartition(b"\n")[2]
    return b"", b""


def json_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty if there is none, or if reading it would take too long."""
    with suppress(OSError, ValueError, RecursionError):
        if path.is_file() and path.stat().st_size <= LARGEST_JSON:
            document = json.loads(path.read_bytes())
            return document if isinstance(document, dict) else {}
    return {}
