"""Evaluation on a file: the same numbers as on the run's own data set with the same rows."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.experiment.test_preparation import CLASSES, PRICES, TWO_CLASSES, rows, text

CONFIG = """\
seed: 0
data: {{type: table, path: data.csv, target: {target}}}
validation: {{path: valid.csv}}
layers: [{{type: dense, units: 8}}, relu, {{type: dense, units: {units}}}{softmax}]
loss: {loss}
optimizer: adam
metrics: {metrics}
training: {{epochs: 3, batch_size: 8}}
"""
REGRESSION = "[mean_absolute_error, root_mean_squared_error, {type: regression_accuracy, parts: 5}]"
TASKS = {
    "classes": (CLASSES, "[accuracy]"),
    "two classes": (TWO_CLASSES, "[{type: accuracy, threshold: 0.45}]"),
    "prices": (PRICES, REGRESSION),
    "prices and ages": ({**PRICES, "target": "[price, age]", "units": 2}, REGRESSION),
}


@pytest.fixture
def run(tmp_path, monkeypatch, run_cli):
    """Train on a file with another one for validation, for a task by name."""
    monkeypatch.chdir(tmp_path)

    def train(task):
        values, metrics = TASKS[task]
        for name, seed in (("data", 0), ("valid", 1)):
            Path(f"{name}.csv").write_text(text(rows(seed)), encoding="utf-8")
        Path("config.yaml").write_text(CONFIG.format(**values, metrics=metrics), encoding="utf-8")
        result = run_cli("train", "config.yaml", "-q", "--name", "run")
        assert result.code == 0, result.err
        Path("data.csv").unlink()  # which the evaluation of another file does not need

    return train


@pytest.mark.parametrize("task", TASKS)
def test_file_has_the_metrics_of_the_split_with_the_same_rows(run, run_cli, task):
    """Loss and metrics are equal bit for bit; the tolerance of a metric is the same up to rounding."""
    run(task)
    recorded = json.loads(Path("runs/run/evaluation.json").read_bytes())["splits"]["validation"]
    document = json.loads(run_cli("evaluate", "run", "--data", "valid.csv", "--json").out)
    assert (document["file"], document["splits"]["data"]["rows"]) == ("valid.csv", 60)
    assert document["splits"]["data"]["metrics"] == recorded


@pytest.mark.parametrize("task", TASKS)
def test_predictions_of_a_file_with_targets_are_scored(run, run_cli, task):
    """The note has the metric of the evaluation."""
    run(task)
    metrics = json.loads(run_cli("evaluate", "run", "--data", "valid.csv", "--json").out)["splits"]["data"]["metrics"]
    noted = run_cli("predict", "run", "valid.csv").err
    if "classes" in task:
        assert f"valid.csv: accuracy {metrics['accuracy']:.4g} (" in noted
    else:
        root, mean = metrics["root_mean_squared_error"], metrics["mean_absolute_error"]
        assert f"root mean squared error {root:.4g}, mean absolute error {mean:.4g} (60 rows)" in noted


def test_rows_without_a_target_are_predicted_but_not_scored(run, run_cli):
    """Nor are rows of an unknown class."""
    run("classes")
    table = rows(1)
    table[0]["kind"], table[1]["kind"] = "", "other"
    Path("valid.csv").write_text(text(table), encoding="utf-8")
    result = run_cli("predict", "run", "valid.csv")
    assert (result.code, len(result.out.splitlines())) == (0, 61)
    assert "of 58 rows)" in result.err


def test_rows_without_a_target_are_not_evaluated(run, run_cli):
    """Each is named with its line, the column and the value."""
    run("classes")
    table = rows(1)
    table[0]["kind"], table[1]["kind"] = "", "other"
    Path("valid.csv").write_text(text(table), encoding="utf-8")
    result = run_cli("evaluate", "run", "--data", "valid.csv")
    assert (result.code, result.out) == (3, "")
    assert "valid.csv:2: column 'kind': the target is missing" in result.err
    assert (
        "valid.csv:3: column 'kind': 'other' is not a class of the training data; its classes are 'a', 'b', 'c'"
        in result.err
    )


def test_target_is_needed(run, run_cli):
    """It is named with the other columns that lack."""
    run("prices")
    Path("valid.csv").write_text("age,color\n1,red\n", encoding="utf-8")
    result = run_cli("evaluate", "run", "--data", "valid.csv")
    assert (result.code, "lacks 6 columns of the training data: 'active'" in result.err) == (3, True)
    assert "'price'" in result.err


def test_gates_apply_to_the_file(run, run_cli):
    """Exit code 8, as for a split."""
    run("classes")
    assert run_cli("evaluate", "run", "--data", "valid.csv", "--fail-below", "accuracy=1").code == 8
    assert run_cli("evaluate", "run", "--data", "valid.csv", "--fail-below", "accuracy=0").code == 0
    assert run_cli("evaluate", "run", "--data", "valid.csv", "--split", "test").code == 2


@pytest.mark.parametrize("threshold", [0, 0.48, 1])
def test_threshold_applies_to_the_file(run, run_cli, threshold):
    """In the confusion matrix and in the metrics."""
    run("two classes")
    words = ("predict", "run", "valid.csv", "--probabilities")
    predicted = list(csv.DictReader(io.StringIO(run_cli(*words).out)))
    expected = ["yes" if float(row["probability_yes"]) > threshold else "no" for row in predicted]
    document = json.loads(run_cli("evaluate", "run", "--data", "valid.csv", "--threshold", threshold, "--json").out)
    part = document["splits"]["data"]
    counts = [[0, 0], [0, 0]]
    for row, prediction in zip(rows(1), expected, strict=True):
        counts[row["active"] == "yes"][prediction == "yes"] += 1
    assert part["confusion"] == counts
    assert part["metrics"]["accuracy"] == pytest.approx((counts[0][0] + counts[1][1]) / 60)


def test_threshold_applies_without_a_metric_that_has_one(run, run_cli):
    """To the confusion matrix: with a threshold of 1 no row is predicted as class 1."""
    run("two classes")
    Path("data.csv").write_text(text(rows()), encoding="utf-8")
    assert run_cli("train", "config.yaml", "metrics=[auc]", "-q", "--name", "auc").code == 0
    document = json.loads(run_cli("evaluate", "auc", "--data", "valid.csv", "--threshold", 1, "--json").out)
    part = document["splits"]["data"]
    assert (part["threshold"], [row[1] for row in part["confusion"]]) == (1, [0, 0])


def test_baseline_of_a_file_is_that_of_the_training_rows(run, run_cli):
    """The most frequent class or the mean of the rows that were trained on, whatever the file has."""
    run("two classes")
    trained_on = [row["active"] for row in rows()]
    assert trained_on.count("yes") != trained_on.count("no")
    table = [{**row, "active": min(trained_on, key=trained_on.count)} for row in rows(1)]
    Path("valid.csv").write_text(text(table), encoding="utf-8")
    document = json.loads(run_cli("evaluate", "run", "--data", "valid.csv", "--json").out)
    baseline = document["splits"]["data"]["baseline"]
    assert (["no", "yes"][baseline["class"]], baseline["metrics"]["accuracy"]) == (
        max(trained_on, key=trained_on.count),
        0,
    )


def test_categories_that_no_training_row_has_are_noted(run, run_cli):
    """As by ``predict``."""
    run("classes")
    table = rows(1)
    table[0]["color"] = "violet"
    Path("valid.csv").write_text(text(table), encoding="utf-8")
    assert "'violet' (1 row, first in line 2)" in run_cli("evaluate", "run", "--data", "valid.csv").err
