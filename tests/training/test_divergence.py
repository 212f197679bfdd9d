"""Divergence: the first value that is NaN or infinite is reported, and nothing that follows from it is stored."""

import hashlib
import io
import json
import math
import re
from itertools import count
from unittest.mock import patch

import numpy as np
import pytest

from nncli.data.sources.nnfs import Sine
from nncli.errors import DivergedError
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.nn.activations import ReLU
from nncli.nn.layers.dropout import Dropout
from nncli.nn.penalties import Penalty
from nncli.nn.trace import Kind, Operation
from nncli.registry import components, kinds
from nncli.store.checkpoint import pack, unpack
from nncli.training.divergence import FirstNonFinite, NonFiniteSearch
from nncli.training.loop import Trainer
from tests.examples import DENSE_8, NORMALIZED, SINE, put_record
from tests.fault_injection.non_finite_injections import Injector, all_injections, always, from_the_start, later
from tests.fault_injection.non_finite_values import VALUES, problems_after
from tests.prediction_threads import slow_down

pytestmark = pytest.mark.slow

HUGE_FIRST = "layers[0].initializer={type: normal, scale: 1e38}"
HUGE_SECOND = "layers[2].initializer={type: normal, scale: 1e10}"
DROPOUT_TWICE = "{type: dropout, rate: 0.5}, relu, {type: dropout, rate: 0.2}"
DROPPED_TWICE = f"layers=[{DENSE_8}, {DROPOUT_TWICE}, {{type: dense, units: 3}}, softmax]"
DROPPED = f"layers=[{DENSE_8}, {{type: dropout, rate: 0.5}}, {{type: dense, units: 3}}, softmax]"


@pytest.fixture
def prepare(workdir):
    """A trainer of the small config with overrides: ``prepare("training.epochs=3")``."""
    return lambda *changes: Trainer(assemble(load(workdir / "config.yaml", changes).config))


def first_batch(training):
    """The rows of the next batch of a training."""
    return training.gather(next(training.parts()))


def step(training, rows=None):
    """The message of the error that a step raises, on the next batch by default."""
    with pytest.raises(DivergedError, match=r"^training diverged at ") as error, np.errstate(all="ignore"):
        training.step(*(rows or first_batch(training)))
    return str(error.value).removeprefix("training diverged at ")


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("injection", all_injections(), ids=str)
def test_injected_value_is_reported_and_not_stored(workdir, injection, value):
    """Exit code 7, one line that names it, a last row of nan, older checkpoints of finite values, no final weights."""
    assert not list(problems_after(injection, value, workdir / "config.yaml"))


OF_TABLES = {"column", "encoding", "imputation", "transform"}
READ = {("dataset", name) for name in ("table", "arrays", "idx", "images")}


def test_every_component_has_an_injection():
    """Every component that a network is trained with has an injection, so that its message is tested.

    What reads files refuses values that are not finite, and its tests are those of the readers.
    """
    tested = {(injection.kind, injection.name) for injection in all_injections()}
    trained = {(kind, entry.name) for kind in kinds() for entry in components(kind)}
    of_files = {(kind, name) for kind, name in trained if kind in OF_TABLES or (kind, name) in READ}
    assert trained - of_files <= tested


@pytest.mark.parametrize("command", [["explain"], ["explain", "--json"], ["gradcheck"], ["profile", "--seconds=1"]])
@pytest.mark.parametrize("injection", list(from_the_start()), ids=str)
def test_injected_value_in_other_commands(workdir, run_cli, command, injection):
    """Explanations, gradient checks and profiles end with one line on standard error, or without the value."""
    for value in VALUES:
        put = Injector(value)
        with injection.patched(put):
            result = run_cli(command[0], "config.yaml", *injection.changes, *command[1:])
        assert put.times or command[0] == "gradcheck"  # which neither clips nor updates
        assert result.code in ({7} if command[0] == "profile" else {0, 7, 8})
        assert (result.code == 0) == (result.err == "")
        assert len(result.err.splitlines()) <= 1
        if "--json" in command and result.code == 0:
            json.loads(result.out, parse_constant=pytest.fail)


def test_infinite_penalty_is_reported_before_gradients_are_compared(workdir, run_cli):
    """The gradient check reports an infinite penalty as such."""
    with patch.object(Penalty, "forward", lambda _: math.inf):
        result = run_cli("gradcheck", "config.yaml", "regularization.l2=0.1")
    assert result.err == "config.yaml: the gradients cannot be compared: the penalties are not finite\n"


