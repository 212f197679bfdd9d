"""Whether a config says what the config of a run says."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from nncli.config.diagnostics import Diagnostic, Path
from nncli.config.document import Document
from nncli.config.model import Config
from nncli.experiment.defaults import resolve
from nncli.registry import ComponentConfig


def differences(document: Document, given: Config, recorded: Config) -> Iterator[Diagnostic]:
    """Each key in which a given config is not the recorded one, with its place; more epochs are no difference.

    Args:
        document: where the given config stands.
        given: the config as it was read.
        recorded: that of a run, resolved.
    """
    asked, trained = given.training.epochs, recorded.training.epochs
    here, there = (dict(_leaves(config.model_dump(), ())) for config in (_filled(given, recorded), recorded))
    for keys in {**there, **here}:
        ours, theirs = here.get(keys), there.get(keys)
        if ours != theirs:
            message = f"is {json.dumps(ours)} here, {json.dumps(theirs)} in the run"
            yield Diagnostic(document.root.find(keys).place, keys, message)
    if asked < trained:
        keys = ("training", "epochs")
        message = f"is {asked} here, {trained} in the run; it may be raised, not lowered"
        yield Diagnostic(document.root.find(keys).place, keys, message)


def _filled(given: Config, recorded: Config) -> Config:
    """The given config resolved; what it leaves to the number of epochs is as the run has it."""
    training = given.training.model_copy(
        {
            "epochs": recorded.training.epochs,
            "log_every": given.training.log_every or recorded.training.log_every,
        }
    )
    schedule = _until(given.schedule, recorded.schedule) if given.schedule else None
    return resolve(given.model_copy({"training": training, "schedule": schedule}), recorded.split_method)


def _until(given: ComponentConfig, recorded: ComponentConfig | None) -> ComponentConfig:
    """A schedule that ends where the recorded one does, if it does not say where."""
    filled: dict[str, Any] = {}
    if getattr(given, "updates", 0) is None:
        filled["updates"] = getattr(recorded, "updates", None)
    if getattr(given, "then", None) is not None:
        filled["then"] = _until(given.then, getattr(recorded, "then", None))  # type: ignore[attr-defined]
    return given.model_copy(filled)


def _leaves(value: Any, keys: Path) -> Iterator[tuple[Path, Any]]:
    """Each value of a config that is no mapping and no list, by its keys."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*keys, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*keys, index))
    else:
        yield keys, value


def epoch_dependent_overrides(recorded: Config) -> list[str]:
    """What follows from the number of epochs where a config leaves it open, as overrides that say it."""
    told, schedule, path = [f"training.log_every={recorded.training.log_interval}"], recorded.schedule, "schedule"
    while schedule is not None:
        updates = getattr(schedule, "updates", None)
        told += [] if updates is None else [f"{path}.updates={updates}"]
        schedule, path = getattr(schedule, "then", None), f"{path}.then"
    return told
