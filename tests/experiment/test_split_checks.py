"""Seeds for single purposes, and folds: what they change of a run, and the messages about those that do not fit."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from nncli.errors import ConfigError
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.experiment.split_checks import check_folds
from nncli.experiment.summary import split_rows
from nncli.training.loop import Trainer

DROPOUT = "layers=[{type: dense, units: 8}, relu, {dropout: 0.2}, {type: dense, units: 3}, softmax]"
TRAINING_KEYS = ("weights", "order", "dropout")
SETS = {
    "sampled": ("test={type: spiral, samples: 20}",),
    "fractions": ("validation={fraction: 0.2}", "test={fraction: 0.2}"),
    "folds": ("validation={folds: 4, fold: 2}", "test={fraction: 0.2}"),
    "sampled and fraction": ("test={fraction: 0.2}",),
}


@pytest.fixture
def trained(workdir):
    """Train the small config with mini-batches and dropout: fingerprints of data, and initial and final weights."""

    def train(*overrides):
        loaded = load(workdir / "config.yaml", (DROPOUT, "training.batch_size=16", *overrides))
        trainer = Trainer(assemble(loaded.config, loaded.plan))
        initial = trainer.network.parameters.values.copy()
        for _ in trainer.epochs():
            pass
        data = {name: each.fingerprint() for name, each in trainer.experiment.data.items()}
        return data, initial, trainer.network.parameters.values.copy()

    return train


def seeds(keys, seed):
    """The overrides that give these purposes a seed."""
    return tuple(f"seeds.{key}={seed}" for key in keys)


@pytest.mark.parametrize("rng", ["derived", "nnfs"])
def test_seeds_that_equal_the_seed_change_nothing(trained, rng):
    """The bits of a config without the section are those of one whose seeds are all ``seed``."""
    plain = trained(f"rng={rng}", "seed=3")
    given = trained(f"rng={rng}", "seed=3", *seeds(("data", "split", *TRAINING_KEYS), 3))
    assert plain[0] == given[0]
    assert plain[1].tobytes() == given[1].tobytes()
    assert plain[2].tobytes() == given[2].tobytes()


@pytest.mark.parametrize("sets", SETS)
@pytest.mark.parametrize("rng", ["derived", "nnfs"])
def test_seeds_of_training_leave_the_data_unchanged(trained, rng, sets):
    """Training, validation and test rows are the same; weights are others. A test set that is known before is there."""
    first, second = (trained(f"rng={rng}", *SETS[sets], *seeds(TRAINING_KEYS, seed)) for seed in (1, 2))
    assert first[0] == second[0]
    assert set(first[0]) == {"training", "validation", "test"}
    assert not np.array_equal(first[1], second[1])


@pytest.mark.parametrize("sets", SETS)
@pytest.mark.parametrize("rng", ["derived", "nnfs"])
def test_seeds_of_data_change_the_data_alone(trained, rng, sets):
    """All sets are others, and initial weights are the same."""
    keys = ("data", "split")
    first, second = (trained(f"rng={rng}", *SETS[sets], *seeds(keys, seed)) for seed in (1, 2))
    assert all(first[0][name] != second[0][name] for name in ("training", "validation", "test"))
    assert first[1].tobytes() == second[1].tobytes()


@pytest.mark.parametrize("key", TRAINING_KEYS)
def test_each_seed_of_training_changes_the_result(trained, key):
    """Only the one of weights changes the initial weights."""
    (_, initial, final), (_, other_initial, other_final) = (trained(), trained(f"seeds.{key}=5"))
    assert np.array_equal(initial, other_initial) == (key != "weights")
    assert not np.array_equal(final, other_final)


def test_seed_of_the_split_changes_the_split_alone(trained):
    """All rows together are the same."""
    (first, *_), (second, *_) = (trained("validation={fraction: 0.2}", f"seeds.split={seed}") for seed in (1, 2))
    assert first["validation"] != second["validation"]
    sampled = [trained("validation=null", f"seeds.split={seed}")[0] for seed in (1, 2)]
    assert sampled[0] == sampled[1]


def test_data_set_keeps_its_own_seed(trained):
    """The seed of data is that of sets that have none."""
    (first, *_), (second, *_) = (trained("data.seed=7", f"seeds.data={seed}") for seed in (1, 2))
    assert first["training"] == second["training"]
    assert first["validation"] != second["validation"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ("rng=nnfs", "seeds.order=2"),
            "command line:2:13: seeds.order: with rng: nnfs, order has the generator of weights, but the seeds are 2"
            " and 0; write order: 0, or rng: derived",
        ),
        (
            ("rng=nnfs", "seeds.weights=2", "seeds.order=2"),
            "command line:2:15: seeds.weights: with rng: nnfs, dropout has the generator of weights, but the seeds are"
            " 0 and 2; write dropout: 2, or rng: derived",
        ),
        (
            ("rng=nnfs", "seed=4", "seeds={split: 2}"),
            "command line:3:15: seeds.split: with rng: nnfs, split has the generator of data, but the seeds are 2 and"
            " 4; write split: 4, or rng: derived",
        ),
        (("seeds.data=-1",), "command line:1:12: seeds.data: must be at least 0, got -1"),
        (
            ("seeds=10",),
            "command line:1:7: seeds: must be a mapping, got 10; write seed: 10 for all purposes, or"
            " seeds: {weights: 10} for one",
        ),
        (("seeds={shuffle: 1}",), "command line:1:8: seeds: unknown key 'shuffle'; did you mean 'order'?"),
        (
            ("validation={folds: 5, fold: 5}",),
            "command line:1:29: validation.fold: there is no fold 5; 5 folds are 0 to 4",
        ),
        (("validation={folds: 1}",), "command line:1:20: validation.folds: must be at least 2, got 1"),
        (
            ("validation={folds: 21}",),
            "command line:1:20: validation.folds: 21 folds need at least 21 rows of each class, but there are 20; use"
            " fewer folds or more samples",
        ),
        (
            ("validation={folds: 17}", "test={fraction: 0.2}"),
            "command line:1:20: validation.folds: 17 folds need at least 17 rows of each class, but there are 16; use"
            " fewer folds or more samples",
        ),
        (
            ("validation=null", "test={folds: 5}"),
            "command line:2:6: test: folds are for validation; write test: {fraction: 0.2}, which is taken out before",
        ),
        (
            ("validation={fraction: 0.2, last: date}",),
            "command line:1:34: validation.last: names a column, but only a table has columns with names; remove it",
        ),
        (
            ("validation={folds: 5, group: patient}",),
            "command line:1:30: validation.group: names a column, but only a table has columns with names; remove it",
        ),
        (
            ("validation={where: {part: a}}",),
            "command line:1:20: validation.where: names a column, but only a table has columns with names; remove it",
        ),
        (
            ("validation={n_splits: 5}",),
            "command line:1:12: validation: key 'type' is missing; write {folds: 5, fold: 0}",
        ),
        (("validation={fold: 2}",), "command line:1:12: validation: key 'type' is missing; write {folds: 5, fold: 2}"),
        (
            ("validation={folds: 5, fol: 2}",),
            "command line:1:23: validation: unknown key 'fol'; did you mean 'fold'?",
        ),
    ],
)
def test_what_does_not_fit_is_reported(workdir, overrides, message):
    """With its location, the value and the fix."""
    with pytest.raises(ConfigError) as found:
        load(workdir / "config.yaml", overrides)
    assert str(found.value).partition("\n")[0] == message


@pytest.mark.parametrize("rng", ["derived", "nnfs"])
def test_seeds_that_fit_are_accepted(workdir, rng):
    """With the book's generator, one for data and one for training."""
    load(workdir / "config.yaml", (f"rng={rng}", *seeds(("data", "split"), 1), *seeds(TRAINING_KEYS, 2)))


