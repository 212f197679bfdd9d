"""Assembly of a config: defaults, sampled and split data, initial weights."""
# ruff: noqa: NPY002 (the global generator, from which nnfs draws, is part of the subject)

import numpy as np
import pytest
from nnfs.datasets import spiral_data

from nncli.config.model import Fraction
from nncli.data.split import split
from nncli.errors import CommandLineError, ConfigError, StorageError
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.experiment.rng import DerivedRngs, Purpose
from nncli.training.loop import Trainer
from tests.examples import LATE_TEST, SINE

D8, D3 = "{type: dense, units: 8}", "{type: dense, units: 3}"
PENALTIES = ("l1", "l2", "bias_l1", "bias_l2")


@pytest.fixture
def resolved(workdir):
    """Load the small config with overrides, resolved."""
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
def test_default_initializer_depends_on_the_following_layers(resolved, layers, initializers):
    """He before a ReLU, also across dropout, else Glorot; an initializer that is given is kept."""
    config = resolved(f"layers=[{layers}]")
    assert [layer.initializer.type for layer in config.layers if layer.type == "dense"] == initializers


@pytest.mark.parametrize("key", PENALTIES)
def test_penalty_is_inherited_key_by_key(resolved, key):
    """One key of ``regularization`` applies to every dense layer, and to no other key."""
    config = resolved(f"regularization.{key}=0.25")
    for layer in (config.layers[0], config.layers[2]):
        assert {name: getattr(layer, name) for name in PENALTIES} == dict.fromkeys(PENALTIES, 0.0) | {key: 0.25}


@pytest.mark.parametrize("penalty", [0.5, 0.0])
@pytest.mark.parametrize("key", PENALTIES)
def test_penalty_of_a_layer_takes_precedence(resolved, key, penalty):
    """The penalty of a layer is used, also if it is 0."""
    config = resolved(f"regularization.{key}=0.25", f"layers[0].{key}={penalty}")
    assert (getattr(config.layers[0], key), getattr(config.layers[2], key)) == (penalty, 0.25)


@pytest.mark.parametrize(
    ("epochs", "given", "log_every"),
    [(10_000, "null", 100), (250, "null", 2), (99, "null", 1), (1, "null", 1), (500, 7, 7)],
)
def test_metrics_are_logged_a_hundred_times_by_default(resolved, epochs, given, log_every):
    """The default of ``log_every`` is 1 % of the epochs, at least one."""
    assert resolved(f"training.epochs={epochs}", f"training.log_every={given}").training.log_every == log_every


def test_fractions_are_stratified_and_disjoint(resolved):
    """Each split has its fraction of every class, no row is in two, and none is lost."""
    config = resolved("validation={fraction: 0.25}", "test={fraction: 0.1}")
    splits, complete = assemble(config).data, assemble(resolved("validation=null")).data["training"]
    counts = {name: np.bincount(data.targets).tolist() for name, data in splits.items()}
    assert counts == {"training": [13] * 3, "validation": [5] * 3, "test": [2] * 3}
    assert set.union(*map(points, splits.values())) == points(complete)
    assert sum(map(len, splits.values())) == len(complete) == len(points(complete))


def test_split_depends_on_the_seed(resolved):
    """Held-out rows are chosen at random, even if the points are fixed."""
    held_out = [
        points(assemble(resolved("data.seed=0", "validation={fraction: 0.25}", f"seed={seed}")).data["validation"])
        for seed in (0, 0, 1)
    ]
    assert held_out[0] == held_out[1] != held_out[2]


def test_split_has_its_own_random_stream(resolved):
    """Held-out rows are chosen by the stream for splits, not by that of the points."""
    experiment, complete = assemble(resolved("validation={fraction: 0.25}")), assemble(resolved("validation=null"))
    expected = split(
        complete.data["training"],
        {"validation": Fraction(fraction=0.25)},
        DerivedRngs(dict.fromkeys(Purpose, 0)).of(Purpose.SPLIT),
    )
    assert {name: data.fingerprint() for name, data in experiment.data.items()} == {
        name: data.fingerprint() for name, data in expected.items()
    }


