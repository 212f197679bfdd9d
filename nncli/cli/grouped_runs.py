"""The part of ``nncli compare`` for groups of runs, and its gate on regressions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nncli.cli.output import print_json
from nncli.errors import CommandLineError, GateError

if TYPE_CHECKING:
    from nncli.analysis.compared_groups import ComparedGroups
    from nncli.analysis.group_curves import GroupCurve


@dataclass(frozen=True)
class Grouping:
    """The options that concern groups and the gate.

    Args:
        by: keys of the config, separated by commas; None if it is not given.
        metric: the metric by which groups are compared; None for the default.
        rope: the largest difference that does not matter.
        baseline: what the others are compared with; None for the best.
        regression: the gate; None without one.
        different_data: allow runs whose data differs.
        find: finds a run or group by its name.
    """

    by: str | None
    metric: str | None
    rope: float
    baseline: str | None
    regression: str | None
    different_data: bool
    find: Callable[[str], Path]

    def applies_to(self, paths: Sequence[Path]) -> bool:
        """Whether groups are compared, and not single runs.

        Raises:
            CommandLineError: the options contradict each other, or are for groups only.
        """
        from nncli.store.group_files import is_group

        if self.regression is not None and self.baseline is None:
            raise CommandLineError("--fail-on-regression needs the run or group to compare with: pass --baseline")
        if not self.rope >= 0:
            raise CommandLineError(f"--rope {self.rope:g}: expected a width of at least 0, such as 0.01")
        if self.by is not None or any(map(is_group, paths)) or any(map(is_group, self.with_baseline(paths))):
            return True
        if self.metric is not None or self.rope:
            option = "--rope" if self.metric is None else "--metric"
            raise CommandLineError(f"{option} applies to groups of runs; name a group, or pass --by KEY")
        return False

    def with_baseline(self, paths: Sequence[Path]) -> list[Path]:
        """The runs, with the baseline last if it is another one; it may be a value of ``--by`` too."""
        if self.baseline is None or self.by is not None:
            return list(paths)
        path = self.find(self.baseline)
        is_given = path.resolve() in {each.resolve() for each in paths}
        return [*paths] if is_given else [*paths, path]

    def show(self, paths: Sequence[Path], form: str | None, curve: str | None, digits: int | None) -> None:
        """Compare groups, print them, and check the gate.

        Args:
            paths: groups and runs.
            form: json, csv, markdown or latex; None for the terminal.
            curve: the column of metrics.csv to plot; None for the metric.
            digits: significant digits of the metrics; all of them if None.

        Raises:
            GateError: a group is worse than the baseline.
        """
        from nncli.analysis.group_sentences import sentence
        from nncli.cli.render import group_files as files

        compared = self._compared(paths, self._metric)
        sentences = [sentence(each) for each in compared.verdicts]
        if form == "json":
            print_json(files.as_document(compared, sentences))
        elif form == "csv":
            print(files.as_csv(compared), end="")
        elif form == "markdown":
            print(files.as_markdown(compared, sentences, digits), end="")
        elif form == "latex":
            print(files.as_latex(compared, sentences, digits), end="")
        else:
            _show(compared, sentences, curve, digits)
        self.check(paths, compared)

    def check(self, paths: Sequence[Path], compared: "ComparedGroups | None" = None) -> None:
        """Check the gate on regressions, if there is one.

        Args:
            paths: groups and runs.
            compared: their comparison, if it has been made.

        Raises:
            GateError: a run or group is worse than the baseline, or cannot be compared with it.
        """
        from nncli.analysis.regression_gate import parse_regression_gate, regressions

        if self.regression is None:
            return
        gate = parse_regression_gate(self.regression)
        if compared is None or compared.metric != gate.metric:
            compared = self._compared(paths, gate.metric)
        failures = regressions(compared.verdicts, gate.tolerance)
        if failures:
            raise GateError("\n".join(failures))

    @property
    def _metric(self) -> str | None:
        """The metric that is chosen, or else that of the gate."""
        from nncli.analysis.regression_gate import parse_regression_gate

        gate = None if self.regression is None else parse_regression_gate(self.regression)
        return self.metric or (gate and gate.metric)

    def _compared(self, paths: Sequence[Path], metric: str | None) -> "ComparedGroups":
        """The groups side by side."""
        from nncli.analysis.compared_groups import GroupOptions, compared_groups

        keys = tuple(filter(None, (self.by or "").split(",")))
        if self.by is not None and not keys:
            raise CommandLineError("--by needs a key of the config, such as optimizer.type")
        return compared_groups(
            paths, GroupOptions(keys, metric, self.rope, self.baseline, self.different_data), self.find
        )


def _show(compared: "ComparedGroups", sentences: Sequence[str], curve: str | None, digits: int | None) -> None:
    """Print groups in the terminal."""
    from nncli.analysis.group_curves import group_curve
    from nncli.cli.render.compare_groups import show_groups

    name = curve or compared.metric

    def curves() -> "list[GroupCurve]":
        found = [each for group in compared.groups if (each := group_curve(group, name))]
        if curve is not None and not found:
            raise CommandLineError(f"no group has a column {curve!r} in metrics.csv")
        return found

    show_groups(compared, sentences, curves, name, digits)
