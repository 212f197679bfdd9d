"""Trainings whose steps are divided among processes, however short they are."""

from math import inf

import pytest

from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.nn import tensor_parallel
from nncli.training.loop import Trainer, never


@pytest.fixture
def divided(workdir, monkeypatch):
    """Assemble the small config for a number of processes, with some values changed: ``divided(2, "seed=1")``."""
    monkeypatch.setattr(tensor_parallel, "MIN_DIVIDED_MACS", -inf)

    def prepared(processes, *changes, stop=never):
        config = load(workdir / "config.yaml", ("training.epochs=3", "training.log_every=1", *changes)).config
        settings = config.training.model_copy({"threads": processes})
        trainer = Trainer(assemble(config.model_copy({"training": settings})), stop)
        network = trainer.network
        is_divided = tensor_parallel.divides(network.layers, network.widths, trainer.batch_size, processes)
        assert is_divided == (processes > 1)
        return trainer

    return prepared
