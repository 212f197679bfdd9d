"""``nncli evaluate``: metrics of a run's network, bit-identical to the recorded ones, and gates."""

import csv
import io
import json

import numpy as np
import pytest
from nnfs.datasets import spiral_data

from nncli.cli.render.format import figure
from nncli.data.sources.nnfs import Spiral
from tests.examples import BINARY, LATE_TEST, NORMALIZED, SINE, WARM_COSINE, put_record

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
    """Train the small config, with some values changed, as runs/config."""

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


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_metrics_equal_the_recorded_ones(trained, run_cli, change):
    """Every metric is bit-identical to evaluation.json and to the row of metrics.csv."""
    path = trained(*change)
    assessment = json.loads(run_cli("evaluate", path, "--json").out)
    recorded, row = evaluation(path)["splits"], kept_row(path)
    assert {name: part["metrics"] for name, part in assessment["splits"].items()} == recorded
    for split in {"training", "validation"} & set(recorded):
        prefix = "" if split == "training" else f"{split}_"
        assert {name: repr(value) for name, value in recorded[split].items()} == {
            name: row[f"{prefix}{name}"] for name in recorded[split]
        }


def test_loss_is_the_sum_of_data_loss_and_penalties(trained):
    """The training loss is the sum of two columns, one of them the penalties λ Σ w², computed here by hand."""
    path = trained("regularization.l2=0.25", "layers[2].l2=0.5", "dtype=float64")
    metrics = evaluation(path)["splits"]["training"]
    with np.load(path / "weights.npz") as arrays:
        penalty = sum(rate * (arrays[f"layers.{index}.weights"] ** 2).sum() for index, rate in ((0, 0.25), (2, 0.5)))
    assert metrics["regularization_loss"] == pytest.approx(penalty, rel=1e-12)
    assert metrics["loss"] == metrics["data_loss"] + metrics["regularization_loss"]


def test_text_has_four_digits_or_all(trained, run_cli):
    """With --exact the table has the same digits as the JSON document."""
    path = trained()
    short = run_cli("evaluate", "config").out
    result = run_cli("evaluate", "config", "--exact")
    assert result.code == 0
    assert result.out.startswith("runs/config  (finished, weights of epoch 30)\n")
    for metrics in evaluation(path)["splits"].values():
        assert all(repr(value) in result.out for value in metrics.values())
        assert all(figure(value) in short for value in metrics.values())


def test_run_is_found_by_path_and_by_name(trained, run_cli):
    """``config`` is runs/config, unless there is a run of that name in the working directory."""
    path = trained()
    outs = [json.loads(run_cli("evaluate", name, "--json").out)["run"] for name in ("config", "runs/config", path)]
    assert outs == ["runs/config", "runs/config", str(path)]


@pytest.mark.parametrize("splits", [["training"], ["validation"], ["validation", "training"]])
def test_split_option_selects_splits(assessed, splits):
    """The named splits, in the order in which they are named."""
    assessment = assessed(*(f"--split={name}" for name in splits))
    assert list(assessment["splits"]) == splits


def test_unknown_split_is_rejected(trained, run_cli):
    """Exit code 2, with the splits of the run."""
    trained()
    result = run_cli("evaluate", "config", "--split", "test")
    assert (result.code, result.out) == (2, "")
    assert result.err == "runs/config: has no split 'test'; it has training, validation\n"


def test_confusion_matrix_agrees_with_the_scores(assessed):
    """Each row is counted in the row of its class; accuracy, precision, recall and F1 follow from the matrix."""
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
            assert scores["name"] == str(label)
        low, high = part["accuracy_interval"]
        assert low < part["metrics"]["accuracy"] < high
        assert part["averages"]["weighted"]["recall"] == pytest.approx(part["metrics"]["accuracy"])
        assert part["averages"]["macro"]["recall"] == pytest.approx(part["metrics"]["accuracy"])


