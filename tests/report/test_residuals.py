"""Residuals of a regression."""

import numpy as np
import pytest

from nncli.report.residuals import residuals_of
from tests.report.conftest import PRODUCT


def test_residuals_are_in_the_unit_of_the_target(trained):
    """Target minus prediction of each row, whose root mean square is the recorded error."""
    run = trained(*PRODUCT)
    (found,) = residuals_of(run)
    recorded = run.run.evaluation.splits["validation"]["root_mean_squared_error"]
    assert np.sqrt(np.mean(np.square(found.residuals))) == pytest.approx(recorded)
    assert np.hypot(found.mean, found.deviation) == pytest.approx(recorded)
    assert (found.target, found.counts.sum()) == ("product", len(found.targets))
    assert found.residuals.min() == found.edges[0]


def test_classifier_has_none(trained):
    """It has classes."""
    assert residuals_of(trained()) == []