@pytest.mark.parametrize("sets", [*SETS, "validation={folds: 7}"])
def test_rows_of_folds_are_known_before(workdir, sets):
    """The number of rows that the summary shows is that of the sampled splits."""
    for fold in range(4):
        overrides = (*SETS.get(sets, (sets,)), *([f"validation.fold={fold}"] if "folds" in sets else []))
        loaded = load(workdir / "config.yaml", overrides)
        sampled = {name: len(each) for name, each in assemble(loaded.config, loaded.plan).data.items()}
        assert split_rows(loaded.config, loaded.plan) == sampled


TABLE = """\
data: {type: table, path: rows.csv, target: kind}
validation: {folds: 3}
layers: [{type: dense, units: 4}, relu, {type: dense, units: 2}, softmax]
loss: categorical_crossentropy
optimizer: adam
training: {epochs: 2}
"""


@pytest.fixture
def table_config(tmp_path):
    """The path of a config with a table of 12 rows of four patients."""
    rows = "".join(f"{index},p{index // 3},{'ab'[index % 2]}\n" for index in range(12))
    (tmp_path / "rows.csv").write_text(f"x,patient,kind\n{rows}")
    (tmp_path / "table.yaml").write_text(TABLE)
    return tmp_path / "table.yaml"


def test_group_of_folds_is_no_input(table_config):
    """As the column of any other split."""
    inputs = [
        load(table_config, overrides).plan.schema.features
        for overrides in (("validation={folds: 3, group: patient}",), ("validation={folds: 3}",))
    ]
    assert "patient" not in inputs[0]
    assert any(name.startswith("patient") for name in inputs[1])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("validation={folds: 7}", "validation: 7 folds need at least 7 rows of each class; 2 classes with fewer: "),
        ("validation={folds: 5, group: patient}", "validation: 5 folds need at least 5 groups, but column 'patient'"),
        ("validation.fold=3", "validation.fold: there is no fold 3; 3 folds are 0 to 2"),
        ("seed=x", "seed: must be an integer, got 'x'"),
        ("seeds={order: x}", "seeds.order: must be an integer, got 'x'"),
        ("rng=x", "rng: must be 'derived' or 'nnfs', got 'x'"),
        ("split_method=x", "split_method: must be 'independent' or 'consecutive', got 'x'"),
    ],
)
def test_what_does_not_fit_a_table_is_reported(table_config, override, message):
    """Whatever splits its rows; an invalid seed hides no other error."""
    with pytest.raises(ConfigError, match=rf"^command line:1:\d+: {re.escape(message)}") as found:
        load(table_config, (override, "loss=binary_crossentropy", "test={fraction: 0.1}"))
    assert "loss: " in str(found.value)


@pytest.mark.parametrize(("counts", "found"), [([20, 5], []), ([20, 4], [4]), ([4, 20], [4]), ([0, 20], [])])
def test_the_smallest_class_limits_the_folds(workdir, counts, found):
    """It may have as many rows as there are folds; that it has none is reported elsewhere."""
    config = load(workdir / "config.yaml", ("validation={folds: 5}",)).config
    plan = SimpleNamespace(schema=SimpleNamespace(class_counts=counts, classes=2))
    messages = [each.message for each in check_folds(config, plan)]
    assert [int(re.search(r"there are (\d+);", message)[1]) for message in messages] == found


def test_groups_are_not_limited_by_classes(table_config):
    """Whose rows may be in few of the groups."""
    config = load(table_config, ("validation={folds: 3, group: patient}",)).config
    plan = SimpleNamespace(schema=SimpleNamespace(class_counts=[2, 20], classes=2))
    assert list(check_folds(config, plan)) == []
