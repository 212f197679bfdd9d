"""Gates in words, and a threshold that is moved after training."""

import json

import pytest

from nncli.analysis.evaluation import assess
from nncli.analysis.gates import Gate, gate_failures, parse_gate
from nncli.errors import CommandLineError, RunError
from nncli.store.run_reader import Run
from tests.examples import BINARY, LATE_TEST, SINE


@pytest.fixture
def trained(workdir, run_cli):
    """Train the small spec, with some values changed, and read the run."""

    def run(*overrides):
        result = run_cli("train", "config.yaml", "--quiet", *overrides)
        assert result.code == 0, result.err
        return Run(workdir / result.out.strip())

    return run


@pytest.mark.parametrize(
    "name", ["r2", "validation_mean_absolute_error", "training_regularization_loss", "test_root_mean_squared_error"]
)
def test_a_gate_may_name_any_metric_of_any_task(name):
    """What is measured for numbers can be bounded like what is measured for classes."""
    assert parse_gate(f"{name}=-0.5", upper=True) == Gate(name, -0.5, upper=True)


def test_a_gate_on_what_is_not_measured_is_not_met(trained):
    """Accuracy means nothing where targets are numbers, so a bound on it never passes in silence."""
    assessment = assess(trained(*SINE))
    assert gate_failures(assessment, [parse_gate("r2=-1e9", upper=False)]) == []
    assert gate_failures(assessment, [parse_gate("mean_absolute_error=1e9", upper=True)]) == []
    assert gate_failures(assessment, [parse_gate("accuracy=0", upper=False)]) == [
        "accuracy: not evaluated, so the gate fails; evaluated: loss, data_loss, regularization_loss, r2, "
        "mean_absolute_error, root_mean_squared_error, regression_accuracy"
    ]
    value = assessment["splits"]["validation"]["metrics"]["mean_absolute_error"]
    assert gate_failures(assessment, [parse_gate("validation_mean_absolute_error=0", upper=True)]) == [
        f"validation mean_absolute_error is {value:.6g}, over 0"
    ]


def test_numbers_have_no_confusion(trained):
    """Where there are no classes there is no matrix and no score of each."""
    for part in assess(trained(*SINE))["splits"].values():
        assert set(part) == {"rows", "metrics"}


def test_one_output_has_a_matrix_of_two_classes(trained):
    """Its diagonal is the accuracy, and the second class has the precision and recall that are measured."""
    for part in assess(trained(*BINARY))["splits"].values():
        (right, false_alarm), (missed, hit) = part["confusion"]
        assert part["metrics"]["accuracy"] == (right + hit) / part["rows"]
        assert part["metrics"]["recall"] == hit / (hit + missed) == part["classes"][1]["recall"]
        assert part["metrics"]["precision"] == hit / (hit + false_alarm) == part["classes"][1]["precision"]


def test_the_spec_s_threshold_decides_the_matrix(trained):
    """What the metrics count as class 1 is what the matrix counts, without any option."""
    part = assess(trained(*BINARY, "metrics=[{type: accuracy, threshold: 0.875}]"))["splits"]["training"]
    matrix = part["confusion"]
    assert part["metrics"]["accuracy"] == (matrix[0][0] + matrix[1][1]) / part["rows"]
    assert matrix != assess(trained(*BINARY))["splits"]["training"]["confusion"]


@pytest.mark.parametrize("threshold", [0.0, 0.25, 0.75, 1.0])
def test_a_threshold_moves_decisions_and_nothing_else(trained, threshold):
    """Matrix, accuracy, precision, recall and F1 are those of the outputs above it; loss and AUC stay."""
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


def test_a_threshold_is_for_this_evaluation_only(trained):
    """The run's own spec is what it was."""
    run = trained(*BINARY)
    before = assess(run)
    assess(run, threshold=0.9)
    assert assess(run) == before


@pytest.mark.parametrize("threshold", [-0.001, 1.001, float("nan"), float("inf")])
def test_a_threshold_that_is_no_probability_is_refused(trained, threshold):
    """The message has the value."""
    with pytest.raises(CommandLineError, match=f"the threshold is {threshold}; a probability is between 0 and 1"):
        assess(trained(*BINARY), threshold=threshold)


@pytest.mark.parametrize("changes", [(), SINE, (*BINARY, "layers[2].units=2", "metrics=[accuracy]")])
def test_a_threshold_without_one_output_for_two_classes_is_refused(trained, changes):
    """Where the largest output decides, or none, there is nothing to exceed."""
    with pytest.raises(CommandLineError, match="a threshold applies to binary models with one output"):
        assess(trained(*changes), threshold=0.5)


def test_a_test_set_drawn_after_training_is_measured_again(trained):
    """The stream goes on where the last checkpoint has left it, and every metric is the recorded one."""
    run = trained(*LATE_TEST)
    recorded = json.loads((run.path / "evaluation.json").read_text(encoding="utf-8"))["splits"]
    assessed = assess(run)["splits"]
    assert list(assessed) == ["training", "validation", "test"]
    assert {name: part["metrics"] for name, part in assessed.items()} == recorded
    assert assess(run, ("test",))["splits"] == {"test": assessed["test"]}


def test_an_unfinished_run_has_no_test_set_yet(trained):
    """What is drawn after training cannot be measured before its end, and the message says so."""
    run = trained(*LATE_TEST)
    (run.path / "evaluation.json").unlink()
    assert list(assess(Run(run.path))["splits"]) == ["training", "validation"]
    with pytest.raises(
        CommandLineError, match="no split 'test'; it is sampled after training; it has training, validation"
    ):
        assess(Run(run.path), ("test",))


def test_the_matrix_has_a_threshold_of_its_own(trained):
    """It is that of the accuracy, else of the first metric with one, else a half; and it is told."""
    f1, accuracy = "{type: f1, threshold: 0.9}", "{type: accuracy, threshold: 0.3}"
    for metrics, threshold in {"[auc]": 0.5, f"[{f1}, auc]": 0.9, f"[{f1}, {accuracy}]": 0.3}.items():
        assessment = assess(trained(*BINARY, f"metrics={metrics}"))
        assert {part["threshold"] for part in assessment["splits"].values()} == {threshold}
    assert all("threshold" not in part for part in assess(trained())["splits"].values())


def test_a_finished_run_without_checkpoints_is_measured_but_for_its_late_test_set(trained):
    """What was drawn before training needs no checkpoint; the test set says that it cannot be drawn again."""
    run = trained(*LATE_TEST)
    for file in (run.path / "checkpoints").iterdir():
        file.unlink()
    assert list(assess(run, ("training",))["splits"]) == ["training"]
    with pytest.raises(RunError, match="cannot be sampled again without a checkpoint; evaluate the other splits"):
        assess(run)