def test_sampled_sets_have_their_own_random_streams(resolved):
    """Equal sections for training, validation and test are sampled differently and independently."""
    three = assemble(resolved("test={type: spiral, samples: 20}")).data
    assert list(three) == ["training", "validation", "test"]
    assert len({data.fingerprint() for data in three.values()}) == 3
    assert three["training"].fingerprint() == assemble(resolved("validation=null")).data["training"].fingerprint()


def test_too_small_class_is_reported_with_its_location(workdir):
    """Too few rows are an error of the config, at the fraction."""
    with pytest.raises(ConfigError, match=r"validation\.fraction: .*rows") as caught:
        load(workdir / "config.yaml", ("data.samples=1", "validation={fraction: 0.5}"))
    assert str(caught.value).startswith("command line:2:23: ")


@pytest.mark.parametrize("rng", ["derived", "nnfs"])
@pytest.mark.parametrize("fraction", [0.1, 0.4])
def test_fractions_are_independent(resolved, rng, fraction):
    """Adding a validation set moves no row of the test set, and the other way round."""
    test, validation = "test={fraction: 0.3}", f"validation={{fraction: {fraction}}}"
    both = assemble(resolved(f"rng={rng}", test, validation)).data
    for name, alone in (("test", (test, "validation=null")), ("validation", (validation,))):
        expected = assemble(resolved(f"rng={rng}", *alone)).data[name]
        assert both[name].fingerprint() == expected.fingerprint()


def test_split_method_is_resolved_if_there_is_a_test_fraction(resolved):
    """Other configs have the same rows by either method, and keep null; a given method is kept."""
    assert resolved("test={fraction: 0.3}").split_method == "independent"
    assert resolved("test={fraction: 0.3}", "split_method=consecutive").split_method == "consecutive"
    assert resolved("validation={fraction: 0.3}").split_method is None
    assert resolved("test={type: spiral, samples: 10}").split_method is None


def test_consecutive_fractions_follow_each_other(resolved):
    """The method of nncli 0.4: of the permutation of each class first the validation rows, then the test rows."""
    fractions = ("validation={fraction: 0.25}", "test={fraction: 0.1}")
    splits = assemble(resolved(*fractions, "split_method=consecutive")).data
    complete, rng = (
        assemble(resolved("validation=null")).data["training"],
        DerivedRngs(dict.fromkeys(Purpose, 0)).of(Purpose.SPLIT),
    )
    rows = [rng.permutation(np.flatnonzero(complete.targets == label)) for label in range(3)]
    for name, taken in (("validation", slice(0, 5)), ("test", slice(5, 7))):
        expected = np.sort(np.concatenate([each[taken] for each in rows]))
        assert np.array_equal(splits[name].inputs, complete.inputs[expected])


