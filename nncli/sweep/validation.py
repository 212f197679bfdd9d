"""Validation of a sweep: the description of a group in which every trial has a valid config, or all problems."""

import json
import os.path
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nncli.config.diagnostics import Diagnostic, format_diagnostics
from nncli.config.document import SWEEP, Document, Node
from nncli.config.model import Config
from nncli.config.normalization import normalized
from nncli.config.overrides import apply
from nncli.errors import CommandLineError, ConfigError
from nncli.experiment.loading import checked_sections, decoded, parse, read_config_file
from nncli.experiment.metric_columns import main_metric
from nncli.experiment.task import chosen_metrics
from nncli.store.group_files import AxisRecord, GroupRecord
from nncli.sweep.axis_checks import list_problems, overlapping_keys, read_range, repeated_values, typed_range
from nncli.sweep.config_checker import Change, ConfigChecker
from nncli.sweep.definition import AxisDefinition, SweepDefinition
from nncli.sweep.seeds import fold_of, parse_vary, replicate_changes
from nncli.sweep.sweep_checks import (
    Sweep,
    choose_method,
    require_optuna,
    seed_settings,
    setting_problems,
)
from nncli.sweep.sweep_config import SweepConfig, read_fields
from nncli.sweep.value_checks import value_problems


class Base(NamedTuple):
    """The base config.

    Args:
        text: the content of its file.
        document: the content with the overrides of the group; None if it cannot be read.
        config: the config, with the metrics of its task; None if it is invalid.
    """

    text: str = ""
    document: Document | None = None
    config: Config | None = None


def validated(definition: SweepDefinition, runs: Path) -> GroupRecord:
    """The description of the group that a command line or a sweep file asks for.

    Args:
        definition: the sweep as it is written.
        runs: the directory in which the group will be created.

    Raises:
        CommandLineError: the base config of a command line does not exist, or an override is invalid.
        ConfigError: all problems, with their locations.
        MissingExtraError: the method needs Optuna, which is not installed.
        StorageError: a file cannot be read.
    """
    settings, diagnostics = read_fields(definition.settings, SweepConfig)
    choose_method(settings)
    findings = list(seed_settings(settings))
    diagnostics += [Diagnostic(definition.location(str(path[0])), path, message) for path, message in findings]
    overlapping = list(overlapping_keys(definition))
    base, found = _base(definition)
    diagnostics += [*definition.diagnostics, *overlapping, *found]
    checker = ConfigChecker(base.document) if base.document and base.config else None
    axes, found = _axes(definition.axes, checker)
    sweep = Sweep(definition, settings, list(axes.values()), base.config)
    diagnostics += [*found, *setting_problems(sweep)]
    if checker and base.config:
        if "metric" in settings:
            has_validation = bool(base.config.validation or settings.get("folds"))
            checker.metric = settings["metric"] or main_metric(base.config, has_validation)
            checker.metric_location = definition.location("metric")
        checker.always = _replicate(sweep)
        wrong = {each.path for each in overlapping}
        diagnostics += value_problems(checker, [axis for axis in axes if axis.path not in wrong])
    if diagnostics or checker is None:
        raise ConfigError(format_diagnostics(diagnostics), diagnostics)
    if settings["method"] == "tpe":
        require_optuna()
    return _record(sweep, base, checker.metric, runs)


def _base(definition: SweepDefinition) -> tuple[Base, list[Diagnostic]]:
    """The base config, and its problems."""
    if definition.base is None:
        return Base(), []  # the problem of its key is known
    try:
        content = read_config_file(definition.base)
        document = parse(str(definition.base), content)
    except ConfigError as error:
        return Base(), list(error.diagnostics)
    except CommandLineError as error:
        if not definition.is_file:
            raise
        return Base(), [Diagnostic(definition.location(SWEEP), (SWEEP,), str(error))]
    if SWEEP in document.root.children:
        message = f"{definition.base} is a sweep file, not a config; name the config that is its base"
        return Base(), [Diagnostic(definition.location(SWEEP), (SWEEP,), message)]
    for number, text in definition.overrides:
        apply(document, text, number)
        document.root = normalized(document.root)
    config, plan, diagnostics = checked_sections(document)
    text = decoded(str(definition.base), content)
    if diagnostics:
        return Base(text, document), diagnostics
    complete = config.complete()
    return Base(text, document, complete.model_copy({"metrics": chosen_metrics(complete, plan)})), []


