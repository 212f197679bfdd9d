"""Data that is kept open: it is opened again whenever anything that it depends on changes."""

from pathlib import Path

import pytest

from nncli.experiment import opened_data
from nncli.experiment.loading import load, load_content
from nncli.experiment.opened_data import OpenedData
from nncli.runner.train import train
from tests.sweep.groups import contents

TABLE = "a,b,kind\n" + "".join(f"{i % 7},{i % 5 - 2},{'pq'[(i % 7 > 3) ^ (i % 5 > 1)]}\n" for i in range(60))
ROWS = ("data={type: table, path: t.csv, target: kind}", "validation={fraction: 0.3}", "layers[2].units=2")


@pytest.fixture
def opened(workdir, monkeypatch):
    """The configs whose data was opened, in a directory with a table."""
    (workdir / "t.csv").write_text(TABLE, encoding="utf-8")
    found, original = [], opened_data.try_to_open
    monkeypatch.setattr(opened_data, "try_to_open", lambda config: found.append(config) or original(config))
    return found


def loaded(data, *overrides):
    """The config of the directory, with its data from ``data``."""
    path = Path("config.yaml").absolute()
    return load_content(str(path), path.read_bytes(), overrides, data.open)


@pytest.mark.parametrize(
    "override",
    ["optimizer=sgd", "training.epochs=3", "layers[0].units=9", "seeds.weights=3", "seeds.dropout=3", "metrics=[]"],
)
def test_equal_data_is_opened_once(opened, override):
    """Whatever else of the config changes."""
    data = OpenedData()
    first, second = loaded(data, *ROWS), loaded(data, *ROWS, override)
    assert len(opened) == 1
    assert second.plan is first.plan


@pytest.mark.parametrize(
    "override",
    [
        "seed=3",
        "seeds.data=3",
        "seeds.split=3",
        "validation.fraction=0.2",
        "rng=nnfs",
        "dtype=float64",
        "test={fraction: 0.2}",
        "split_method=consecutive",
        "data.columns={a: category}",
    ],
)
def test_other_data_is_opened_again(opened, override):
    """Whatever it depends on."""
    data = OpenedData()
    loaded(data, *ROWS)
    loaded(data, *ROWS, override)
    assert len(opened) == 2


def test_with_one_generator_the_weights_count(opened):
    """Since the data may be drawn from the same one."""
    data = OpenedData()
    for seed in (1, 2):
        loaded(data, *ROWS, "rng=nnfs", f"seeds={{weights: {seed}, order: {seed}, dropout: {seed}}}")
    assert len(opened) == 2


def test_runs_on_opened_data_equal_others(opened, workdir):
    """Byte for byte, in any order."""
    data, seeds = OpenedData(), [("seeds.weights=1",), ("seeds.weights=2",), ("seed=5",), ("seeds.weights=1",)]
    for number, overrides in enumerate(seeds):
        train(loaded(data, *ROWS, *overrides), f"000{number}", runs=workdir / "kept")
        train(load(workdir / "config.yaml", (*ROWS, *overrides)), f"000{number}", runs=workdir / "others")
    assert len(opened) == 3
    assert contents(workdir / "kept") == contents(workdir / "others")
