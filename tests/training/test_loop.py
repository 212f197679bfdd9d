"""The training loop: what is logged when, which rows are trained in which order, and how it ends."""

import re
import subprocess
import sys
from math import cos, pi

import numpy as np
import pytest

from nncli.errors import DivergedError
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.experiment.metric_columns import state_values
from nncli.experiment.rng import Purpose
from nncli.nn import tensor_parallel
from nncli.nn.kernels.dropout_mask import fill_dropout_mask
from nncli.processes import CAN_FORK
from nncli.registry import components
from nncli.store.checkpoint import unpack
from nncli.training.evaluate import measure, predict
from nncli.training.loop import Trainer
from tests.examples import BINARY, NORMALIZED, SINE, WARM_COSINE
from tests.fault_injection.child_processes import children

OPTIMIZERS = [entry.name for entry in components("optimizer")]
DROPOUT = "layers=[{type: dense, units: 8}, relu, {type: dropout, rate: 0.3}, {type: dense, units: 3}, softmax]"


@pytest.fixture
def prepare(workdir):
    """Assemble the small config, with some values changed: ``prepare("training.epochs=3")``."""

    def prepared(*overrides, stop=lambda: False):
        return Trainer(assemble(load(workdir / "config.yaml", overrides).config), stop)

    return prepared


@pytest.fixture
def batches(monkeypatch):
    """Record the inputs of each training pass of a trainer from now on."""

    def listen(training):
        seen, forward = [], training.network.forward

        def heard(inputs, training=False):
            if training:
                seen.append(inputs.copy())
            return forward(inputs, training)

        monkeypatch.setattr(training.network, "forward", heard)
        return seen

    return listen


def weights(training):
    return training.network.parameters.values.copy()


def rows_of(inputs):
    return sorted(map(tuple, inputs.tolist()))


@pytest.mark.parametrize("batch_size", ["null", "16"])
def test_row_of_metrics_is_of_the_current_weights(prepare, batch_size):
    """Each row belongs to the weights at that moment, after exactly its number of epochs."""
    training = prepare("training.log_every=1", "training.epochs=5", f"training.batch_size={batch_size}")
    part = training._monitored_splits["training"]
    for epoch in training.epochs():
        assert training.optimizer.updates == epoch.number * (1 if batch_size == "null" else 4)
        outputs = predict(training.network, part)
        measured = measure(training.network, training.experiment.metrics, "training", part, outputs)
        state = state_values(training.network, training.optimizer)
        assert epoch.metrics == {**state, **measured} | {
            name: value for name, value in epoch.metrics.items() if name.startswith("validation_")
        }


def test_epoch_0_is_the_untrained_network(prepare):
    """The first row is measured with the initial weights."""
    training = prepare()
    first = next(training.epochs())
    assert first.number == 0
    assert np.array_equal(weights(training), weights(prepare()))


@pytest.mark.parametrize(
    ("epochs", "log_every", "logged"),
    [(30, 10, [0, 10, 20, 30]), (25, 10, [0, 10, 20, 25]), (3, 1, [0, 1, 2, 3]), (2, 50, [0, 2])],
)
def test_first_and_last_epoch_are_logged(prepare, epochs, log_every, logged):
    """Rows are at the multiples of log_every, and at the end."""
    training = prepare(f"training.epochs={epochs}", f"training.log_every={log_every}")
    assert [epoch.number for epoch in training.epochs() if epoch.metrics] == logged


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "epochs", "seen"),
    [
        pytest.param((), 250, [0, 100, 200, 250], id="short steps, a hundred at a time"),
        pytest.param(("training.log_every=70",), 250, [0, 70, 140, 210, 250], id="logged epochs in any case"),
        pytest.param(("training.batch_size=16",), 60, [0, 25, 50, 60], id="four steps an epoch"),
        pytest.param(("layers[0].units=50000",), 5, [0, 2, 4, 5], id="long steps, by the work they are"),
        pytest.param(("layers[0].units=200000",), 3, [0, 1, 2, 3], id="very long steps, at each epoch"),
    ],
)
def test_epochs_yield_every_few_milliseconds(prepare, changes, epochs, seen):
    """Between two logged epochs, at the end of an epoch, after a number of steps that depends on the config only."""
    training = prepare("training.log_every=1000", f"training.epochs={epochs}", *changes)
    assert [epoch.number for epoch in training.epochs()] == seen


