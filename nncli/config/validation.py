"""Validation of a document, section by section, so that one invalid section does not hide errors in another."""

from collections.abc import Collection, Iterator
from typing import Any

from pydantic_core import ValidationError

from nncli.config.diagnostics import Diagnostic, shown, suggestion
from nncli.config.document import Document, Node
from nncli.config.model import Config
from nncli.config.validation_messages import diagnostics_of
from nncli.registry import validated


class PartialConfig(Config):
    """The valid sections of a config; access to an invalid or missing one raises AttributeError."""

    def __init__(self, **sections: Any) -> None:
        vars(self).update(sections)

    def __getattribute__(self, name: str) -> Any:
        if name in Config.model_fields and name not in super().__getattribute__("__dict__"):
            raise AttributeError(f"section {name!r} is invalid or missing")  # not its default
        return super().__getattribute__(name)

    def without(self, sections: Collection[str]) -> "PartialConfig":
        """Return the config without the named sections, which turned out to be invalid."""
        return PartialConfig(**{name: value for name, value in vars(self).items() if name not in sections})

    def complete(self) -> Config:
        """Return the config, all of whose sections are valid."""
        return Config(**vars(self))


def validate(document: Document) -> tuple[PartialConfig, list[Diagnostic]]:
    """Return the valid sections, and the diagnostics of all others."""
    root = document.root
    if not isinstance(root.value, dict):
        value = "a list" if isinstance(root.value, list) else shown(root.value)
        message = f"a config is a mapping with the sections data, layers, loss, optimizer, training; got {value}"
        return PartialConfig(), [*document.diagnostics, Diagnostic(root.location, (), message)]
    diagnostics = [*document.diagnostics, *_unknown_and_missing(root)]
    invalid = {diagnostic.path[0] for diagnostic in diagnostics if diagnostic.path}
    sections: dict[str, Any] = {}
    for name, field in Config.model_fields.items():
        if name in root.children:
            try:
                value = validated(root.children[name].plain(), field.annotation)
            except ValidationError as error:
                diagnostics += diagnostics_of(error, root, name)
                continue
        else:
            value = field.default
        if name not in invalid and value is not ...:
            sections[name] = value
    return PartialConfig(**sections), diagnostics


def _unknown_and_missing(root: Node) -> Iterator[Diagnostic]:
    for key in root.children:
        if key not in Config.model_fields:
            fix = suggestion(str(key), Config.model_fields)
            yield Diagnostic(root.key_location((key,)), (), f"unknown key {shown(key)}{fix}")
    for name, field in Config.model_fields.items():
        if field.default is ... and name not in root.children:
            yield Diagnostic(root.location, (), f"section {name!r} is missing")
