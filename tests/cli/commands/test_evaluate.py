"""``nncli evaluate``: what a run's network is worth, to the last bit, and gates."""

import csv
import io
import json

import numpy as np
import pytest
from nnfs.datasets import spiral_data

from nncli.data.sources.nnfs import Spiral
from tests.examples import BINARY, LATE_TEST, NORMALIZED, SINE, WARM_COSINE

LAYERS = "layers=[{type: dense, units: 8}, relu, {type: dropout, rate: 0.3}, {type: dense, units: 3}, softmax]"
CHANGES = [
    [],
    [LAYERS],
    ["training.batch_size=16"],
    [LAYERS, "training.batch_size=7", "regularization.l2=0.01"],
    ["dtype=float64", "regularization={l1: 0.01, bias_l2: 0.5}"],
    ["rng=nnfs", LAYERS],
    ["validation={fraction: 0.25}", "test={fraction: 0.25}"],
    ["validation.samples=2000"],
    ["training.early_stopping={metric: loss, min_delta: 0.05, patience: 10}"],
    [*SINE],
    [*SINE, "loss=mean_absolute_error", "dtype=float64"],
    [*SINE, "validation={fraction: 0.25}", "test={fraction: 0.25}", "training.batch_size=7"],
    [*BINARY],
    [*BINARY, "metrics=[{type: precision, threshold: 0.25}, auc]"],
    [*BINARY, "layers[2].units=2", "metrics=[accuracy]"],
    [*NORMALIZED],
    [*NORMALIZED, "training.early_stopping={metric: loss, min_delta: 0.05, patience: 10}"],
    [*NORMALIZED, "rng=nnfs", "dtype=float64"],
    [*LATE_TEST],
    [*LATE_TEST, "training.batch_size=16"],
    [*LATE_TEST, "training.early_stopping={metric: loss, min_delta: 100, patience: 10}"],
    [WARM_COSINE, "clipping={type: norm, limit: 0.1}"],
    ["metrics=[]"],
]


@pytest.fixture
def trained(workdir, run_cli):
    """Train the small spec, with some values changed, as runs/config."""

    def run(*overrides):
        result = run_cli("train", "config.yaml", "--quiet", *overrides)
        assert result.code == 0, result.err
        return workdir / "runs" / "config"

    return run


@pytest.fixture
def assessed(trained, run_cli):
    """Train, and evaluate as JSON."""

    def assess(*arguments, overrides=()):
        trained(*overrides)
        result = run_cli("evaluate", "config", "--json", *arguments)
        assert (result.code, result.err) == (0, "")
        return json.loads(result.out)

    return assess


def evaluation(path):
    return json.loads((path / "evaluation.json").read_text(encoding="utf-8"))


def kept_row(path):
    """The row of metrics.csv of the epoch whose weights were kept."""
    rows = csv.DictReader(io.StringIO((path / "metrics.csv").read_text(encoding="utf-8")))
    return next(row for row in rows if int(row["epoch"]) == evaluation(path)["epoch"])


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_printed_is_what_was_recorded(trained, run_cli, change):
    """Every metric agrees with evaluation.json and with the row of metrics.csv to the last bit."""
    path = trained(*change)
    assessment = json.loads(run_cli("evaluate", path, "--json").out)
    recorded, row = evaluation(path)["splits"], kept_row(path)
    assert {name: part["metrics"] for name, part in assessment["splits"].items()} == recorded
    for split in {"training", "validation"} & set(recorded):
        prefix = "" if split == "training" else f"{split}_"
        assert {name: repr(value) for name, value in recorded[split].items()} == {
            name: row[f"{prefix}{name}"] for name in recorded[split]
        }


def test_the_loss_is_that_of_the_data_and_of_the_weights(trained):
    """The training set's loss is the sum of two columns, one of them the penalties: λ Σ w², here by hand."""
    path = trained("regularization.l2=0.25", "layers[2].l2=0.5", "dtype=float64")
    metrics = evaluation(path)["splits"]["training"]
    with np.load(path / "weights.npz") as arrays:
        penalty = sum(rate * (arrays[f"layers.{index}.weights"] ** 2).sum() for index, rate in ((0, 0.25), (2, 0.5)))
    assert metrics["regularization_loss"] == pytest.approx(penalty, rel=1e-12)
    assert metrics["loss"] == metrics["data_loss"] + metrics["regularization_loss"]


