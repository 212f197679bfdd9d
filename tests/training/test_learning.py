"""Warnings about a training that learned nothing: each sign is found, and no training that learned has one."""

import itertools

import numpy as np
import pytest

from nncli.data.dataset import Dataset
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.training.learning import Constant, LearningCheck, LossHistory, constant_outputs
from nncli.training.loop import Trainer
from tests.examples import BINARY, LATE_TEST, NORMALIZED, SINE

SGD = "optimizer={{type: sgd, learning_rate: {}}}".format
LOW_RATE = "optimizer.learning_rate=1e-9"
HUGE_WEIGHTS = "initializer: {type: normal, scale: 1e5}"
VERTICAL = ("data={type: vertical, samples: 40}", "validation={type: vertical, samples: 40}")
REGRESSION = ("data={type: sine, samples: 40}", "validation=null", *SINE[2:])


@pytest.fixture
def trained(workdir):
    """Train the small config with overrides, and with other rows if given: ``trained(LOW_RATE).warnings()``."""

    def train(*changes, **data):
        experiment = assemble(load(workdir / "config.yaml", changes).config)
        experiment.data.update(data)
        trainer, history = Trainer(experiment), LossHistory()
        for epoch in trainer.epochs():
            if epoch.metrics is not None:
                history.add(epoch.number, epoch.metrics["data_loss"], epoch.metrics.get("validation_loss"))
        epoch = trainer.keep_best()
        splits = {split: trainer.measured(split) for split in experiment.data}
        return LearningCheck(experiment, splits, epoch, history, trainer.rows_of)

    return train


def blobs(rows, fractions, distance=3.0, offset=0.0, seed=0, noise=0.0):
    """Normal clusters on a circle: 2 inputs, as many rows of each class as its fraction, some of them relabelled."""
    rng = np.random.default_rng(seed)
    targets = np.repeat(np.arange(len(fractions)), (np.array(fractions) * rows).astype(int))
    angles = 2 * np.pi * targets / len(fractions)
    inputs = (
        offset + distance * np.stack([np.cos(angles), np.sin(angles)], axis=1) + rng.standard_normal((len(targets), 2))
    )
    relabelled = rng.random(len(targets)) < noise
    targets[relabelled] = rng.integers(0, len(fractions), relabelled.sum())
    return Dataset(inputs.astype(np.float32), targets, len(fractions))


def curve(rows, scale=1.0, offset=0.0, noise=0.0, seed=0):
    """A sine with noise: 1 input, 1 target."""
    rng = np.random.default_rng(seed)
    inputs = np.linspace(0, 1, rows)[:, None]
    targets = offset + scale * (np.sin(2 * np.pi * inputs) + noise * rng.standard_normal((rows, 1)))
    return Dataset(inputs.astype(np.float32), targets.astype(np.float32), None)


def random_labels(rows, classes=3, seed=0):
    """Labels that do not depend on the inputs."""
    rng = np.random.default_rng(seed)
    return Dataset(rng.random((rows, 2), np.float32), rng.integers(0, classes, rows), classes)


