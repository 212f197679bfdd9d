"""Runs on an MLflow server: what is sent, what a second export adds, and the same on the real server."""

from dataclasses import replace
from pathlib import Path

import pytest

from nncli.analysis.run_list import run_listing
from nncli.export.change import Change
from nncli.export.export import export_runs
from nncli.export.exported_run import exported_run
from nncli.export.mlflow import send_run
from nncli.export.mlflow_client import MlflowClient
from nncli.runner.resume import resume
from nncli.store.notes import Notes, write_notes
from nncli.store.run_reader import Run
from nncli.store.run_status import RunStatus
from tests.examples import train_config
from tests.export.mlflow_server import fake_server, mlflow_python, real_server


@pytest.fixture
def server():
    """A server in this process."""
    with fake_server() as fake:
        yield fake


def send(server, path):
    """Export one run to the experiment ``runs``."""
    client = MlflowClient(server.uri)
    return send_run(client, client.experiment("runs"), exported_run(run_listing(path)))


def recorded(path):
    """The metrics of a run as the server should have them: those of metrics.csv, and of the test set."""
    run = Run(path)
    rows = [run.metrics.row(index) for index in range(len(run.metrics))]
    metrics = {(name, int(row["epoch"]), value) for row in rows for name, value in row.items() if name != "epoch"}
    tested = run.evaluation.splits.get("test", {})
    return metrics | {(f"test_{name}", run.evaluation.epoch, value) for name, value in tested.items()}


def test_run_is_sent(runs, listed, server):
    """Parameters as text, each metric with its epoch, tags, and the status at the end."""
    assert send(server, runs / "tested") is Change.CREATED
    (run,) = server.runs.values()
    assert (run["name"], run["status"], server.experiments) == ("tested", "FINISHED", {"runs": "1"})
    assert set(run["metrics"]) == recorded(runs / "tested")
    assert len(run["metrics"]) == len(set(run["metrics"]))
    assert run["params"]["optimizer.learning_rate"] == "0.05"
    assert run["params"]["training.threads"] == "1"
    assert run["tags"] == {
        "nncli.identity": Run(runs / "tested").identity,
        "nncli.run": "tested",
        "nncli.status": "finished",
        "nncli.epochs": "30",
        "nncli.epoch": "30",
        "nncli.tags": "paper, spiral",
        "mlflow.note.content": "the baseline ✓",
    }
    assert run["ended"] == int((runs / "tested" / "metrics.csv").stat().st_mtime * 1000)


def test_tag_that_says_what_was_sent_is_written_last(runs, listed, server):
    """An export that is interrupted before it is repeated as a whole."""
    send(server, runs / "tested")
    paths = [path for path, _ in server.requests]
    assert paths[-2:] == ["runs/log-batch", "runs/update"]
    assert [set(content) - {"run_id"} for path, content in server.requests if path == "runs/log-batch"] == [
        {"params"},
        {"metrics"},
        {"tags"},
    ]
    server.runs["run0"]["tags"].pop("nncli.epoch")
    server.runs["run0"]["metrics"].clear()
    parameters = dict(server.runs["run0"]["params"])
    server.runs["run0"]["params"].clear()
    assert send(server, runs / "tested") is Change.UPDATED
    assert set(server.runs["run0"]["metrics"]) == recorded(runs / "tested")
    assert server.runs["run0"]["params"] == parameters


def test_second_export_sends_nothing(runs, listed, server):
    """It only looks whether the run is there."""
    send(server, runs / "tested")
    server.requests.clear()
    assert send(server, runs / "tested") is Change.UNCHANGED
    assert [path for path, _ in server.requests] == ["experiments/get-by-name", "runs/search"]


def test_resumed_run_is_continued(workdir, server):
    """Only the new epochs are sent, and no parameter, which the server would refuse to change."""
    path = train_config(workdir / "config.yaml").path
    send(server, path)
    server.requests.clear()
    resume(path, ["training.epochs=50"])
    assert send(server, path) is Change.UPDATED
    batches = [content for name, content in server.requests if name == "runs/log-batch"]
    assert {each["step"] for each in batches[0]["metrics"]} == {40, 50}
    assert not any("params" in batch for batch in batches)
    assert set(server.runs["run0"]["metrics"]) == recorded(path)
    assert server.runs["run0"]["tags"]["nncli.epochs"] == "50"


def test_changed_notes_are_sent(runs, listed, server):
    """A note that was removed is removed there, too."""
    send(server, runs / "tested")
    write_notes(runs / "tested", Notes(tags=["other"]))
    assert send(server, runs / "tested") is Change.UPDATED
    tags = server.runs["run0"]["tags"]
    assert (tags["nncli.tags"], "mlflow.note.content" in tags) == ("other", False)
    assert set(server.runs["run0"]["metrics"]) == recorded(runs / "tested")


def test_notes_that_were_removed_alone_are_removed(runs, listed, server):
    """Nothing else differs then."""
    send(server, runs / "tested")
    write_notes(runs / "tested", Notes())
    assert send(server, runs / "tested") is Change.UPDATED
    assert not {"nncli.tags", "mlflow.note.content"} & set(server.runs["run0"]["tags"])


