"""Defaults that depend on other values of a config."""

from typing import Any

import nncli.data
import nncli.experiment.leakage
import nncli.experiment.split_checks  # noqa: F401 (importing them registers their checks)
from nncli.config.model import Config, Fraction
from nncli.experiment.data_plan import DataPlan
from nncli.experiment.sections import source_sections
from nncli.experiment.summary import batches_per_epoch, saved_bytes
from nncli.experiment.task import chosen_metrics
from nncli.registry import ComponentConfig, names

SNAPSHOT_BYTES = 2_000_000  # that the snapshots of a run take by default


def resolve(config: Config, plan: DataPlan, recorded: Config | None = None) -> Config:
    """Return the config with all defaults filled in that depend on other values.

    Args:
        config: a config without errors.
        plan: its data.
        recorded: the resolved config of a run that continues; defaults that depend on the number of epochs or on the
            version of nncli are taken from it.
    """
    layers = [
        _with_defaults(layer, {**vars(config.regularization), "initializer": _initializer(config, index)})
        for index, layer in enumerate(config.layers)
    ]
    log_interval = (recorded if recorded and not config.training.log_every else config).training.log_interval
    values = {
        "layers": layers,
        "training": config.training.model_copy(
            {"log_every": log_interval, "snapshots": _snapshots(config, plan, recorded)}
        ),
        "metrics": chosen_metrics(config, plan),
    }
    values |= {name: _with_columns(section, plan) for name, section in source_sections(config).items()}
    if isinstance(config.test, Fraction):  # a validation set alone has the same rows by either method
        values["split_method"] = config.split_method or (recorded.split_method if recorded else "independent")
    if config.schedule:
        updates = (recorded or config).training.epochs * batches_per_epoch(config, plan)
        values["schedule"] = _with_length(config.schedule, updates, recorded.schedule if recorded else None)
    return config.model_copy(values)


def _snapshots(config: Config, plan: DataPlan, recorded: Config | None) -> int:
    """The largest number of snapshots: given, recorded, or as many as fit; none if only the first one would."""
    for section in (config.training, *([recorded.training] if recorded else [])):
        if section.snapshots is not None:
            return section.snapshots
    fitting = SNAPSHOT_BYTES // saved_bytes(config, plan)
    return fitting if fitting > 1 else 0


def _with_columns(section: ComponentConfig, plan: DataPlan) -> ComponentConfig:
    """A table with the type of each of its columns: given, or inferred."""
    if not hasattr(section, "columns"):
        return section
    inferred = {name: names("column")[type_].model.model_validate({}) for name, type_ in plan.inferred.items()}
    return section.model_copy({"columns": {**inferred, **(section.columns or {})}})


def _with_length(schedule: ComponentConfig, updates: int, recorded: ComponentConfig | None) -> ComponentConfig:
    """The schedule with the recorded lengths, or else with an end after ``updates`` updates."""
    schedule = _with_defaults(schedule, {"updates": getattr(recorded, "updates", None)})
    following = getattr(schedule, "then", None)
    if following is None:
        return _with_defaults(schedule, {"updates": max(1, updates)})
    remaining = updates - getattr(schedule, "updates", 0)
    return schedule.model_copy({"then": _with_length(following, remaining, getattr(recorded, "then", None))})


def _with_defaults(component: ComponentConfig, defaults: dict[str, Any]) -> ComponentConfig:
    """The component with defaults for those of its parameters that are None."""
    unset = {name for name in vars(component).keys() & defaults.keys() if getattr(component, name) is None}
    return component.model_copy({name: defaults[name] for name in unset})


def _initializer(config: Config, index: int) -> ComponentConfig:
    """The default initializer of a layer, which depends on the layers after it."""
    following = (layer.component.target.default_initializer_of_previous for layer in config.layers[index + 1 :])
    name = next((name for name in following if name), "glorot")
    return names("initializer")[name].model.model_validate({})