def _axes(
    definitions: Sequence[AxisDefinition], checker: ConfigChecker | None
) -> tuple[dict[AxisDefinition, AxisRecord], list[Diagnostic]]:
    """The axes that are valid by themselves, and the problems of the others."""
    axes, diagnostics = dict[AxisDefinition, AxisRecord](), list[Diagnostic]()
    for axis in definitions:
        record, problems = _range(axis, checker) if axis.is_range else _list(axis, checker)
        diagnostics += problems
        axes |= {axis: record} if record else {}
    return axes, diagnostics


def _range(axis: AxisDefinition, checker: ConfigChecker | None) -> tuple[AxisRecord | None, list[Diagnostic]]:
    """A range, unless it is invalid."""
    limits, problems = read_range(axis)
    if limits is None or checker is None:
        return None, problems
    return typed_range(axis, limits, checker.takes_integers(axis))


def _list(axis: AxisDefinition, checker: ConfigChecker | None) -> tuple[AxisRecord | None, list[Diagnostic]]:
    """A list of values, unless it is empty; and which of them are equal."""
    if problems := list(list_problems(axis)):
        return None, problems
    record = AxisRecord(key=axis.key, values=axis.node.plain())
    if checker is None:
        return record, []
    return record, list(repeated_values(axis, [_canonical(checker, axis, value) for value in axis.values]))


def _canonical(checker: ConfigChecker, axis: AxisDefinition, value: Node) -> str:
    """A value as text, which is the same for all of its spellings; its location if the config has no such key."""
    changed = checker.changed([Change(axis, value)])
    return (
        repr(value.location)
        if changed.diagnostics
        else json.dumps(changed.root.find(axis.path).plain(), sort_keys=True)
    )


def _replicate(sweep: Sweep) -> list[Change]:
    """What the first run of a point changes in the base config: its seeds and its fold."""
    fold = fold_of(sweep.settings.get("folds"), getattr(sweep.config, "validation", None))
    changes = replicate_changes(sweep.settings.get("seeds"), _vary(sweep), fold, 0)
    names = {"validation": "folds"}
    return [_change(path, value, sweep.definition, names.get(str(path[0]), "seeds")) for path, value in changes]


def _change(path: tuple[str, ...], value: Any, definition: SweepDefinition, setting: str) -> Change:
    """A change with the location of the setting that asks for it."""
    location = definition.location(setting)
    return Change(AxisDefinition(path, location, Node(location)), _node(value, definition, setting))


def _node(value: Any, definition: SweepDefinition, setting: str) -> Node:
    location = definition.location(setting)
    if not isinstance(value, dict):
        return Node(location, value)
    children = {key: _node(inner, definition, setting) for key, inner in value.items()}
    return Node(location, {}, children, dict.fromkeys(children, location))


def _vary(sweep: Sweep) -> list[str]:
    """What the seeds vary; nothing without seeds."""
    settings = sweep.settings
    return (settings.get("vary") or parse_vary(None)) if settings.get("seeds") else []


def _record(sweep: Sweep, base: Base, metric: str | None, runs: Path) -> GroupRecord:
    """The description of a group, from a sweep without problems."""
    definition, settings = sweep.definition, sweep.settings
    path = Path(definition.base or "").absolute()
    return GroupRecord(
        config=base.text,
        config_path=os.path.relpath(path, runs.absolute() / "group"),  # any name gives the same path
        overrides=[text for _, text in definition.overrides],
        axes=sweep.axes,
        metric=metric,
        seeds=settings["seeds"] or [],
        vary=_vary(sweep),
        **{name: settings[name] for name in ("method", "seed", "trials", "batch", "folds", "max_failures")},
    )