def test_first_of_many_values_is_reported(prepare):
    """Outputs that overflow make everything after them NaN; the outputs are reported, not the gradients."""
    training = prepare(HUGE_FIRST, HUGE_SECOND)
    assert step(training).startswith("epoch 0: the outputs of layers[2] (dense) are no longer finite (")
    assert not np.isfinite(training.network.parameters.gradients).all()


def test_training_state_comes_before_the_step(prepare):
    """The learning rate was computed before the optimizer state, and that before the weights."""
    training = prepare()
    training.optimizer.state["squares"][0] = training.network.parameters.values[0] = np.nan
    assert step(training).startswith("epoch 0: the optimizer's squares of layers.0.weights is no longer finite")
    training.optimizer.updates, training.optimizer.rate_at = 1, lambda _: 3.0
    training.optimizer.last_coefficients[-1][...] = np.inf
    assert step(training).startswith("epoch 0: the learning rate of the last update, 3, gives a factor that is not")


def test_running_mean_comes_before_the_normalized_outputs(prepare):
    """The inputs of a batch normalization may be finite and their sum not; the running mean is affected first."""
    training = prepare(*NORMALIZED)
    inputs, targets, _ = first_batch(training)
    training.network.layers[0].weights[...] = 1
    inputs[...] = 1e38
    assert step(training, (inputs, targets)).startswith(
        "epoch 0, batch 0: layers.1.running_mean is no longer finite (inf"
    )


def test_layer_before_an_identity_is_reported(prepare):
    """Outputs that a linear layer passes on belong to the layer that computed them."""
    training = prepare(*SINE[:2], f"layers=[{DENSE_8}, {{type: dense, units: 1}}, linear]", *SINE[3:])
    training.network.layers[0].weights[...] = 3e38
    training.network.layers[1].weights[...] = 2
    assert step(training).startswith("epoch 0: the outputs of layers[1] (dense) are no longer finite (inf at ")


@pytest.mark.parametrize("micro_batch_rows", [60, 20])
def test_row_is_reported_with_and_without_micro_batches(prepare, micro_batch_rows):
    """With micro-batches too, the index is that of the row in the training set, or in the outputs of the batch."""
    training = prepare()
    training.network.micro_batch_rows = micro_batch_rows
    inputs, *_ = first_batch(training)
    inputs[47] = 3e38
    training.network.layers[0].weights[...] = 2
    assert step(training).startswith("epoch 0: the outputs of layers[0] (dense) are no longer finite (inf at [47, 0])")
    inputs[47, 1] = np.nan
    assert step(training).startswith("epoch 0: row 47, column 1 of the training set's inputs is nan; take the row out")


def test_outputs_of_all_threads_are_searched(prepare):
    """Also those of rows that another thread predicts."""
    training = prepare("training.threads=2")
    training.network.micro_batch_rows = 20  # so that each thread has some chunks of rows
    slow_down(training.network)
    training.rows_of("training").inputs[55] = 3e38
    training.network.layers[0].weights[...] = 2
    with pytest.raises(DivergedError, match=r"the outputs of layers\[0\] \(dense\) are no longer finite"):
        training.measured("training")


def test_row_that_is_not_in_the_data_set_is_one_of_the_batch(prepare):
    """A value that is only in the batch is reported with its row there."""
    training = prepare("training.batch_size=20")
    rows = first_batch(training)
    rows[0][3, 1] = np.nan
    assert step(training, rows).startswith(
        "epoch 0, batch 0: row 3 of the batch, column 1 of the training set's inputs"
    )


