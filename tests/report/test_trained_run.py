"""A run with its network, and the rows of its splits."""

import numpy as np
import pytest

import nncli
from nncli.errors import CommandLineError
from nncli.report.trained_run import TrainedRun
from tests.examples import BINARY, LATE_TEST, SINE
from tests.report.conftest import PRODUCT


@pytest.mark.parametrize("changes", [(), SINE, PRODUCT], ids=["classes", "sine", "table"])
def test_outputs_are_those_of_evaluate(trained, changes):
    """The metrics of the outputs are those that were recorded, in the unit of the targets."""
    run = trained(*changes)
    recorded = run.run.evaluation.splits["validation"]
    rows = run.predicted("validation")
    if rows.classes is None:
        error = np.sqrt(np.mean(np.square(rows.outputs - rows.targets)))
        assert error == pytest.approx(recorded["root_mean_squared_error"])
    else:
        assert np.mean(np.argmax(rows.probabilities, axis=1) == rows.targets) == recorded["accuracy"]


def test_snapshot_has_the_weights_of_its_epoch(trained):
    """Outputs for the rows, and the network itself, are those of the epoch."""
    final = trained()
    early = TrainedRun(final.run, 10)
    weights = final.run.snapshots[10]["layers.0.weights"]
    assert (early.epoch, final.epoch) == (10, 30)
    assert np.array_equal(
        early.experiment.network.parameters.views(early.network.parameters.values)["layers.0.weights"], weights
    )
    loss = final.run.metrics.row_of(10)["validation_loss"]
    rows = early.predicted("validation")
    assert early.network.data_loss(rows.encoded_outputs, rows.examples.encoded) == pytest.approx(loss)


def test_single_output_is_the_probability_of_class_1(trained):
    """The other class has the rest."""
    rows = trained(*BINARY).predicted()
    assert np.array_equal(rows.probabilities[:, 1], rows.outputs[:, 0])
    assert np.array_equal(rows.probabilities[:, 0], 1 - rows.outputs[:, 0])


def test_late_test_set_needs_a_checkpoint(trained):
    """It is sampled again from the checkpoint; without one there are the other splits."""
    run = trained(*LATE_TEST)
    assert len(run.predicted("test").targets) == 30
    for path in (run.run.path / "checkpoints").iterdir():
        path.unlink()
    with pytest.raises(CommandLineError, match=r"has no split 'test': it is sampled after training, and there is no"):
        TrainedRun(run.run).predicted("test")
    assert TrainedRun(run.run).held_out == "validation"


def test_outputs_are_those_of_predict(trained):
    """The same as ``predict_proba`` of the Python API for the rows of a file."""
    run = trained(*PRODUCT)
    table = run.raw("validation")
    rows = {name: table.values(name) for name in ("length", "depth")}
    assert np.array_equal(run.predicted("validation").outputs[:, 0], nncli.load(run.run.path).predict(rows))
