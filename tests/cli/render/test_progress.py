"""The progress of a training as plain lines."""

import pytest

from nncli.cli.render.progress import PlainView
from nncli.training.loop import Epoch


@pytest.mark.parametrize("epochs", [1, 47, 1000, 1019])
def test_last_epoch_has_a_plain_line(capsys, epochs):
    """Also if no line is due at it."""
    view = PlainView(epochs, None)
    for number in range(epochs + 1):
        view.show(Epoch(number, {"loss": 0.5}))
    assert capsys.readouterr().err.splitlines()[-1] == f"epoch {epochs}/{epochs}  loss 0.5000"
