"""Checks of the settings of a sweep, each against the method and what varies."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

from nncli.config.diagnostics import Diagnostic, Finding, shown
from nncli.config.model import Config, Fold, Fraction
from nncli.errors import MissingExtraError
from nncli.experiment.metric_columns import SPLITS, Role, column, find_column
from nncli.store.group_files import METHODS, AxisRecord, combinations
from nncli.sweep.axes import is_countable
from nncli.sweep.axis_checks import overlaps
from nncli.sweep.definition import SweepDefinition
from nncli.sweep.seeds import ALL, DEFAULT, parse_seeds, parse_vary
from nncli.sweep.sweep_config import FACTOR

MAX_TRIALS = 1_000_000
EXAMPLE = "over: {optimizer.learning_rate: [0.1, 0.01]}"
ARGUMENT = "optimizer.learning_rate=0.1,0.01"
RANKING = {Role.OBJECTIVE, Role.LOSS, Role.METRIC}


class Sweep(NamedTuple):
    """A sweep with valid settings, for checks of their combinations.

    Args:
        definition: the sweep as it is written.
        settings: their values, by name.
        axes: what varies, as far as it is valid.
        config: the base config; None if it is invalid.
    """

    definition: SweepDefinition
    settings: dict[str, Any]
    axes: list[AxisRecord]
    config: Config | None

    def has(self, name: str) -> bool:
        """Whether a setting is given and valid."""
        return self.settings.get(name) is not None


def choose_method(settings: dict[str, Any]) -> None:
    """Replace a method that is not given: random points if their number is given, else a grid."""
    if settings.get("method", "") is None:
        settings["method"] = "random" if settings.get("trials", "invalid") else "grid"


def seed_settings(settings: dict[str, Any]) -> Iterator[Finding]:
    """Replace ``seeds`` and ``vary`` by lists; yield what is wrong with them."""
    parsers: dict[str, Callable[[Any], Any]] = {"seeds": parse_seeds, "vary": parse_vary}
    for name, parse in parsers.items():
        value = settings.get(name)
        try:
            settings[name] = parse(value) if value is not None else None
        except ValueError as error:
            settings.pop(name)
            yield Finding((name,), str(error))


def setting_problems(sweep: Sweep) -> list[Diagnostic]:
    """What is wrong with the combination of settings."""
    checks = (_method, _trials, _grid, _halving, _tpe, _seeds, _folds, _something_varies)
    findings = [finding for check in checks for finding in check(sweep)]
    return [_located(sweep.definition, finding) for finding in findings]


def _located(definition: SweepDefinition, finding: Finding) -> Diagnostic:
    """A finding with its location: of a setting, or of what varies, whose path is then that of the key."""
    path, message = finding
    varies = next((axis for axis in definition.axes if path == ("over", axis.key)), None)
    if varies:
        return Diagnostic(varies.node.location, varies.path, message)
    return Diagnostic(definition.location(str(path[0]) if path else ""), path, message)


def _method(sweep: Sweep) -> Iterator[Finding]:
    method = sweep.settings.get("method")
    if method is not None and method not in METHODS:
        from nncli.config.hints import suggestion

        yield Finding(("method",), f"unknown method {shown(method)}{suggestion(method, METHODS)}")


def _trials(sweep: Sweep) -> Iterator[Finding]:
    """The number of points that the method needs."""
    method, trials, count = sweep.settings.get("method"), sweep.settings.get("trials"), combinations(sweep.axes)
    if method == "grid" and trials:
        yield Finding(("trials",), "a grid has every combination; remove trials, or write method: random")
    needs = method in {"random", "tpe"} or (method == "halving" and count is None)
    if needs and trials is None and "trials" in sweep.settings:
        yield Finding(("method",), f"{method} needs the number of points; write trials, such as trials: 30")
    if method == "random" and trials and sweep.axes and count is not None and trials > count:
        yield Finding(("trials",), f"{trials} points, but only {count} combinations; write method: grid without trials")
    points = trials or (count if method in {"grid", "halving"} else None) or 1
    runs = points * len(sweep.settings.get("seeds") or [0]) * (sweep.settings.get("folds") or 1)
    if runs > MAX_TRIALS:
        yield Finding(("trials",) if trials else (), f"{runs:,} trials are too many (limit: {MAX_TRIALS:,})")


def _grid(sweep: Sweep) -> Iterator[Finding]:
    """Every value of a grid can be listed."""
    if sweep.settings.get("method") == "grid":
        for axis in sweep.axes:
            if not is_countable(axis):
                fix = f"{'list its values' if axis.log else 'write step'}, or trials, the number of random points"
                yield Finding(("over", axis.key), f"a range without a step has no grid; {fix}")


def _halving(sweep: Sweep) -> Iterator[Finding]:
    """Halving has points to leave out, and epochs to divide."""
    if sweep.settings.get("method") != "halving":
        return
    points = sweep.settings.get("trials") or combinations(sweep.axes)
    if points is not None and points < FACTOR:
        where = "trials" if sweep.has("trials") else "method"
        yield Finding((where,), f"halving needs at least {FACTOR} points, got {points}; write method: grid or random")
    if sweep.config and sweep.config.training.epochs < FACTOR:
        epochs = sweep.config.training.epochs
        yield Finding(("method",), f"halving needs at least {FACTOR} epochs, but training.epochs is {epochs}")
    if any(axis.path == ("training", "epochs") for axis in sweep.definition.axes):
        yield Finding(("over", "training.epochs"), "halving chooses the number of epochs; remove training.epochs here")


def _tpe(sweep: Sweep) -> Iterator[Finding]:
    """A batch is for a search that chooses points by those before."""
    method, batch, trials = (sweep.settings.get(name) for name in ("method", "batch", "trials"))
    if batch and method in METHODS and method != "tpe":
        yield Finding(("batch",), f"{method} has no batches; remove batch, or write method: tpe")
    elif batch and trials and batch > trials:
        yield Finding(("batch",), f"{batch} is more than the {trials} points; write at most {trials}")


def _seeds(sweep: Sweep) -> Iterator[Finding]:
    """Seeds are varied in one way."""
    settings = sweep.settings
    if sweep.has("vary") and "seeds" in settings and not settings["seeds"]:
        yield Finding(("vary",), "nothing has a seed to vary; write seeds, such as seeds: 10")
    vary = settings.get("vary") or DEFAULT
    paths = [("seed",), *(("seeds",) if each == ALL else ("seeds", each) for each in vary)]
    varied = [axis.key for axis in sweep.definition.axes if any(overlaps(axis, *path) for path in paths)]
    if settings.get("seeds") and varied:
        yield Finding(("seeds",), f"{varied[0]} varies already; remove it, or seeds")
    streams = getattr(sweep.config, "seeds", None)
    fixed = [name for name, value in vars(streams).items() if value is not None] if streams else []
    if settings.get("vary") == [ALL] and fixed:
        yield Finding(("vary",), f"the base config fixes seeds.{fixed[0]}, which seed does not change; remove it there")


def _folds(sweep: Sweep) -> Iterator[Finding]:
    """Folds are the validation set."""
    if not sweep.has("folds"):
        return
    if any(overlaps(axis, "validation") for axis in sweep.definition.axes):
        yield Finding(("folds",), "the folds are the validation set, which varies already; remove one")
    validation = getattr(sweep.config, "validation", None)
    is_part = (
        validation is None or isinstance(validation, Fold) or (isinstance(validation, Fraction) and not validation.last)
    )
    if not is_part:
        message = "the folds are the validation set, but the base config has one of its own; remove it there"
        yield Finding(("folds",), message)


def _something_varies(sweep: Sweep) -> Iterator[Finding]:
    """There is more than one trial, or it is already reported why what would vary is invalid."""
    is_invalid = "seeds" not in sweep.settings or "folds" not in sweep.settings
    over = sweep.definition.settings.children.get("over")
    is_written = sweep.definition.axes or sweep.definition.diagnostics or (over and (over.children or over.value))
    if not (is_written or is_invalid or sweep.has("seeds") or sweep.has("folds")):
        fix = (
            f"write over, such as {EXAMPLE}, or seeds"
            if sweep.definition.is_file
            else f"write {ARGUMENT}, or --seeds 10"
        )
        yield Finding((), f"nothing varies; {fix}")


def require_optuna() -> None:
    """Require that Optuna is installed.

    Raises:
        MissingExtraError: it is not.
    """
    if find_spec("optuna") is None:
        raise MissingExtraError("searches by tpe", "sweep")


def metric_problem(metric: str, measured: tuple[str, ...]) -> str:
    """Why trials cannot be ranked by a metric; empty if they can.

    Args:
        metric: the metric.
        measured: the columns of metrics that a trial has.
    """
    found = find_column(metric)
    ranking = [name for name in measured if find_column(name).role in RANKING]
    if found.split == "test":
        return f"{metric} is of the test set, which is for the chosen model only; write {column(SPLITS[1], found.name)}"
    if metric in ranking:
        return ""
    if metric in measured:
        return f"{metric} has no better or worse; known: {', '.join(ranking)}"
    if found.split == "validation" and f"validation_{ranking[0]}" not in measured:
        return f"{metric} needs a validation set; write validation in the base config, or metric: {found.name}"
    from nncli.config.hints import suggestion

    return f"{metric} is not measured{suggestion(metric, ranking)}"