@pytest.mark.parametrize("form", ["--json", "--split=training"])
@pytest.mark.parametrize(
    ("gates", "failing"),
    [
        (["--fail-below=accuracy=0"], []),
        (["--fail-above=accuracy=1"], []),
        (["--fail-below=training_accuracy=1.01"], ["training accuracy"]),
        (["--fail-above=loss=0"], ["training loss"]),
        (["--fail-above=loss=1e9", "--fail-below=loss=0.0"], []),
        (["--fail-below=accuracy=2", "--fail-above=loss=0"], ["training accuracy", "training loss"]),
        (["--fail-below=test_accuracy=0"], ["test_accuracy: not evaluated, so the gate fails; evaluated: "]),
    ],
)
def test_failed_gate_is_exit_code_8(trained, run_cli, gates, failing, form):
    """Results are printed in any case; each failed gate has a sentence on standard error."""
    trained("validation=null")
    result = run_cli("evaluate", "config", form, *gates)
    assert result.code == (8 if failing else 0)
    lines = result.err.splitlines()
    assert len(lines) == len(failing)
    assert all(line.startswith(start) for line, start in zip(lines, failing, strict=True))
    assert result.out
    assert form != "--json" or json.loads(result.out)


def test_gate_without_split_applies_to_every_evaluated_split(trained, run_cli):
    """Each split that fails is reported; with --split only that one is checked."""
    trained()
    both = run_cli("evaluate", "config", "--fail-below", "accuracy=2")
    one = run_cli("evaluate", "config", "--fail-below", "accuracy=2", "--split", "validation")
    assert [line.split()[0] for line in both.err.splitlines()] == ["training", "validation"]
    assert [line.split()[0] for line in one.err.splitlines()] == ["validation"]


@pytest.mark.parametrize("option", ["--fail-below", "--fail-above"])
def test_gate_passes_at_its_bound(trained, run_cli, option):
    """A value that equals the bound passes."""
    accuracy = evaluation(trained())["splits"]["validation"]["accuracy"]
    assert run_cli("evaluate", "config", option, f"validation_accuracy={accuracy!r}").code == 0


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ("acuracy=0.9", "unknown metric 'acuracy'; did you mean 'accuracy'?"),
        ("xyzzy=1", "recall, regression_accuracy, regularization_loss, root_mean_squared_error\n"),
        ("validation_data_loss=1", "unknown metric 'validation_data_loss'"),
        ("accuracy", "'' is not a number"),
        ("accuracy=", "'' is not a number"),
        ("accuracy=high", "'high' is not a number"),
        ("accuracy=nan", "'nan' is not a number"),
        ("loss=inf", "'inf' is not a number"),
        ("=1", "'=1' is no bound; write accuracy=1"),
        ("0.9", "'0.9' is no bound; write accuracy=0.9"),
        ("accuracy >= 0.9", "'accuracy >= 0.9' is no bound; write accuracy=0.9"),
        ("loss: 1e-3", "'loss: 1e-3' is no bound; write loss=1e-3"),
        ("acuracy: 1", "unknown metric 'acuracy: 1'; did you mean 'accuracy'?"),
    ],
)
@pytest.mark.parametrize("option", ["--fail-below", "--fail-above"])
def test_invalid_gate_is_rejected(trained, run_cli, option, gate, message):
    """A mistake in a gate is exit code 2, never a gate that always passes."""
    trained()
    result = run_cli("evaluate", "config", option, gate)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_changed_data_is_rejected(trained, run_cli, monkeypatch):
    """A network is not evaluated on other rows than those of its run."""
    trained()
    monkeypatch.setattr(Spiral, "points", lambda source: spiral_data(source.samples + 1, 3))
    result = run_cli("evaluate", "config")
    assert (result.code, result.out) == (4, "")
    assert "the training data differs from what the run was trained on" in result.err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "missing",
            "run not found: missing (looked in ./ and runs/); runs/ has: config; "
            "for other directories pass --runs-dir DIR\n",
        ),
        ("confg", "run not found: confg (looked in ./ and runs/); did you mean 'config'? runs/ has: config\n"),
        ("runs/missing", "run not found: runs/missing; runs/ has: config\n"),
        ("config.yaml", "config.yaml is a config, not a run; runs with its name: config\n"),
    ],
)
def test_missing_run_is_rejected(trained, run_cli, name, message):
    """Exit code 4, with the runs that may have been meant."""
    trained()
    result = run_cli("evaluate", name)
    assert (result.code, result.out, result.err) == (4, "", message)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("directory", "code"),
    [
        ("[red]", 0),
        ("[/x]", 0),
        ("with blank", 0),
        ("a" * 300, 4),
    ],
)
def test_unusual_directory_names_are_accepted(workdir, run_cli, directory, code):
    """Any directory name is printed unchanged, and one that is too long is a missing run."""
    if code == 0:
        assert run_cli("train", "config.yaml", "--quiet", "--runs-dir", directory).code == 0
    result = run_cli("evaluate", f"{directory}/config")
    assert result.code == code
    assert f"{directory}/config" in result.out + result.err