def test_rng_nnfs_matches_the_book(resolved, legacy):
    """Points and weights are those of ``nnfs.init()``'s program to the last bit: one stream, in the book's order.

    Validation points come before the weights, as in its programs that watch them.
    """
    normal = "initializer: {type: normal, scale: 0.01}"
    experiment = assemble(
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
    network = experiment.network
    assert np.array_equal(experiment.data["training"].inputs, inputs)
    assert np.array_equal(experiment.data["training"].targets, targets)
    assert np.array_equal(network.layers[0].weights, first.astype(np.float32))
    assert np.array_equal(network.layers[2].weights, second.astype(np.float32))
    assert not network.layers[0].biases.any()
    assert np.array_equal(experiment.data["validation"].inputs, validation)


def test_seed_of_the_data_gives_the_points_of_the_book(resolved, legacy):
    """``data.seed: 0`` is the book's data set for any seed of the config."""
    data = assemble(resolved("data.seed=0", "seed=5")).data["training"]
    np.random.seed(0)
    assert np.array_equal(data.inputs, spiral_data(20, 3)[0])


@pytest.mark.parametrize("rng", ["derived", "nnfs"])
def test_global_generator_is_not_used(resolved, legacy, rng):
    """Assembling neither reads nor advances NumPy's global generator."""
    np.random.seed(123)
    expected = np.random.RandomState(123).randn()
    first = assemble(resolved(f"rng={rng}"))
    assert np.random.randn() == expected
    second = assemble(resolved(f"rng={rng}"))
    assert first.data["training"].fingerprint() == second.data["training"].fingerprint()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_of_the_network(resolved, dtype):
    """Weights have the dtype of the config; both dtypes round the same samples."""
    values, double = (assemble(resolved(f"dtype={name}")).network.parameters.values for name in (dtype, "float64"))
    assert values.dtype == dtype
    assert np.array_equal(values, double.astype(dtype))


def test_loaded_config_has_the_content_of_the_file(workdir):
    """Overrides change the config, not the content that a run stores."""
    loaded = load(workdir / "config.yaml", ("seed=3",))
    assert (loaded.content, loaded.config.seed, loaded.overrides) == (
        (workdir / "config.yaml").read_bytes(),
        3,
        ("seed=3",),
    )


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda path: None, CommandLineError, "no such file; write one to start from with: nncli init"),
        (lambda path: path.mkdir(), CommandLineError, "is a directory"),
        (
            lambda path: path.write_bytes(b"seed: 0\nda\xffta"),
            ConfigError,
            r"x\.yaml:2:3: byte 0xff is not valid UTF-8",
        ),
        (lambda path: path.write_bytes(b""), ConfigError, "empty"),
        (lambda path: path.symlink_to(path), StorageError, "symbolic links"),
    ],
)
def test_unreadable_file_is_reported(tmp_path, make, error, message):
    """Every reason why a file cannot be read has its message and exit code."""
    path = tmp_path / "x.yaml"
    make(path)
    with pytest.raises(error, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("epochs", [1, 3])
def test_test_set_of_the_book_is_sampled_after_training(resolved, legacy, epochs):
    """Points, weights, a dropout mask per epoch, then the test points: one generator, bit for bit."""
    experiment = assemble(resolved(*LATE_TEST, f"training.epochs={epochs}"))
    assert list(experiment.data) == ["training", "validation"]
    list(Trainer(experiment).epochs())
    experiment.sample_test_set()
    np.random.seed(0)
    spiral_data(20, 3), spiral_data(20, 3)
    np.random.randn(2, 7), np.random.randn(7, 3)
    for _ in range(epochs):
        np.random.binomial(1, 0.7, (60, 7))
    inputs, targets = spiral_data(10, 3)
    assert list(experiment.data) == ["training", "validation", "test"]
    assert np.array_equal(experiment.data["test"].inputs, inputs)
    assert np.array_equal(experiment.data["test"].targets, targets)


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
def test_only_a_test_set_from_the_only_generator_is_sampled_last(resolved, changes, last):
    """Sampling it last changes nothing else."""
    config = resolved(*changes)
    assert config.test_sampled_after_training is last
    experiment = assemble(config)
    before = {name: data.fingerprint() for name, data in experiment.data.items()}
    assert ("test" in experiment.data) is (config.test is not None and not last)
    experiment.sample_test_set()
    assert ("test" in experiment.data) is (config.test is not None)
    assert {name: experiment.data[name].fingerprint() for name in before} == before


def test_test_set_with_a_seed_does_not_use_the_only_generator(resolved):
    """Training data, validation data and weights are those without a test set."""
    with_test, without = (
        assemble(resolved("rng=nnfs", *more)) for more in (("test={type: spiral, samples: 10, seed: 5}",), ())
    )
    assert np.array_equal(with_test.network.parameters.values, without.network.parameters.values)
    for name, data in without.data.items():
        assert data.fingerprint() == with_test.data[name].fingerprint()


def test_fraction_of_regression_data_is_taken_of_all_rows(resolved):
    """Without classes the rows are split together; inputs and targets stay pairs, in their order."""
    splits = assemble(resolved(*SINE, "validation={fraction: 0.25}", "test={fraction: 0.1}")).data
    assert {name: len(data) for name, data in splits.items()} == {"training": 26, "validation": 10, "test": 4}
    x = np.concatenate([data.inputs[:, 0] for data in splits.values()])
    assert sorted((x * 40).round().astype(int)) == list(range(40))
    for data in splits.values():
        np.testing.assert_allclose(data.targets, np.sin(2 * np.pi * data.inputs), atol=1e-12)
        assert (np.diff(data.inputs[:, 0]) > 0).all()
