"""The sides of a comparison of groups: the groups themselves, or runs grouped by keys of their configs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nncli.analysis.compared_run import ComparedRun, compared_run
from nncli.analysis.value_text import value_text
from nncli.config.diagnostics import counted, sanitized_line
from nncli.config.hints import suggestion
from nncli.errors import CommandLineError, RunError
from nncli.store import group_files
from nncli.store.group_files import GroupRecord
from nncli.store.run_reader import Run

LONG_NUMBER = 8  # characters; longer ones are of random samples
DIGITS = 4  # of a long number in a name


@dataclass(frozen=True)
class Side:
    """Runs that are compared as one.

    Args:
        label: its name.
        entries: its runs.
        failed: the number of trials that have no run, or one that cannot be read.
        path: the group or the run; None for runs of several.
    """

    label: str
    entries: list[ComparedRun]
    failed: int = 0
    path: Path | None = None


@dataclass(frozen=True)
class GroupRuns:
    """The runs of a group that is compared, or a single run.

    Args:
        path: its directory.
        record: its group.json; None for a run.
        entries: its runs.
        failed: the numbers of the trials that failed.
        problems: why trials cannot be read, one sentence each.
    """

    path: Path
    record: GroupRecord | None
    entries: list[ComparedRun]
    failed: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name of the directory."""
        return sanitized_line(self.path.resolve().name)

    @property
    def axes(self) -> list[str]:
        """The keys that vary over values in this group; those over ranges, if there are no others."""
        axes = self.record.axes if self.record else []
        return [axis.key for axis in axes if axis.values is not None] or [axis.key for axis in axes]


def read_groups(paths: Sequence[Path]) -> list[GroupRuns]:
    """Read groups and runs.

    Raises:
        CommandLineError: one is given twice, or a group has no run yet.
        RunError: a run that is no trial, or a group.json, is damaged.
        StorageError: a file cannot be read.
    """
    resolved = [path.resolve() for path in paths]
    twice = next((path for index, path in enumerate(paths) if path.resolve() in resolved[:index]), None)
    if twice is not None:
        raise CommandLineError(f"{twice}: given twice; name different groups or runs")
    return [_read_group(path) if group_files.is_group(path) else _read_run(path) for path in paths]


def _read_run(path: Path) -> GroupRuns:
    run = Run(path)
    return GroupRuns(path, None, [compared_run(run, run.name, run.progress)])


def _read_group(path: Path) -> GroupRuns:
    """A group; a trial that cannot be read is a failed one."""
    group = GroupRuns(path, group_files.read_group(path), [], list(group_files.failures(path)))
    for trial in group_files.trial_paths(path):
        try:
            run = Run(trial)
            group.entries.append(compared_run(run, f"{group.name}/{trial.name}", run.progress))
        except RunError as error:
            group.problems.append(str(error))
            group.failed.append(int(trial.name))
    if not group.entries and not group.failed:
        raise CommandLineError(f"{path}: the group has no runs yet")
    return group


def sides_of(groups: Sequence[GroupRuns]) -> list[Side]:
    """Each group or run as one side, named by its directory, or by its path if two names are equal."""
    names = [each.name for each in groups]
    labels = [each.name if names.count(each.name) == 1 else sanitized_line(str(each.path)) for each in groups]
    return [Side(label, each.entries, len(each.failed), each.path) for label, each in zip(labels, groups, strict=True)]


def sides_by(groups: Sequence[GroupRuns], keys: Sequence[str]) -> list[Side]:
    """The runs grouped by the values of keys of their configs, in the order of their first runs.

    A failed trial belongs to the side of another trial of the same point.

    Raises:
        CommandLineError: no run has a key, or there are no runs, as all trials failed.
    """
    if not any(each.entries for each in groups):
        trials = counted(sum(len(each.failed) for each in groups), "failed trial")
        raise RunError(f"no trial has a run, so there is nothing to compare: {trials}")
    configs = {id(entry): entry.run.config.model_dump() for each in groups for entry in each.entries}
    for key in keys:
        _require_key(key, list(configs.values()))
    values = {name: tuple(value_at(config, key) for key in keys) for name, config in configs.items()}
    labels = _labels(list(values.values()), keys)
    found: dict[str, Side] = {}
    for each in groups:
        failed = _failed_by_label(each, {id(entry): labels[repr(values[id(entry)])] for entry in each.entries})
        for entry in each.entries:
            label = labels[repr(values[id(entry)])]
            found.setdefault(label, Side(label, [])).entries.append(entry)
        for label, count in failed.items():
            found[label] = Side(label, found[label].entries, found[label].failed + count)
    return list(found.values())


def _failed_by_label(group: GroupRuns, labels: dict[int, str]) -> dict[str, int]:
    """The number of failed trials of each side, as far as a run of the same point belongs to one."""
    if group.record is None:
        return {}
    replicates = group.record.replicates
    points = {int(entry.run.path.name) // replicates: labels[id(entry)] for entry in group.entries}
    found = [points[number // replicates] for number in group.failed if number // replicates in points]
    return {label: found.count(label) for label in dict.fromkeys(found)}


def value_at(config: Any, key: str) -> Any:
    """The value at a path such as ``optimizer.type`` or ``layers[0].units``; None if there is none."""
    for step in key.replace("[", ".").replace("]", "").split("."):
        if isinstance(config, list):
            config = config[int(step)] if step.isdecimal() and int(step) < len(config) else None
        else:
            config = config.get(step) if isinstance(config, dict) else None
    return config


def _require_key(key: str, configs: Sequence[Any]) -> None:
    """Require that at least one config has a key."""
    if all(value_at(config, key) is None for config in configs):
        known = dict.fromkeys(path for config in configs for path in _paths(config, ""))
        listed = [path for path in known if "[" not in path and "." not in path]
        raise CommandLineError(f"--by {key}: no run has a key {key!r} in its config{suggestion(key, known, listed)}")


def _paths(value: Any, path: str) -> Iterator[str]:
    """The paths of all keys of a config."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _paths(inner, f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}" if path else key)


def _labels(values: Sequence[tuple[Any, ...]], keys: Sequence[str]) -> dict[str, str]:
    """The name of each combination of values, by its representation; short ones if no two of them are equal."""
    different = {repr(each): each for each in values}
    columns = list(zip(*different.values(), strict=True))
    for shorten in (_shortened, lambda value: value):
        shown = [[shorten(value) for value in column] for column in columns]
        labels = [
            sanitized_line(" ".join(map(_label, keys, each, shown)))
            for each in zip(*shown, strict=True)  # one per combination
        ]
        if len(set(labels)) == len(labels):
            break
    return dict(zip(different, labels, strict=True))


def _shortened(value: Any) -> Any:
    """A sampled number with few digits, and layers as a line of their types and units."""
    if isinstance(value, float) and len(repr(value)) > LONG_NUMBER:
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, list) and all(isinstance(each, dict) and "type" in each for each in value):
        return " · ".join(f"{each['type']} {each.get('units', '')}".rstrip() for each in value)
    return value


def _label(key: str, value: Any, others: Sequence[Any]) -> str:
    """A value as a name: a text or a component alone, anything else with its key."""
    text = value_text(value, others)
    is_name = isinstance(value, str) or (isinstance(value, dict) and "type" in value)
    return text if is_name else f"{key.rpartition('.')[2]}={text}"