RELU_OF_HUGE = f"layers=[{{type: dense, units: 8, {HUGE_WEIGHTS}}}, tanh, {{type: dense, units: 1, {HUGE_WEIGHTS}}}]"
LEARN_NOTHING = {  # changes, other rows, and the kinds and a part of the first message
    "learning rate far too high": ((SGD(1e5),), {}, "dead np constant", "(relu) have the output 0"),
    "learning rate too high for adam": (("optimizer.learning_rate=1000",), {}, "dead np", "write learning_rate: 0.001"),
    "rate too high, sigmoid": (
        ("layers[1]=sigmoid", SGD(1e4)),
        {},
        "dead np",
        "layers[1] (sigmoid) have the same output",
    ),
    "rate too high, tanh": (("layers[1]=tanh", SGD(1e4)), {}, "np", "got worse"),
    "learning rate of almost 0": ((LOW_RATE,), {}, "np", "the loss did not improve: 1.181 before training, 1.181"),
    "learning rate of almost 0, sine": ((*SINE, LOW_RATE), {}, "np", "write learning_rate: 0.001"),
    "almost 0, binary": ((*BINARY, LOW_RATE), {}, "np constant", "write learning_rate: 0.001"),
    "learning rate decayed": (
        ("optimizer.decay=1e6", "optimizer.learning_rate=1e-4"),
        {},
        "np",
        "smaller optimizer.decay",
    ),
    "strong l2": ((SGD(1), "regularization.l2=0.5", "training.epochs=200"), {}, "dead constant", "a smaller l1 or l2"),
    "l2 is named": (
        (SGD(1), "regularization.l2=0.5", "training.epochs=200"),
        {},
        "dead constant",
        "weights have vanished",
    ),
    "weights vanish before the layer": (
        (SGD(0.1), "regularization.l2=1", "training.epochs=40"),
        {},
        "dead",
        "(the weights of layers[2] have vanished); write a smaller l1 or l2",
    ),
    "no epoch is better": (
        ("training.early_stopping={metric: loss, min_delta: 100, patience: 20}",),
        {},
        "np",
        "untrained weights were kept, since no later epoch has a better loss; write a smaller min_delta",
    ),
    "rate too high, early stopping": (
        (SGD(1e5), "training.early_stopping={metric: loss, patience: 20}"),
        {},
        "np",
        "untrained weights were kept, since no later epoch has a better loss; write learning_rate: 1",
    ),
    "inputs far from 0": (
        (SGD(0.01),),
        {"training": blobs(90, [1 / 3] * 3, offset=1e4), "validation": blobs(90, [1 / 3] * 3, offset=1e4, seed=1)},
        "dead constant",
        "scale the inputs, which reach 1e+04, to about 1",
    ),
    "targets far too large": (
        (*REGRESSION, "training.epochs=50"),
        {"training": curve(40, scale=1e4, offset=1e5)},
        "np constant",
        "scale the targets, which reach 1.1e+05, to about 1",
    ),
    "targets large": (
        (*REGRESSION, "training.epochs=50"),
        {"training": curve(40, offset=100)},
        "constant",
        "r2 -",
    ),
    "sine, rate too high": ((*SINE, SGD(2), "clipping={type: norm, limit: 1}"), {}, "np constant", "got worse"),
    "sine, saturated": ((*SINE[:2], RELU_OF_HUGE, *SINE[3:], LOW_RATE), {}, "np constant", "did not improve"),
    "l2 too strong, absolute error of skewed targets": (
        (*REGRESSION, "loss=mean_absolute_error", "regularization.l2=0.5", "training.epochs=300"),
        {"training": Dataset(curve(60).inputs, np.exp(2 * curve(60).targets), None)},
        "dead constant",
        "(its weights have vanished); write a smaller l1 or l2",
    ),
    "majority class": (
        (*BINARY, "validation=null", "optimizer.learning_rate=0.01"),
        {"training": Dataset(random_labels(200, 2).inputs, (np.arange(200) < 20).astype(int), 2)},
        "constant",
        "accuracy 0.9 (training) is no better than always predicting class 0 (0.9)",
    ),
    "random labels": (
        ("training.epochs=400",),
        {"training": random_labels(60), "validation": random_labels(60, seed=1)},
        "constant",
        ", although accuracy ",
    ),
    "random labels, metrics without accuracy": (
        ("training.epochs=400", "metrics=[]"),
        {"training": random_labels(60), "validation": random_labels(60, seed=1)},
        "constant",
        "regularization: {l2: 1e-3} or early_stopping or fewer units",
    ),
}
SHORT = "training.epochs=5"
SHORT_TRAININGS = {  # the same for a training of few updates
    "learning rate of almost 0": ((LOW_RATE, SHORT), {}, "np", "did not improve: 1.181 before training, 1.181 after"),
    "only more epochs": ((LOW_RATE, SHORT), {}, "np", "it; write epochs: 50"),
    "no overfitting": (
        (LOW_RATE, SHORT),
        {"training": blobs(60, [1 / 3] * 3), "validation": random_labels(60)},
        "np constant",
        "write epochs: 50",
    ),
    "rate far too high": ((SGD(1e3), "layers[1]=leaky_relu", SHORT), {}, "dead", "write learning_rate: 1"),
    "patience": (
        (
            "optimizer.learning_rate=2",
            "training={epochs: 300, log_every: 1, early_stopping: {metric: loss, patience: 2}}",
        ),
        {},
        "np",
        "write patience: 20 in early_stopping",
    ),
}
LEARN_NOTHING |= {f"{name}, few updates": each for name, each in SHORT_TRAININGS.items()}
KINDS = {"dead": "dead_layer", "np": "no_progress", "constant": "no_better_than_constant"}


@pytest.mark.slow
@pytest.mark.parametrize(("changes", "data", "kinds", "text"), LEARN_NOTHING.values(), ids=LEARN_NOTHING)
def test_training_that_learns_nothing_has_warnings(trained, changes, data, kinds, text):
    """The expected signs are found, in the order of causes, and the first one says what to write."""
    warnings = trained(*changes, **data).warnings()
    assert [each.kind for each in warnings][: len(kinds.split())] == [KINDS[kind] for kind in kinds.split()]
    assert text in warnings[0].message
    assert "; write " in warnings[0].message or "; scale the " in warnings[0].message
    assert not any("; " in each.message for each in warnings[1:])


