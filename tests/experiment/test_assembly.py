"""From a spec to what it describes: defaults filled in, data drawn and split, first weights."""
# ruff: noqa: NPY002 (the global generator, from which nnfs draws, is part of the subject)

import numpy as np
import pytest
from nnfs.datasets import spiral_data

from nncli.data.split import split
from nncli.errors import CommandLineError, ConfigError, StorageError
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.experiment.rng import DerivedRngs, Purpose
from nncli.train.loop import Trainer
from tests.examples import LATE_TEST, SINE

D8, D3 = "{type: dense, units: 8}", "{type: dense, units: 3}"
PENALTIES = ("l1", "l2", "bias_l1", "bias_l2")


@pytest.fixture
def resolved(workdir):
    """The resolved spec of the small config, with some values changed."""
    return lambda *overrides: load(workdir / "config.yaml", overrides).config


@pytest.fixture
def legacy():
    """NumPy's global generator, put back afterwards."""
    before = np.random.get_state()
    yield
    np.random.set_state(before)


def points(data):
    return {tuple(row) for row in np.column_stack([data.inputs, data.targets]).tolist()}


@pytest.mark.parametrize(
    ("layers", "initializers"),
    [
        (f"{D8}, relu, {D3}, softmax", ["he", "glorot"]),
        (f"{D8}, {{type: dropout, rate: 0.1}}, relu, {D3}, softmax", ["he", "glorot"]),
        (f"{D8}, {{type: dropout, rate: 0.1}}, {{type: dropout, rate: 0.2}}, relu, {D3}, softmax", ["he", "glorot"]),
        (f"{D8}, relu, {{type: dropout, rate: 0.1}}, {D3}, softmax", ["he", "glorot"]),
        (f"{D8}, batch_normalization, leaky_relu, {D8}, elu, {D8}, gelu, {D3}, softmax", ["he", "he", "he", "glorot"]),
        (f"{D8}, tanh, {D8}, sigmoid, {D3}, softmax", ["glorot", "glorot", "glorot"]),
        (f"{D8}, {{type: dropout, rate: 0.1}}, {D8}, relu, {D3}, softmax", ["glorot", "he", "glorot"]),
        (f"{D8}, {D8}, relu, {D3}, softmax", ["glorot", "he", "glorot"]),
        ("{type: dense, units: 8, initializer: normal}, relu, {type: dense, units: 3, initializer: he}, softmax",
         ["normal", "he"]),
    ],
)  # fmt: skip
def test_the_default_initializer_suits_what_follows(resolved, layers, initializers):
    """He before a ReLU, also across dropout, glorot elsewhere; what a layer names itself is left alone."""
    spec = resolved(f"layers=[{layers}]")
    assert [layer.initializer.type for layer in spec.layers if layer.type == "dense"] == initializers


@pytest.mark.parametrize("key", PENALTIES)
def test_a_penalty_is_inherited_key_by_key(resolved, key):
    """One key of ``regularization`` reaches every dense layer, and touches no other key."""
    spec = resolved(f"regularization.{key}=0.25")
    for layer in (spec.layers[0], spec.layers[2]):
        assert {name: getattr(layer, name) for name in PENALTIES} == dict.fromkeys(PENALTIES, 0.0) | {key: 0.25}


@pytest.mark.parametrize("own", [0.5, 0.0])
@pytest.mark.parametrize("key", PENALTIES)
def test_a_layers_own_penalty_wins(resolved, key, own):
    """What a layer says holds, and 0 says that there is no penalty."""
    spec = resolved(f"regularization.{key}=0.25", f"layers[0].{key}={own}")
    assert (getattr(spec.layers[0], key), getattr(spec.layers[2], key)) == (own, 0.25)


@pytest.mark.parametrize(
    ("epochs", "given", "log_every"),
    [(10_000, "null", 100), (250, "null", 2), (99, "null", 1), (1, "null", 1), (500, 7, 7)],
)
def test_metrics_are_logged_a_hundred_times_by_default(resolved, epochs, given, log_every):
    """Without ``log_every`` it is a hundredth of the epochs, at least one."""
    assert resolved(f"training.epochs={epochs}", f"training.log_every={given}").training.log_every == log_every


def test_fractions_are_stratified_and_disjoint(resolved):
    """Each part has its share of every class, no row is in two, and none is lost."""
    spec = resolved("validation={fraction: 0.25}", "test={fraction: 0.1}")
    parts, whole = assemble(spec).data, assemble(resolved("validation=null")).data["training"]
    counts = {name: np.bincount(data.targets).tolist() for name, data in parts.items()}
    assert counts == {"training": [13] * 3, "validation": [5] * 3, "test": [2] * 3}
    assert set.union(*map(points, parts.values())) == points(whole)
    assert sum(map(len, parts.values())) == len(whole) == len(points(whole))


def test_another_seed_splits_other_rows(resolved):
    """Which rows are held out is drawn, even where the points are fixed."""
    held_out = [
        points(assemble(resolved("data.seed=0", "validation={fraction: 0.25}", f"seed={seed}")).data["validation"])
        for seed in (0, 0, 1)
    ]
    assert held_out[0] == held_out[1] != held_out[2]


