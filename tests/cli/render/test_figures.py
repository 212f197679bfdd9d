"""Plots in files: many classes and long names."""

import numpy as np
import pytest

from nncli.cli.render.figures import figure_bytes
from nncli.report.boundary import Boundary, Points
from nncli.report.confusion import Confusion

CLASSES = 50
NAMES = [f"{index} {'long ' * 50}" for index in range(CLASSES)]
RNG = np.random.default_rng(0)
POINTS = Points("training", RNG.normal(size=(CLASSES, 2)), np.arange(CLASSES), np.arange(CLASSES))
OUTPUTS = RNG.dirichlet(np.ones(CLASSES), (4, 4))
DATA = {
    "boundary": Boundary(NAMES[:2], np.arange(4.0), np.arange(4.0), OUTPUTS, NAMES, None, ["kind"], POINTS, 1),
    "confusion": Confusion("test", NAMES, np.diag(np.full(CLASSES, 7))),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", DATA)
def test_names_leave_room_for_the_plot(name):
    """matplotlib warns if the axes have no room left; names are shortened, and the counts of a large matrix fit."""
    text = figure_bytes([name], ["run"], [1], [DATA[name]], "svg").decode()
    assert ("49 long…" if name == "boundary" else "49 long long long long …") in text
    assert NAMES[49] not in text
    if name == "confusion":
        assert text.count(">7<") == CLASSES
        assert ">0<" not in text