@pytest.mark.parametrize("rng", ["derived", "nnfs"])
@pytest.mark.parametrize("batch_size", ["null", "30"])
@pytest.mark.parametrize("layers", [DROPPED, DROPPED_TWICE], ids=["one dropout", "two"])
def test_replay_has_the_masks_of_the_failing_step(prepare, rng, batch_size, layers):
    """The dropout masks of the failing step are drawn again, whichever generator they come from."""
    training, masks = prepare(layers, f"training.batch_size={batch_size}", f"rng={rng}"), []
    training.network.micro_batch_rows = 15
    spoiled, original = training.network.layers[-2], Dropout.draw

    def draw(layer):
        original(layer)
        masks.append(layer.mask.copy())

    with patch.object(Dropout, "draw", draw):
        for training.epoch in range(3):
            training.batch = 0
            parts = training.parts()
            if training.epoch < 2 or batch_size == "30":
                training.train_batch(next(parts))
        masks.clear()
        backward = spoiled.backward
        spoiled.backward = lambda: np.multiply(backward(), np.nan, out=spoiled.d_inputs)
        assert "is no longer finite" in step(training, training.gather(next(parts)))
    passes = len(training.network.micro_batches(60 if batch_size == "null" else 30)) * layers.count("dropout")
    skipped = 1 if batch_size == "30" else 2 if rng == "nnfs" else 0  # batches whose masks are drawn again before
    assert len(masks) == passes * (2 + skipped)
    for mask, again in zip(masks[:passes], masks[-passes:], strict=True):
        np.testing.assert_array_equal(mask, again)


@pytest.mark.parametrize("rng", ["derived", "nnfs"])
@pytest.mark.parametrize("restored", [[2], [2, 1]], ids=["later", "later, then earlier"])
def test_replay_after_a_restored_state_has_the_masks_of_the_failing_step(prepare, rng, restored):
    """Also in full batch, where the state of the generator is kept for the replay only."""
    first, training, states = prepare(DROPPED, f"rng={rng}"), prepare(DROPPED, f"rng={rng}"), []
    for first.epoch in range(3):
        first.batch = 0
        states.append(first.state())
        first.train_batch(next(first.parts()))
    for epoch in restored:
        training.restore(states[epoch])
        parts = training.parts()
    part, masks, original = next(parts), [], Dropout.draw
    spoiled = training.network.layers[-2]
    backward = spoiled.backward
    spoiled.backward = lambda: np.multiply(backward(), np.nan, out=spoiled.d_inputs)

    def draw(layer):
        original(layer)
        masks.append(layer.mask.copy())

    with patch.object(Dropout, "draw", draw):
        assert "is no longer finite" in step(training, training.gather(part))
    assert len(masks) == 2
    np.testing.assert_array_equal(*masks)


@pytest.mark.parametrize(
    ("name", "location"),
    [
        ("outputs", (2, "outputs", (47, 0))),
        ("weights", (0, "weights", (0, 3))),
        ("gradient", (2, "gradient of inputs", (5, 1))),
        ("inputs", (None, "inputs", (47, 1))),
        ("state", (0, "optimizer's squares of weights", (0, 0))),
    ],
)
def test_error_has_the_location_as_attributes(prepare, name, location):
    """Epoch, batch, layer, array and index of the first value can be read from the error."""
    training = prepare()
    inputs, targets, _ = first_batch(training)
    layer = training.network.layers[2]
    if name == "outputs":
        forward = layer.forward
        layer.forward = lambda: spoil(forward(), (47, 0))
    elif name == "weights":
        training.network.layers[0].weights[0, 3] = np.inf
    elif name == "gradient":
        backward = layer.backward
        layer.backward = lambda: spoil(backward(), (5, 1))
    elif name == "inputs":
        inputs[47, 1] = np.nan
    else:
        training.optimizer.state["squares"][0] = training.network.parameters.values[0] = np.nan
    with pytest.raises(DivergedError) as caught, np.errstate(all="ignore"):
        training.step(inputs, targets)
    error = caught.value
    assert (error.epoch, error.batch) == (0, None)
    assert (error.layer, error.array, error.index) == location


@pytest.mark.parametrize("name", ["loss", "layer"])
def test_gradient_is_reported_at_its_row_of_the_batch(prepare, name):
    """With micro-batches too: row 5 of the third one of twenty rows."""
    training, calls = prepare(), count()
    training.network.micro_batch_rows = 20
    owner, method = training.network.layers[2], "backward"
    if name == "loss":
        owner, method = training.network.loss, "backward_fused"
    original = getattr(owner, method)

    def backward(*arguments):
        gradient = original(*arguments)
        return spoil(gradient, (5, 1)) if next(calls) % 3 == 2 else gradient

    setattr(owner, method, backward)
    with pytest.raises(DivergedError) as caught, np.errstate(all="ignore"):
        training.step(*first_batch(training))
    assert caught.value.index == (45, 1)


