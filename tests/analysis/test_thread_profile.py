"""The time of a step by the number of threads."""

import numpy as np
import pytest

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
