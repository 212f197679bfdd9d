"""Whether a spec says what the spec of a run says."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from nncli.config.diagnostics import Path, Problem
from nncli.config.document import Document
from nncli.config.model import Spec
from nncli.experiment.defaults import resolve
from nncli.registry import ComponentSpec


def differences(document: Document, given: Spec, recorded: Spec) -> Iterator[Problem]:
    """Each key in which a given spec is not the recorded one, with its place; more epochs are no difference.

    Args:
        document: where the given spec stands.
        given: the spec as it was read.
        recorded: that of a run, resolved.
    """
    asked, trained = given.training.epochs, recorded.training.epochs
    here, there = (dict(_leaves(spec.model_dump(), ())) for spec in (_filled(given, recorded), recorded))
    for keys in {**there, **here}:
        ours, theirs = here.get(keys), there.get(keys)
        if ours != theirs:
            message = f"is {json.dumps(ours)} here, {json.dumps(theirs)} in the run"
            yield Problem(document.root.find(keys).place, keys, message)
    if asked < trained:
        keys = ("training", "epochs")
        message = f"is {asked} here, {trained} in the run; it may be raised, not lowered"
        yield Problem(document.root.find(keys).place, keys, message)


def _filled(given: Spec, recorded: Spec) -> Spec:
    """The given spec resolved; what it leaves to the number of epochs is as the run has it."""
    training = given.training.model_copy(
        {
            "epochs": recorded.training.epochs,
            "log_every": given.training.log_every or recorded.training.log_every,
        }
    )
    schedule = _until(given.schedule, recorded.schedule) if given.schedule else None
    return resolve(given.model_copy({"training": training, "schedule": schedule}), recorded.split_method)


def _until(given: ComponentSpec, recorded: ComponentSpec | None) -> ComponentSpec:
    """A schedule that ends where the recorded one does, if it does not say where."""
    filled: dict[str, Any] = {}
    if getattr(given, "updates", 0) is None:
        filled["updates"] = getattr(recorded, "updates", None)
    if getattr(given, "then", None) is not None:
        filled["then"] = _until(given.then, getattr(recorded, "then", None))  # type: ignore[attr-defined]
    return given.model_copy(filled)


def _leaves(value: Any, keys: Path) -> Iterator[tuple[Path, Any]]:
    """Each value of a spec that is no mapping and no list, by its keys."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*keys, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*keys, index))
    else:
        yield keys, value


def lengths(recorded: Spec) -> list[str]:
    """What follows from the number of epochs where a spec leaves it open, as overrides that say it."""
    told, schedule, path = [f"training.log_every={recorded.training.log_interval}"], recorded.schedule, "schedule"
    while schedule is not None:
        updates = getattr(schedule, "updates", None)
        told += [] if updates is None else [f"{path}.updates={updates}"]
        schedule, path = getattr(schedule, "then", None), f"{path}.then"
    return told