def test_the_text_shows_every_number_in_full(trained, run_cli):
    """What a person reads is what a program reads."""
    path = trained()
    result = run_cli("evaluate", "config")
    assert result.code == 0
    assert result.out.startswith("runs/config  (finished, weights of epoch 30)\n")
    for metrics in evaluation(path)["splits"].values():
        assert all(repr(value) in result.out for value in metrics.values())


def test_a_run_is_found_by_path_and_by_name(trained, run_cli):
    """``config`` is runs/config, unless there is something of that name here."""
    path = trained()
    outs = [json.loads(run_cli("evaluate", name, "--json").out)["run"] for name in ("config", "runs/config", path)]
    assert outs == ["runs/config", "runs/config", str(path)]


@pytest.mark.parametrize("splits", [["training"], ["validation"], ["validation", "training"]])
def test_split_shows_only_what_is_named(assessed, splits):
    """The named splits, in the order in which they were named."""
    assessment = assessed(*(f"--split={name}" for name in splits))
    assert list(assessment["splits"]) == splits


def test_a_split_that_the_run_has_not_is_refused(trained, run_cli):
    """Exit code 2, with those that there are."""
    trained()
    result = run_cli("evaluate", "config", "--split", "test")
    assert (result.code, result.out) == (2, "")
    assert result.err == "runs/config: has no split 'test'; it has training, validation\n"


def test_the_confusion_matrix_adds_up(assessed):
    """All rows are in it, each in the row of its class; the diagonal is the accuracy; the scores follow from it."""
    assessment = assessed(overrides=["validation.samples=7"])
    assert [part["rows"] for part in assessment["splits"].values()] == [60, 21]
    for part, samples in zip(assessment["splits"].values(), (20, 7), strict=True):
        matrix = part["confusion"]
        right = [matrix[label][label] for label in range(3)]
        assert [sum(row) for row in matrix] == [samples] * 3 == [scores["rows"] for scores in part["classes"]]
        assert sum(right) / part["rows"] == part["metrics"]["accuracy"]
        for label, scores in enumerate(part["classes"]):
            predicted = sum(row[label] for row in matrix)
            assert scores["recall"] == right[label] / samples
            assert scores["precision"] == (right[label] / predicted if predicted else None)
            assert scores["f1"] == 2 * right[label] / (predicted + samples)


@pytest.mark.parametrize("form", ["--json", "--split=training"])
@pytest.mark.parametrize(
    ("gates", "failing"),
    [
        (["--fail-under=accuracy=0"], []),
        (["--fail-over=accuracy=1"], []),
        (["--fail-under=training_accuracy=1.01"], ["training accuracy"]),
        (["--fail-over=loss=0"], ["training loss"]),
        (["--fail-over=loss=1e9", "--fail-under=loss=0.0"], []),
        (["--fail-under=accuracy=2", "--fail-over=loss=0"], ["training accuracy", "training loss"]),
        (["--fail-under=test_accuracy=0"], ["test_accuracy: not evaluated, so the gate fails; evaluated: "]),
    ],
)
def test_gates_end_with_exit_code_8(trained, run_cli, gates, failing, form):
    """Results are printed whatever the gates say; each that is not met has a sentence on standard error."""
    trained("validation=null")
    result = run_cli("evaluate", "config", form, *gates)
    assert result.code == (8 if failing else 0)
    lines = result.err.splitlines()
    assert len(lines) == len(failing)
    assert all(line.startswith(start) for line, start in zip(lines, failing, strict=True))
    assert result.out
    assert form != "--json" or json.loads(result.out)


def test_a_gate_without_a_split_is_for_every_split_shown(trained, run_cli):
    """Each split that misses it is told; with --split only that one is asked."""
    trained()
    both = run_cli("evaluate", "config", "--fail-under", "accuracy=2")
    one = run_cli("evaluate", "config", "--fail-under", "accuracy=2", "--split", "validation")
    assert [line.split()[0] for line in both.err.splitlines()] == ["training", "validation"]
    assert [line.split()[0] for line in one.err.splitlines()] == ["validation"]


