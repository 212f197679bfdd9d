"""Divergence: whatever becomes NaN or infinite first is named, and nothing of it is kept."""

import hashlib
import io
import json
import math
import re
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
from nncli.registry import components, kinds
from nncli.store.checkpoint import pack, unpack
from nncli.train.loop import Trainer
from tests.examples import DENSE_8, NORMALIZED, SINE, put_record
from tests.fault_injection.non_finite_injections import Injector, all_injections, always, from_the_start, later
from tests.fault_injection.non_finite_values import VALUES, problems_after

pytestmark = pytest.mark.slow

HUGE_FIRST = "layers[0].initializer={type: normal, scale: 1e38}"
HUGE_SECOND = "layers[2].initializer={type: normal, scale: 1e10}"
DROPPED = f"layers=[{DENSE_8}, {{type: dropout, rate: 0.5}}, {{type: dense, units: 3}}, softmax]"


@pytest.fixture
def prepare(workdir):
    """Assemble the small spec, with some values changed: ``prepare("training.epochs=3")``."""
    return lambda *changes: Trainer(assemble(load(workdir / "config.yaml", changes).config))


def step(training, rows=None):
    """What the error says with which a step ends, on all rows where none are given."""
    with pytest.raises(DivergedError, match=r"^training diverged at ") as error, np.errstate(all="ignore"):
        training.step(*(rows or next(training.batches())))
    return str(error.value).removeprefix("training diverged at ")


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("injection", all_injections(), ids=str)
def test_what_is_put_in_is_named_and_not_kept(workdir, injection, value):
    """Exit code 7, one line that names it, a last row of nan, older checkpoints of finite numbers, no final weights."""
    assert not list(problems_after(injection, value, workdir / "config.yaml"))


def test_every_component_is_put_to_the_test():
    """A component that is registered has an injection, or a message of its own would be missing."""
    tried = {(injection.kind, injection.name) for injection in all_injections()}
    assert {(kind, entry.name) for kind in kinds() for entry in components(kind)} <= tried


@pytest.mark.parametrize("command", [["explain"], ["explain", "--json"], ["gradcheck"], ["profile", "--seconds=1"]])
@pytest.mark.parametrize("injection", list(from_the_start()), ids=str)
def test_other_commands_tell_it_too(workdir, run_cli, command, injection):
    """Explanations, gradient checks and profiles end with a sentence, or without the number, and with no traceback."""
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


def test_the_penalties_are_looked_at_before_gradients_are_compared(workdir, run_cli):
    """A price that is infinite is told as that."""
    with patch.object(Penalty, "forward", lambda _: math.inf):
        result = run_cli("gradcheck", "config.yaml", "regularization.l2=0.1")
    assert result.err == "config.yaml: the gradients cannot be compared: the penalties are not finite\n"


def test_the_first_of_many_is_named(prepare):
    """Outputs that overflow make everything behind them NaN; they are what is named, and not the gradients."""
    training = prepare(HUGE_FIRST, HUGE_SECOND)
    assert step(training).startswith("epoch 0: the outputs of layers[2] (dense) are no longer finite (")
    assert not np.isfinite(training.network.parameters.gradients).all()


def test_what_the_step_before_has_left_comes_first(prepare):
    """Among memory and weights that are wild, the memory was computed first, and the learning rate before both."""
    training = prepare()
    training.optimizer.state["squares"][0] = training.network.parameters.values[0] = np.nan
    assert step(training).startswith("epoch 0: the optimizer's squares of layers.0.weights is no longer finite")
    training.optimizer.updates, training.optimizer.rate_at = 1, lambda _: 3.0
    training.optimizer.last_coefficients[-1][...] = np.inf
    assert step(training).startswith("epoch 0: the learning rate of the last update, 3, gives a factor that is not")


def test_a_mean_that_overflows_comes_before_what_is_normalized_by_it(prepare):
    """The inputs of a batch normalization may be finite and their sum not; the running mean has it first."""
    training = prepare(*NORMALIZED)
    inputs, targets = next(training.batches())
    training.network.layers[0].weights[...] = 1
    inputs[...] = 1e38
    assert step(training, (inputs, targets)).startswith(
        "epoch 0, batch 0: layers.1.running_mean is no longer finite (inf"
    )


