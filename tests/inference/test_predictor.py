"""Predictions from raw rows: the network of a run, without its data."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import nncli
from nncli.data.sources.nnfs import Spiral
from nncli.errors import ConfigError, DivergedError, RunError
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.inference.predictor import Predictor
from nncli.nn.network import Network
from nncli.processes import CAN_FORK
from nncli.store.checkpoint import checkpoints, pack, unpack
from nncli.store.run_reader import Run
from nncli.training.evaluate import examples, predict
from tests.examples import BINARY, NORMALIZED, SINE
from tests.prediction_threads import fork_predicts

DROPOUT = "layers=[{type: dense, units: 8}, {type: dropout, rate: 0.5}, {type: dense, units: 3}, softmax]"


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides", [(), SINE, BINARY, NORMALIZED, (DROPOUT,), ("dtype=float64",)], ids=lambda each: " ".join(each)[:20]
)
def test_predictions_are_the_outputs_of_the_trained_network(workdir, overrides):
    """On the rows of the training set they are those that its metrics were computed from, bit by bit."""
    run = Run(nncli.train("config.yaml", overrides).path)
    experiment = assemble(load(workdir / "config.yaml", tuple(overrides)).config)
    run.load_weights(experiment.network.parameters)
    rows = examples(experiment.data["training"], experiment.network)
    assert np.array_equal(Predictor(run).predict(rows.inputs), predict(experiment.network, rows))


def test_predictor_needs_no_data(workdir, monkeypatch):
    """A run whose data can no longer be generated still predicts."""
    path = nncli.train("config.yaml").path
    monkeypatch.setattr(Spiral, "draw", lambda *_: pytest.fail("the data was generated"))
    assert Predictor(Run(path)).predict(np.zeros((2, 2))).shape == (2, 3)


def test_early_stopping_predicts_with_the_best_weights(workdir):
    """The epoch is that of the weights that were kept."""
    stopping = "training.early_stopping={metric: loss, min_delta: 100, patience: 20}"
    assert Predictor(Run(nncli.train("config.yaml", [stopping]).path)).epoch == 0


@pytest.mark.parametrize(
    "inputs", [[[0.1, 0.2]], ((1, 2),), np.zeros((1, 2), np.int8), np.zeros((1, 2), bool), np.zeros((1, 2), order="F")]
)
def test_predict_takes_real_numbers_of_any_kind(workdir, inputs):
    """Lists, tuples and arrays; the array is not changed, and the result belongs to the caller."""
    predictor = Predictor(Run(nncli.train("config.yaml").path))
    first = predictor.predict(inputs)
    copy = first.copy()
    predictor.predict([[5, 5]])
    assert np.array_equal(first, copy)
    assert first.dtype == np.float32


def test_predict_takes_no_rows(workdir):
    """The outputs are empty, with as many columns as ever."""
    assert Predictor(Run(nncli.train("config.yaml").path)).predict(np.zeros((0, 2))).shape == (0, 3)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([0.1, 0.2], r"inputs must have the shape \(rows, 2\), got \(2,\); write \[row\] for a single row"),
        ([[0.1]], r"inputs must have the shape \(rows, 2\), got \(1, 1\)$"),
        (0.1, r"inputs must have the shape \(rows, 2\), got \(\)$"),
        (np.zeros((1, 2, 2)), r"got \(1, 2, 2\)"),
        ([[0, 1], [float("nan"), 1]], r"inputs\[1, 0\] is nan, which is not finite"),
        ([[0, float("-inf")]], r"inputs\[0, 1\] is -inf, which is not finite"),
        ([[0, 1e300]], r"inputs\[0, 1\] is 1e\+300, which is too large for float32"),
        ([["a", "b"]], "inputs must be real numbers, got an array of dtype <U1"),
        ([[1j, 0]], "inputs must be real numbers, got an array of dtype complex128"),
        ([[None, 0]], "inputs must be real numbers, got an array of dtype object"),
        (np.array([[1, 2]], object), r"got an array of dtype object; convert with \.astype\(float\)$"),
        (np.ma.masked_array([[1.0, 2.0]], [[True, False]]), r"got a masked array; write \.filled\(value\)"),
        ([[1, 2], [3]], "inputs must be an array of rows of equal length"),
    ],
)
def test_invalid_inputs_are_rejected(workdir, inputs, message):
    """The message says what is wrong, and where."""
    predictor = Predictor(Run(nncli.train("config.yaml", ["training.epochs=1"]).path))
    with pytest.raises(ConfigError, match=message):
        predictor.predict(inputs)


def test_outputs_that_are_not_finite_are_rejected(workdir):
    """Inputs that are finite, but too large for the network, give no NaN; the error names the row."""
    predictor = Predictor(Run(nncli.train("config.yaml", ["training.epochs=1"]).path))
    with pytest.raises(
        DivergedError, match=r"the outputs of inputs\[1\] are not finite: .* large for float32"
    ) as caught:
        predictor.predict([[1, 2], [3e38, 3e38]])
    assert (caught.value.epoch, caught.value.array, caught.value.index) == (1, "outputs", (1, 0))


def test_threads_that_predict_at_the_same_time_take_turns(workdir, monkeypatch):
    """The layers reuse their arrays, which one prediction has to itself."""
    predictor = Predictor(Run(nncli.train("config.yaml", ["training.epochs=1"]).path))
    running, most, forward = [], [], Network.forward

    def observed(network, inputs):
        running.append(None)
        most.append(len(running))
        time.sleep(0.01)
        running.pop()
        return forward(network, inputs)

    monkeypatch.setattr(Network, "forward", observed)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(predictor.predict, [[[0.1, 0.2]]] * 8))
    assert most == [1] * 8


@pytest.mark.skipif(not CAN_FORK, reason="forks")
def test_a_forked_process_predicts_while_its_parent_does(workdir):
    """It does not wait for a thread that it does not have."""
    predictor = Predictor(Run(nncli.train("config.yaml", ["training.epochs=1"]).path))
    assert fork_predicts(predictor.predict, np.array([[0.1, 0.2]]))


def test_weights_that_are_not_finite_are_rejected(workdir):
    """A checkpoint with a NaN in it predicts nothing."""
    path = nncli.train("config.yaml", stop=lambda: True).path
    newest = checkpoints(path)[-1]
    known = unpack(newest.read_bytes())
    values = known.state.vectors["values"].copy()
    values[0] = np.nan
    newest.write_bytes(pack(known._replace(state=known.state.model_copy({"vectors": {"values": values}}))))
    with pytest.raises(DivergedError, match="the weights of epoch 0 are not finite"):
        Predictor(Run(path))


def test_run_without_weights_is_rejected(workdir):
    """Neither weights.npz nor a checkpoint is there."""
    path = nncli.train("config.yaml").path
    for file in (path / "weights.npz", *checkpoints(path)):
        file.unlink()
    with pytest.raises(RunError):
        Predictor(Run(path))