@pytest.mark.parametrize(
    ("span", "seen"), [(1, range(13)), (3, [0, 3, 6, 9, 12]), (4, [0, 4, 8, 12]), (5, [0, 5, 10, 12])]
)
def test_epochs_yield_within_an_epoch(prepare, span, seen):
    """After exactly a number of steps, whichever batch of an epoch is the last of them."""
    training = prepare("training.batch_size=16", "training.epochs=3", "training.log_every=1000")
    training._span = span
    assert [training.optimizer.updates for _ in training.epochs()] == [*seen]


def test_parts_are_the_remaining_batches_of_the_epoch(prepare):
    """Those before are not trained again."""
    training = prepare("training.batch_size=16")
    whole = [*training.parts()]
    training.train_batch(whole[0])
    assert [*training.parts()] == whole[1:]


def test_epoch_is_logged_once(prepare):
    """Not again at yields between its batches, nor when the last state is restored."""
    changes = ("training.batch_size=16", "training.epochs=2", "training.log_every=1")
    training, other = prepare(*changes), prepare(*changes)
    training._span = 1
    assert [epoch.number for epoch in training.epochs() if epoch.metrics] == [0, 1, 2]
    other.restore(training.state())
    assert other.is_done
    assert [epoch for epoch in other.epochs() if epoch.metrics] == []


def test_stop_is_asked_for_once(prepare):
    """Training ends after the batch although the next answer would be no."""
    training, answers = prepare("training.batch_size=16"), iter([False] * 6 + [True] + [False] * 1000)
    training.stop = lambda: next(answers)
    list(training.epochs())
    assert (training.epoch, training.batch) == (1, 2)


def test_test_set_is_not_monitored(prepare):
    """Rows of metrics have those of the training and the validation set only; its rows are there to be measured."""
    training = prepare("test={type: spiral, samples: 20, classes: 3}", "training.epochs=1")
    assert "test" in training.experiment.data
    for epoch in training.epochs():
        assert not any(name.startswith("test_") for name in epoch.metrics)
    assert np.array_equal(training.rows_of("test").inputs, training.experiment.data["test"].inputs)


@pytest.mark.skipif(not CAN_FORK, reason="processes are forked")
@pytest.mark.parametrize(("threads", "limit", "workers"), [(1, 0, 0), (2, 13_920, 1), (3, 13_920, 2), (2, 13_921, 0)])
def test_long_steps_are_divided_among_processes(prepare, monkeypatch, threads, limit, workers):
    """One of 60 rows through 2-8-3 counts as 13,920 multiply-adds: products and activations, less an exchange."""
    monkeypatch.setattr(tensor_parallel, "MIN_DIVIDED_MACS", limit)
    before, training = children(), prepare(f"training.threads={threads}", "training.epochs=1")
    assert [len(children() - before) for _ in training.epochs()] == [workers, workers]
    assert children() == before


def test_row_has_the_learning_rate_of_the_last_update(prepare):
    """As the book prints it; the first row has the rate of the first update."""
    training = prepare("optimizer.decay=0.5", "training.log_every=1", "training.epochs=3")
    rates = [epoch.metrics["learning_rate"] for epoch in training.epochs()]
    assert rates == pytest.approx([0.05, 0.05, 0.05 / 1.5, 0.05 / 2])


