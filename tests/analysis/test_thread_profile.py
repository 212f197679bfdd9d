"""The time of a step by the number of threads."""

import numpy as np
import pytest

from nncli.analysis.profiling import Steps
from nncli.analysis.thread_profile import thread_profile
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.threads import ThreadPool
from nncli.training.loop import Trainer

WIDE = ("layers[0].units=4000", "data.samples=200")


@pytest.mark.parametrize(("overrides", "divided"), [((), (False, False)), (WIDE, (False, True))])
def test_each_number_of_threads_is_measured_on_the_same_steps(workdir, monkeypatch, overrides, divided):
    """In turns, from the initial weights; the trainer keeps its own number of threads."""
    trainer, used = Trainer(assemble(load(workdir / "config.yaml", overrides).config)), []
    trainer.network.use_threads(ThreadPool(3))
    initial, step = trainer.network.parameters.values.copy(), trainer.step

    def noted(*batch):
        if not trainer.optimizer.updates:
            assert np.array_equal(trainer.network.parameters.values, initial)
        used.append(trainer.network.pool.count)
        step(*batch)

    monkeypatch.setattr(trainer, "step", noted)
    found = thread_profile(trainer, [2, 1, 2], 0.05)
    assert list(found.seconds) == [1, 2]
    assert all(seconds > 0 for seconds in found.seconds.values())
    assert (found.products_divided, found.rows_divided) == divided
    assert set(used) == {1, 2}
    assert trainer.network.pool.count == 3


def test_time_is_the_median_of_the_rounds(workdir, monkeypatch):
    """For each number of threads, of the steps after the first one; a slow round does not count."""
    trainer, calls = Trainer(assemble(load(workdir / "config.yaml").config)), []
    rewound = []

    class Timed(Steps):
        def rewind(self):
            rewound.append(len(calls))
            super().rewind()

        def seconds(self, count):
            calls.append((count, trainer.network.pool.count))
            threads, turn = trainer.network.pool.count, (len(calls) - 1) // 4  # two calls for each number
            return threads * [0.1, 0.4, 0.2, 9.0, 0.3][turn]

    monkeypatch.setattr("nncli.analysis.thread_profile.Steps", Timed)
    found = thread_profile(trainer, [8, 1], 5)
    assert found.seconds == {1: pytest.approx(0.3), 8: pytest.approx(2.4)}
    assert calls[:4] == [(1, 1), (5, 1), (1, 8), (1, 8)]  # half a second each
    assert rewound[1:] == list(range(len(calls)))  # ``Steps`` does so once as well
