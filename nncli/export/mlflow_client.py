"""The REST interface of an MLflow tracking server: the calls that an export needs.

Source: https://mlflow.org/docs/latest/rest-api.html, version 2.0 of the interface.
"""

import base64
import json
import os
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from nncli.config.diagnostics import sanitized_line
from nncli.errors import CommandLineError, StorageError

SECONDS = 30  # that a request may take
LARGEST = 2**24  # bytes of an answer
LONGEST_MESSAGE = 300  # characters of an error of the server
MAX_METRICS, MAX_PARAMETERS = 1000, 100  # per request
MISSING = "RESOURCE_DOES_NOT_EXIST"
EXISTS = "RESOURCE_ALREADY_EXISTS"


class MlflowError(StorageError):
    """The server answered with an error.

    Args:
        message: the message.
        code: the error code of MLflow, such as RESOURCE_DOES_NOT_EXIST; empty if the answer has none.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class MlflowClient:
    """A tracking server.

    Args:
        uri: its address, such as http://127.0.0.1:5000.

    Raises:
        CommandLineError: it is no address of a web server.
    """

    def __init__(self, uri: str) -> None:
        try:
            parts = urlsplit(uri)
            is_valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_valid = False
        if not is_valid:
            expected = "expected the address of a tracking server, such as http://127.0.0.1:5000"
            raise CommandLineError(f"{sanitized_line(uri)}: {expected}")
        if parts.username is not None:
            variables = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            raise CommandLineError(f"an address with a user name is not sent; write it into the variables {variables}")
        self.uri, self._headers = uri.rstrip("/"), {"Content-Type": "application/json", **_authorization()}

    def experiment(self, name: str) -> str:
        """The ID of the experiment of a name, which is created if there is none."""
        try:
            return self._experiment(name)
        except MlflowError as error:
            if error.code != MISSING:
                raise
        try:
            return self._field(self._post("experiments/create", {"name": name}), "experiment_id")
        except MlflowError as error:
            if error.code != EXISTS:  # another process has created it meanwhile
                raise
            return self._experiment(name)

    def _experiment(self, name: str) -> str:
        found = self._get("experiments/get-by-name", {"experiment_name": name})
        return self._field(found, "experiment", "experiment_id")

    def find_run(self, experiment: str, tags: Mapping[str, str]) -> dict[str, Any] | None:
        """The run of an experiment that has all these tags; None if there is none."""
        conditions = " and ".join(f"tags.`{name}` = '{_quoted(value)}'" for name, value in tags.items())
        found = self._post("runs/search", {"experiment_ids": [experiment], "filter": conditions, "max_results": 1})
        runs = found.get("runs", [])
        return runs[0] if isinstance(runs, list) and runs else None

    def create_run(self, experiment: str, name: str, started: int, tags: Mapping[str, str]) -> str:
        """Create a run; returns its ID. ``started`` is in milliseconds since 1970."""
        given = {"experiment_id": experiment, "run_name": name, "start_time": started, "tags": _pairs(tags)}
        return self._field(self._post("runs/create", given), "run", "info", "run_id")

    def log(
        self, run: str, metrics: Sequence[dict[str, Any]], parameters: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        """Log parameters, then metrics, then tags, in as many requests as are needed."""
        pairs = _pairs(parameters)
        for start in range(0, len(pairs), MAX_PARAMETERS):
            self._post("runs/log-batch", {"run_id": run, "params": pairs[start : start + MAX_PARAMETERS]})
        for start in range(0, len(metrics), MAX_METRICS):
            self._post("runs/log-batch", {"run_id": run, "metrics": metrics[start : start + MAX_METRICS]})
        self._post("runs/log-batch", {"run_id": run, "tags": _pairs(tags)})

    def update_run(self, run: str, status: str, ended: int | None) -> None:
        """Set the status of a run, and its end in milliseconds since 1970."""
        self._post("runs/update", {"run_id": run, "status": status, **({"end_time": ended} if ended else {})})

    def delete_tag(self, run: str, name: str) -> None:
        """Remove a tag of a run."""
        self._post("runs/delete-tag", {"run_id": run, "key": name})

    def _get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        return self._answer(Request(f"{self._address(path)}?{urlencode(query)}", headers=self._headers))

    def _post(self, path: str, content: Mapping[str, Any]) -> dict[str, Any]:
        data = json.dumps(content, allow_nan=False).encode()
        return self._answer(Request(self._address(path), data, self._headers))

    def _address(self, path: str) -> str:
        return f"{self.uri}/api/2.0/mlflow/{path}"

    def _answer(self, request: Request) -> dict[str, Any]:
        """The JSON object that the server answers.

        Raises:
            MlflowError: the server answered with an error.
            StorageError: it cannot be reached, or is no MLflow server.
        """
        try:
            with urlopen(request, timeout=SECONDS) as answer:
                return self._parsed(answer.read(LARGEST))
        except HTTPError as error:
            with error:
                raise self._error(request, error.code, error.read(LARGEST)) from None
        except (URLError, HTTPException, OSError, UnicodeError) as error:
            reason = error.reason if isinstance(error, URLError) else error
            is_late = isinstance(reason, TimeoutError)
            text = f"no answer for {SECONDS} s" if is_late else getattr(reason, "strerror", None) or str(reason)
            fix = "; start one, as with 'mlflow server', or check the address"
            raise StorageError(f"{self._shown}: MLflow server not reachable: {text}{fix}") from None

    @property
    def _shown(self) -> str:
        return sanitized_line(self.uri)

    def _parsed(self, data: bytes) -> dict[str, Any]:
        try:
            content = json.loads(data)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise StorageError(f"{self._shown}: not an MLflow server: the answer is not a JSON object")
        return content

    def _field(self, content: Any, *path: str) -> str:
        """A string in an answer."""
        for name in path:
            content = content.get(name) if isinstance(content, dict) else None
        if not isinstance(content, str):
            raise StorageError(f"{self._shown}: not an MLflow server: the answer has no {'.'.join(path)}")
        return content

    def _error(self, request: Request, status: int, data: bytes) -> MlflowError:
        """The error that the server answered."""
        try:
            content = json.loads(data)
            code, text = str(content["error_code"]), str(content.get("message", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            code, text = "", "; is it an MLflow server?"
        short = text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…"
        path = urlsplit(request.full_url).path
        reason = f" {code}: {short}" if code else text
        return MlflowError(f"{self._shown}: HTTP status {status} for {path}{sanitized_line(reason)}", code)


def _authorization() -> dict[str, str]:
    """The header for a server that asks for a token or a password, from the variables of MLflow's own clients."""
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    user, password = (os.environ.get(f"MLFLOW_TRACKING_{name}") for name in ("USERNAME", "PASSWORD"))
    if user and password:
        return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}
    return {"Authorization": f"Bearer {token}"} if token else {}


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _quoted(value: str) -> str:
    """A value within single quotes of a filter."""
    return value.replace("'", "\\'")
