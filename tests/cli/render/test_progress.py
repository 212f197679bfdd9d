"""The progress of a training: plain lines, and the live display."""

import time

import pytest

from nncli.cli.render.console import Output
from nncli.cli.render.progress import LiveView, PlainView, sparkline
from nncli.training.loop import Epoch


@pytest.mark.parametrize("epochs", [1, 47, 1000, 1019])
def test_last_epoch_has_a_plain_line(capsys, epochs):
    """Also if no line is due at it."""
    view = PlainView(epochs, None)
    for number in range(epochs + 1):
        view.show(Epoch(number, {"loss": 0.5}))
    assert capsys.readouterr().err.splitlines()[-1] == f"epoch {epochs}/{epochs}  loss 0.5000"


def test_rate_of_a_resumed_training_counts_its_own_epochs(capsys, monkeypatch):
    """Five epochs in a second, whatever was trained before, and the remaining time that follows."""
    monkeypatch.setattr(time, "monotonic", lambda: 10.0)
    view = LiveView(40, None, first=20)
    view.show(Epoch(25, {"loss": 0.5}))
    monkeypatch.setattr(time, "monotonic", lambda: 11.0)
    Output().print(view)
    out = capsys.readouterr().out
    assert out.startswith("epoch 25/40")
    assert "5.00 epochs/s  0:00:03 left" in out


@pytest.mark.parametrize("count", [1, 40, 41, 100])
def test_sparkline_begins_with_the_first_and_ends_with_the_last_value(count):
    """However many values there are, it has at most its width."""
    line = sparkline([1.0, *[0.0] * count, 1.0], 40)
    assert (line[0], line[-1], len(line)) == ("█", "█", min(count + 2, 40))
    assert set(line[1:-1]) == {"▁"}
