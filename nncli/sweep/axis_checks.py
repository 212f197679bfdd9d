"""Checks of what varies, before any value is tried in a config: empty lists, invalid ranges, keys that overlap."""

from collections.abc import Iterator, Sequence
from typing import Any

from nncli.config.diagnostics import LONGEST_VALUE, Diagnostic, shown
from nncli.config.document import Node
from nncli.config.overrides import parse_override
from nncli.config.yaml_output import to_yaml_value
from nncli.store.group_files import AxisRecord, Scale
from nncli.sweep.definition import AxisDefinition, SweepDefinition
from nncli.sweep.sweep_config import RangeConfig, read_fields


def overlapping_keys(definition: SweepDefinition) -> Iterator[Diagnostic]:
    """Keys that vary twice, that are part of another one that varies, or that are overridden to no effect."""
    for index, axis in enumerate(definition.axes):
        for other in definition.axes[:index]:
            if axis.path == other.path:
                message = f"varies twice (first at {_place(other)}); remove one"
                yield Diagnostic(axis.location, axis.path, message)
            elif axis.path[: len(other.path)] == other.path:
                yield _part(axis, other, axis)
            elif other.path[: len(axis.path)] == axis.path:
                yield _part(other, axis, axis)
    for number, text in definition.overrides:
        path, _, _ = parse_override(text)
        over = next((axis for axis in definition.axes if path[: len(axis.path)] == axis.path), None)
        if over:
            message = (
                f"the override {shown(text)} (argument {number}) has no effect, since {over.key} varies; remove one"
            )
            yield Diagnostic(over.location, over.path, message)


def _place(axis: AxisDefinition) -> str:
    """Where what varies is written, without the name of the text."""
    return f"line {axis.location.line}, column {axis.location.column}"


def _part(part: AxisDefinition, whole: AxisDefinition, reported: AxisDefinition) -> Diagnostic:
    """The problem of a key that varies and is part of another one."""
    message = f"{part.key} varies, but so does {whole.key}, which contains it; write whole values of {whole.key}"
    return Diagnostic(reported.location, reported.path, message)


def list_problems(axis: AxisDefinition) -> Iterator[Diagnostic]:
    """Problems of a list of values."""
    if not axis.values:
        yield Diagnostic(axis.node.location, axis.path, "an empty list; write at least one value")


def read_range(axis: AxisDefinition) -> tuple[RangeConfig | None, list[Diagnostic]]:
    """A range, unless it has problems."""
    values, diagnostics = read_fields(axis.node, RangeConfig, axis.path)
    if not diagnostics:
        limits = RangeConfig(**values)
        problems = list(_range_problems(axis, limits))
        return (None, problems) if problems else (limits, [])
    return None, diagnostics


def _range_problems(axis: AxisDefinition, limits: RangeConfig) -> Iterator[Diagnostic]:
    """Problems of a range whose values are numbers."""
    nodes, span = axis.node.children, limits.max - limits.min
    if span <= 0:
        message = f"min {limits.min} is not less than max {limits.max}; write the smaller one as min"
        yield Diagnostic(nodes["min"].location, (*axis.path, "min"), message)
    if limits.log and limits.min <= 0:
        message = f"must be greater than 0 if log is true, got {limits.min}; write a positive min, or log: false"
        yield Diagnostic(nodes["min"].location, (*axis.path, "min"), message)
    if limits.step is None:
        return
    path = (*axis.path, "step")
    if limits.step <= 0:
        yield Diagnostic(nodes["step"].location, path, f"must be greater than 0, got {limits.step}")
    elif span > 0 and limits.step > span:
        message = f"{limits.step} is larger than the range from {limits.min} to {limits.max}; write at most {span:.12g}"
        yield Diagnostic(nodes["step"].location, path, message)
    if limits.log:
        message = "log and step exclude each other; remove one, or list the values"
        yield Diagnostic(nodes["step"].location, path, message)


def typed_range(
    axis: AxisDefinition, limits: RangeConfig, takes_integers: bool
) -> tuple[AxisRecord | None, list[Diagnostic]]:
    """A range of integers for a key that takes integers, else of real numbers; None if it has problems.

    Args:
        axis: what varies.
        limits: the range.
        takes_integers: whether the key takes integers only.
    """
    values = {name: getattr(limits, name) for name in ("min", "max", "step")}
    numbers = {name: value for name, value in values.items() if value is not None}
    if not takes_integers:
        return _record(axis, limits, {name: float(value) for name, value in numbers.items()}), []
    wrong = [name for name, value in numbers.items() if float(value) != int(value)]
    problems = [
        Diagnostic(axis.node.children[name].location, (*axis.path, name), f"must be an integer, got {numbers[name]}")
        for name in wrong
    ]
    if problems:
        return None, problems
    return _record(axis, limits, {name: int(value) for name, value in numbers.items()}), []


def _record(axis: AxisDefinition, limits: RangeConfig, values: dict[str, Scale]) -> AxisRecord:
    return AxisRecord(key=axis.key, log=limits.log, **{"step": None, **values})


def repeated_values(axis: AxisDefinition, values: Sequence[Any]) -> Iterator[Diagnostic]:
    """Values of a list that are equal to one before.

    Args:
        axis: what varies.
        values: its values in a form in which equal ones are equal.
    """
    first: dict[Any, Node] = {}
    for node, value in zip(axis.values, values, strict=True):
        if value in first:
            location = first[value].location
            message = f"{shown(node.plain())} repeats (first at line {location.line}, column {location.column})"
            yield Diagnostic(node.location, axis.path, f"{message}; remove one")
        first.setdefault(value, node)


def overlaps(axis: AxisDefinition, *path: str) -> bool:
    """Whether what varies is the value at a path, part of it, or contains it."""
    return all(one == other for one, other in zip(axis.path, path, strict=False))


def text_of(axis: AxisDefinition, value: Node) -> str:
    """A value of what varies, for a message."""
    text = to_yaml_value(value.plain())
    return f"{axis.key}={text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + '...'}"
