"""Training with weights of rows and classes: what they change, and what they leave alone."""

import csv
import json

import numpy as np
import pytest

from tests.experiment.test_preparation import ROWS, held_out_rows, rows, text, trained

__all__ = ["trained"]

WEIGHTED = ", sample_weight: w, class_weights: balanced"
BY_COLUMN = {"validation": "{where: {part: valid}}", "test": "{where: {part: test}}"}


def weighted_rows(weights=None, seed=0):
    """Rows of unbalanced classes with a column of weights."""
    rng = np.random.default_rng(seed)
    weights = rng.choice([0, 0.5, 1, 3], ROWS) if weights is None else weights
    return [
        {**row, "w": f"{weight:g}", "kind": "aabaca"[rng.integers(6)]}
        for row, weight in zip(rows(seed), weights, strict=True)
    ]


def test_weights_follow_from_training_rows_alone(trained):
    """Other classes and weights in validation and test rows change no byte of the trained weights."""
    table, others = weighted_rows(), weighted_rows(seed=1)
    first = trained(table, "first", **BY_COLUMN, more=WEIGHTED)
    held_out = held_out_rows(first, table)
    assert 0 < len(held_out) < ROWS
    for index in held_out:
        table[index] = {**others[index], "part": table[index]["part"]}
    second = trained(table, "second", **BY_COLUMN, more=WEIGHTED)
    assert (first / "weights.npz").read_bytes() == (second / "weights.npz").read_bytes()
    index = next(each for each in range(ROWS) if each not in held_out)
    table[index]["w"] = "9"
    third = trained(table, "third", **BY_COLUMN, more=WEIGHTED)
    assert (first / "weights.npz").read_bytes() != (third / "weights.npz").read_bytes()


def test_losses_are_weighted_means(trained, run_cli):
    """Sample weights count in the loss of every split, class weights in that of training; the accuracy has none."""
    table = weighted_rows()
    path = trained(table, **BY_COLUMN, more=WEIGHTED)
    predicted = list(csv.DictReader(run_cli("predict", "run", "data.csv", "--probabilities").out.splitlines()))
    for row, each in zip(table, predicted, strict=True):
        row["loss"] = -np.log(float(each[f"probability_{row['kind']}"]))
        row["right"] = row["kind"] == each["prediction"]
    splits = {"training": "train", "validation": "valid", "test": "test"}
    evaluated = json.loads((path / "evaluation.json").read_bytes())["splits"]
    for split, part in splits.items():
        some = [row for row in table if row["part"] == part]
        kinds = [row["kind"] for row in some]
        by_class = {kind: 1 / kinds.count(kind) if split == "training" else 1 for kind in kinds}
        weights = np.array([float(row["w"]) * by_class[row["kind"]] for row in some])
        expected = float(np.sum(weights * [row["loss"] for row in some]) / np.sum(weights))
        assert evaluated[split]["loss"] == pytest.approx(expected, rel=1e-5)
        assert evaluated[split]["accuracy"] == pytest.approx(np.mean([row["right"] for row in some]))


def test_equal_weights_change_no_bit(trained):
    """Neither of the weights nor of the metrics."""
    table = weighted_rows(np.full(ROWS, 0.3))
    weighted = trained(table, "weighted", more=", sample_weight: w")
    ignored = trained(table, "ignored", more=", ignore: [w]")
    for name in ("weights.npz", "metrics.csv"):
        assert (weighted / name).read_bytes() == (ignored / name).read_bytes()


def test_resumed_training_has_the_same_bits(trained, run_cli):
    """The weights are measured again from the same rows."""
    path = trained(weighted_rows(), "whole", more=WEIGHTED)
    assert run_cli("train", "config.yaml", "training.epochs=2", "-q", "--name", "part").code == 0
    assert run_cli("train", "--resume", "part", "training.epochs=3", "-q").code == 0
    assert (path / "weights.npz").read_bytes() == (path.parent / "part" / "weights.npz").read_bytes()


def test_predictions_need_no_weights(trained, run_cli):
    """A file without the column has the same predictions, without a word."""
    table = weighted_rows()
    path = trained(table, more=WEIGHTED)
    with_weights = run_cli("predict", "run", "data.csv")
    (path.parents[1] / "new.csv").write_text(
        text([{key: value for key, value in row.items() if key != "w"} for row in table]), encoding="utf-8"
    )
    without = run_cli("predict", "run", "new.csv")
    assert (without.code, without.out) == (0, with_weights.out)
    assert "'w'" not in without.err


@pytest.mark.parametrize(
    "command",
    [["gradcheck"], ["explain"], ["show"], pytest.param(["profile", "--seconds", "1"], marks=pytest.mark.slow)],
    ids=lambda command: command[0],
)
def test_commands_take_weights(trained, run_cli, command):
    """The gradients of training steps are those of the weighted loss, and a worked example shows the weights."""
    trained(weighted_rows(), more=WEIGHTED)
    result = run_cli(command[0], "config.yaml", *command[1:])
    assert result.code == 0, result.err
    if command[0] == "explain":
        assert "each row times its weight" in result.out


def test_run_with_weights_is_verified(trained, run_cli):
    """The metrics are reproduced bit for bit; other weights are other data."""
    table = weighted_rows()
    path = trained(table, more=WEIGHTED)
    assert run_cli("verify", "run").code == 0
    table[0]["w"] = "7"
    (path.parents[1] / "data.csv").write_text(text(table), encoding="utf-8")
    assert "differs from what the run was trained on" in run_cli("evaluate", "run").err


def test_split_without_weight_is_rejected(trained, run_cli):
    """A split whose rows all have the weight 0 has no loss."""
    table = weighted_rows(np.ones(ROWS))
    path = trained(table, **BY_COLUMN, more=WEIGHTED)
    for row in table:
        row["w"] = "0" if row["part"] == "valid" else "1"
    (path.parents[1] / "data.csv").write_text(text(table), encoding="utf-8")
    result = run_cli("train", "config.yaml", "-q")
    assert (result.code, "all rows of the validation set have the weight 0" in result.err) == (3, True)


def test_class_weights_make_training_losses_incomparable(trained, run_cli):
    """Of runs on the same data; their validation losses are compared."""
    for name, more in (("equal", ""), ("balanced", ", class_weights: balanced")):
        trained(weighted_rows(), name, more=more)
    compared = run_cli("compare", "equal", "balanced", "--json")
    assert compared.code == 0, compared.err
    best = json.loads(compared.out)["best"]
    assert ("data_loss" in best, "validation_loss" in best) == (False, True)