def test_the_split_has_a_stream_of_its_own(resolved):
    """Which rows are held out is decided by the stream for splits, not by the one that drew the points."""
    made, whole = assemble(resolved("validation={fraction: 0.25}")), assemble(resolved("validation=null"))
    expected = split(whole.data["training"], {"validation": 0.25}, DerivedRngs(0).of(Purpose.SPLIT))
    assert {name: data.fingerprint() for name, data in made.data.items()} == {
        name: data.fingerprint() for name, data in expected.items()
    }


def test_drawn_sets_have_streams_of_their_own(resolved):
    """Training, validation and test sets of one description are different draws, and do not depend on each other."""
    three = assemble(resolved("test={type: spiral, samples: 20}")).data
    assert list(three) == ["training", "validation", "test"]
    assert len({data.fingerprint() for data in three.values()}) == 3
    assert three["training"].fingerprint() == assemble(resolved("validation=null")).data["training"].fingerprint()


def test_a_class_too_small_to_split_is_told_with_its_place(workdir):
    """Rows that do not suffice are the spec's mistake, at the fraction that asks for them."""
    with pytest.raises(ConfigError, match=r"validation\.fraction: .*rows") as told:
        load(workdir / "config.yaml", ("data.samples=1", "validation={fraction: 0.5}"))
    assert str(told.value).startswith("command line:2:23: ")


@pytest.mark.parametrize("rng", ["derived", "nnfs"])
@pytest.mark.parametrize("fraction", [0.1, 0.4])
def test_a_test_fraction_does_not_depend_on_a_validation_fraction(resolved, rng, fraction):
    """Adding a validation set moves no row of the test set, and the other way round."""
    test, validation = "test={fraction: 0.3}", f"validation={{fraction: {fraction}}}"
    both = assemble(resolved(f"rng={rng}", test, validation)).data
    for name, alone in (("test", (test, "validation=null")), ("validation", (validation,))):
        expected = assemble(resolved(f"rng={rng}", *alone)).data[name]
        assert both[name].fingerprint() == expected.fingerprint()


def test_the_default_split_method_is_recorded_where_there_is_a_test_fraction(resolved):
    """Any other spec draws the same rows by either method, and says nothing; what a spec says is kept."""
    assert resolved("test={fraction: 0.3}").split_method == "independent"
    assert resolved("test={fraction: 0.3}", "split_method=consecutive").split_method == "consecutive"
    assert resolved("validation={fraction: 0.3}").split_method is None
    assert resolved("test={type: spiral, samples: 10}").split_method is None


def test_consecutive_fractions_follow_each_other(resolved):
    """The method of nncli 0.4: of the permutation of each class first the validation rows, then the test rows."""
    fractions = ("validation={fraction: 0.25}", "test={fraction: 0.1}")
    parts = assemble(resolved(*fractions, "split_method=consecutive")).data
    whole, rng = assemble(resolved("validation=null")).data["training"], DerivedRngs(0).of(Purpose.SPLIT)
    rows = [rng.permutation(np.flatnonzero(whole.targets == label)) for label in range(3)]
    for name, taken in (("validation", slice(0, 5)), ("test", slice(5, 7))):
        expected = np.sort(np.concatenate([each[taken] for each in rows]))
        assert np.array_equal(parts[name].inputs, whole.inputs[expected])


def test_rng_nnfs_is_the_book(resolved, legacy):
    """Points and weights are those of ``nnfs.init()``'s program to the last bit: one stream, in the book's order.

    Validation points come before the weights, as in its programs that watch them.
    """
    normal = "initializer: {type: normal, scale: 0.01}"
    made = assemble(
        resolved(
            "rng=nnfs",
            "data={type: spiral, samples: 100, classes: 3}",
            "validation={type: spiral, samples: 100, classes: 3}",
            f"layers=[{{type: dense, units: 64, {normal}}}, relu, {{type: dense, units: 3, {normal}}}, softmax]",
        )
    )
    np.random.seed(0)
    inputs, targets = spiral_data(100, 3)
    validation, _ = spiral_data(100, 3)
    first, second = 0.01 * np.random.randn(2, 64), 0.01 * np.random.randn(64, 3)
    network = made.network
    assert np.array_equal(made.data["training"].inputs, inputs)
    assert np.array_equal(made.data["training"].targets, targets)
    assert np.array_equal(network.layers[0].weights, first.astype(np.float32))
    assert np.array_equal(network.layers[2].weights, second.astype(np.float32))
    assert not network.layers[0].biases.any()
    assert np.array_equal(made.data["validation"].inputs, validation)


def test_a_seed_of_the_data_gives_the_books_points_whatever_the_spec_says(resolved, legacy):
    """``data.seed: 0`` is the book's data set under any seed of the spec."""
    data = assemble(resolved("data.seed=0", "seed=5")).data["training"]
    np.random.seed(0)
    assert np.array_equal(data.inputs, spiral_data(20, 3)[0])