def test_regression_has_no_confusion_matrix(trained, run_cli):
    """Neither the text nor the JSON document has classes."""
    path = trained(*SINE)
    text, document = run_cli("evaluate", "config").out, json.loads(run_cli("evaluate", "config", "--json").out)
    assert "confusion matrix" not in text
    assert all(figure(value) in text for metrics in evaluation(path)["splits"].values() for value in metrics.values())
    assert [set(part) for part in document["splits"].values()] == [{"rows", "metrics", "baseline"}] * 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("gates", "code"),
    [
        (["--fail-below=r2=-1e9", "--fail-above=mean_absolute_error=1e9"], 0),
        (["--fail-below=validation_r2=1.01"], 8),
        (["--fail-above=root_mean_squared_error=0"], 8),
        (["--fail-below=accuracy=0"], 8),
        (["--fail-above=rmse=1"], 2),
    ],
)
def test_regression_has_gates_on_its_own_metrics(trained, run_cli, gates, code):
    """A gate on a metric of another task fails."""
    trained(*SINE)
    assert run_cli("evaluate", "config", *gates).code == code


@pytest.mark.slow
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_threshold_changes_recall_and_confusion_matrix(trained, run_cli, form):
    """A high threshold lowers recall, a low one raises it; AUC and loss stay."""
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


def test_threshold_applies_to_gates(trained, run_cli):
    """Gates check the metrics that are printed."""
    trained(*BINARY)
    gate = ("--fail-below", "recall=1")
    assert run_cli("evaluate", "config", *gate, "--threshold", "0").code == 0
    assert run_cli("evaluate", "config", *gate, "--threshold", "1").code == 8


@pytest.mark.parametrize("threshold", ["nan", "inf", "-inf", "-0.1", "1.1", "half", ""])
def test_threshold_outside_0_to_1_is_rejected(trained, run_cli, threshold):
    """Exit code 2, and nothing is evaluated."""
    trained(*BINARY)
    result = run_cli("evaluate", "config", f"--threshold={threshold}")
    assert (result.code, result.out) == (2, "")
    assert "threshold" in result.err


@pytest.mark.parametrize("changes", [(), SINE, (*BINARY, "layers[2].units=2", "metrics=[accuracy]")])
def test_threshold_needs_a_binary_classifier(trained, run_cli, changes):
    """Exit code 2 for every run without a single output for two classes."""
    trained(*changes)
    result = run_cli("evaluate", "config", "--threshold", "0.5")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("runs/config: a threshold applies to binary models with one output")


def test_sigmoid_outputs_of_three_classes_predict_the_largest(trained, run_cli):
    """Binary cross-entropy with three sigmoid outputs is evaluated by accuracy, with a 3 × 3 confusion matrix."""
    path = trained("loss=binary_crossentropy", "layers[3]=sigmoid", "training.epochs=200")
    part = json.loads(run_cli("evaluate", "config", "--json").out)["splits"]["training"]
    first = json.loads((path / "run.json").read_text(encoding="utf-8"))["spec"]["metrics"]
    assert [metric["type"] for metric in first] == ["accuracy"]
    assert part["metrics"]["accuracy"] == sum(part["confusion"][label][label] for label in range(3)) / 60
    assert part["metrics"]["accuracy"] > 0.4


