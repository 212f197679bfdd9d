"""Conditions on the runs of a list, such as ``status=finished`` or ``validation_accuracy>0.8``, and their order."""

import operator
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nncli.analysis.table_columns import TYPE
from nncli.config.diagnostics import shown
from nncli.config.hints import suggestion
from nncli.config.scalars import scalar
from nncli.errors import CommandLineError
from nncli.experiment.metric_columns import higher_is_better
from nncli.store.run_status import RunStatus

if TYPE_CHECKING:
    from nncli.analysis.run_list import RunListing

CONDITION = re.compile(r"\s*([^=<>!\s]+)\s*(==|!=|>=|<=|=|>|<)\s*(.*?)\s*")
ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
STATUSES = [str(status) for status in RunStatus]
OWN_KEYS = ("name", "status", "epoch", "tag", "note")  # besides metrics and keys of the config


class Condition(NamedTuple):
    """A condition on one value of a run.

    Args:
        key: a metric, a key of the config, or one of ``OWN_KEYS``.
        operation: ``=``, ``!=``, or an order of numbers.
        value: what the value is compared with.
    """

    key: str
    operation: str
    value: Any

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """The condition that a text stands for.

        Raises:
            CommandLineError: it is no condition, or has an order of something that is no number.
        """
        found = CONDITION.fullmatch(text)
        if found is None:
            expected = "expected KEY=VALUE, KEY!=VALUE, KEY>NUMBER, KEY>=NUMBER, KEY<NUMBER or KEY<=NUMBER"
            raise CommandLineError(f"invalid condition {shown(text)}: {expected}")
        key, operation, value = found[1], found[2].replace("==", "="), _scalar(found[3])
        if operation in ORDERS and not _is_number(value):
            raise CommandLineError(f"invalid condition {shown(text)}: {shown(found[3])} is not a number")
        return cls(key, operation, value)

    def is_met(self, run: "RunListing") -> bool:
        """Whether a run meets the condition; a value that a run does not have differs from any other."""
        value = value_of(run, self.key)
        if self.operation in ORDERS:
            return _is_number(value) and ORDERS[self.operation](value, self.value)
        is_equal = any(_equal(each, self.value) for each in (value if self.key == "tag" else [value]))
        return is_equal == (self.operation == "=")


def matching(runs: Sequence["RunListing"], conditions: Sequence[Condition]) -> list["RunListing"]:
    """The runs that meet all conditions.

    Raises:
        CommandLineError: no run has a key, or there is no such status.
    """
    for condition in conditions:
        _require_known(runs, condition.key)
        if condition.key == "status" and condition.value not in STATUSES:
            fix = suggestion(str(condition.value), STATUSES)
            raise CommandLineError(f"unknown status {shown(str(condition.value))}{fix}")
    return [run for run in runs if all(condition.is_met(run) for condition in conditions)]


def sorted_listings(runs: Sequence["RunListing"], key: str) -> list["RunListing"]:
    """The runs by a metric, best first, or by another value, smallest first; those without it are last.

    Raises:
        CommandLineError: no run has the key.
    """
    _require_known(runs, key)
    having = [run for run in runs if value_of(run, key) is not None]
    if any(key in run.metrics for run in runs):
        having.sort(key=lambda run: run.metrics[key], reverse=higher_is_better(key))
    else:
        having.sort(key=lambda run: _order(value_of(run, key)))
    return having + [run for run in runs if value_of(run, key) is None]


def value_of(run: "RunListing", key: str) -> Any:
    """A value of a run: a metric, a key of its config, or one of ``OWN_KEYS``; None if it does not have it."""
    if key in run.metrics:
        return run.metrics[key]
    if key in OWN_KEYS:
        own = {"name": run.name, "status": str(run.progress.status), "epoch": run.epoch, "note": run.note}
        return run.tags if key == "tag" else own[key]
    return run.config.get(key, run.config.get(f"{key}{TYPE}"))  # optimizer=adam stands for optimizer.type=adam


def _require_known(runs: Sequence["RunListing"], key: str) -> None:
    """Require that a run has the key, unless there are no runs."""
    if not runs or key in OWN_KEYS or any(value_of(run, key) is not None for run in runs):
        return
    metrics = list(dict.fromkeys(name for run in runs for name in run.metrics))
    keys = list(dict.fromkeys(name.removesuffix(TYPE) for run in runs for name in run.config))
    known = suggestion(key, [*OWN_KEYS, *metrics, *keys], listed=[*OWN_KEYS, *metrics])
    raise CommandLineError(f"no run has a metric or key {shown(key)}{known}")


def _scalar(text: str) -> Any:
    """A value as in a config; text that a config would have to quote is text."""
    try:
        return scalar(text)
    except ValueError:
        return text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(value: Any, expected: Any) -> bool:
    """Whether a value is the expected one; a text may look like a number, as the name of a trial does."""
    if isinstance(value, str) and not isinstance(expected, str):
        value = _scalar(value)
    return isinstance(value, bool) == isinstance(expected, bool) and bool(value == expected)


def _order(value: Any) -> tuple[bool, Any]:
    """A key for sorting values of several types: numbers before texts."""
    return (False, value) if _is_number(value) else (True, str(value))
