"""Curves of one run and of several ones: what is said of them, and their marks, colors and dashes."""

import numpy as np
import pytest

from nncli.report.curves import Curve, RunCurves, Series
from nncli.report.page.comparison import MANY, marks_of, message_of, overlaid, run_charts

TRAINING, VALIDATION = [0.2, 0.7, 0.4, 0.5], [0.1, 0.6, 0.9, 0.3]
EPOCHS = np.array([0, 10, 20, 30])


def curve(higher, training=TRAINING, validation=VALIDATION, is_logarithmic=False):
    """A metric with the best epoch of its last series."""
    series = [Series("s", "training", np.array(training))]
    if validation:
        series.append(Series("validation_s", "validation", np.array(validation)))
    last = series[-1].values
    best = None if higher is None else int(EPOCHS[np.argmax(last) if higher else np.argmin(last)])
    return Curve("s", higher, EPOCHS, series, is_logarithmic, best)


def curves(*found, kept=30, diverged=None):
    return RunCurves("run", kept, diverged, list(found))


@pytest.mark.parametrize(
    ("higher", "best"),
    [
        (True, "; best validation value 0.9 at epoch 20"),
        (False, "; best validation value 0.1 at epoch 0"),
        (None, ""),
    ],
)
def test_message_says_where_a_curve_begins_and_ends(higher, best):
    """And the best value of the last split, in the direction of the metric."""
    expected = f"training from 0.2 to 0.5 and validation from 0.1 to 0.3{best}."
    assert message_of(curve(higher)) == expected


@pytest.mark.parametrize(
    ("higher", "best"),
    [(True, "a 0.9 at epoch 20 and b 0.8 at epoch 30"), (False, "a 0.1 at epoch 0 and b 0.2 at epoch 20")],
)
def test_message_of_several_runs_has_the_best_value_of_each(higher, best):
    """In the direction of the metric; it explains the dashes."""
    other = curve(higher, validation=[0.3, 0.4, 0.2, 0.8])
    chart = overlaid("s", {"a": curves(curve(higher)), "b": curves(other)})
    assert chart.message == f"Best values: {best}. Solid lines are training, dashed ones validation."
    styles = [(each.name, each.color, each.dash) for each in chart.series]
    assert styles == [("a, training", 0, 0), ("a, validation", 0, 1), ("b, training", 1, 0), ("b, validation", 1, 1)]


def test_of_many_runs_the_training_curves_are_left_out():
    """Unless a run has no other."""
    found = {f"r{index}": curves(curve(True, validation=VALIDATION if index else None)) for index in range(MANY + 1)}
    names = [each.name for each in overlaid("s", found).series]
    assert names == ["r0, training", *(f"r{index}, validation" for index in range(1, MANY + 1))]


def test_kept_weights_are_marked_if_training_went_on():
    """Not at the last epoch; a divergence is marked as well."""
    assert marks_of(curves(curve(True), kept=30)) == []
    assert marks_of(curves(curve(True), kept=20)) == [(20, "kept weights")]
    assert marks_of(curves(curve(True), kept=None, diverged=31)) == [(31, "diverged")]


def test_splits_of_a_run_differ_in_color_and_dash():
    """A chart for each metric, with its scale and its marks."""
    first, second = run_charts(curves(curve(True), curve(False, is_logarithmic=True), kept=20))
    assert [(each.name, each.color, each.dash) for each in first.series] == [("training", 0, 0), ("validation", 1, 1)]
    assert (first.is_logarithmic, second.is_logarithmic) == (False, True)
    assert first.marks == [(20, "kept weights")]
