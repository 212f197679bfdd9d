"""The opened data sources of the last config, reused for further configs with equal data."""

from typing import Any

from nncli.config.diagnostics import Finding
from nncli.config.model import Config
from nncli.experiment.data_plan import CheckedConfig, DataPlan, try_to_open

SECTIONS = ("rng", "dtype", "data", "validation", "test", "split_method")  # on which data depends, besides its seeds


class OpenedData:
    """Opens the data of configs; that of equal sections and seeds is opened once. Threads may share it."""

    def __init__(self) -> None:
        self._last: tuple[list[Any], tuple[DataPlan, list[Finding]]] | None = None

    def open(self, config: Config, _recorded: CheckedConfig | None = None) -> tuple[DataPlan, list[Finding]]:
        """As ``try_to_open``, for a new run."""
        last, values = self._last, _values(config)
        if last is None or last[0] != values:
            last = self._last = values, try_to_open(config)
        return last[1]


def _values(config: Config) -> list[Any]:
    """All values on which the data of a config depends, which may be partial; with one generator, all seeds."""
    given = vars(config)
    seeds = ("data", "split") if given.get("rng") == "derived" else ("data", "split", "weights")
    numbers = [config.seed_of(each) if {"seed", "seeds"} <= given.keys() else None for each in seeds]
    return [*(given.get(key) for key in SECTIONS), *numbers]