@pytest.mark.parametrize("option", ["--fail-under", "--fail-over"])
def test_a_value_at_the_bound_is_within_it(trained, run_cli, option):
    """A gate is met by exactly the value that it names."""
    accuracy = evaluation(trained())["splits"]["validation"]["accuracy"]
    assert run_cli("evaluate", "config", option, f"validation_accuracy={accuracy!r}").code == 0


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ("acuracy=0.9", "unknown metric 'acuracy'; did you mean 'accuracy'?"),
        ("validation_data_loss=1", "unknown metric 'validation_data_loss'"),
        ("accuracy", "'' is not a number"),
        ("accuracy=", "'' is not a number"),
        ("accuracy=high", "'high' is not a number"),
        ("accuracy=nan", "'nan' is not a number"),
        ("loss=inf", "'inf' is not a number"),
        ("=1", "unknown metric ''"),
    ],
)
@pytest.mark.parametrize("option", ["--fail-under", "--fail-over"])
def test_a_gate_that_cannot_be_read_is_refused(trained, run_cli, option, gate, message):
    """A mistake in a gate is exit code 2, never a gate that is always met."""
    trained()
    result = run_cli("evaluate", "config", option, gate)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_other_data_than_the_runs_is_refused(trained, run_cli, monkeypatch):
    """A network is not measured on rows that only look like those it was trained with."""
    trained()
    monkeypatch.setattr(Spiral, "points", lambda source: spiral_data(source.samples + 1, 3))
    result = run_cli("evaluate", "config")
    assert (result.code, result.out) == (4, "")
    assert "the training data differs from what the run was trained on" in result.err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", "run not found: 'missing' (looked in ./ and runs/)"),
        ("config.yaml", "config.yaml: not a run directory: it is not a directory"),
        ("empty", "runs/empty: not a run directory: run.json is missing"),
        ("onne", "run not found: 'onne' (looked in ./ and runs/). Did you mean 'one'?"),
    ],
)
def test_run_that_does_not_exist_is_reported_with_a_suggestion(workdir, run_cli, name, message):
    """The exit code is 4, and the message says where the run was looked for."""
    for existing in ("one", "empty"):
        (workdir / "runs" / existing).mkdir(parents=True)
    result = run_cli("evaluate", name)
    assert (result.code, result.err) == (4, f"{message}\n")


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        ("[red]", 0),
        ("[/x]", 0),
        ("with blank", 0),
        ("a" * 300, 4),
    ],
)
def test_any_path_is_a_path(workdir, run_cli, folder, code):
    """Whatever a folder is called, its name is printed as it is, and one that cannot be is a missing run."""
    if code == 0:
        assert run_cli("train", "config.yaml", "--quiet", "--runs", folder).code == 0
    result = run_cli("evaluate", f"{folder}/config")
    assert result.code == code
    assert f"{folder}/config" in result.out + result.err


def test_a_regression_is_told_in_errors(trained, run_cli):
    """Its table has no matrix and no classes, as text and as JSON."""
    path = trained(*SINE)
    text, document = run_cli("evaluate", "config").out, json.loads(run_cli("evaluate", "config", "--json").out)
    assert "a row is a class" not in text
    assert all(repr(value) in text for metrics in evaluation(path)["splits"].values() for value in metrics.values())
    assert [set(part) for part in document["splits"].values()] == [{"rows", "metrics"}] * 2


