"""A document held against the sections, one at a time, so that a mistake in one hides none in another."""

from collections.abc import Iterable, Iterator
from types import SimpleNamespace

from pydantic_core import ValidationError

from nncli.config.diagnostics import Diagnostic, shown, suggestion
from nncli.config.document import Document, Node
from nncli.config.model import Config
from nncli.config.validation_messages import problems_of
from nncli.registry import validated


class PartialConfig(SimpleNamespace):
    """The sections of a config that are right so far; a wrong or missing one is no attribute."""

    def has(self, names: Iterable[str]) -> bool:
        """Whether all of the named sections are right."""
        return all(hasattr(self, name) for name in names)

    def config(self) -> Config:
        """The whole config, once nothing is wrong."""
        return Config(**vars(self))


def validate(document: Document) -> tuple[PartialConfig, list[Diagnostic]]:
    """Every section that is right, and everything that is wrong."""
    root = document.root
    if not isinstance(root.value, dict):
        kind = "a list" if isinstance(root.value, list) else shown(root.value)
        message = f"a config is a mapping of sections: data, layers, loss, optimizer, training; got {kind}"
        return PartialConfig(), [*document.diagnostics, Diagnostic(root.place, (), message)]
    diagnostics = [*document.diagnostics, *_keys_without_section(root)]
    spoiled = {diagnostic.path[0] for diagnostic in diagnostics if diagnostic.path}
    sections = PartialConfig()
    for name, field in Config.model_fields.items():
        if name in root.children:
            try:
                value = validated(root.children[name].plain(), field.annotation)
            except ValidationError as error:
                diagnostics += problems_of(error, root, name)
                continue
        else:
            value = field.default
        if name not in spoiled and (name in root.children or field.default is not ...):
            setattr(sections, name, value)
    return sections, diagnostics


def _keys_without_section(root: Node) -> Iterator[Diagnostic]:
    for key in root.children:
        if key not in Config.model_fields:
            cure = suggestion(str(key), Config.model_fields)
            yield Diagnostic(root.key_place((key,)), (), f"unknown key {shown(key)}{cure}")
    for name, field in Config.model_fields.items():
        if field.default is ... and name not in root.children:
            yield Diagnostic(root.place, (), f"section {name!r} is missing")