@pytest.mark.parametrize("kind", [Kind.PENALTIES, Kind.CLIPPING])
def test_accumulated_gradients_are_checked_before_they_change(prepare, kind):
    """The sum over the micro-batches may be infinite although each of them is finite."""
    search = NonFiniteSearch(prepare().experiment)
    observer = FirstNonFinite(search, search.parameters.values)
    search.parameters.gradients[0] = np.inf
    observer.before(Operation(kind))
    (found,) = observer.found
    assert found.description == "the gradient of layers.0.weights is no longer finite (inf at [0, 0])"


def test_replay_leaves_the_running_statistics_as_the_step_left_them(prepare):
    """It passes over the rows again, which would move them a second time."""
    training, seen = prepare(*NORMALIZED), []
    layer, values = training.network.layers[3], training.network.parameters.values
    original = layer.backward

    def backward():
        seen.append(values.copy())
        return spoil(original(), (5, 1))

    layer.backward = backward
    step(training)
    assert len(seen) == 2
    np.testing.assert_array_equal(values, seen[0])
    assert (seen[0] != seen[1]).any()


def spoil(array, index):
    """The array with one value that is NaN."""
    array[index] = np.nan
    return array


def test_checkpoint_between_two_logged_epochs_is_finite(workdir, run_cli):
    """A running mean that is NaN changes no gradient; it is detected when a checkpoint is due, which is not written."""

    def act(training, put):
        put(training.network.layers[1].running_mean)

    seldom = (*NORMALIZED, "training.log_every=1000", "training.epochs=1000", "training.checkpoint_seconds=0")
    with later(act)(Injector(math.nan)):
        result = run_cli("train", "config.yaml", *seldom, "-q")
    assert result.code == 7
    assert re.match(r"training diverged at epoch \d\d, batch 0: layers\.1\.running_mean is no longer", result.err)
    assert [path.stem for path in (workdir / "runs" / "config" / "checkpoints").iterdir()] == ["00000000"]


@pytest.mark.parametrize("clipping", ["null", "{type: value, limit: 1e30}"])
def test_training_continues_if_only_squares_are_infinite(prepare, clipping):
    """Gradients may be larger than the root of the largest float; finite values are not a divergence."""
    steep = ("optimizer={type: sgd, learning_rate: 1e-30}", "regularization.l2=1e25", "training.epochs=3")
    training = prepare(*steep, f"clipping={clipping}")
    gradients, seen, original = training.network.parameters.gradients, [], training.optimizer.step
    training.optimizer.step = lambda: (seen.append(float(gradients.dot(gradients))), original())
    with np.errstate(over="ignore"):
        assert [epoch.number for epoch in training.epochs()][-1] == 3
    assert seen == [math.inf] * 3


@pytest.mark.parametrize("limit", [math.nan])
@pytest.mark.parametrize("entry", components("clipping"), ids=lambda entry: entry.name)
def test_clipping_limit_of_nan_is_reported(prepare, entry, limit):
    """Gradients that clipping makes NaN are reported as clipped gradients."""
    training = prepare(f"clipping={{type: {entry.name}, limit: 1}}")
    training.experiment.clipping.limit = limit
    assert step(training).startswith("epoch 0: the clipped gradient of layers.0.weights is no longer finite (nan")


@pytest.mark.parametrize("batch_size", ["null", "14"])
@pytest.mark.parametrize("what", ["inputs", "targets"])
def test_data_beyond_float32_is_reported_with_its_value(workdir, run_cli, what, batch_size):
    """A value that float32 cannot hold is shown with the dtype that holds it, in which it is only large."""
    original = Sine.draw

    def drawn(source, rng):
        data = original(source, rng)
        wide = {name: getattr(data, name).astype(np.float64) for name in ("inputs", "targets")}
        wide[what][9, 0] = 1e39
        return type(data)(**wide, classes=None)

    changes = (*SINE, "validation=null", f"training.batch_size={batch_size}", "--quiet")
    with patch.object(Sine, "draw", drawn):
        result = run_cli("train", "config.yaml", *changes)
        wide = run_cli("train", "config.yaml", *changes, "dtype=float64", "optimizer.learning_rate=1e300")
    assert result.code == wide.code == 7
    row = rf"row 9, column 0 of the training set's {what} is 1e\+39, which float32 cannot hold"
    assert re.match(rf"training diverged at epoch 0(, batch \d)?: {row}; scale the data or write dtype", result.err)
    assert f"; scale the {what}, which reach 1e+39, to about 1" in wide.err