def test_test_set_sampled_after_training_is_missing_before(trained, run_cli):
    """A finished run has it; an unfinished one reports when it will be sampled, exit code 2."""
    path = trained(*LATE_TEST)
    assert run_cli("evaluate", "config", "--split", "test").code == 0
    (path / "evaluation.json").unlink()
    result = run_cli("evaluate", "config", "--split", "test")
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "runs/config: has no split 'test'; it is sampled after training; it has training, validation\n"
    )


def test_finished_run_needs_no_checkpoint(trained, run_cli):
    """weights.npz is enough to evaluate a run."""
    path = trained()
    for file in (path / "checkpoints").iterdir():
        file.unlink()
    assert run_cli("evaluate", "config").code == 0


@pytest.mark.slow
def test_wide_confusion_matrix_is_replaced_by_a_note(trained, run_cli, terminal_width):
    """If the matrix does not fit, the scores are printed alone, and a note says so; in a pipe it is printed."""
    trained("data.classes=30", "validation.classes=30", "layers=[{type: dense, units: 30}, softmax]")
    assert run_cli("evaluate", "config").out.count(" 29   precision") == 2
    terminal_width(80)
    out = run_cli("evaluate", "config").out
    assert out.count(": the confusion matrix does not fit: widen the terminal, or use --json\n") == 2
    assert [line.split()[0] for line in out.splitlines()[-33:-3]] == [str(number) for number in range(30)]
    assert len(json.loads(run_cli("evaluate", "config", "--json").out)["splits"]["training"]["confusion"]) == 30


def test_confusion_matrix_stands_beside_or_above_the_scores(trained, run_cli, terminal_width):
    """A matrix that does not fit beside the scores is a table of its own."""
    trained("data.classes=10", "validation=null", "layers=[{type: dense, units: 10}, softmax]")
    for width, headings in ((120, 1), (75, 1), (45, 2)):
        terminal_width(width)
        lines = run_cli("evaluate", "config").out.splitlines()
        assert "training, 200 rows: confusion matrix (rows: actual, columns: predicted)" in lines
        assert max(len(line) for line in lines if not line.startswith(("training, ", "baseline: "))) <= width
        assert sum(line.startswith("class ") for line in lines) == headings


def test_warnings_of_the_training_are_repeated(trained, run_cli):
    """Those of evaluation.json, below the tables; gates and the exit code do not depend on them."""
    trained("optimizer.learning_rate=1e-9")
    messages = [each["message"] for each in json.loads(run_cli("evaluate", "config", "--json").out)["warnings"]]
    result = run_cli("evaluate", "config", "--fail-above", "accuracy=1")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines()[-1:] == [f"warning: {message}" for message in messages]


def test_warning_of_unknown_kind_is_one_sanitized_line(trained, run_cli):
    """A later version may have other kinds; a message cannot control the terminal or add lines."""
    path = trained() / "evaluation.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    put_record(path, {**record, "warnings": [{"kind": "new", "message": "a\nb\x1b[2J", "unknown": 1}]})
    assert run_cli("evaluate", "config").out.splitlines()[-1] == "warning: a�b�[2J"
    assert "config: warning: a�b�[2J\n" in run_cli("runs").out
    put_record(path, {**record, "warnings": [{"kind": "new"}]})
    assert "evaluation.json: damaged: warnings[0].message: field required" in run_cli("evaluate", "config").err


@pytest.mark.parametrize(("split", "meant"), [("val", "validation"), ("train", "training"), ("dev", "validation")])
def test_similar_split_is_suggested(trained, run_cli, split, meant):
    """With the splits that the run has."""
    trained()
    result = run_cli("evaluate", "config", "--split", split)
    fix = f"did you mean '{meant}'? it has training, validation"
    assert (result.code, result.err) == (2, f"runs/config: has no split '{split}'; {fix}\n")