@pytest.mark.slow
@pytest.mark.parametrize("change", ["training.batch_size=16", DROPOUT, "rng=nnfs"])
def test_log_interval_does_not_change_the_weights(prepare, change):
    """Evaluation has no side effects: any interval ends with the same bits."""
    ends = []
    for log_every in (1, 7, 30):
        training = prepare(f"training.log_every={log_every}", change)
        list(training.epochs())
        ends.append(weights(training))
    assert np.array_equal(ends[0], ends[1])
    assert np.array_equal(ends[0], ends[2])
    assert not np.array_equal(ends[0], weights(prepare(change)))


@pytest.mark.parametrize("task", [(), SINE, BINARY], ids=["classes", "numbers", "one output"])
@pytest.mark.parametrize("batch_size", ["null", 1, 3, 7, 11, 16, 29, 38, 39])
def test_each_row_is_trained_with_its_target(prepare, monkeypatch, task, batch_size):
    """In each batch, whatever the size of the last one, a row has the target that it has in the training set."""
    training = prepare(*task, f"training.batch_size={batch_size}", "training.epochs=2")
    part, seen, differentiate = training._monitored_splits["training"], [], training.network.forward_backward

    def heard(inputs, targets, **options):
        seen.append(np.hstack([inputs, targets]))
        differentiate(inputs, targets, **options)

    monkeypatch.setattr(training.network, "forward_backward", heard)
    list(training.epochs())
    rows, size = len(part.inputs), training.batch_size
    sizes = [size] * (rows // size) + [rows % size] * (rows % size > 0)
    assert [len(each) for each in seen] == 2 * sizes
    whole = rows_of(np.hstack([part.inputs.astype(seen[0].dtype), part.encoded]))
    assert all(rows_of(np.concatenate(epoch)) == whole for epoch in (seen[: len(sizes)], seen[len(sizes) :]))


def test_epochs_are_distinct_permutations_of_the_rows(prepare, batches):
    """Mini-batches contain each row once; the last one has the remaining rows."""
    training = prepare("training.batch_size=16", "training.epochs=3")
    seen = batches(training)
    list(training.epochs())
    assert [len(inputs) for inputs in seen] == [16, 16, 16, 12] * 3
    epochs = [np.concatenate(seen[start : start + 4]) for start in (0, 4, 8)]
    whole = rows_of(training.experiment.data["training"].inputs)
    assert all(rows_of(epoch) == whole for epoch in epochs)
    assert len({epoch.tobytes() for epoch in epochs}) == 3


@pytest.mark.parametrize("size", ["null", "60"])
def test_full_batch_is_not_shuffled(prepare, batches, size):
    """Without a batch size, or with that of the training set, a step takes all rows in their order."""
    training = prepare(f"training.batch_size={size}", "training.epochs=2")
    seen = batches(training)
    list(training.epochs())
    drawn = training.experiment.data["training"].inputs.astype(np.float32)
    assert len(seen) == 2
    assert all(np.array_equal(inputs, drawn) for inputs in seen)


def test_epochs_have_distinct_dropout_generators(prepare):
    """The mask of an epoch is the first draw of the generator of that epoch."""
    training = prepare(DROPOUT, "training.epochs=4", "training.log_every=4")
    training._span = 1  # look at every epoch
    masks = [training.network.layers[2].mask.copy() for epoch in training.epochs() if not epoch.metrics]
    assert len(masks) == 3
    for number, mask in enumerate(masks):
        kept = np.empty((8, 60), np.float32).T
        fill_dropout_mask(training.experiment.rngs.of(Purpose.DROPOUT, number), 0.7, kept)
        assert np.array_equal(mask != 0, kept == 1)
    assert len({mask.tobytes() for mask in masks}) == 3


def test_dropout_layer_does_not_change_initial_weights(prepare):
    """Adding one changes no draw of another purpose: neither weights nor data."""
    plain, dropped = prepare(), prepare(DROPOUT)
    assert np.array_equal(weights(plain), weights(dropped))
    for name, data in plain.experiment.data.items():
        assert data.fingerprint() == dropped.experiment.data[name].fingerprint()


@pytest.mark.parametrize("change", ["training.batch_size=16", DROPOUT, "rng=nnfs", "dtype=float64", NORMALIZED[0]])
def test_equal_configs_give_equal_bits(prepare, change):
    """Two trainings of one config end with the same weights; another seed ends with others."""
    ends = []
    for seed in (0, 0, 1):
        training = prepare(change, f"seed={seed}")
        list(training.epochs())
        ends.append(weights(training))
    assert np.array_equal(ends[0], ends[1])
    assert not np.array_equal(ends[0], ends[2])


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(workdir):
    """Weights and metrics of a config with mini-batches and dropout are bit-identical in any process."""
    for name in ("one", "two"):
        command = [sys.executable, "-m", "nncli", "train", "config.yaml", DROPOUT, "training.batch_size=16"]
        subprocess.run([*command, "--name", name, "--quiet"], check=True, capture_output=True, cwd=workdir)
    one, two = workdir / "runs" / "one", workdir / "runs" / "two"
    for name in ("weights.npz", "metrics.csv"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


@pytest.mark.parametrize(("batch_size", "updates", "epoch", "batch"), [(16, 6, 1, 2), (16, 8, 2, 0), ("null", 3, 3, 0)])
def test_stop_ends_training_after_the_batch(prepare, batch_size, updates, epoch, batch):
    """After a stop request there is no further update, and epoch and batch are those of the last one."""
    training = prepare(f"training.batch_size={batch_size}", stop=lambda: training.optimizer.updates >= updates)
    last = list(training.epochs())[-1]
    assert training.optimizer.updates == updates
    assert (training.epoch, training.batch) == (epoch, batch)
    assert last.number <= epoch


def test_stopped_training_keeps_its_last_weights(prepare):
    """The best weights of early stopping are restored at the end of training only, so that it can be resumed."""
    watched = ("training.early_stopping={metric: loss, min_delta: 100}", "training.log_every=1")
    training = prepare(*watched, stop=lambda: training.epoch >= 3)
    list(training.epochs())
    assert training.stopping.best.epoch == 0
    assert not np.array_equal(weights(training), training.stopping.best.values)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("rate", "dtype"), [("1e30", "float32"), ("1e300", "float64")])
@pytest.mark.parametrize("batch_size", ["null", "16"])
def test_divergence_names_epoch_and_array(prepare, optimizer, rate, dtype, batch_size):
    """A value that is not finite ends any training; the message says when, and in which array."""
    training = prepare(
        f"optimizer={{type: {optimizer}, learning_rate: {rate}}}", f"training.batch_size={batch_size}", f"dtype={dtype}"
    )
    with pytest.raises(DivergedError) as raised:
        list(training.epochs())
    where = f"{training.epoch}" if batch_size == "null" else f"{training.epoch}, batch {training.batch}"
    assert str(raised.value).startswith(f"training diverged at epoch {where}: ")
    named = [*training.network.parameters.shapes, "the outputs of layers[", "the learning rate of the last update, "]
    assert any(name in str(raised.value) for name in named)
    assert re.search(r" (no longer|not) finite .*; write learning_rate: [\d.e+]+$", str(raised.value))


def test_overflowing_outputs_are_named_by_their_layer(prepare):
    """A loss that is not finite before any update is traced to the first layer whose outputs are not."""
    training = prepare(
        "layers[0].initializer={type: normal, scale: 1e38}", "layers[2].initializer={type: normal, scale: 1e10}"
    )
    with pytest.raises(DivergedError, match=r"epoch 0: on the training set the outputs of layers\[2\] \(dense\) are"):
        list(training.epochs())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_checkpoints_of_a_diverged_training_are_finite(workdir, run_cli, optimizer):
    """However often checkpoints are written."""
    change = f"optimizer={{type: {optimizer}, learning_rate: 1e30}}"
    assert run_cli("train", "config.yaml", change, "training.checkpoint_seconds=0", "--name", "diverging").code == 7
    written = list((workdir / "runs" / "diverging" / "checkpoints").glob("*.ckpt"))
    assert written
    for path in written:
        checkpoint = unpack(path.read_bytes())
        assert all(np.isfinite(vector).all() for vector in checkpoint.state.vectors.values())


def test_overflow_in_the_optimizer_state_is_divergence(workdir):
    """Infinite squares would stop a parameter silently, while the weights are finite."""
    diverging = ("optimizer={type: adagrad, learning_rate: 1e-30}", "regularization.l2=1e25")
    training = Trainer(assemble(load(workdir / "config.yaml", diverging).config))
    with pytest.raises(
        DivergedError, match=r"epoch 0: the optimizer's squares of layers\.0\.weights is no longer finite"
    ):
        list(training.epochs())
    assert np.isfinite(training.network.parameters.values).all()


def test_infinite_validation_loss_is_divergence(workdir):
    """Early stopping never takes NaN for its best value; the split is named."""
    blind = ("data.samples=1", "validation.samples=20", "training.early_stopping={patience: 10}")
    huge = ("layers[0].initializer={type: normal, scale: 1e38}", "layers[2].initializer={type: normal, scale: 1e10}")
    training = Trainer(assemble(load(workdir / "config.yaml", blind + huge).config))
    with pytest.raises(DivergedError, match="on the validation set"):
        list(training.epochs())


SCHEDULES = [
    ("{type: step, every: 4, gamma: 0.5}", lambda t: 0.5 ** (t // 4)),
    ("{type: exponential, gamma: 0.9}", lambda t: 0.9**t),
    ("{type: cosine, updates: 8, lowest: 0.2}", lambda t: 0.2 + 0.8 * (1 + cos(pi * min(t, 8) / 8)) / 2),
    ("{type: warmup, updates: 5}", lambda t: min(1.0, (t + 1) / 5)),
]


@pytest.mark.parametrize(("schedule", "factor"), SCHEDULES)
@pytest.mark.parametrize("batch_size", ["null", "16"])
def test_learning_rate_follows_the_schedule(prepare, schedule, factor, batch_size):
    """Each row has η / (1 + decay t) times the factor of the update t before it, counting batches."""
    training = prepare(
        f"schedule={schedule}",
        "optimizer.decay=0.5",
        "training.log_every=1",
        "training.epochs=12",
        f"training.batch_size={batch_size}",
    )
    steps = 1 if batch_size == "null" else 4
    for epoch in training.epochs():
        t = max(0, steps * epoch.number - 1)
        assert epoch.metrics["learning_rate"] == pytest.approx(0.05 / (1 + 0.5 * t) * factor(t), rel=1e-12)


@pytest.mark.parametrize("batch_size", ["null", "16"])
@pytest.mark.parametrize(("schedule", "before"), [("schedule={type: cosine, lowest: 0.1}", 0), (WARM_COSINE, 5)])
def test_cosine_schedule_ends_with_training(prepare, schedule, before, batch_size):
    """Of T updates the last has the factor of t = T − 1, and the one that would follow the lowest."""
    training = prepare(schedule, f"training.batch_size={batch_size}", "training.epochs=6", "training.log_every=1")
    *_, last = training.epochs()
    length = 6 * (1 if batch_size == "null" else 4) - before
    falling = 0.1 + 0.9 * (1 + cos(pi * (length - 1) / length)) / 2
    assert last.metrics["learning_rate"] == pytest.approx(0.05 * falling)
    assert training.optimizer.rate_at(training.optimizer.updates) == pytest.approx(0.05 * 0.1)


@pytest.mark.parametrize("kind", ["norm", "value"])
def test_clipping_bounds_the_step(prepare, kind):
    """With a tiny limit c no SGD step is longer than η c; by value, no weight moves further than that."""
    limit, rate = 1e-3, 0.5
    training = prepare(
        f"clipping={{type: {kind}, limit: {limit}}}",
        f"optimizer={{type: sgd, learning_rate: {rate}}}",
        "dtype=float64",
        "training.batch_size=16",
        "training.epochs=3",
    )
    states, step = [weights(training)], training.optimizer.step

    def observed():
        step()
        states.append(weights(training))

    training.optimizer.step = observed
    list(training.epochs())
    moves = np.diff(states, axis=0)
    assert len(moves) == 12
    epoch_dependent_overrides = np.linalg.norm(moves, axis=1) if kind == "norm" else np.abs(moves).max(axis=1)
    np.testing.assert_allclose(epoch_dependent_overrides, rate * limit, rtol=1e-9)


def test_clipping_above_all_gradients_changes_nothing(prepare):
    """A limit that no gradient exceeds leaves the bits as they are without one; a lower one does not."""
    ends = []
    for clipping in ("null", "{type: norm, limit: 1e6}", "{type: value, limit: 1e6}", "{type: norm, limit: 1e-3}"):
        training = prepare(f"clipping={clipping}", "optimizer={type: sgd, learning_rate: 0.5}")
        list(training.epochs())
        ends.append(weights(training))
    assert np.array_equal(ends[0], ends[1])
    assert np.array_equal(ends[0], ends[2])
    assert not np.array_equal(ends[0], ends[3])


def test_clipping_does_not_hide_divergence(prepare):
    """A gradient that is not finite is reported, not clipped to a finite one."""
    training = prepare(
        "clipping={type: value, limit: 1}",
        "layers[0].initializer={type: normal, scale: 1e38}",
        "layers[2].initializer={type: normal, scale: 1e10}",
    )
    with pytest.raises(DivergedError, match="epoch 0: "):
        list(training.epochs())


def test_clipping_includes_the_penalties(prepare):
    """Penalties are part of the gradient that is clipped, so a strong one moves weights no further."""
    training = prepare(
        "clipping={type: norm, limit: 0.01}",
        "regularization.l2=100",
        "optimizer={type: sgd, learning_rate: 1}",
        "dtype=float64",
        "training.epochs=1",
    )
    before = weights(training)
    list(training.epochs())
    assert np.linalg.norm(weights(training) - before) == pytest.approx(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("changes", [SINE, (*SINE, "loss=mean_absolute_error"), BINARY, NORMALIZED[:1]])
def test_loss_falls_for_each_task(prepare, changes):
    """Regression, binary classification, and a normalized network: the loss falls by at least a quarter."""
    training = prepare(*changes, "training.epochs=600", "training.log_every=600")
    first, last = (epoch.metrics["loss"] for epoch in training.epochs() if epoch.metrics)
    assert last < 0.75 * first


def test_running_statistics_are_not_trained(prepare):
    """They follow the batches: an optimizer with learning rate 0 leaves the weights, but not them, as they were."""
    training = prepare(NORMALIZED[0], "optimizer=sgd", "training.epochs=2")
    training.optimizer.learning_rate = 0.0
    parameters, layer = training.network.parameters, training.network.layers[1]
    trained = parameters.trainable.copy()
    training.network.forward(training._monitored_splits["training"].inputs)
    hidden = training.network.layers[0].outputs.astype(np.float64)
    list(training.epochs())
    assert np.array_equal(parameters.trainable, trained)
    np.testing.assert_allclose(layer.running_mean, (1 - 0.9**2) * hidden.mean(axis=0), rtol=1e-4, atol=1e-6)
    expected = 0.9**2 + (1 - 0.9**2) * hidden.var(axis=0, ddof=1)
    np.testing.assert_allclose(layer.running_variance, expected, rtol=1e-4)


def test_evaluation_does_not_change_running_statistics(prepare):
    """However often metrics are measured, weights and statistics end with the same bits."""
    ends = []
    for log_every in (1, 7):
        training = prepare(*NORMALIZED, f"training.log_every={log_every}")
        list(training.epochs())
        ends.append(weights(training))
    assert np.array_equal(*ends)
