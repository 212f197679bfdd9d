"""Components that overrides replace by another type, and the values that change with it."""

from collections.abc import Iterator
from typing import Any

from nncli.config.normalization import find_component, normalized
from nncli.config.yaml_output import to_yaml_value
from nncli.experiment.loading import LoadedConfig
from nncli.registry import Component


def replacement_notes(loaded: LoadedConfig) -> Iterator[str]:
    """A line for each section whose component an override replaces, if other values than those given change with it.

    Example: ``optimizer: sgd, with its default learning_rate 1 instead of 0.02``
    """
    before, after = normalized(loaded.document.written).plain(), loaded.document.root.plain()
    for name, section in vars(loaded.config).items():
        component: Component | None = getattr(section, "component", None)
        old = find_component(component.kind, _type(before.get(name))) if component and name in after else None
        if component and old and old.name != component.name:
            changes = _changes(old, _parameters(before[name]), component, _parameters(after[name]))
            if text := "; ".join(changes):
                yield f"{name}: {component.name}, {text}"


def _changes(old: Component, before: dict[str, Any], new: Component, after: dict[str, Any]) -> Iterator[str]:
    """The parameters whose values are no longer those of the config, or are those that were meant for the old type."""
    defaults = {parameter.name: parameter.default for parameter in old.parameters}
    for parameter in new.parameters:
        name, default, was = parameter.name, parameter.default, before.get(parameter.name, defaults.get(parameter.name))
        if name not in defaults or default in (was, ...):
            continue
        if name not in after:
            yield f"with its default {name} {to_yaml_value(default)} instead of {to_yaml_value(was)}"
        elif name in before and after[name] == was and default != defaults[name]:
            yield f"with the {name} {to_yaml_value(was)} of {old.name} instead of its default {to_yaml_value(default)}"
    known = {parameter.name for parameter in new.parameters}
    lost = [name for name in before if name not in known and name in defaults]
    if lost and not after:  # an override with parameters of its own has replaced them on purpose
        yield f"without {', '.join(lost)}"


def _type(value: Any) -> Any:
    return value.get("type") if isinstance(value, dict) else value


def _parameters(value: Any) -> dict[str, Any]:
    return {key: inner for key, inner in value.items() if key != "type"} if isinstance(value, dict) else {}
