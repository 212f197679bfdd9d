"""The progress of a training as plain lines, and the metrics that a resumed training begins with."""

from contextlib import contextmanager

import pytest

from nncli.cli.render.progress import PlainView, history_of
from nncli.runner.resume import resume
from nncli.store.run_reader import Run
from nncli.training.loop import Epoch
from tests.examples import train_config


@pytest.mark.parametrize("epochs", [1, 47, 1000, 1019])
def test_last_epoch_has_a_plain_line(capsys, epochs):
    """Also if no line is due at it."""
    view = PlainView(epochs, None)
    for number in range(epochs + 1):
        view.show(Epoch(number, {"loss": 0.5}))
    assert capsys.readouterr().err.splitlines()[-1] == f"epoch {epochs}/{epochs}  loss 0.5000"


def test_history_of_a_resumed_training_is_that_of_its_run(workdir):
    """Its panel begins with the curves and the best values of metrics.csv."""
    histories = []

    @contextmanager
    def observer(writer):
        histories.append(history_of(writer))
        yield lambda epoch: None

    train_config(workdir / "config.yaml", runs=workdir / "runs", observer=observer)
    resume(workdir / "runs" / "config", ("training.epochs=40",), observer=observer)
    new, resumed = histories
    assert (new.count, new.latest) == (0, {})
    assert (resumed.count, resumed.epoch) == (4, 30)
    metrics = Run(workdir / "runs" / "config").metrics
    assert resumed.curve("validation_loss") == ([0, 10, 20, 30], metrics.column("validation_loss").tolist()[:4])
    assert resumed.best["loss"].value == metrics.column("loss")[:4].min()
