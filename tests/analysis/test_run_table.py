"""A list of runs as one table."""

from pathlib import Path

from nncli.analysis.run_list import RunListing
from nncli.analysis.run_table import run_table, varied_keys
from nncli.store.run_status import RunProgress, RunStatus


def runs(*configs, **fields):
    return [
        RunListing(Path(f"runs/g/{number:04}"), RunProgress(RunStatus.FINISHED), config=config, **fields)
        for number, config in enumerate(configs)
    ]


def test_table_has_metrics_and_differing_keys():
    """Equal keys are left out; a run that cannot be read has no values."""
    listed = [
        *runs({"seed": 0, "dtype": "float32"}, {"seed": 1, "dtype": "float32"}, metrics={"loss": 0.5}, tags=["a", "b"]),
        RunListing(Path("runs/x"), RunProgress(RunStatus.DAMAGED), problem="damaged: x"),
    ]
    assert run_table(Path("runs"), listed) == (
        ["run", "status", "epoch", "loss", "seed", "tags", "note", "problem"],
        [
            ["g/0000", "finished", None, 0.5, 0, "a b", None, None],
            ["g/0001", "finished", None, 0.5, 1, "a b", None, None],
            ["x", "damaged", None, None, None, "", None, "damaged: x"],
        ],
    )


def test_keys_with_the_same_values_are_one_column():
    """The seeds of weights, order and dropout are the column of their section."""
    configs = [{f"seeds.{name}": seed for name in ("weights", "order")} | {"training.rows": seed} for seed in (0, 1)]
    assert varied_keys(runs(*[{key: config[key] for key in config if "rows" not in key} for config in configs])) == {
        "seeds": [0, 1]
    }
    assert varied_keys(runs(*configs)) == {"weights": [0, 1]}


def test_keys_that_follow_from_a_type_are_left_out():
    """The momentum that only SGD has; a learning rate that varies is kept."""
    configs = [
        {"optimizer.type": "sgd", "optimizer.momentum": 0.9, "optimizer.learning_rate": 1.0},
        {"optimizer.type": "sgd", "optimizer.momentum": 0.9, "optimizer.learning_rate": 0.1},
        {"optimizer.type": "adam", "optimizer.learning_rate": 0.1},
    ]
    assert varied_keys(runs(*configs)) == {"type": ["sgd", "sgd", "adam"], "learning_rate": [1.0, 0.1, 0.1]}


def test_short_names_stay_different():
    """The section is kept where two keys end in the same word."""
    configs = [
        {"optimizer.type": kind, "loss.type": loss} for kind, loss in (("sgd", "a"), ("adam", "b"), ("sgd", "b"))
    ]
    assert list(varied_keys(runs(*configs))) == ["optimizer.type", "loss.type"]