def test_a_layer_before_one_that_changes_nothing_is_named_itself(prepare):
    """Outputs that a linear layer hands on are those of the layer that has made them."""
    training = prepare(*SINE[:2], f"layers=[{DENSE_8}, {{type: dense, units: 1}}, linear]", *SINE[3:])
    training.network.layers[0].weights[...] = 3e38
    training.network.layers[1].weights[...] = 2
    assert step(training).startswith("epoch 0: the outputs of layers[1] (dense) are no longer finite (inf at ")


@pytest.mark.parametrize("portion", [60, 20])
def test_a_row_is_named_however_rows_pass(prepare, portion):
    """At once or in portions, the same row of the training set is told, and where outputs overflow the row of these."""
    training = prepare()
    training.network.micro_batch_rows = portion
    inputs, _ = next(training.batches())
    inputs[47] = 3e38
    training.network.layers[0].weights[...] = 2
    assert step(training).startswith("epoch 0: the outputs of layers[0] (dense) are no longer finite (inf at [47, 0])")
    inputs[47, 1] = np.nan
    assert step(training).startswith("epoch 0: row 47, column 1 of the training set's inputs is nan; take the row out")


def test_a_row_that_is_in_no_data_set_is_one_of_the_batch(prepare):
    """A number that goes wrong on its way into a batch is told by its place there."""
    training = prepare("training.batch_size=20")
    rows = next(training.batches())
    rows[0][3, 1] = np.nan
    assert step(training, rows).startswith(
        "epoch 0, batch 0: row 3 of the batch, column 1 of the training set's inputs"
    )