def test_a_status_that_was_not_sent_is_sent_again(runs, listed, server):
    """If an earlier export was interrupted before it."""
    send(server, runs / "tested")
    server.runs["run0"]["status"] = "RUNNING"
    assert send(server, runs / "tested") is Change.UPDATED
    assert server.runs["run0"]["status"] == "FINISHED"


@pytest.mark.parametrize(("status", "sent"), [("running", "RUNNING"), ("failed", "FAILED")])
def test_a_running_run_has_no_end(runs, listed, server, status, sent):
    """Others have that of their last metrics; truth values are written as in YAML, and long texts are cut."""
    run = exported_run(listed["tested"])
    parameters = {"yes": True, "no": False, "one": 1, "text": "x" * 501}
    given = replace(run, status=RunStatus(status), ended=2.5, parameters=parameters, note="n" * 5001)
    client = MlflowClient(server.uri)
    send_run(client, client.experiment("runs"), given)
    (found,) = server.runs.values()
    assert found["status"] == sent
    assert found.get("ended") == (None if status == "running" else 2500)
    assert found["params"] == {"yes": "true", "no": "false", "one": "1", "text": "x" * 500}
    assert found["tags"]["mlflow.note.content"] == "n" * 5000


def test_trials_are_runs_of_the_experiment_of_their_group(listed, server):
    """A run with the same config in another directory is another run."""
    done = export_runs(list(listed.values()), "mlflow", f"{server.uri}/")
    assert done.outcomes == {Change.CREATED: 3}
    assert server.experiments == {"runs": "1", "seeds": "2"}
    assert [path for path, _ in server.requests].count("experiments/get-by-name") == 2  # once for each
    assert [(run["name"], run["experiment"]) for run in server.runs.values()] == [
        ("tested", "1"),
        ("seeds/0000", "2"),
        ("seeds/0001", "2"),
    ]


@pytest.mark.parametrize(
    ("overrides", "status"),
    [(("optimizer={type: sgd, learning_rate: 1e30}",), "FAILED"), ((), "FAILED")],
    ids=["diverged", "interrupted"],
)
def test_run_that_did_not_finish_has_failed(workdir, server, run_cli, overrides, status):
    """A diverged one, and one that was interrupted; its last logged metrics are there."""
    assert run_cli("train", "config.yaml", *overrides, "-q").code == (7 if overrides else 0)
    if not overrides:
        Path("runs/config/evaluation.json").unlink()
    assert send(server, Path("runs/config")) is Change.CREATED
    (run,) = server.runs.values()
    assert (run["status"], run["tags"]["nncli.status"]) == (status, "diverged" if overrides else "not evaluated")
    assert run["metrics"]


def test_many_metrics_and_parameters_are_sent_in_parts(workdir, server):
    """At most 1,000 metrics and 100 parameters per request, as MLflow demands; the server here demands it, too."""
    layers = ", ".join(["{type: dense, units: 4}, relu"] * 12)
    layers = f"layers=[{layers}, {{type: dense, units: 3}}, softmax]"
    path = train_config(workdir / "config.yaml", (layers, "training.epochs=300", "training.log_every=1")).path
    send(server, path)
    (run,) = server.runs.values()
    assert len(run["params"]) > 100
    assert len(run["metrics"]) == len(recorded(path)) > 2000
    assert set(run["metrics"]) == recorded(path)


@pytest.mark.slow
@pytest.mark.skipif(mlflow_python() is None, reason="MLflow is not installed; MLFLOW_PYTHON names a Python that has it")
def test_real_server_has_the_runs(runs, listed, tmp_path):
    """The same parameters, metrics and tags; a second export changes nothing, and a resume adds its epochs."""
    (tmp_path / "server").mkdir()
    with real_server(mlflow_python(), tmp_path / "server") as uri:
        assert export_runs(list(listed.values()), "mlflow", uri).outcomes == {Change.CREATED: 3}
        assert export_runs(list(listed.values()), "mlflow", uri).outcomes == {Change.UNCHANGED: 3}
        resume(runs / "tested", ["training.epochs=50"])
        write_notes(runs / "tested", Notes(tags=["other"]))
        again = [run_listing(runs / "tested")]
        assert export_runs(again, "mlflow", uri).outcomes == {Change.UPDATED: 1}
        client = MlflowClient(uri)
        run = exported_run(again[0])
        found = client.find_run(client.experiment("runs"), {"nncli.run": "tested"})
        assert (found["info"]["run_name"], found["info"]["status"]) == ("tested", "FINISHED")
        assert {each["key"]: each["value"] for each in found["data"]["params"]}["seed"] == "0"
        assert "mlflow.note.content" not in {each["key"] for each in found["data"]["tags"]}
        for name in ("validation_accuracy", "test_accuracy"):
            history = client._get("metrics/get-history", {"run_id": found["info"]["run_id"], "metric_key": name})
            assert {(each["step"], each["value"]) for each in history["metrics"]} >= {
                (step, value) for each, step, value in recorded(runs / "tested") if each == name
            }
            assert len(history["metrics"]) == len({each["step"] for each in history["metrics"]})
        assert run.name == "tested"
