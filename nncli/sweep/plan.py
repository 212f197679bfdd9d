"""The plan of a group: its trials, and the config of each."""

import os.path
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from nncli.experiment.config_diff import raising_overrides
from nncli.experiment.loading import LoadedConfig, load_content, parse
from nncli.experiment.opened_data import OpenedData
from nncli.store.group_files import GroupRecord
from nncli.sweep.axes import override
from nncli.sweep.definition import from_command_line, from_file
from nncli.sweep.points import Point, grid_point, random_point
from nncli.sweep.seeds import fold_of, replicate_overrides
from nncli.sweep.sweep_config import SweepOptions
from nncli.sweep.trials import Trial
from nncli.sweep.validation import validated


class Plan:
    """The trials of a group: for each point of the search, one for each seed and fold.

    Args:
        record: the description of the group.
        directory: the directory of the group, where the path of its base config starts.
    """

    def __init__(self, record: GroupRecord, directory: Path) -> None:
        self.record, self.directory = record, directory
        self.replicates = record.replicates
        self._data = OpenedData()
        self.points = record.points or 1

    def __len__(self) -> int:
        return self.points * self.replicates

    @property
    def config_path(self) -> Path:
        """The file of the base config, which need not exist any more; relative paths in it start at its directory."""
        return Path(os.path.normpath(self.directory / self.record.config_path))

    @cached_property
    def base(self) -> LoadedConfig:
        """The base config with the overrides of the group.

        Raises:
            ConfigError: its data cannot be read any more.
        """
        return self._loaded(())

    @cached_property
    def _fold(self) -> dict[str, Any] | None:
        """The validation set of a fold, without its number."""
        record = self.record
        if record.folds is None:
            return None
        document = parse(str(self.config_path), record.config.encode(), tuple(record.overrides))
        return fold_of(record.folds, document.root.find(("validation",)).plain())

    def point(self, number: int) -> Point:
        """The values of the axes at a point; those that ``tpe`` chooses depend on trials before."""
        if self.record.method == "grid" or (self.record.method == "halving" and self.record.trials is None):
            return grid_point(self.record.axes, number)
        return random_point(self.record.axes, self.record.seed, number)

    def trial(self, number: int) -> Trial:
        """A trial of a search that chooses its points in advance."""
        point, replicate = divmod(number, self.replicates)
        return self.trial_at(point, replicate, self.point(point))

    def trial_at(self, point: int, replicate: int, values: Point) -> Trial:
        """A trial at a point with these values of the axes."""
        varied = [override(axis, value) for axis, value in zip(self.record.axes, values, strict=True)]
        overrides = (*varied, *replicate_overrides(self.record, self._fold, replicate))
        return Trial(point * self.replicates + replicate, point, overrides)

    def loaded(self, trial: Trial, epochs: int | None = None) -> LoadedConfig:
        """The config of a trial, which keeps the comments of the base config and records the overrides.

        Args:
            trial: the trial.
            epochs: the number of epochs if it is not that of the config; what else depends on it stays as it is.

        Raises:
            ConfigError: it is invalid, or its data cannot be read any more.
        """
        loaded = self._loaded(trial.overrides)
        if epochs is None or epochs == loaded.config.training.epochs:
            return loaded
        return self._loaded((*trial.overrides, *raising_overrides(loaded.config, epochs)))

    def _loaded(self, overrides: tuple[str, ...]) -> LoadedConfig:
        content = self.record.config.encode()
        return load_content(str(self.config_path), content, (*self.record.overrides, *overrides), self._data.open)


def record_from_command_line(config: Path, arguments: Sequence[str], options: SweepOptions) -> GroupRecord:
    """The description of the group that a command line asks for; every trial has a valid config.

    Args:
        config: the file of the base config.
        arguments: what varies, such as ``loss=mse,mae``, and overrides, such as ``training.epochs=10``.
        options: the options.

    Raises:
        CommandLineError: the file does not exist, or an argument has no ``=``, or no valid path before it.
        ConfigError: all problems, with their locations.
        MissingExtraError: the method needs Optuna, which is not installed.
        StorageError: a file cannot be read.
    """
    return validated(from_command_line(config, arguments, options), options.runs)


def record_from_file(path: Path, options: SweepOptions, arguments: Sequence[str] = ()) -> GroupRecord:
    """Likewise for a sweep file; options replace its settings, and arguments are added to it.

    Raises:
        CommandLineError: the file does not exist, or an argument has no ``=``, or no valid path before it.
        ConfigError: all problems, with their locations.
        MissingExtraError: the method needs Optuna, which is not installed.
        StorageError: a file cannot be read.
    """
    return validated(from_file(path, arguments, options), options.runs)
