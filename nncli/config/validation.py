"""Validation of a document, section by section, so that one invalid section does not hide errors in another."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from pydantic_core import ValidationError

from nncli.config.diagnostics import Diagnostic, shown
from nncli.config.document import EXTENSION, SWEEP, Document, Node
from nncli.config.model import Config
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


def validate(
    document: Document, unwritten: Mapping[str, Any] = MappingProxyType({})
) -> tuple[PartialConfig, list[Diagnostic]]:
    """Return the valid sections, and the diagnostics of all others.

    Args:
        document: a parsed config.
        unwritten: valid sections that the document does not contain, such as data in memory.
    """
    root = document.root
    if not isinstance(root.value, dict):
        value = "a list" if isinstance(root.value, list) else shown(root.value)
        message = f"a config is a mapping with the sections data, layers, loss, optimizer, training; got {value}"
        return PartialConfig(), [*document.diagnostics, Diagnostic(root.location, (), message)]
    if SWEEP in root.children:
        message = f"this is a sweep file, not a config; train it with: nncli sweep {root.location.source.name}"
        location = root.children[SWEEP].location
        return PartialConfig(), [*document.diagnostics, Diagnostic(location, (), message)]
    known = {*root.children, *unwritten}
    missing = [name for name, field in Config.model_fields.items() if name not in known and field.default is ...]
    unknown = [key for key in root.children if key not in Config.model_fields and not str(key).startswith(EXTENSION)]
    valid, errors = _validated_sections(root)
    invalid = {str(each.path[0]) for each in document.diagnostics if each.path}
    config = PartialConfig(**{**valid, **unwritten}).without(invalid)
    if not (errors or missing or unknown):
        return config, document.diagnostics
    from nncli.config.validation_messages import explain

    return config, explain(document, errors, missing, unknown)


def _validated_sections(root: Node) -> tuple[dict[str, Any], dict[str, ValidationError]]:
    """The valid sections, defaults included, and the errors of the others."""
    valid, errors = dict[str, Any](), dict[str, ValidationError]()
    for name, field in Config.model_fields.items():
        if name not in root.children:
            valid |= {name: field.default} if field.default is not ... else {}
            continue
        try:
            valid[name] = validated(root.children[name].plain(), field.annotation)
        except ValidationError as error:
            errors[name] = error
    return valid, errors
