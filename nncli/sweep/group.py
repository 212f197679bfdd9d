"""Create a group of runs, or continue one that is not finished."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import count, zip_longest
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from nncli.config.diagnostics import LONGEST_VALUE
from nncli.config.yaml_output import to_yaml_value
from nncli.errors import BusyError, RunError
from nncli.store.group_files import AxisRecord, GroupRecord, create_group, is_group, read_group
from nncli.store.run_writer import require_name
from nncli.store.safe_read import exists
from nncli.sweep.outcomes import GroupOutcomes, end_of
from nncli.sweep.plan import Plan
from nncli.sweep.search import stages

NOT_COMPARED = {"format", "version"}
MANY = 8  # differences that a message lists


class Group(NamedTuple):
    """A group that is to be worked on.

    Args:
        plan: its plan.
        is_new: whether it was created now, and not continued.
    """

    plan: Plan
    is_new: bool


def open_group(runs: Path, default_name: str, record: GroupRecord, name: str | None = None) -> Group:
    """Create a group, or continue one with an equal record.

    Args:
        runs: the directory that holds runs and groups.
        default_name: the name if none is given. The first unfinished group with an equal record among it, name-2,
            name-3, ... is continued; otherwise it is numbered if it is taken.
        record: the content of group.json.
        name: the name of a new group, or of one with an equal record, which is continued, or finished already.

    Raises:
        BusyError: the name is taken by a run, or by a group with another record; its differences are listed.
        CommandLineError: the name is not valid.
        RunError: the group of this name is damaged.
        StorageError: a file cannot be read or written.
    """
    require_name(name or default_name)
    if name is not None:
        path = runs / name
        if exists(path):
            return Group(Plan(_equal_record(path, record), path), is_new=False)
        return Group(Plan(record, create_group(runs, name, record, is_numbered=False)), is_new=True)
    for path in _numbered(runs, default_name):
        with suppress(RunError):  # a damaged group is another one
            if is_group(path) and not differences(found := read_group(path), record):
                plan = Plan(found, path)
                if not is_finished(plan):
                    return Group(plan, is_new=False)
    return Group(Plan(record, create_group(runs, default_name, record, is_numbered=True)), is_new=True)


def is_finished(plan: Plan) -> bool:
    """Whether all trials of a group have ended.

    Raises:
        StorageError, UnsupportedVersionError: as for ``end_of``.
    """
    outcomes = GroupOutcomes(plan.directory, plan.record)
    return all(end_of(plan.directory, task) for tasks in stages(plan, outcomes) for task in tasks)


def differences(one: GroupRecord, other: GroupRecord) -> list[str]:
    """The keys in which two records differ, each with both values."""
    keys = [key for key in GroupRecord.model_fields if key not in NOT_COMPARED]
    values = ((key, getattr(one, key), getattr(other, key)) for key in keys)
    return [_difference(key, then, now) for key, then, now in values if then != now]


def _equal_record(path: Path, record: GroupRecord) -> GroupRecord:
    """The record of a group, which has to equal another one.

    Raises:
        BusyError: it differs, or the path is no group.
    """
    if not is_group(path):
        raise BusyError(f"{path}: already exists, and is not a group; choose another name")
    found = read_group(path)
    different = differences(found, record)
    if different:
        more = [f"and {len(different) - MANY} more"] if len(different) > MANY else []
        listed = "\n".join(f"  {each}" for each in [*different[:MANY], *more])
        raise BusyError(
            f"{path}: is another group; choose another name, or continue it with {continue_command(path)}\n{listed}"
        )
    return found


def continue_command(path: Path) -> str:
    """The command that continues a group, whatever command has created it."""
    return f"'nncli worker {quote(str(path))}'"


def _numbered(runs: Path, name: str) -> Iterator[Path]:
    """The paths with a name and its numbers that exist, as ``create_group`` gives them."""
    for number in count(1):
        path = runs / (name if number == 1 else f"{name}-{number}")
        if not exists(path):
            return
        yield path


def _difference(key: str, then: Any, now: Any) -> str:
    """A key with both values; of a config the first line that differs."""
    if key == "config":
        lines = enumerate(zip_longest(then.split("\n"), now.split("\n")), 1)
        number, (before, after) = next((number, pair) for number, pair in lines if pair[0] != pair[1])
        return f"config: line {number} is {_shown(before)} there, and {_shown(after)} here"
    return f"{key}: {_shown(then)} there, and {_shown(now)} here"


def _shown(value: Any) -> str:
    """A value in a line."""
    if value is None or value == []:
        return "none"
    if isinstance(value, list) and isinstance(value[0], AxisRecord):
        text = ", ".join(f"{axis.key}={to_yaml_value(_axis_value(axis))}" for axis in value)
    else:
        text = repr(value) if isinstance(value, str) else to_yaml_value(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _axis_value(axis: AxisRecord) -> Any:
    """The values of an axis, or its range."""
    described = axis.model_dump()
    return axis.values or {key: described[key] for key in ("min", "max", "log", "step") if described[key]}
