"""Groups of runs side by side: their results, the verdicts, and what they are based on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from nncli.analysis.comparison_sides import GroupRuns, Side, read_groups, sides_by, sides_of
from nncli.analysis.group_results import GroupResult, chosen_metric, sorted_groups
from nncli.analysis.group_sentences import adjustment_sentence, notes, pairing_sentence
from nncli.analysis.group_verdict import Verdict, verdicts
from nncli.analysis.mixed_runs import mixed_sentence
from nncli.config.diagnostics import counted
from nncli.config.hints import suggestion
from nncli.errors import CommandLineError, RunError
from nncli.experiment.metric_columns import find_column


class GroupOptions(NamedTuple):
    """How groups are compared.

    Args:
        by: the keys by whose values the runs are grouped; none to compare the groups that are given.
        metric: the column of metrics; None for that of the groups, or else the default.
        rope: the largest difference that does not matter in practice.
        baseline: the label of a side, or a run or group, that the others are compared with; None for the best.
        different_data: compare runs even if their data differs.
    """

    by: Sequence[str] = ()
    metric: str | None = None
    rope: float = 0.0
    baseline: str | None = None
    different_data: bool = False


@dataclass(frozen=True)
class ComparedGroups:
    """Groups side by side.

    Args:
        metric: the column that is compared.
        by: the keys by whose values the runs are grouped.
        baseline: the label of the baseline; None without one.
        groups: the results, best first.
        verdicts: those on the best group and each other one, or on each group and the baseline.
        basis: what the verdicts are based on, as sentences.
        notes: what the table does not show, as sentences.
    """

    metric: str
    by: Sequence[str]
    baseline: str | None
    groups: list[GroupResult]
    verdicts: list[Verdict]
    basis: list[str]
    notes: list[str]


def compared_groups(paths: Sequence[Path], options: GroupOptions, find: Callable[[str], Path]) -> ComparedGroups:
    """Compare groups of runs.

    Args:
        paths: groups and runs.
        options: how they are compared.
        find: finds a run or a group by its name.

    Raises:
        CommandLineError: a key, a metric or the baseline is unknown.
        RunError: there is nothing to compare, or a run that is no trial, or a group.json, is damaged.
    """
    named = read_groups(paths)
    by = options.by or _varying_keys(named)
    sides = sides_by(named, by) if by else sides_of(named)
    lost = sum(len(each.failed) for each in named) - sum(side.failed for side in sides)
    sides, baseline = _with_baseline(sides, options.baseline, find)
    metric = chosen_metric([entry for side in sides for entry in side.entries], options.metric or _metric_of(named))
    groups = sorted_groups([GroupResult(side.label, metric, side.entries, side.failed) for side in sides])
    labels = [group.label for group in groups]
    index = None if baseline is None else labels.index(baseline)
    found = verdicts(groups, index, options.rope, options.different_data)
    mixed = mixed_sentence(group.finished for group in groups)
    basis = [text for text in (pairing_sentence(found, groups), adjustment_sentence(found), mixed) if text]
    if by and not options.by:
        basis.insert(0, f"grouped by {', '.join(by)}, which the group varies; choose other keys with --by")
    problems = [problem for each in named for problem in each.problems]
    if lost:
        problems.insert(
            0, f"{counted(lost, 'failed trial')} not in the table, as no trial with the same values has a run"
        )
    return ComparedGroups(metric, by, baseline, groups, found, basis, notes(groups, problems))


def _varying_keys(named: Sequence[GroupRuns]) -> list[str]:
    """The keys that a single group varies; none if several are given, as each of them is a side then."""
    return named[0].axes if len(named) == 1 else []


def _metric_of(named: Sequence[GroupRuns]) -> str | None:
    """The metric that ranks the trials of all groups, if it is the same and can be compared; None otherwise."""
    metrics = {each.record.metric if each.record else None for each in named}
    [metric, *others] = metrics
    if others or metric is None:
        return None
    described = find_column(metric)
    return metric if described.higher_is_better is not None and not described.depends_on_penalties else None


def _with_baseline(
    sides: list[Side], baseline: str | None, find: Callable[[str], Path]
) -> tuple[list[Side], str | None]:
    """The sides, with the baseline added if it is not among them, and its label.

    Raises:
        CommandLineError: it is neither a side nor a run or group.
    """
    labels = [side.label for side in sides]
    if baseline is None or baseline in labels:
        return sides, baseline
    try:
        path = find(baseline)
    except RunError:
        fix = suggestion(baseline, labels)
        raise CommandLineError(f"--baseline {baseline}: neither a side of the comparison nor a run{fix}") from None
    same = [side for side in sides if side.path and side.path.resolve() == path.resolve()]
    if same:
        return sides, same[0].label
    [added] = sides_of(read_groups([path]))
    label = added.label if added.label not in labels else str(path)
    return [*sides, Side(label, added.entries, added.failed, path)], label
