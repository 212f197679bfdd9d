"""Defaults that depend on other values of a config."""

from typing import Any

import nncli.data
import nncli.experiment.leakage  # noqa: F401 (all three register what they have)
from nncli.config.model import Fraction, Regularization, Spec
from nncli.experiment.summary import batches_an_epoch
from nncli.experiment.task import chosen_metrics
from nncli.registry import ComponentSpec, names


def resolve(spec: Spec, split_method: str | None = "independent") -> Spec:
    """The spec with every default that depends on something else filled in.

    Args:
        spec: a spec that is right.
        split_method: that of a spec with a fraction for the test set which does not say it.
    """
    shared = {name: getattr(spec.regularization, name) for name in Regularization.model_fields}
    layers = [
        _filled(part, {**shared, "initializer": _initializer(spec, index)}) for index, part in enumerate(spec.layers)
    ]
    training = spec.training.model_copy(update={"log_every": spec.training.log_interval})
    given = {"layers": layers, "training": training, "metrics": chosen_metrics(spec)}
    if isinstance(spec.test, Fraction):  # the rows of a validation set do not depend on the method
        given["split_method"] = spec.split_method or split_method
    if spec.schedule:
        given["schedule"] = _until(spec.schedule, spec.training.epochs * batches_an_epoch(spec))
    return spec.model_copy(update=given)


def _until(schedule: ComponentSpec, updates: int) -> ComponentSpec:
    """The schedule, at its open end, made to last for so many updates."""
    following = getattr(schedule, "then", None)
    if following is not None:
        return schedule.model_copy(update={"then": _until(following, updates - getattr(schedule, "updates", 0))})
    return _filled(schedule, {"updates": max(1, updates)})


def _filled(part: ComponentSpec, defaults: dict[str, Any]) -> ComponentSpec:
    """A component with the given values where it says nothing itself."""
    unset = {name: value for name, value in defaults.items() if getattr(part, name, value) is None}
    return part.model_copy(update=unset)


def _initializer(spec: Spec, index: int) -> ComponentSpec:
    """The initializer that suits what follows a layer."""
    following = (part.component.target.initializer_before for part in spec.layers[index + 1 :])
    fitting = next((name for name in following if name), "glorot")
    return names("initializer")[fitting].model.model_validate({})