@pytest.mark.parametrize("rng", ["derived", "nnfs"])
def test_the_global_generator_is_left_alone(resolved, legacy, rng):
    """Assembling neither reads nor moves NumPy's global random state."""
    np.random.seed(123)
    expected = np.random.RandomState(123).randn()
    first = assemble(resolved(f"rng={rng}"))
    assert np.random.randn() == expected
    second = assemble(resolved(f"rng={rng}"))
    assert first.data["training"].fingerprint() == second.data["training"].fingerprint()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_the_format_of_the_network(resolved, dtype):
    """Weights have the format that the spec names; both formats begin with the same draws."""
    values, double = (assemble(resolved(f"dtype={name}")).network.parameters.values for name in (dtype, "float64"))
    assert values.dtype == dtype
    assert np.array_equal(values, double.astype(dtype))


def test_the_spec_that_is_loaded_has_the_bytes_of_the_file(workdir):
    """Overrides change the spec, not the text that a run keeps."""
    loaded = load(workdir / "config.yaml", ("seed=3",))
    assert (loaded.content, loaded.config.seed, loaded.overrides) == (
        (workdir / "config.yaml").read_bytes(),
        3,
        ("seed=3",),
    )


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda path: None, CommandLineError, "no such file; 'nncli init"),
        (lambda path: path.mkdir(), CommandLineError, "is a directory"),
        (lambda path: path.write_bytes(b"seed: 0\nda\xffta"), ConfigError, r"x\.yaml:2:3: byte 0xff is not UTF-8"),
        (lambda path: path.write_bytes(b""), ConfigError, "empty"),
        (lambda path: path.symlink_to(path), StorageError, "symbolic links"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, make, error, message):
    """Each way in which a file is no config has its message and exit code."""
    path = tmp_path / "x.yaml"
    make(path)
    with pytest.raises(error, match=message) as told:
        load(path)
    assert str(path) in str(told.value)


@pytest.mark.parametrize("epochs", [1, 3])
def test_the_book_s_test_set_follows_the_masks_of_training(resolved, legacy, epochs):
    """Points, weights, a mask an epoch, then the test points: the numbers of one stream, to the last bit."""
    made = assemble(resolved(*LATE_TEST, f"training.epochs={epochs}"))
    assert list(made.data) == ["training", "validation"]
    list(Trainer(made).epochs())
    made.sample_test_set()
    np.random.seed(0)
    spiral_data(20, 3), spiral_data(20, 3)
    np.random.randn(2, 7), np.random.randn(7, 3)
    for _ in range(epochs):
        np.random.binomial(1, 0.7, (60, 7))
    inputs, targets = spiral_data(10, 3)
    assert list(made.data) == ["training", "validation", "test"]
    assert np.array_equal(made.data["test"].inputs, inputs)
    assert np.array_equal(made.data["test"].targets, targets)


@pytest.mark.parametrize(
    ("changes", "last"),
    [
        (("rng=nnfs", "test={type: spiral, samples: 10}"), True),
        (("rng=nnfs", "test={type: spiral, samples: 10, seed: 5}"), False),
        (("rng=nnfs", "test={fraction: 0.2}"), False),
        (("test={type: spiral, samples: 10}",), False),
        (("rng=nnfs",), False),
        ((*SINE, "rng=nnfs", "test={type: sine, samples: 9}"), False),
    ],
)
def test_only_the_book_s_own_test_set_is_drawn_last(resolved, changes, last):
    """Only where its numbers are the next of the one stream; drawing last then changes nothing else."""
    spec = resolved(*changes)
    assert spec.test_sampled_after_training is last
    made = assemble(spec)
    before = {name: data.fingerprint() for name, data in made.data.items()}
    assert ("test" in made.data) is (spec.test is not None and not last)
    made.sample_test_set()
    assert ("test" in made.data) is (spec.test is not None)
    assert {name: made.data[name].fingerprint() for name in before} == before


def test_a_test_set_with_its_own_seed_leaves_the_book_s_stream_alone(resolved):
    """It is the book's set of that seed, and training, validation and weights are those without it."""
    with_test, without = (
        assemble(resolved("rng=nnfs", *more)) for more in (("test={type: spiral, samples: 10, seed: 5}",), ())
    )
    assert np.array_equal(with_test.network.parameters.values, without.network.parameters.values)
    for name, data in without.data.items():
        assert data.fingerprint() == with_test.data[name].fingerprint()


def test_a_fraction_of_numbers_is_taken_of_all_rows(resolved):
    """Without classes the rows are split together; inputs and targets stay pairs, in their order."""
    parts = assemble(resolved(*SINE, "validation={fraction: 0.25}", "test={fraction: 0.1}")).data
    assert {name: len(data) for name, data in parts.items()} == {"training": 26, "validation": 10, "test": 4}
    x = np.concatenate([data.inputs[:, 0] for data in parts.values()])
    assert sorted((x * 40).round().astype(int)) == list(range(40))
    for data in parts.values():
        np.testing.assert_allclose(data.targets, np.sin(2 * np.pi * data.inputs), atol=1e-12)
        assert (np.diff(data.inputs[:, 0]) > 0).all()
