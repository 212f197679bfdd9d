"""Scores and ranks of points."""

import math

from nncli.sweep.scores import ranked, score
from nncli.sweep.trials import Outcome


def test_scores():
    """The score is the mean over the runs, negated if higher is better; infinite if one diverged or failed."""
    runs = [Outcome(0, "finished", 0.25), Outcome(1, "finished", 0.75)]
    assert (score(runs, "validation_loss"), score(runs, "validation_accuracy")) == (0.5, -0.5)
    for wrong in ("diverged", "failed"):
        assert score([*runs, Outcome(2, wrong)], "validation_accuracy") == math.inf


def test_ranking():
    """Points are ranked by the mean over their runs, then by number; those with a failed or diverged run come last."""
    ended = [
        Outcome(0, "finished", 3.0),
        Outcome(1, "finished", 1.0),
        Outcome(2, "finished", 0.0),
        Outcome(3, "diverged"),
        Outcome(4, "finished", 2.0),
        Outcome(5, "finished", 2.0),
        Outcome(6, "failed"),
        Outcome(7, "finished", 9.0),
    ]
    assert ranked(ended, 2, "validation_loss") == [0, 2, 1, 3]
    assert ranked([Outcome(0, "finished", 1.0), Outcome(1, "finished", 2.0)], 1, "accuracy") == [1, 0]
