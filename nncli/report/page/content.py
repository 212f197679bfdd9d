"""The sections of a report, of one run or of several runs next to each other."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from nncli.analysis.compared_run import ComparedRun, compared_run
from nncli.analysis.comparison import Comparison, compare
from nncli.errors import NncliError
from nncli.report.curves import run_curves
from nncli.report.gradients import gradients_of
from nncli.report.page.blocks import Block, Report, Section, Text
from nncli.report.page.columns import columns_of
from nncli.report.page.comparison import compared, overlaid_curves, run_charts
from nncli.report.page.health import health_charts, units_table, weights_of
from nncli.report.page.images import images
from nncli.report.page.overview import overview, settings_table
from nncli.report.page.plane import player
from nncli.report.page.reproduction import reproduction
from nncli.report.page.results import results
from nncli.report.page.words import listed
from nncli.report.trained_run import TrainedRun
from nncli.store.run_reader import Run
from nncli.version import __version__

Result = TypeVar("Result")
Made = Callable[[TrainedRun], Sequence[Block]]


def report_of(runs: Sequence[Run], different_data: bool = False) -> Report:
    """The report of a run, or of several runs that are compared.

    What needs weights or data that cannot be read is left out, with the reason in its place.

    Args:
        runs: the runs.
        different_data: compare runs even if their data differs.

    Raises:
        CommandLineError: a run is given twice.
        RunError: a run cannot be read, or the data of two runs differs.
    """
    if len(runs) > 1:
        comparison = compare(runs, None, everything=False, different_data=different_data)
        title, sections = "Comparison of runs", _compared_sections(comparison)
        subtitle = listed([each.label for each in comparison.entries])
    else:
        entry = compared_run(runs[0], runs[0].name, runs[0].progress)
        title, sections, subtitle = entry.label, _sections(entry), f"Report of a run, {entry.progress}"
    return Report(title, subtitle, [each for each in sections if each.blocks], __version__)


def _sections(entry: ComparedRun) -> Iterator[Section]:
    run = OpenedRun(entry)
    yield Section("summary", "Summary", [*overview(entry, run.with_data), *run.reasons()])
    yield Section("network", "What the network does", run.views())
    yield Section("curves", "Learning curves", run_charts(run_curves(entry.run)))
    yield Section("results", "Results", run.of_data(results))
    yield Section("images", "Images", run.of_data(images))
    yield Section("columns", "Columns", run.of_data(columns_of))
    yield Section("health", "Health", [*run.health(), *run.of_weights(weights_of), *run.of_data(units_table)])
    yield Section("settings", "Settings", [settings_table(entry)])
    yield Section("reproduction", "Reproduce this run", reproduction(entry.run, entry.label))


def _compared_sections(comparison: Comparison) -> Iterator[Section]:
    runs = [OpenedRun(each) for each in comparison.entries]
    reasons = [each for run in runs for each in run.reasons()]
    yield Section("summary", "Summary", [*compared(comparison), *reasons])
    yield Section("curves", "Learning curves", overlaid_curves(comparison))
    yield Section(
        "network", "What the networks do", [block for run in runs for block in run.labeled(run.views(len(runs)))]
    )
    for made, name, title in (
        (results, "results", "Results"),
        (images, "images", "Images"),
        (columns_of, "columns", "Columns"),
    ):
        yield Section(name, title, [block for run in runs for block in run.labeled(run.of_data(made))])
    health = [block for run in runs for block in run.labeled(run.health())]
    units = [block for run in runs for block in run.labeled(run.of_data(units_table))]
    yield Section("health", "Health", [*health, *units])
    again = [block for run in runs for block in reproduction(run.entry.run, run.entry.label)]
    yield Section("reproduction", "Reproduce these runs", again)


class OpenedRun:
    """A run whose weights, data or records may be missing; what needs them is empty then.

    ``with_weights`` is the run if its weights can be read, ``with_data`` the same if its data can be read too;
    ``snapshots`` are the epochs of its snapshots; ``gradients`` is None if there are no records of them.

    Args:
        entry: the run.
    """

    def __init__(self, entry: ComparedRun) -> None:
        self.entry, self.problems, run = entry, list[str](), entry.run
        self.with_weights = self._tried(lambda: opened(run))
        found = self.with_weights
        self.with_data = self._tried(lambda: with_data(found)) if found else None
        self.snapshots = (self._tried(lambda: list(run.snapshots)) or []) if self.with_weights else []
        self.gradients = self._tried(lambda: gradients_of(run))

    def _tried(self, read: Callable[[], Result]) -> Result | None:
        """What a function reads; None if it cannot be read, with the reason among the problems."""
        try:
            return read()
        except NncliError as error:
            self.problems.append(str(error))
            return None

    def reasons(self) -> list[Block]:
        """Why plots are missing."""
        return [Text("What is missing", [], self.problems)] if self.problems else []

    def of_data(self, made: Made) -> Sequence[Block]:
        """Blocks that need the data."""
        return made(self.with_data) if self.with_data else []

    def of_weights(self, made: Made) -> Sequence[Block]:
        """Blocks that need the weights."""
        return made(self.with_weights) if self.with_weights else []

    def views(self, players: int = 1) -> Sequence[Block]:
        """The boundary or the fitted curve; in a page with several players it has fewer frames."""
        if self.with_weights is None:
            return []
        shown = player(self.with_weights, self.snapshots, "training" if self.with_data else None, players)
        return [shown] if shown else []

    def health(self) -> Sequence[Block]:
        """Gradients, updates and dead units by layer."""
        return health_charts(self.gradients) if self.gradients else []

    def labeled(self, blocks: Sequence[Block]) -> Sequence[Block]:
        """Blocks with the name of the run in their titles."""
        return [each._replace(title=f"{self.entry.label}: {each.title}") for each in blocks]


def opened(run: Run) -> TrainedRun:
    """A run with its network.

    Raises:
        DivergedError, RunError: the weights are missing or damaged, or not finite.
    """
    trained = TrainedRun(run)
    trained.predictor  # noqa: B018 (reads the weights)
    return trained


def with_data(trained: TrainedRun) -> TrainedRun:
    """A run whose network has predicted its held-out rows.

    Raises:
        DivergedError, RunError, SourceError: the data cannot be read, or differs from that of the training.
    """
    trained.predicted()
    return trained
