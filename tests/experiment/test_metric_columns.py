"""The table of metric columns: order, directions, bounds, and a column that a later version adds."""

import json
import math

import numpy as np
import pytest

from nncli.errors import UnsupportedVersionError
from nncli.experiment import metric_columns
from nncli.experiment.loading import load
from nncli.experiment.metric_columns import (
    METRICS_FORMAT,
    MetricColumn,
    Role,
    columns,
    find_column,
    higher_is_better,
    known_columns,
    main_columns,
    main_metric,
    plausible,
)
from nncli.registry import components
from nncli.store.records import FORMATS
from nncli.store.run_checkpoints import latest_valid
from nncli.store.run_reader import Run
from tests.examples import BINARY, SINE, put_record

LOSSES = ["loss", "data_loss", "regularization_loss"]


@pytest.mark.parametrize(
    ("changes", "measured"),
    [
        ((), ["accuracy"]),
        (SINE, ["r2", "mean_absolute_error", "root_mean_squared_error", "regression_accuracy"]),
        (BINARY, ["accuracy", "precision", "recall", "f1", "auc"]),
        ((*BINARY, "metrics=[auc]"), ["auc"]),
        (("metrics=[]",), []),
    ],
)
@pytest.mark.parametrize("monitored", [True, False])
def test_columns_are_losses_and_metrics_per_split(workdir, changes, measured, monitored):
    """The state of training, then losses and metrics of the training set, then those of the validation set if any."""
    config = load(workdir / "config.yaml", (*changes, *([] if monitored else ["validation=null"]))).config
    held_out = [f"validation_{name}" for name in ("loss", *measured)] if monitored else []
    assert list(columns(config)) == ["learning_rate", *LOSSES, *measured, *held_out]


def test_main_columns_are_those_of_most_interest_first():
    """Held-out rows before training rows, accuracy before other metrics, and the loss without penalties last."""
    headers = ["learning_rate", *LOSSES, "f1", "accuracy", "validation_loss", "validation_f1", "validation_accuracy"]
    found = main_columns([*headers, "test_loss", "validation_unknown"])
    held_out = ["validation_accuracy", "validation_f1", "validation_loss", "test_loss"]
    assert found == [*held_out, "accuracy", "f1", "data_loss"]


@pytest.mark.parametrize(
    ("changes", "metric"),
    [
        ((), "accuracy"),
        (SINE, "mean_absolute_error"),
        ((*SINE, "metrics=[r2]"), "r2"),
        ((*BINARY, "metrics=[auc, f1]"), "auc"),
        ((*BINARY, "metrics=[f1, auc]"), "f1"),
    ],
)
def test_main_metric_of_a_config(workdir, changes, metric):
    """The metric by which a sweep ranks its trials by default is a metric that the config measures."""
    config = load(workdir / "config.yaml", changes).config
    assert main_metric(config, has_validation=True) == f"validation_{metric}"
    assert main_metric(config, has_validation=False) == metric


def test_main_metric_without_metrics_is_the_loss(workdir):
    """That of the training set is without penalties."""
    config = load(workdir / "config.yaml", ("metrics=[]",)).config
    assert main_metric(config, has_validation=True) == "validation_loss"
    assert main_metric(config, has_validation=False) == "data_loss"


@pytest.mark.parametrize("prefix", ["", "validation_", "test_"])
@pytest.mark.parametrize(
    ("name", "higher"),
    [
        ("loss", False),
        ("data_loss", False),
        ("accuracy", True),
        ("auc", True),
        ("r2", True),
        ("regression_accuracy", True),
        ("mean_absolute_error", False),
        ("root_mean_squared_error", False),
    ],
)
def test_direction_is_that_of_the_metric_on_any_split(prefix, name, higher):
    """Lower losses and errors are better, and higher accuracies."""
    assert higher_is_better(f"{prefix}{name}") is higher


@pytest.mark.parametrize(
    ("header", "split", "name", "role"),
    [
        ("learning_rate", None, "learning_rate", Role.STATE),
        ("loss", "training", "loss", Role.OBJECTIVE),
        ("regularization_loss", "training", "regularization_loss", Role.PENALTY),
        ("data_loss", "training", "data_loss", Role.LOSS),
        ("validation_loss", "validation", "loss", Role.LOSS),
        ("test_accuracy", "test", "accuracy", Role.METRIC),
        ("validation_warp", "validation", "warp", Role.UNKNOWN),
        ("validation_learning_rate", "validation", "learning_rate", Role.UNKNOWN),
    ],
)
def test_column_is_described_by_its_header(header, split, name, role):
    """Split, name and role follow from the header, which follows from split and name."""
    found = find_column(header)
    assert (found.split, found.name, found.role, found.header) == (split, name, role, header)


