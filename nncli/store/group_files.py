"""A group of runs on disk: group.json, a run directory for each trial, and a file for each trial that failed."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any, Literal, get_args

from pydantic_core import CoreSchema, core_schema

from nncli.config.diagnostics import counted
from nncli.registry import Count, Seed
from nncli.store import atomic_write, safe_read
from nncli.store.record_files import read_record
from nncli.store.records import FORMAT, NonNegativeInt, Record, to_json
from nncli.version import __version__

GROUP = "group.json"
TRIAL = re.compile(r"[0-9]{4,9}")
FAILED = ".failed.json"  # after the name of a trial
OUT_OF_FOLD = "out_of_fold.csv"  # the predictions for the validation rows of all folds

ROUNDING = 1e-9  # of a number of steps: 0.1 to 0.3 by 0.1 are 3 values

Scale = int | float
Method = Literal["grid", "random", "halving", "tpe"]
METHODS: tuple[str, ...] = get_args(Method)


class AxisRecord(Record):
    """One key that varies between the trials: over a list of values, or over a range.

    Args:
        key: the path of the key in the config, such as ``optimizer.learning_rate``.
        values: the values in their order, whole components among them; None for a range.
        min: the smallest value of a range.
        max: its largest value.
        log: whether a range is sampled uniformly in the logarithm.
        step: the distance of neighboring values of a range; None if every value is possible.
    """

    key: str
    values: list[Any] | None = None
    min: Scale | None = None
    max: Scale | None = None
    log: bool = False
    step: Scale | None = None

    @classmethod
    def core(cls) -> CoreSchema:
        """The schema of a mapping that has values, or else a range."""
        return core_schema.no_info_after_validator_function(_with_values, super().core())

    @property
    def limits(self) -> tuple[Scale, Scale]:
        """The smallest and the largest value of a range.

        Raises:
            ValueError: the axis is a list of values.
        """
        if self.min is None or self.max is None:
            raise ValueError(f"{self.key} is a list of values, not a range")
        return self.min, self.max

    @property
    def is_integer(self) -> bool:
        """Whether a range has only integers."""
        return all(isinstance(each, int) for each in (self.min, self.max, self.step or 0))

    @property
    def count(self) -> int | None:
        """The number of values; None for a range of real numbers in which every value is possible."""
        if self.values is not None:
            return len(self.values)
        low, high = self.limits
        if self.step is None:
            return int(high) - int(low) + 1 if self.is_integer else None
        return math.floor((high - low) / self.step + ROUNDING) + 1


def _with_values(axis: AxisRecord) -> AxisRecord:
    is_range = axis.min is not None and axis.max is not None and axis.min <= axis.max
    if axis.values is None and not (is_range and (axis.step is None or axis.step > 0)):
        raise ValueError(f"{axis.key} has neither values nor a range")
    return axis


def combinations(axes: Sequence[AxisRecord]) -> int | None:
    """The number of combinations of all values; None if an axis is a range in which every value is possible."""
    counts = [axis.count for axis in axes]
    return None if None in counts else math.prod(count for count in counts if count is not None)


class GroupRecord(Record):
    """group.json: the base config, what varies, how and in which order; written once.

    Args:
        format: the format version of this file.
        version: the version of nncli that made the group.
        config: the text of the base config.
        config_path: the file of the base config, relative to the directory of the group if possible; relative paths in
            the config start at its directory.
        overrides: values replaced in the base config, the same for all trials.
        axes: what varies between the points of the search.
        method: how the points are chosen.
        seed: the seed of the search.
        metric: the column of metrics by which a search ranks trials, and which a display shows as the best.
        trials: the number of points; None for every combination of a grid.
        batch: the number of points that a search chooses together.
        seeds: the seeds of the runs of each point; none if the seed of the base config is kept.
        vary: what a seed varies: the keys of the section ``seeds``, or ``all``.
        folds: the number of folds of each point; None without cross-validation.
        max_failures: the number of failed and diverged trials after which no further trial starts; None for any number.
    """

    format: int = FORMAT
    version: str = __version__
    config: str
    config_path: str
    overrides: list[str] = []  # noqa: RUF012 (a default)
    axes: list[AxisRecord] = []  # noqa: RUF012 (a default)
    method: Method = "grid"
    seed: Seed = 0
    metric: str | None = None
    trials: Count | None = None
    batch: Count | None = None
    seeds: list[Seed] = []  # noqa: RUF012 (a default)
    vary: list[str] = []  # noqa: RUF012 (a default)
    folds: Count | None = None
    max_failures: NonNegativeInt | None = None

    @property
    def replicates(self) -> int:
        """The number of trials of each point: one for each seed and fold."""
        return max(1, len(self.seeds)) * (self.folds or 1)

    @property
    def points(self) -> int | None:
        """The number of points of the search, 1 without one; None if ranges have no number of values."""
        return self.trials or combinations(self.axes)

    @property
    def planned(self) -> int | None:
        """The number of trials of the group; None as for ``points``."""
        return None if self.points is None else self.points * self.replicates


class FailureRecord(Record):
    """A trial that ended without a run that could be resumed: the exit code and the message of its error."""

    format: int = FORMAT
    exit_code: int
    message: str


def is_group(path: Path) -> bool:
    """Whether a directory is a group of runs.

    Raises:
        StorageError: the operating system refuses to say.
    """
    return safe_read.exists(path / GROUP)


def create_group(runs: Path, name: str, record: GroupRecord, is_numbered: bool) -> Path:
    """Create the directory of a group, which appears whole with its group.json.

    Args:
        runs: the directory that holds runs and groups.
        name: the name of the group; if it is taken and ``is_numbered``, the next of name-2, name-3, ...
        record: the content of group.json.
        is_numbered: whether a number may be appended to the name.

    Raises:
        BusyError: the name is taken.
        StorageError: a file cannot be written.
    """
    directory, lock = atomic_write.staging_directory(runs)
    try:
        atomic_write.write_atomic(directory / GROUP, to_json(record.model_dump()))
        return atomic_write.publish(directory, runs, name, is_numbered)
    except BaseException:
        atomic_write.discard(directory)
        raise
    finally:
        lock.release()


def read_group(path: Path) -> GroupRecord:
    """Read group.json.

    Raises:
        RunError: it is missing or damaged.
        StorageError: it cannot be read.
        UnsupportedVersionError: a newer version of nncli made it.
    """
    return read_record(path, GROUP, GroupRecord)


def trial_name(number: int) -> str:
    """The name of the run directory of a trial."""
    return f"{number:04}"


def failure_path(path: Path, number: int) -> Path:
    """The file of a trial that failed."""
    return path / f"{trial_name(number)}{FAILED}"


def trial_paths(path: Path) -> list[Path]:
    """The run directories of the trials that were started, in the order of their numbers.

    Raises:
        StorageError: the directory cannot be read.
    """
    with safe_read.storage_errors(path):
        found = [each for each in path.iterdir() if TRIAL.fullmatch(each.name)]
    return sorted(found, key=lambda each: int(each.name))


def failures(path: Path) -> dict[int, FailureRecord]:
    """The trials that failed, by their numbers.

    Raises:
        RunError: a file is damaged.
        StorageError: a file cannot be read.
    """
    with safe_read.storage_errors(path):
        names = [each.name.removesuffix(FAILED) for each in path.iterdir() if each.name.endswith(FAILED)]
    numbered = [name for name in names if TRIAL.fullmatch(name)]
    return {int(name): read_record(path, name + FAILED, FailureRecord) for name in sorted(numbered, key=int)}


def write_failure(path: Path, number: int, failure: FailureRecord) -> None:
    """Record that a trial failed.

    Raises:
        StorageError: the file cannot be written.
    """
    atomic_write.write_staged(failure_path(path, number), to_json(failure.model_dump()))


def runs_of(paths: Sequence[Path]) -> list[Path]:
    """The paths with each group replaced by the runs of its trials."""
    return [run for path in paths for run in (trial_paths(path) if is_group(path) else [path])]


def not_a_run(path: Path) -> str:
    """The message for a command that takes a run but is given a group: what the commands are that take it.

    Raises:
        StorageError: the directory cannot be read.
    """
    runs, name = trial_paths(path), quote(str(path))
    trained = f"'nncli worker {name}' trains what is not finished"
    if not runs:
        return f"{path}: is a group without runs yet, not a run; {trained}"
    count = counted(len(runs), "run")
    compared = f"'nncli compare {name}' compares them"
    return f"{path}: is a group of {count}, not a run; name one, such as {runs[0]}; {compared}, {trained}"
