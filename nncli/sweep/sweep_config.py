"""The keys of a sweep file, which are the options of the command line too."""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic_core import ValidationError

from nncli.config.diagnostics import COMMAND_LINE, Diagnostic, SourceLocation, SourceText, shown
from nncli.config.diagnostics import Path as KeyPath
from nncli.config.document import Node
from nncli.config.document import is_rejected as is_reported
from nncli.registry import Bounds, Count, Model, Seed, validated

FACTOR = 3  # of epochs between two rungs of halving, and of points that are left out
EXAMPLES = {"base": "base: config.yaml", "min": "min: 1e-4", "max": "max: 0.1"}  # of keys that are required


class SweepConfig(Model):
    """A sweep file.

    Args:
        base: the config that is varied, relative to the sweep file.
        method: how the points are chosen. grid: every combination. random: random points. halving: the best third of
            the points continues with three times the epochs. tpe: points are sampled where those before were good. By
            default grid, or random if ``trials`` is given.
        metric: the column of metrics that ranks the trials; by default accuracy, or else the mean absolute error,
            another metric or the loss, of the validation set if there is one.
        trials: the number of points; all combinations by default.
        batch: the number of points that ``tpe`` chooses together.
        seeds: the seeds of the runs of each point: a number, a range such as 0..9, or a list.
        vary: what a seed varies: some of data, split, weights, order, dropout; or all.
        folds: the number of folds of a cross-validation of each point.
        max_failures: the number of failed and diverged trials after which no further one starts.
        seed: the seed of the search.
        over: what varies: a list or a range, min, max, log and step, for each path of a key.
    """

    base: Path
    method: str | None = None
    metric: str | None = None
    trials: Count | None = None
    batch: Count | None = None
    seeds: Any = None
    vary: Any = None
    folds: Annotated[int, Bounds(5, ge=2)] | None = None
    max_failures: Annotated[int, Bounds(0, ge=0)] | None = None
    seed: Seed = 0
    over: dict[str, Any] = {}  # noqa: RUF012 (a default)


class RangeConfig(Model):
    """A range of values.

    Args:
        min: the smallest value.
        max: the largest value.
        log: whether values are sampled uniformly in the logarithm.
        step: the distance of neighboring values; every value is possible by default.
    """

    min: int | float
    max: int | float
    log: bool = False
    step: int | float | None = None


class SweepOptions(NamedTuple):
    """Options of the command line; those that are None are not given. The others are those of a sweep file.

    Args:
        runs: the directory in which the group will be created.
    """

    method: str | None = None
    metric: str | None = None
    trials: int | None = None
    batch: int | None = None
    seeds: str | None = None
    vary: str | None = None
    folds: int | None = None
    max_failures: int | None = None
    seed: int | None = None
    runs: Path = Path("runs")


def option_nodes(options: SweepOptions, first_line: int) -> dict[str | int, Node]:
    """The options that are given, with their locations on the command line, of which each option is a line."""
    nodes: dict[str | int, Node] = {}
    given = {name: value for name, value in options._asdict().items() if value is not None and name != "runs"}
    for number, (name, value) in enumerate(given.items(), first_line):
        flag = f"--{name.replace('_', '-')} "
        source = SourceText(COMMAND_LINE, f"{flag}{value}", number)
        nodes[name] = Node(SourceLocation(source, number, len(flag) + 1), value)
    return nodes


def read_fields(node: Node, model: type[Model], path: KeyPath = ()) -> tuple[dict[str, Any], list[Diagnostic]]:
    """The valid values of a mapping, defaults included, and the problems of the others.

    Args:
        node: the mapping.
        model: its keys.
        path: its path, for messages.
    """
    fields = model.model_fields
    values = {name: field.default for name, field in fields.items() if field.default is not ...}
    diagnostics = [_unknown_key(node, key, fields, path) for key in node.children if key not in fields]
    if not any("did you mean" in each.message for each in diagnostics):
        missing = [name for name, field in fields.items() if field.default is ... and name not in node.children]
        diagnostics += [
            Diagnostic(node.location, path, f"key {name!r} is missing; write {EXAMPLES[name]}") for name in missing
        ]
    for name in fields.keys() & node.children.keys():
        try:
            values[name] = validated(node.children[name].plain(), fields[name].annotation)
        except ValidationError as error:
            values.pop(name, None)
            diagnostics += _explained(error, node.children[name], (*path, name))
    return values, diagnostics


def _unknown_key(node: Node, key: str | int, known: Any, path: KeyPath) -> Diagnostic:
    from nncli.config.hints import suggestion

    return Diagnostic(node.keys[key], path, f"unknown key {shown(key)}{suggestion(str(key), known)}")


def _explained(error: ValidationError, node: Node, path: KeyPath) -> list[Diagnostic]:
    """The problem of a value, unless its reader has reported it."""
    if is_reported(node.value):
        return []
    from nncli.config.validation_messages import expectation

    each = error.errors(include_url=False)[-1]  # of several types, the widest
    return [Diagnostic(node.location, path, f"{expectation(each)}, got {shown(node.plain())}")]
