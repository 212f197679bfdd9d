"""Defaults that depend on other values of a config."""

from typing import Any

import nncli.data
import nncli.experiment.leakage  # noqa: F401 (all three register what they have)
from nncli.config.model import Config, Fraction, Regularization
from nncli.experiment.summary import batches_per_epoch
from nncli.experiment.task import chosen_metrics
from nncli.registry import ComponentConfig, names


def resolve(config: Config, split_method: str | None = "independent") -> Config:
    """The config with every default that depends on something else filled in.

    Args:
        config: a config that is right.
        split_method: that of a config with a fraction for the test set which does not say it.
    """
    shared = {name: getattr(config.regularization, name) for name in Regularization.model_fields}
    layers = [
        _filled(part, {**shared, "initializer": _initializer(config, index)})
        for index, part in enumerate(config.layers)
    ]
    training = config.training.model_copy(update={"log_every": config.training.log_interval})
    given = {"layers": layers, "training": training, "metrics": chosen_metrics(config)}
    if isinstance(config.test, Fraction):  # the rows of a validation set do not depend on the method
        given["split_method"] = config.split_method or split_method
    if config.schedule:
        given["schedule"] = _until(config.schedule, config.training.epochs * batches_per_epoch(config))
    return config.model_copy(update=given)


def _until(schedule: ComponentConfig, updates: int) -> ComponentConfig:
    """The schedule, at its open end, made to last for so many updates."""
    following = getattr(schedule, "then", None)
    if following is not None:
        return schedule.model_copy(update={"then": _until(following, updates - getattr(schedule, "updates", 0))})
    return _filled(schedule, {"updates": max(1, updates)})


def _filled(part: ComponentConfig, defaults: dict[str, Any]) -> ComponentConfig:
    """A component with the given values where it says nothing itself."""
    unset = {name: value for name, value in defaults.items() if getattr(part, name, value) is None}
    return part.model_copy(update=unset)


def _initializer(config: Config, index: int) -> ComponentConfig:
    """The initializer that suits what follows a layer."""
    following = (part.component.target.default_initializer_of_previous for part in config.layers[index + 1 :])
    fitting = next((name for name in following if name), "glorot")
    return names("initializer")[fitting].model.model_validate({})