def test_learning_is_told_by_more_than_the_loss(trained):
    """A loss that rose is no sign if the classes are predicted well, as by a network that is too confident."""
    for changes, kinds in (((*VERTICAL, "training.epochs=100"), []), ((LOW_RATE,), ["no_progress"])):
        check = trained(*changes)
        check.history.first = check.history.last / 2
        assert [each.kind for each in check.warnings()] == kinds


def test_epoch_since_which_the_loss_is_the_same(trained):
    """It is reported if the loss then stayed the same to the end, and not if earlier weights were restored."""
    check = trained(SGD(1e5), "training.epochs=100", "training.log_every=1")
    progress = check.warnings()[1]
    since = progress.facts["unchanged_since"]
    assert progress.message.endswith(f", unchanged since epoch {since}")
    assert 0 < since < 100
    check.epoch = 50
    assert "unchanged_since" not in check.warnings()[1].facts


def test_tiny_r2_is_no_better_than_the_mean(trained):
    """Always predicting the mean has an R² of 0 but for rounding, of either sign."""
    check = trained(*REGRESSION, LOW_RATE, training=curve(40))
    variance = float(np.var(check.experiment.data["training"].targets))
    for r2, is_as_good in ((-1e-5, True), (1e-5, True), (0.01, False)):
        metrics = {"data_loss": variance * (1 - r2), "r2": r2}
        assert Constant(check.experiment, "training", metrics, check.rows_of("training")).is_as_good is is_as_good


def test_history_has_the_first_loss_and_the_last_change():
    """Differences by rounding are no change."""
    history = LossHistory()
    for epoch, loss in enumerate((3.0, 2.0, 1.0, 1.0 + 1e-8, 1.0)):
        history.add(10 * epoch, loss)
    assert (history.first, history.last, history.unchanged_since, history.last_epoch) == (3.0, 1.0, 20, 40)


def test_overfitting_is_a_validation_loss_that_rises():
    """A training loss that falls is none by itself, without validation set either."""
    falling, rising, without = LossHistory(), LossHistory(), LossHistory()
    for epoch, loss in enumerate((3.0, 2.0, 1.0)):
        falling.add(epoch, loss, loss)
        rising.add(epoch, loss, 4 - loss)
        without.add(epoch, loss)
    assert [each.is_overfitting for each in (falling, rising, without)] == [False, True, False]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("validation", "text"),
    [(blobs(90, [1 / 3] * 3), "write epochs: 1000"), (random_labels(60), "write regularization")],
)
def test_untrained_weights_are_kept_although_the_loss_falls(trained, validation, text):
    """The advice is against overfitting only if the validation loss has risen."""
    stopping = "training={epochs: 100, early_stopping: {metric: validation_accuracy, patience: 200}}"
    check = trained(stopping, training=blobs(90, [1 / 3] * 3), validation=validation)
    check.epoch = 0
    check.splits["training"]["data_loss"] = check.history.first
    (message,) = [each.message for each in check.warnings() if each.kind == "no_progress"]
    assert "untrained weights were kept" in message
    assert text in message


def test_dead_layer_is_found_in_all_micro_batches(trained):
    """A unit that is active for the last row only keeps its layer alive."""
    check = trained(SGD(1e5))
    check.network.micro_batch_rows = 7
    assert constant_outputs(check.experiment).keys() == {1, 2, 3}
    check.network.layers[0].weights[:, 0], check.network.layers[0].biases[0] = 1, 0
    check.experiment.data["training"].inputs[:] = -1
    check.experiment.data["training"].inputs[-1] = 1
    assert 1 not in constant_outputs(check.experiment)


@pytest.mark.parametrize(
    ("units", "text"), [(1, "layers[0] (dense) has the"), (8, "all 8 units of layers[0] (dense) have")]
)
def test_dead_layer_is_counted_in_units(trained, units, text):
    """A single unit is the layer."""
    check = trained(f"layers[0].units={units}", "training.epochs=1")
    check.network.layers[0].weights[:] = 0
    assert check.warnings()[0].message.startswith(text)


def test_no_layer_is_dead_if_all_rows_are_the_same(trained):
    """Equal inputs have equal outputs in any network."""
    same = Dataset(np.ones((60, 2), np.float32), np.repeat([0, 1, 2], 20), 3)
    check = trained("training.epochs=1", training=same)
    assert set(constant_outputs(check.experiment)) == {0, 1, 2, 3}
    assert "dead_layer" not in {warning.kind for warning in check.warnings()}


