"""Differences between a config and the config of a run."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from nncli.config.diagnostics import Diagnostic, Path, path_text
from nncli.config.document import Document
from nncli.config.model import Config
from nncli.config.yaml_output import to_yaml_value
from nncli.experiment.data_plan import CheckedConfig
from nncli.experiment.defaults import resolve

EPOCHS = ("training", "epochs")


def differences(document: Document, given: CheckedConfig, recorded: Config) -> Iterator[Diagnostic]:
    """Yield each key whose value differs from the run's, with its location; a higher number of epochs is allowed.

    Args:
        document: the document of the given config.
        given: the config as it was read.
        recorded: the resolved config of the run.
    """
    resolved = resolve(given.config, given.plan, recorded)
    values, recorded_values = (dict(_leaves(config.model_dump(), ())) for config in (resolved, recorded))
    for path in {**recorded_values, **values}:
        value, recorded_value = values.get(path), recorded_values.get(path)
        if path != EPOCHS and value != recorded_value:
            both = f"{json.dumps(value)} vs {json.dumps(recorded_value)}"
            fix = "only training.epochs can change on resume; train a new run instead"
            yield Diagnostic(document.root.find(path).location, path, f"differs from the run ({both}); {fix}")
    epochs, trained = resolved.training.epochs, recorded.training.epochs
    if epochs < trained:
        message = f"is {epochs}, but the run has {trained}; epochs can be raised, not lowered"
        yield Diagnostic(document.root.find(EPOCHS).location, EPOCHS, message)


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield each scalar of a config with its path."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))
    else:
        yield path, value


def overrides_between(config: Config, other: Config) -> list[str]:
    """The overrides that give a resolved config the values of another one."""
    return list(_changes(config.model_dump(), other.model_dump(), ()))


def _changes(value: Any, other: Any, path: Path) -> Iterator[str]:
    """Yield an override for each value that differs; a list or a mapping with other keys is replaced as a whole."""
    if isinstance(value, Mapping) and isinstance(other, Mapping) and value.keys() == other.keys():
        for key, inner in value.items():
            yield from _changes(inner, other[key], (*path, key))
    elif value != other:
        yield f"{path_text(path)}={to_yaml_value(other)}"


def raising_overrides(recorded: Config, epochs: int) -> list[str]:
    """Overrides that raise the number of epochs, and keep the defaults which depend on it."""
    overrides = [f"training.epochs={epochs}", f"training.log_every={recorded.training.log_interval}"]
    schedule, path = recorded.schedule, "schedule"
    while schedule is not None:
        updates = getattr(schedule, "updates", None)
        overrides += [] if updates is None else [f"{path}.updates={updates}"]
        schedule, path = getattr(schedule, "then", None), f"{path}.then"
    return overrides
