"""The confusion matrix of a plot is that of evaluate."""

import json

import pytest

from nncli.report.confusion import confusion_of
from tests.examples import BINARY, SINE
from tests.report.conftest import TABLE

THRESHOLD = (*BINARY, "metrics=[{type: accuracy, threshold: 0.7}]")


@pytest.mark.parametrize("changes", [(), BINARY, THRESHOLD, TABLE], ids=["classes", "binary", "threshold", "table"])
def test_matrix_is_that_of_evaluate(trained, run_cli, changes):
    """On each split."""
    run = trained(*changes)
    splits = json.loads(run_cli("evaluate", run.run.path, "--json").out)["splits"]
    for name, evaluated in splits.items():
        found = confusion_of(run, name)
        assert found.matrix.tolist() == evaluated["confusion"]
        assert found.class_names == [each["name"] for each in evaluated["classes"]]


def test_regression_has_none(trained):
    """It has no classes."""
    assert confusion_of(trained(*SINE)) is None