@pytest.mark.parametrize(
    ("gates", "code"),
    [
        (["--fail-under=r2=-1e9", "--fail-over=mean_absolute_error=1e9"], 0),
        (["--fail-under=validation_r2=1.01"], 8),
        (["--fail-over=root_mean_squared_error=0"], 8),
        (["--fail-under=accuracy=0"], 8),
        (["--fail-over=rmse=1"], 2),
    ],
)
def test_a_regression_has_gates(trained, run_cli, gates, code):
    """On its own metrics; one on a metric that it has not is never met."""
    trained(*SINE)
    assert run_cli("evaluate", "config", *gates).code == code


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_threshold_moves_what_is_printed(trained, run_cli, form):
    """With a high one recall falls, with a low one it rises; the area under the curve and the loss stay."""
    trained(*BINARY)
    outs = [run_cli("evaluate", "config", "--split=training", f"--threshold={at}", *form) for at in (0.1, 0.5, 0.9)]
    assert [(out.code, out.err) for out in outs] == [(0, "")] * 3
    plain = run_cli("evaluate", "config", "--split=training", *form)
    assert plain.out == outs[1].out
    if form:
        parts = [json.loads(out.out)["splits"]["training"] for out in outs]
        recalls = [part["metrics"]["recall"] for part in parts]
        assert recalls[0] > recalls[1] > recalls[2]
        assert len({part["metrics"]["auc"] for part in parts}) == len({part["metrics"]["loss"] for part in parts}) == 1
        assert [part["confusion"][1][1] for part in parts] == [recall * 20 for recall in recalls]


def test_a_threshold_counts_for_gates(trained, run_cli):
    """What is bounded is what is shown."""
    trained(*BINARY)
    gate = ("--fail-under", "recall=1")
    assert run_cli("evaluate", "config", *gate, "--threshold", "0").code == 0
    assert run_cli("evaluate", "config", *gate, "--threshold", "1").code == 8


@pytest.mark.parametrize("threshold", ["nan", "inf", "-inf", "-0.1", "1.1", "half", ""])
def test_a_threshold_that_is_no_probability_is_refused(trained, run_cli, threshold):
    """Exit code 2, and nothing is measured."""
    trained(*BINARY)
    result = run_cli("evaluate", "config", f"--threshold={threshold}")
    assert (result.code, result.out) == (2, "")
    assert "threshold" in result.err


@pytest.mark.parametrize("changes", [(), SINE, (*BINARY, "layers[2].units=2", "metrics=[accuracy]")])
def test_a_threshold_where_there_is_nothing_to_exceed_is_refused(trained, run_cli, changes):
    """Exit code 2 for every run but one with a single output for two classes."""
    trained(*changes)
    result = run_cli("evaluate", "config", "--threshold", "0.5")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("runs/config: a threshold applies to binary models with one output")


def test_three_answers_of_yes_or_no_are_decided_by_the_largest(trained, run_cli):
    """Binary cross-entropy with an output for each of three classes is measured by accuracy, rows in a 3 × 3 matrix."""
    path = trained("loss=binary_crossentropy", "layers[3]=sigmoid", "training.epochs=200")
    part = json.loads(run_cli("evaluate", "config", "--json").out)["splits"]["training"]
    first = json.loads((path / "run.json").read_text(encoding="utf-8"))["spec"]["metrics"]
    assert [metric["type"] for metric in first] == ["accuracy"]
    assert part["metrics"]["accuracy"] == sum(part["confusion"][label][label] for label in range(3)) / 60
    assert part["metrics"]["accuracy"] > 0.4


def test_a_test_set_drawn_last_is_told_as_such(trained, run_cli):
    """A finished run has it; one that is not finished says when it will be drawn, exit code 2."""
    path = trained(*LATE_TEST)
    assert run_cli("evaluate", "config", "--split", "test").code == 0
    (path / "evaluation.json").unlink()
    result = run_cli("evaluate", "config", "--split", "test")
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "runs/config: has no split 'test'; it is sampled after training; it has training, validation\n"
    )


def test_a_finished_run_needs_no_checkpoint_where_nothing_is_drawn_last(trained, run_cli):
    """Final weights are enough to be measured."""
    path = trained()
    for file in (path / "checkpoints").iterdir():
        file.unlink()
    assert run_cli("evaluate", "config").code == 0


def test_many_classes_break_no_number(trained, run_cli, monkeypatch):
    """Where the matrix does not fit beside the scores, these stand alone, and it is said where the matrix is."""
    monkeypatch.setenv("COLUMNS", "80")
    trained("data.classes=30", "validation.classes=30", "layers=[{type: dense, units: 30}, softmax]")
    out = run_cli("evaluate", "config").out
    assert "what was taken for what is in --json" in out
    assert [line.split()[0] for line in out.splitlines()[-30:]] == [str(number) for number in range(30)]
    assert len(json.loads(run_cli("evaluate", "config", "--json").out)["splits"]["training"]["confusion"]) == 30