@pytest.mark.parametrize("batch_size", ["null", "30"])
def test_portions_that_pass_again_have_the_same_masks(prepare, batch_size):
    """The random numbers of the failing step are drawn again, and no others, so that it fails in the same place."""
    training, masks, honest = prepare(DROPPED, f"training.batch_size={batch_size}"), [], Dropout.data_matches_config
    training.network.micro_batch_rows = 15
    batches = training.batches()
    with patch.object(
        Dropout, "data_matches_config", lambda *arguments: masks.append(honest(*arguments).copy()) or masks[-1]
    ):
        if batch_size == "30":
            training.step(*next(batches))
        masks.clear()
        training.network.layers[2].backward = lambda grad: np.full((15, 8), np.nan, np.float32, order="F")
        assert "the gradient of the inputs of layers[2] (dense) is no longer finite" in step(training, next(batches))
    failing, again = masks[: 60 // 15 if batch_size == "null" else 30 // 15], masks[-1]
    assert len(masks) > len(failing)
    assert np.array_equal(failing[0], again)
    assert not np.array_equal(failing[1], again)


def test_a_checkpoint_between_two_rows_of_metrics_is_of_finite_numbers_too(workdir, run_cli):
    """A running mean that is NaN changes no gradient; it is met when a checkpoint is due, and none is written."""

    def act(training, put):
        put(training.network.layers[1].running_mean)

    seldom = (*NORMALIZED, "training.log_every=1000", "training.epochs=1000", "training.checkpoint_seconds=0")
    with later(act)(Injector(math.nan)):
        result = run_cli("train", "config.yaml", *seldom, "-q")
    assert result.code == 7
    assert re.match(r"training diverged at epoch \d\d, batch 0: layers\.1\.running_mean is no longer", result.err)
    assert [path.stem for path in (workdir / "runs" / "config" / "checkpoints").iterdir()] == ["00000000"]


@pytest.mark.parametrize("clipping", ["null", "{type: value, limit: 1e30}"])
def test_training_goes_on_where_only_squares_are_infinite(prepare, clipping):
    """Gradients may be larger than the root of the largest number; what is finite is no divergence."""
    steep = ("optimizer={type: sgd, learning_rate: 1e-30}", "regularization.l2=1e25", "training.epochs=3")
    training = prepare(*steep, f"clipping={clipping}")
    gradients, seen, honest = training.network.parameters.gradients, [], training.optimizer.step
    training.optimizer.step = lambda: (seen.append(float(gradients.dot(gradients))), honest())
    with np.errstate(over="ignore"):
        assert [epoch.number for epoch in training.epochs()][-1] == 3
    assert seen == [math.inf] * 3


@pytest.mark.parametrize("limit", [math.nan])
@pytest.mark.parametrize("entry", components("clipping"), ids=lambda entry: entry.name)
def test_a_limit_that_is_no_number_is_not_passed_over(prepare, entry, limit):
    """Gradients cached_output to NaN are NaN, which is named as what clipping has made."""
    training = prepare(f"clipping={{type: {entry.name}, limit: 1}}")
    training.experiment.clipping.limit = limit
    assert step(training).startswith("epoch 0: the clipped gradient of layers.0.weights is no longer finite (nan")


@pytest.mark.parametrize("batch_size", ["null", "14"])
@pytest.mark.parametrize("what", ["inputs", "targets"])
def test_data_that_a_number_format_cannot_hold_is_told_as_it_is(workdir, run_cli, what, batch_size):
    """A number beyond single precision is shown in full, with the format that holds it; there it is only large."""
    honest = Sine.draw

    def drawn(source, rng):
        data = honest(source, rng)
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
    ("changes", "cure"),
    [
        (["optimizer={type: sgd, learning_rate: 1e30}"], "write learning_rate: 1 or clipping: {type: norm, limit: 1}"),
        (
            ["optimizer={type: adam, learning_rate: 1e38}", "clipping={type: value, limit: 1e30}"],
            "write learning_rate: 0.001",
        ),
        (
            ["optimizer={type: adam, learning_rate: 1e300}", "dtype=float64"],
            "write learning_rate: 0.001 or clipping: {type: norm, limit: 1}",
        ),
        (["optimizer={type: adamw, weight_decay: 1e300}", "dtype=float64"], "write weight_decay: 0.01"),
        (["optimizer={type: adamw, weight_decay: 1e38}"], "write weight_decay: 0.01"),
        (["optimizer={type: adamw, learning_rate: 1e3, weight_decay: 1e38}"], "write weight_decay: 0.001"),
        (
            ["optimizer={type: adamw, learning_rate: 1e38}"],
            "write learning_rate: 0.001 or clipping: {type: norm, limit: 1}",
        ),
        ([HUGE_FIRST, HUGE_SECOND], "write smaller first weights, such as initializer: {type: normal, scale: 0.01}"),
        (["regularization.l2=1e25"], "write clipping: {type: norm, limit: 1} or dtype: float64"),
        (["regularization.l2=1e160", "dtype=float64"], "write clipping: {type: norm, limit: 1}"),
    ],
)
def test_the_cure_fits(workdir, run_cli, changes, cure):
    """What is to be written depends on what went wrong, and on what the spec says already."""
    result = run_cli("train", "config.yaml", *changes, "--quiet")
    assert result.code == 7
    assert result.err.endswith(f"; {cure}; what was measured before is in runs/config\n")


def unfinished(run):
    """Put infinity into the weights of the newest checkpoint of a run, and take away what comes at its end."""
    (run / "evaluation.json").unlink()
    path = max((run / "checkpoints").iterdir())
    position, vectors, identity = unpack(path.read_bytes())
    values = vectors["values"].copy()
    values[20] = -np.inf
    path.write_bytes(pack(position, {**vectors, "values": values}, identity))


def finished(run):
    """Put infinity into the final weights of a run, and write their digest anew."""
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
    """The first array is named, whatever the metrics would have been; nothing is on standard output."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    spoil(workdir / "runs" / "config")
    result = run_cli("evaluate", "config", *form)
    assert (result.code, result.out) == (7, "")
    array = "layers.0.biases is no longer finite (-inf at [4])"  # a ReLU makes 0 of it
    assert result.err == f"runs/config: the weights of epoch 30 cannot be used: {array}\n"


def test_outputs_of_finite_weights_are_told_by_their_set(workdir, run_cli):
    """Where a metric of good weights is not finite, the first number behind it is named, and the set."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    wide = Injector(math.inf)
    with always(ReLU, "forward", lambda outputs, *_: [outputs])(wide):
        result = run_cli("evaluate", "config", "--split", "validation")
    assert (result.code, result.out) == (7, "")
    named = "on the validation set the outputs of layers[1] (relu) are no longer finite (inf at [0, 0])"
    assert result.err == f"runs/config: the weights of epoch 30 cannot be used: {named}\n"