@pytest.mark.parametrize(
    ("name", "possible", "impossible"),
    [
        ("accuracy", (0.0, 0.5, 1.0), (-0.1, 1.1)),
        ("validation_auc", (0.0, 1.0), (-1e-9, 1.001)),
        ("r2", (-1e300, -1.0, 0.0, 1.0), (1.001,)),
        ("test_mean_absolute_error", (0.0, 1e300), (-1e-9,)),
        ("root_mean_squared_error", (0.0, 7.0), (-7.0,)),
        ("loss", (0.0, 1e300), (-1.0,)),
        ("warp", (-1e300, 0.0, 1e300), ()),
    ],
)
def test_values_out_of_bounds_are_not_plausible(name, possible, impossible):
    """Each metric has its bounds, an unknown one none, and no value may be NaN or infinite."""
    assert all(plausible({name: value}) for value in possible)
    assert not any(plausible({name: value}) for value in (*impossible, math.nan, math.inf, -math.inf))


def test_known_columns_are_losses_and_all_registered_metrics():
    """They are those that a gate may name, whatever the task."""
    metrics = {entry.name for entry in components("metric")}
    known = {(column.split, column.name) for column in known_columns()}
    assert {name for split, name in known if split == "training"} == {*LOSSES, *metrics}
    assert {name for split, name in known if split == "test"} == {"loss", *metrics}


@pytest.fixture
def later_version(monkeypatch):
    """Add the column ``largest_weight`` as a later version would, until ``undo`` is called."""
    added = MetricColumn(
        "largest_weight",
        None,
        Role.STATE,
        None,
        value=lambda network, optimizer: float(np.abs(network.parameters.values).max()),
        since=METRICS_FORMAT + 1,
    )
    with monkeypatch.context() as patched:
        patched.setattr(metric_columns, "STATE_COLUMNS", (*metric_columns.STATE_COLUMNS, added))
        patched.setattr(metric_columns, "FIXED_COLUMNS", {**metric_columns.FIXED_COLUMNS, added.header: added})
        patched.setitem(FORMATS, "metrics.csv", added.since)
        yield patched


def train(run_cli, *arguments):
    """Train a run with the command line."""
    result = run_cli("train", *arguments, "--quiet")
    assert result.code == 0, result.err


@pytest.mark.slow
def test_added_column_is_written_to_new_runs_only(workdir, run_cli, request):
    """A run that began without the column is read, compared, verified and resumed without it."""
    train(run_cli, "config.yaml", "--name", "old")
    request.getfixturevalue("later_version")
    train(run_cli, "config.yaml", "--name", "new")
    train(run_cli, "--resume", "old", "training.epochs=50")
    old, new = Run(workdir / "runs" / "old"), Run(workdir / "runs" / "new")
    assert old.record.file_format("metrics.csv") == METRICS_FORMAT
    assert new.record.file_format("metrics.csv") == METRICS_FORMAT + 1
    assert "largest_weight" not in old.metrics.names
    assert old.metrics.column("epoch").tolist() == [0, 10, 20, 30, 40, 50]
    assert new.metrics.names[:3] == ("epoch", "learning_rate", "largest_weight")
    assert (new.metrics.column("largest_weight") > 0).all()
    for command in (("compare", "old", "new"), ("verify", "old"), ("verify", "new"), ("runs",)):
        result = run_cli(*command)
        assert (result.code, result.err) == (0, "")


def test_run_without_recorded_formats_has_the_first_columns(workdir, run_cli, request):
    """nncli 0.5 and earlier recorded none."""
    train(run_cli, "config.yaml", "--name", "old")
    path = workdir / "runs" / "old" / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    del record["formats"]
    put_record(path, record)
    request.getfixturevalue("later_version")
    old = Run(path.parent)
    assert (old.record.file_format("metrics.csv"), len(old.metrics)) == (1, 4)


def test_unknown_column_of_a_later_version_is_shown_and_not_resumed(workdir, run_cli, later_version):
    """The earlier version reads, compares, plots and verifies the run; only a resume would need to write the column."""
    for name in ("one", "two"):
        train(run_cli, "config.yaml", "--name", name)
    (workdir / "runs" / "two" / "evaluation.json").unlink()
    later_version.undo()
    for command in (("compare", "one", "two", "--curve", "largest_weight"), ("verify", "one"), ("evaluate", "two")):
        result = run_cli(*command)
        assert result.code == 0, command
    listed = {run["path"]: run for run in json.loads(run_cli("runs", "--json").out)["runs"]}
    assert listed["runs/two"]["status"] == "not evaluated"
    assert listed["runs/two"]["metrics"]["largest_weight"] > 0
    assert "has columns that" in listed["runs/two"]["problem"]
    two = Run(workdir / "runs" / "two")
    with pytest.raises(UnsupportedVersionError, match=r"has columns that .* does not write: largest_weight; resume"):
        latest_valid(two)
    result = run_cli("train", "--resume", "two")
    assert result.code == 4
    assert "does not write: largest_weight" in result.err


def test_missing_known_column_of_a_later_version_is_no_damage(workdir, run_cli, later_version):
    """If a later version no longer writes a column, the message says so and does not speak of damage."""
    train(run_cli, "config.yaml", "--name", "one")
    later_version.undo()
    path = workdir / "runs" / "one" / "metrics.csv"
    path.write_bytes(path.read_bytes().replace(b",loss,", b",cost,"))
    with pytest.raises(
        UnsupportedVersionError,
        match=rf"has format version {METRICS_FORMAT + 1}, which nncli .* does not name the column",
    ):
        _ = Run(path.parent).metrics
