"""The config of one component alone, validated with the messages of a whole config."""

from collections.abc import Mapping, Sequence
from typing import Any

from nncli.config.diagnostics import SourceText, format_diagnostics
from nncli.config.document import read
from nncli.config.model import Config
from nncli.config.normalization import normalized
from nncli.config.overrides import apply
from nncli.config.validation import validate
from nncli.config.yaml_output import to_yaml
from nncli.errors import CommandLineError, ConfigError
from nncli.registry import Component

LISTS = {"layer": "layers", "metric": "metrics"}  # sections that are lists of components


def load_component(component: Component, overrides: Sequence[str], values: Mapping[str, Any]) -> Any:
    """The config of a component.

    Args:
        component: the component.
        overrides: its parameters, such as ``learning_rate=0.1``.
        values: parameters that have a value unless they are overridden.

    Raises:
        CommandLineError: an override is none.
        ConfigError: a parameter is unknown, missing or invalid.
    """
    given = {override.partition("=")[0] for override in overrides}
    mapping = {"type": component.name, **{name: value for name, value in values.items() if name not in given}}
    if component.kind not in LISTS:
        return _section(component.kind, mapping, [f"{component.kind}.{each}" for each in overrides])
    section = LISTS[component.kind]
    return _section(section, [mapping], [f"{section}[0].{each}" for each in overrides])[0]


def load_section(section: str, overrides: Sequence[str]) -> Any:
    """A section of a config, all of whose keys have defaults; raises as ``load_component``."""
    return _section(section, {}, [f"{section}.{each}" for each in overrides])


def _section(section: str, value: Any, overrides: Sequence[str]) -> Any:
    if wrong := next((each for each in overrides if "=" not in each), None):
        raise CommandLineError(f"invalid override {wrong.partition('.')[2]!r}: expected KEY=VALUE")
    document = read(SourceText(section, to_yaml({section: value}).decode()))
    document.root = normalized(document.root.copy())
    for number, override in enumerate(overrides, 1):
        apply(document, override, number)
    document.root = normalized(document.root)
    others = {name: None for name in Config.model_fields if name != section}
    config, diagnostics = validate(document, others)
    if diagnostics:
        raise ConfigError(format_diagnostics(diagnostics), diagnostics)
    return getattr(config, section)
