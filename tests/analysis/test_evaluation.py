"""Evaluation of runs: gates, confusion matrices, decision thresholds, and test sets sampled after training."""

import json

import pytest

from nncli.analysis.evaluation import assess
from nncli.analysis.gates import Gate, gate_failures, parse_gate
from nncli.errors import CommandLineError, RunError
from nncli.store.run_reader import Run
from tests.examples import BINARY, LATE_TEST, SINE


@pytest.fixture
def trained(workdir, run_cli):
    """Train the small config with some overrides, and read the run."""

    def run(*overrides):
        result = run_cli("train", "config.yaml", "--quiet", *overrides)
        assert result.code == 0, result.err
        return Run(workdir / result.out.strip())

    return run


@pytest.mark.parametrize(
    "name", ["r2", "validation_mean_absolute_error", "training_regularization_loss", "test_root_mean_squared_error"]
)
def test_gate_accepts_any_metric_of_any_task(name):
    """Regression metrics can be bounded like classification metrics."""
    assert parse_gate(f"{name}=-0.5", upper=True) == Gate(name, -0.5, upper=True)


def test_gate_on_a_metric_that_is_not_evaluated_fails(trained):
    """A bound on the accuracy of a regression never passes silently."""
    assessment = assess(trained(*SINE))
    assert gate_failures(assessment, [parse_gate("r2=-1e9", upper=False)]) == []
    assert gate_failures(assessment, [parse_gate("mean_absolute_error=1e9", upper=True)]) == []
    assert gate_failures(assessment, [parse_gate("accuracy=0", upper=False)]) == [
        "accuracy: not evaluated, so the gate fails; evaluated: loss, data_loss, regularization_loss, r2, "
        "mean_absolute_error, root_mean_squared_error, regression_accuracy"
    ]
    value = assessment["splits"]["validation"]["metrics"]["mean_absolute_error"]
    assert gate_failures(assessment, [parse_gate("validation_mean_absolute_error=0", upper=True)]) == [
        f"validation mean_absolute_error is {value:.6g}, above 0"
    ]


def test_regression_has_no_confusion_matrix(trained):
    """It has no scores per class either."""
    for part in assess(trained(*SINE))["splits"].values():
        assert set(part) == {"rows", "metrics", "baseline"}


def test_binary_model_has_a_confusion_matrix_of_two_classes(trained):
    """Its diagonal gives the accuracy, and its second class the precision and recall."""
    for part in assess(trained(*BINARY))["splits"].values():
        (right, false_alarm), (missed, hit) = part["confusion"]
        assert part["metrics"]["accuracy"] == (right + hit) / part["rows"]
        assert part["metrics"]["recall"] == hit / (hit + missed) == part["classes"][1]["recall"]
        assert part["metrics"]["precision"] == hit / (hit + false_alarm) == part["classes"][1]["precision"]


def test_confusion_matrix_uses_the_threshold_of_the_config(trained):
    """It counts as class 1 what the metrics count as class 1."""
    part = assess(trained(*BINARY, "metrics=[{type: accuracy, threshold: 0.875}]"))["splits"]["training"]
    matrix = part["confusion"]
    assert part["metrics"]["accuracy"] == (matrix[0][0] + matrix[1][1]) / part["rows"]
    assert matrix != assess(trained(*BINARY))["splits"]["training"]["confusion"]


@pytest.mark.slow
@pytest.mark.parametrize("threshold", [0.0, 0.25, 0.75, 1.0])
def test_threshold_changes_predicted_classes_only(trained, threshold):
    """Confusion matrix, accuracy, precision, recall and F1 follow the threshold; loss and AUC do not."""
    run = trained(*BINARY)
    before, after = assess(run), assess(run, threshold=threshold)
    for split, part in after["splits"].items():
        (right, false_alarm), (missed, hit) = part["confusion"]
        metrics, old = part["metrics"], before["splits"][split]["metrics"]
        assert (metrics["loss"], metrics["auc"]) == (old["loss"], old["auc"])
        assert metrics["accuracy"] == (right + hit) / part["rows"]
        assert metrics["precision"] == (hit / (hit + false_alarm) if hit + false_alarm else 0.0)
        assert metrics["recall"] == hit / (hit + missed)
        if threshold in (0.0, 1.0):
            assert (right, hit) == ((0, hit) if threshold == 0 else (right, 0))
        else:
            assert part["confusion"] != before["splits"][split]["confusion"]


def test_threshold_does_not_change_the_config(trained):
    """It applies to one evaluation."""
    run = trained(*BINARY)
    before = assess(run)
    assess(run, threshold=0.9)
    assert assess(run) == before


@pytest.mark.parametrize("threshold", [-0.001, 1.001, float("nan"), float("inf")])
def test_threshold_outside_0_to_1_is_rejected(trained, threshold):
    """The message has the value."""
    with pytest.raises(CommandLineError, match=f"the threshold is {threshold}; a probability is between 0 and 1"):
        assess(trained(*BINARY), threshold=threshold)


@pytest.mark.parametrize("changes", [(), SINE, (*BINARY, "layers[2].units=2", "metrics=[accuracy]")])
def test_threshold_is_rejected_unless_the_model_is_binary(trained, changes):
    """Other models have no decision threshold."""
    with pytest.raises(CommandLineError, match="a threshold applies to binary models with one output"):
        assess(trained(*changes), threshold=0.5)


def test_late_test_set_is_sampled_again(trained):
    """The RNG continues from the last checkpoint, and every metric is the recorded one."""
    run = trained(*LATE_TEST)
    recorded = json.loads((run.path / "evaluation.json").read_text(encoding="utf-8"))["splits"]
    assessed = assess(run)["splits"]
    assert list(assessed) == ["training", "validation", "test"]
    assert {name: part["metrics"] for name, part in assessed.items()} == recorded
    assert assess(run, ("test",))["splits"] == {"test": assessed["test"]}


def test_unfinished_run_has_no_late_test_set(trained):
    """The message says that it is sampled after training."""
    run = trained(*LATE_TEST)
    (run.path / "evaluation.json").unlink()
    assert list(assess(Run(run.path))["splits"]) == ["training", "validation"]
    with pytest.raises(
        CommandLineError, match="no split 'test'; it is sampled after training; it has training, validation"
    ):
        assess(Run(run.path), ("test",))


@pytest.mark.slow
def test_default_threshold_is_that_of_a_metric(trained):
    """It is that of the accuracy, else of the first metric with a threshold, else 0.5."""
    f1, accuracy = "{type: f1, threshold: 0.9}", "{type: accuracy, threshold: 0.3}"
    for metrics, threshold in {"[auc]": 0.5, f"[{f1}, auc]": 0.9, f"[{f1}, {accuracy}]": 0.3}.items():
        assessment = assess(trained(*BINARY, f"metrics={metrics}"))
        assert {part["threshold"] for part in assessment["splits"].values()} == {threshold}
    assert all("threshold" not in part for part in assess(trained())["splits"].values())


def test_late_test_set_needs_a_checkpoint(trained):
    """The other splits of a finished run are evaluated without one."""
    run = trained(*LATE_TEST)
    for file in (run.path / "checkpoints").iterdir():
        file.unlink()
    assert list(assess(run, ("training",))["splits"]) == ["training"]
    with pytest.raises(RunError, match="cannot be sampled again without a checkpoint; evaluate the other splits"):
        assess(run)
