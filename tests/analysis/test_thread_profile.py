"""The time of a step by the number of threads."""

from contextlib import nullcontext

import numpy as np
import pytest

from nncli.analysis.profiling import Steps
from nncli.analysis.thread_profile import thread_profile
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.training.loop import Trainer

WIDE = ("layers[0].units=4000", "data.samples=200")


@pytest.mark.parametrize(("overrides", "divided"), [((), []), (WIDE, [2])])
def test_each_number_of_threads_is_measured_on_the_same_steps(workdir, monkeypatch, overrides, divided):
    """In turns, from the initial weights."""
    trainer, used = Trainer(assemble(load(workdir / "config.yaml", overrides).config)), []
    initial, divide = trainer.network.parameters.values.copy(), trainer.divided

    def noted_division(threads):
        used.append(threads)
        assert trainer.optimizer.updates == 0
        assert np.array_equal(trainer.network.parameters.values, initial)
        return divide(threads)

    monkeypatch.setattr(trainer, "divided", noted_division)
    found = thread_profile(trainer, [2, 1, 2], 0.05)
    assert list(found.seconds) == [1, 2]
    assert all(seconds > 0 for seconds in found.seconds.values())
    assert found.divided == divided
    assert used == 5 * [1, 2]


def test_time_is_the_median_of_the_rounds(workdir, monkeypatch):
    """Of the steps after the first two, the slower of which says how many follow; a slow round does not count."""
    trainer, calls = Trainer(assemble(load(workdir / "config.yaml").config)), []
    divided_among = []

    class Timed(Steps):
        def seconds(self, count):
            threads, turn = divided_among[-1], (len(divided_among) - 1) // 2
            calls.append((count, threads))
            is_first = len(calls) % 3 == 1  # of the three calls for a number of threads, and twice as fast
            return threads * [0.1, 0.4, 0.2, 9.0, 0.3][turn] / (1 + is_first)

    def noted_division(threads):
        divided_among.append(threads)
        return nullcontext()

    monkeypatch.setattr("nncli.analysis.thread_profile.Steps", Timed)
    monkeypatch.setattr(trainer, "divided", noted_division)
    found = thread_profile(trainer, [8, 1], 5)
    assert found.seconds == {1: pytest.approx(0.3), 8: pytest.approx(2.4)}
    assert calls[:6] == [(1, 1), (1, 1), (5, 1), (1, 8), (1, 8), (1, 8)]  # half a second each
