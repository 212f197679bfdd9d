"""Checks of the configs of trials, made for values and combinations that can differ, not for every trial."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from pydantic_core import ValidationError

from nncli.config.diagnostics import Diagnostic, Finding, SourceLocation
from nncli.config.document import Document, Node
from nncli.config.in_place import is_same
from nncli.config.model import Config
from nncli.config.normalization import normalized
from nncli.config.overrides import set_node
from nncli.experiment.data_plan import CheckedConfig, DataPlan, try_to_open
from nncli.experiment.loading import checked_sections
from nncli.experiment.metric_columns import columns
from nncli.experiment.task import chosen_metrics
from nncli.registry import validated
from nncli.sweep.axis_checks import text_of
from nncli.sweep.definition import AxisDefinition
from nncli.sweep.sweep_checks import metric_problem

DATA_SECTIONS = ("data", "validation", "test", "split_method", "rng")  # that determine what sources are opened


class Change(NamedTuple):
    """A value of what varies."""

    axis: AxisDefinition
    value: Node


class ConfigChecker:
    """Checks variants of a base config; each data source is opened once.

    Args:
        base: the base config, overrides applied.

    ``metric`` is the metric that all of them must measure, ``metric_location`` is where it is written, and ``always``
    are changes of all of them, such as a seed.
    """

    def __init__(self, base: Document) -> None:
        self.base = base
        self.metric: str | None = None
        self.metric_location = base.root.location
        self.always: Sequence[Change] = ()
        self._opened: list[tuple[dict[str, Any], tuple[DataPlan, list[Finding]]]] = []

    def problems(self, changes: Sequence[Change]) -> list[Diagnostic]:
        """All problems of the base config with some values changed."""
        document = self.changed(changes)
        config, plan, diagnostics = checked_sections(document, open_sources=self._open)
        if not diagnostics and self.metric:
            resolved = config.complete().model_copy({"metrics": chosen_metrics(config.complete(), plan)})
            message = metric_problem(self.metric, columns(resolved))
            return [Diagnostic(self.metric_location, ("metric",), message)] if message else []
        return diagnostics

    def is_valid_section(self, changes: Sequence[Change], section: str) -> bool:
        """Whether a section is valid by itself, which is much faster to find out."""
        document = self.changed(changes)
        if document.diagnostics or section not in Config.model_fields:
            return False
        try:
            validated(document.root.children[section].plain(), Config.model_fields[section].annotation)
        except ValidationError:
            return False
        return True

    def changed(self, changes: Iterable[Change]) -> Document:
        """The base config with some values changed; a key that cannot have a value is a diagnostic."""
        root = replace(self.base.root, children=dict(self.base.root.children), keys=dict(self.base.root.keys))
        found = [set_node(root, axis.path, value, axis.location) for axis, value in (*self.always, *changes)]
        diagnostics = [*self.base.diagnostics, *(each for each in found if each)]
        return Document(normalized(root), diagnostics, self.base.written)

    def takes_integers(self, axis: AxisDefinition) -> bool:
        """Whether a key takes integers only, for which normalization replaces 2.0 by 2."""
        changed = self.changed([Change(axis, Node(axis.location, 2.0))])
        return type(changed.root.find(axis.path).value) is int

    def _open(self, config: Config, recorded: CheckedConfig | None) -> tuple[DataPlan, list[Finding]]:
        """The data plan, of a config with the same sections of data if there was one."""
        key = {name: _dumped(getattr(config, name, None)) for name in DATA_SECTIONS}
        for other, opened in self._opened:
            if is_same(key, other):
                return opened
        self._opened.append((key, try_to_open(config, recorded)))
        return self._opened[-1][1]


def _dumped(section: Any) -> Any:
    return section.model_dump() if hasattr(section, "model_dump") else section


def attributed(
    diagnostics: Sequence[Diagnostic], changes: Sequence[Change], file: str, is_reference: bool = False
) -> list[Diagnostic]:
    """The problems with the values that cause them.

    A problem at a place in the base config is moved to the first of the values. Values at other places are named.

    Args:
        diagnostics: problems of a config.
        changes: the values that differ from those of a config without these problems.
        file: the base config.
        is_reference: whether the values are those of the first trial, which are not named.
    """
    return [_attributed(each, changes, file, is_reference) for each in diagnostics]


def _attributed(each: Diagnostic, changes: Sequence[Change], file: str, is_reference: bool) -> Diagnostic:
    location, others = each.location, list(changes)
    if location.source.name == file and changes:
        location, others = changes[0].value.location, others[1:]
    named = [] if is_reference else [text_of(*change) for change in others if not _contains(change, location)]
    return each._replace(location=location, message=f"{each.message}{', with ' if named else ''}{', '.join(named)}")


def _contains(change: Change, location: SourceLocation) -> bool:
    """Whether a location is that of a value, of a part of it, or of its key."""
    return location == change.axis.location or _has_location(change.value, location)


def _has_location(node: Node, location: SourceLocation) -> bool:
    return (
        location == node.location
        or location in node.keys.values()
        or any(_has_location(child, location) for child in node.children.values())
    )
