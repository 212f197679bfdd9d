"""Validation of a document, section by section, so that one invalid section does not hide errors in another."""

from collections.abc import Collection
from typing import Any

from pydantic_core import ValidationError

from nncli.config.diagnostics import Diagnostic, shown
from nncli.config.document import Document, Node
from nncli.config.model import Config
from nncli.config.validation_messages import SectionErrors, add_errors, unknown_key
from nncli.registry import validated

EXTENSION = "x-"  # keys at the top level that begin with it are ignored; they have room for anchors


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
    errors = SectionErrors(list(document.diagnostics), {}, set(), set())
    _add_unknown_and_missing(errors, root)
    values = {name: field.default for name, field in Config.model_fields.items() if field.default is not ...}
    for name, field in Config.model_fields.items():
        if name not in root.children:
            continue
        try:
            values[name] = validated(root.children[name].plain(), field.annotation)
        except ValidationError as error:
            values.pop(name, None)
            add_errors(errors, error, root, name)
    invalid = {each.path[0] for each in errors.diagnostics if each.path}
    return PartialConfig(**{name: value for name, value in values.items() if name not in invalid}), errors.reported()


def _add_unknown_and_missing(errors: SectionErrors, root: Node) -> None:
    for key in root.children:
        if key not in Config.model_fields and not str(key).startswith(EXTENSION):
            unknown_key(errors, root, (key,))
    for name, field in Config.model_fields.items():
        if field.default is ... and name not in root.children:
            errors.missing[(name,)] = Diagnostic(root.location, (), f"section {name!r} is missing")
