"""The data of the last config, kept opened for further configs with equal data."""

from typing import Any

from nncli.config.diagnostics import Finding
from nncli.config.model import Config
from nncli.experiment.data_plan import CheckedConfig, DataPlan, try_to_open

SECTIONS = ("rng", "dtype", "data", "validation", "test", "split_method")  # on which data depends, besides its seeds


class OpenedData:
    """Opens the data of configs; that of equal sections and seeds is opened once. Threads may share it."""

    def __init__(self) -> None:
        self._kept: tuple[list[Any], tuple[DataPlan, list[Finding]]] | None = None

    def open(self, config: Config, _recorded: CheckedConfig | None = None) -> tuple[DataPlan, list[Finding]]:
        """As ``try_to_open``, for a new run."""
        kept, values = self._kept, _values(config)
        if kept is None or kept[0] != values:
            kept = self._kept = values, try_to_open(config)
        return kept[1]


def _values(config: Config) -> list[Any]:
    """All values on which the data of a config depends, which may be partial; with one generator, all seeds."""
    given = vars(config)
    seeds = ("data", "split") if given.get("rng") == "derived" else ("data", "split", "weights")
    numbers = [config.seed_of(each) if {"seed", "seeds"} <= given.keys() else None for each in seeds]
    return [*(given.get(key) for key in SECTIONS), *numbers]