@pytest.mark.parametrize(
    ("changes", "suggested"),
    [
        (["optimizer={type: sgd, learning_rate: 1e30}"], "write learning_rate: 1"),
        (
            ["optimizer={type: adam, learning_rate: 1e38}", "clipping={type: value, limit: 1e30}"],
            "write learning_rate: 0.001",
        ),
        (
            ["optimizer={type: adam, learning_rate: 1e300}", "dtype=float64"],
            "write learning_rate: 0.001",
        ),
        (["optimizer={type: adamw, weight_decay: 1e300}", "dtype=float64"], "write weight_decay: 0.01"),
        (["optimizer={type: adamw, weight_decay: 1e38}"], "write weight_decay: 0.01"),
        (["optimizer={type: adamw, learning_rate: 1e3, weight_decay: 1e38}"], "write weight_decay: 0.001"),
        (
            ["optimizer={type: adamw, learning_rate: 1e38}"],
            "write learning_rate: 0.001",
        ),
        ([HUGE_FIRST, HUGE_SECOND], "write smaller initial weights, such as initializer: {type: normal, scale: 0.01}"),
        (["regularization.l2=1e25"], "write clipping: {type: norm, limit: 1} or dtype: float64"),
        (["regularization.l2=1e160", "dtype=float64"], "write clipping: {type: norm, limit: 1}"),
    ],
)
def test_suggestion_depends_on_the_config(workdir, run_cli, changes, suggested):
    """The suggestion depends on what diverged, and on the config."""
    result = run_cli("train", "config.yaml", *changes, "--quiet")
    assert result.code == 7
    assert result.err.endswith(f"; {suggested}; metrics up to then: runs/config/metrics.csv\n")


def unfinished(run):
    """Put infinity into the weights of the latest checkpoint of a run, and make the run unfinished."""
    (run / "evaluation.json").unlink()
    path = max((run / "checkpoints").iterdir())
    checkpoint = unpack(path.read_bytes())
    vectors, values = checkpoint.state.vectors, checkpoint.state.vectors["values"].copy()
    values[20] = -np.inf
    state = checkpoint.state.model_copy({"vectors": {**vectors, "values": values}})
    path.write_bytes(pack(checkpoint._replace(state=state)))


def finished(run):
    """Put infinity into the final weights of a run, and update their checksum."""
    with np.load(run / "weights.npz") as arrays:
        weights = {name: array.copy() for name, array in arrays.items()}
    weights["layers.0.biases"][4] = -np.inf
    file = io.BytesIO()
    np.savez(file, **weights)
    (run / "weights.npz").write_bytes(file.getvalue())
    evaluation = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
    evaluation["weights"] = {"bytes": len(file.getvalue()), "sha256": hashlib.sha256(file.getvalue()).hexdigest()}
    put_record(run / "evaluation.json", evaluation)


@pytest.mark.parametrize("spoil", [unfinished, finished])
@pytest.mark.parametrize("form", [[], ["--json"], ["--split=validation"]])
def test_weights_that_are_not_finite_are_not_evaluated(workdir, run_cli, spoil, form):
    """The first array is reported, whatever the metrics would have been; standard output has no metrics."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    spoil(workdir / "runs" / "config")
    result = run_cli("evaluate", "config", *form)
    assert result.code == 7
    assert list(json.loads(result.out)) == ["error"] if "--json" in form else result.out == ""
    array = "layers.0.biases is no longer finite (-inf at [4])"  # a ReLU makes 0 of it
    assert result.err == f"runs/config: the weights of epoch 30 cannot be used: {array}\n"


def test_outputs_of_finite_weights_are_reported_with_their_split(workdir, run_cli):
    """If a metric of finite weights is not finite, the first value that led to it and its split are reported."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    wide = Injector(math.inf)
    with always(ReLU, "forward", lambda outputs, *_: [outputs])(wide):
        result = run_cli("evaluate", "config", "--split", "validation")
    assert (result.code, result.out) == (7, "")
    named = "on the validation set the outputs of layers[1] (relu) are no longer finite (inf at [0, 0])"
    assert result.err == f"runs/config: the weights of epoch 30 cannot be used: {named}\n"
