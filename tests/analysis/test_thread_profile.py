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
    initial, train_batch, divide = trainer.network.parameters.values.copy(), trainer.train_batch, trainer.divided

    def noted(part):
        if not trainer.optimizer.updates:
            assert np.array_equal(trainer.network.parameters.values, initial)
        train_batch(part)

    def noted_division(threads):
        used.append(threads)
        return divide(threads)

    monkeypatch.setattr(trainer, "train_batch", noted)
    monkeypatch.setattr(trainer, "divided", noted_division)
    found = thread_profile(trainer, [2, 1, 2], 0.05)
    assert list(found.seconds) == [1, 2]
    assert all(seconds > 0 for seconds in found.seconds.values())
    assert found.divided == divided
    assert used == 5 * [1, 2]


def test_time_is_the_median_of_the_rounds(workdir, monkeypatch):
    """For each number of threads, of the steps after the first two; a slow round does not count."""
    trainer, calls = Trainer(assemble(load(workdir / "config.yaml").config)), []
    divided_among = []

    class Timed(Steps):
        def divided_seconds(self, count):
            threads, turn = divided_among[-1], (len(divided_among) - 1) // 2
            calls.append((count, threads))
            return threads * [0.1, 0.4, 0.2, 9.0, 0.3][turn]

    def noted_division(threads):
        divided_among.append(threads)
        return nullcontext()

    monkeypatch.setattr("nncli.analysis.thread_profile.Steps", Timed)
    monkeypatch.setattr(trainer, "divided", noted_division)
    found = thread_profile(trainer, [8, 1], 5)
    assert found.seconds == {1: pytest.approx(0.3), 8: pytest.approx(2.4)}
    assert calls[:6] == [(1, 1), (1, 1), (5, 1), (1, 8), (1, 8), (1, 8)]  # half a second each