@pytest.mark.parametrize(("penalty", "name"), [("0", "loss"), ("1e-9", "data_loss")])
def test_loss_without_penalties_is_called_so(trained, penalty, name):
    """Only if there are penalties, as in the columns of the metrics."""
    check = trained(f"regularization.l2={penalty}", LOW_RATE, "training.epochs=2")
    assert check.warnings()[0].message.startswith(f"the {name} did not improve")


def generated():
    """Changes and other rows of trainings that learn: tasks, sizes, noise and settings of each kind."""
    seeds = itertools.count()
    widths, activations = (4, 16, 64), ("relu", "tanh", "sigmoid", "gelu")
    optimizers = (
        "{type: adam, learning_rate: 0.05}",
        "{type: sgd, learning_rate: 0.5}",
        "{type: rmsprop, learning_rate: 0.01}",
    )
    for width, activation, optimizer in itertools.product(widths, activations, optimizers):
        layers = f"layers=[{{type: dense, units: {width}}}, {activation}, {{type: dense, units: %d}}%s]"
        common = f"optimizer={optimizer}", "training.epochs=200", f"seed={next(seeds)}"
        fractions = ([1 / 3] * 3, [0.8, 0.15, 0.05], [0.9, 0.05, 0.05])[next(seeds) % 3]
        noise = (0.0, 0.1, 0.3)[next(seeds) % 3]
        splits = {name: blobs(150, fractions, seed=next(seeds), noise=noise) for name in ("training", "validation")}
        yield (layers % (3, ", softmax"), *common), splits
        yield (
            (*BINARY, layers % (1, ", sigmoid"), *common, "training.batch_size=32"),
            {name: blobs(100, [0.7, 0.3], seed=next(seeds), noise=noise) for name in ("training", "validation")},
        )
        regression = f"layers[0].units={width + 12}", "optimizer.learning_rate=0.01", "training.epochs=400"
        yield (
            (*REGRESSION, layers % (1, ""), *common, *regression),
            {"training": curve(60, scale=(0.5, 1, 2)[next(seeds) % 3], noise=noise, seed=next(seeds))},
        )


OTHERS = {
    "the small config": ((), {}),
    "tiny validation set": ((*VERTICAL, "training.epochs=200"), {"validation": blobs(4, [0.5, 0.25, 0.25])}),
    "dropout, batches": ((*VERTICAL, *NORMALIZED, "training.epochs=100"), {}),
    "one class only": ((), {"training": blobs(60, [1, 0, 0]), "validation": blobs(60, [1, 0, 0], seed=1)}),
    "perfect at once": (
        ("training.epochs=100",),
        {name: blobs(60, [1 / 3] * 3, distance=50, seed=seed) for seed, name in enumerate(("training", "validation"))},
    ),
    "rare event": (
        (*BINARY, "training.epochs=200", "metrics=[{type: accuracy, threshold: 0.01}]"),
        {
            name: blobs(1000, [0.97, 0.03], distance=0.8, seed=seed)
            for seed, name in enumerate(("training", "validation"))
        },
    ),
    "mean absolute error of skewed targets": (
        (*REGRESSION, "loss=mean_absolute_error", "training.epochs=300"),
        {"training": Dataset(curve(60).inputs, np.exp(3 * curve(60).targets), None)},
    ),
    "late test set": ((*LATE_TEST, *VERTICAL, "training.epochs=100"), {}),
    "early stopping": ((*VERTICAL, "training={epochs: 300, log_every: 1, early_stopping: {patience: 20}}"), {}),
    "units in float64": ((*VERTICAL, "dtype=float64", "training.epochs=100"), {}),
}


@pytest.mark.slow
def test_loss_that_rises_at_first_is_no_sign(trained):
    """After a few updates, a loss that is higher than before training may still fall."""
    check = trained("optimizer.learning_rate=2", "training={epochs: 3, log_every: 1}")
    assert check.history.last > check.history.first
    assert "no_progress" not in {each.kind for each in check.warnings()}


@pytest.mark.slow
def test_loss_that_fluctuates_at_first_is_no_sign(trained):
    """A loss that has been lower than before training may be lower again, unless there were many updates."""
    check = trained("optimizer.learning_rate=0.3", "training={epochs: 40, log_every: 1}")
    check.splits["training"]["data_loss"] = check.history.first * 2
    check.splits["training"]["accuracy"] = 0.0
    assert "no_progress" not in {each.kind for each in check.warnings()}
    check.history.lowest = check.history.first
    assert "no_progress" in {each.kind for each in check.warnings()}


@pytest.mark.slow
@pytest.mark.parametrize(("changes", "data"), [*OTHERS.values(), *generated()])
def test_training_that_learns_has_no_warning(trained, changes, data):
    """Whatever the task, the settings, the noise and the imbalance of the classes."""
    assert trained(*changes, **data).warnings() == []
