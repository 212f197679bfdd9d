"""Errors of an MLflow server: unreachable, not an MLflow server, and what it answers."""

import socket

import pytest

from nncli.errors import CommandLineError, StorageError
from nncli.export import mlflow_client
from nncli.export.mlflow_client import MlflowClient, MlflowError
from tests.export.mlflow_server import fake_server


@pytest.fixture
def server():
    """A server in this process."""
    with fake_server() as fake:
        yield fake


@pytest.mark.parametrize(
    "uri", ["", "mlruns", "localhost:5000", "file:///tmp/mlruns", "http://", "http://[", "http://a:b"]
)
def test_other_addresses_are_rejected(uri):
    """Among them those of directories, which MLflow's own clients accept."""
    with pytest.raises(
        CommandLineError, match=r"expected the address of a tracking server, such as http://127\.0\.0\.1"
    ):
        MlflowClient(uri)


def test_address_with_a_password_is_rejected():
    """It is not printed; the message names the variables for it."""
    with pytest.raises(CommandLineError, match="MLFLOW_TRACKING_USERNAME") as error:
        MlflowClient("http://user:secret@127.0.0.1:5000")
    assert "secret" not in str(error.value)


def test_error_of_the_server_is_reported(server):
    """Its status, its code and its message, shortened and on one line."""
    server.answer["experiments/get-by-name"] = 400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "a\nb" * 500}
    with pytest.raises(MlflowError) as error:
        MlflowClient(server.uri).experiment("runs")
    text = str(error.value)
    assert text.startswith(
        f"{server.uri}: HTTP status 400 for /api/2.0/mlflow/experiments/get-by-name INVALID_PARAMETER_VALUE: a�ba�b"
    )
    assert len(text) < 500
    assert error.value.exit_code == 5


@pytest.mark.parametrize("answer", [(404, b"<html>"), (500, b""), (500, {"error": 1}), (403, [1])])
def test_error_of_another_server_is_reported(server, answer):
    """A web server that is no MLflow server."""
    server.answer["experiments/get-by-name"] = answer
    with pytest.raises(StorageError, match=rf"HTTP status {answer[0]} for .*; is it an MLflow server\?"):
        MlflowClient(server.uri).experiment("runs")


@pytest.mark.parametrize("answer", [b"<html>", b"[]", {}, {"experiment": 1}, {"experiment": {"experiment_id": 1}}])
def test_answer_of_another_server_is_reported(server, answer):
    """It answers, but not what an MLflow server does."""
    server.answer["experiments/get-by-name"] = 200, answer
    with pytest.raises(StorageError, match="not an MLflow server: the answer "):
        MlflowClient(server.uri).experiment("runs")


def test_unreachable_server_is_reported(monkeypatch):
    """A closed port, and a server that does not answer."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(StorageError, match="not reachable: Connection refused; start one"):
            MlflowClient(f"http://{address}/").experiment("runs")
        closed.listen()
        monkeypatch.setattr(mlflow_client, "SECONDS", 0.1)
        with pytest.raises(StorageError, match=r"not reachable: no answer for 0\.1 s"):
            MlflowClient(f"http://{address}").experiment("runs")


def test_experiment_that_another_process_creates_is_used(server):
    """Between the question whether it exists and its creation."""

    def created(content):
        server.experiments["runs"] = "7"
        return 400, {"error_code": "RESOURCE_ALREADY_EXISTS", "message": ""}

    server.experiments_create = created
    assert MlflowClient(server.uri).experiment("runs") == "7"


@pytest.mark.parametrize(
    ("variables", "header"),
    [
        ({}, None),
        ({"TOKEN": "abc"}, "Bearer abc"),
        ({"USERNAME": "me", "TOKEN": "abc"}, "Bearer abc"),
        ({"USERNAME": "me", "PASSWORD": "word", "TOKEN": "abc"}, "Basic bWU6d29yZA=="),
    ],
)
def test_authorization_is_sent(server, monkeypatch, variables, header):
    """From the variables of MLflow's own clients."""
    for name in ("TOKEN", "USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)
    MlflowClient(server.uri).experiment("runs")
    assert server.headers["Authorization"] == header


def test_quotes_in_a_tag_are_escaped(server):
    """So that a value cannot change the filter."""
    MlflowClient(server.uri).find_run("1", {"a": "b' or '1"})
    assert server.requests[-1][1]["filter"] == "tags.`a` = 'b\\' or \\'1'"


def test_all_tags_find_a_run(server):
    """Not one of them."""
    MlflowClient(server.uri).find_run("1", {"a": "b", "c": "d"})
    assert server.requests[-1][1]["filter"] == "tags.`a` = 'b' and tags.`c` = 'd'"


def test_slash_at_the_end_of_the_address_is_left_out():
    """Some servers do not find an address with two of them."""
    assert MlflowClient("http://127.0.0.1:5000/")._address("runs") == "http://127.0.0.1:5000/api/2.0/mlflow/runs"
