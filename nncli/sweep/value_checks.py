"""Tries the values of what varies in the base config: each once, and the combinations that can differ from that.

The first value of every axis is the first trial. Every other value is checked with the first values of the other axes.
Then come combinations of axes that interact, since they are in the same section or since a check reads both sections:
of all their values if an axis has components or texts; of the smallest and the largest if it has numbers, since what
a config accepts is an interval.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from math import prod

from nncli.config.diagnostics import MAX_DIAGNOSTICS, Diagnostic
from nncli.config.document import Node
from nncli.sweep.config_checker import Change, ConfigChecker, attributed
from nncli.sweep.definition import AxisDefinition

# Sections that no check reads together with another one.
INDEPENDENT = {"seed", "seeds", "optimizer", "schedule", "clipping", "regularization"}
MAX_COMBINATIONS = 1000  # of all axes that interact; beyond it, of each two of them


def value_problems(checker: ConfigChecker, axes: Sequence[AxisDefinition]) -> list[Diagnostic]:
    """The problems of all values, each once, with the location of the value."""
    return _ValueChecks(checker, [axis for axis in axes if axis.values]).problems()


class _ValueChecks:
    """The checks of the values of some axes, none of which is empty."""

    def __init__(self, checker: ConfigChecker, axes: Sequence[AxisDefinition]) -> None:
        self.checker, self.axes = checker, axes
        self.file = checker.base.root.location.source.name
        self.first = {axis.path: axis.values[0] for axis in axes}
        self.found: list[Diagnostic] = []
        self.known: set[object] = set()  # places and messages, and places of any message
        self.valid = {axis.path: [axis.values[0]] for axis in axes}

    def problems(self) -> list[Diagnostic]:
        reference = self._changes({})
        is_valid = self._add(self.checker.problems(reference), reference, is_reference=True)
        for axis in self.axes:
            self._check_values(axis)
        if is_valid:
            for chosen in self._combinations():
                self._check(chosen)
        return self.found

    def _changes(self, chosen: dict[tuple[str | int, ...], Node]) -> list[Change]:
        """The values of the first trial, some of them replaced."""
        return [Change(axis, chosen.get(axis.path, self.first[axis.path])) for axis in self.axes]

    def _check_values(self, axis: AxisDefinition) -> None:
        """Check every value but the first one; numbers between the smallest and the largest in their section only."""
        ends = _ends(axis.values)
        for value in axis.values[1:]:
            chosen = {axis.path: value}
            is_inner = ends is not None and not any(value is end for end in ends)
            if is_inner and self.checker.is_valid_section(self._changes(chosen), str(axis.path[0])):
                continue
            if self._check(chosen):
                self.valid[axis.path].append(value)
            elif len(self.found) > MAX_DIAGNOSTICS or self._has_wrong_key(axis):
                return

    def _has_wrong_key(self, axis: AxisDefinition) -> bool:
        """Whether the key itself is wrong, whatever its values."""
        return any(each.location == axis.location for each in self.found)

    def _check(self, chosen: dict[tuple[str | int, ...], Node]) -> bool:
        """Whether a config has no problems; those that are new are added."""
        changes = [Change(axis, chosen[axis.path]) for axis in self.axes if axis.path in chosen]
        return self._add(self.checker.problems(self._changes(chosen)), changes)

    def _add(self, problems: list[Diagnostic], changes: Sequence[Change], is_reference: bool = False) -> bool:
        for before, each in zip(problems, attributed(problems, changes, self.file, is_reference), strict=True):
            is_key = any(before.location == change.axis.location for change in changes)
            keys = [(before.location, before.path, message) for message in (before.message, None)]
            if keys[is_key] not in self.known:
                self.found.append(each)
            self.known.update(keys)
        return not problems

    def _combinations(self) -> Iterator[dict[tuple[str | int, ...], Node]]:
        """Combinations of values of axes that interact, without those that were checked."""
        for group in _interacting(self.axes):
            values = {axis.path: self._representatives(axis) for axis in group}
            is_small = prod(map(len, values.values())) <= MAX_COMBINATIONS
            for paths in [list(values)] if is_small else combinations(values, 2):
                for chosen in product(*(values[path] for path in paths)):
                    changed = {
                        path: value for path, value in zip(paths, chosen, strict=True) if value is not self.first[path]
                    }
                    if len(changed) > 1:
                        yield changed

    def _representatives(self, axis: AxisDefinition) -> list[Node]:
        """The valid values that are combined: all, or the first, the smallest and the largest of numbers."""
        valid = self.valid[axis.path]
        ends = _ends(valid)
        return valid if ends is None else [value for value in valid if any(value is each for each in (valid[0], *ends))]


def _ends(values: Sequence[Node]) -> list[Node] | None:
    """The smallest and the largest of some numbers; None if they are not numbers."""
    if not all(isinstance(each.value, int | float) and not isinstance(each.value, bool) for each in values):
        return None
    return [min(values, key=lambda each: each.value), max(values, key=lambda each: each.value)]


def _interacting(axes: Sequence[AxisDefinition]) -> list[list[AxisDefinition]]:
    """The axes in groups of which none interacts with another: of one section, or of all sections that checks share."""
    groups: dict[str, list[AxisDefinition]] = {}
    for axis in axes:
        section = str(axis.path[0])
        groups.setdefault(section if section in INDEPENDENT else "", []).append(axis)
    return list(groups.values())
