"""Rebuild the experiment of a run from its config, its data and its files."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from nncli.config.diagnostics import LONGEST_VALUE, path_text
from nncli.config.model import Config
from nncli.errors import DivergedError, RunError
from nncli.experiment.assembly import Experiment, assemble
from nncli.experiment.checks import arrays_fit_into_memory
from nncli.experiment.data_plan import DataPlan
from nncli.experiment.sections import source_sections
from nncli.nn.parameters import Array, Shape
from nncli.store import run_weights
from nncli.store.records import data_record
from nncli.store.run_reader import Run
from nncli.version import __version__


class Weights(NamedTuple):
    """The weights of a run at an epoch.

    Args:
        values: all parameters and running statistics in one vector (P + S,).
        shapes: the shape of each array in it, by name.
        epoch: the number of epochs after which the network had them.
    """

    values: Array
    shapes: Mapping[str, Shape]
    epoch: int


def trained_weights(run: Run, epoch: int | None = None) -> Weights:
    """The final weights of a run, or those of its newest checkpoint if it is not finished.

    Args:
        run: the run.
        epoch: that of other weights, one of ``run.snapshots``.

    Raises:
        CommandLineError: the run has no weights of this epoch.
        DivergedError: a weight is not finite.
        RunError: the weights are missing or damaged, or the data differs from that of the training.
    """
    experiment = assembled(run, run.config)
    require_same_data(run, experiment)
    parameters = experiment.network.parameters
    found = run.load_weights(parameters, epoch)
    if not np.isfinite(parameters.values).all():
        raise DivergedError(f"{run.path}: the weights of epoch {found} are not finite", epoch=found)
    return Weights(parameters.values, parameters.shapes, found)


def require_loadable(run: Run, config: Config) -> None:
    """Check, before arrays are allocated, that they fit into memory and that the files of the run can contain them.

    Raises:
        RunError: they do not fit, or no file is large enough.
    """
    for path, reason in arrays_fit_into_memory(config, run.plan):
        raise RunError(f"{run.path}: {path_text(path)}: {reason}")
    run_weights.require_parameters(run)


def assembled(run: Run, config: Config, plan: DataPlan | None = None) -> Experiment:
    """The experiment that a run's config describes, with initial weights.

    Args:
        run: the run.
        config: its config.
        plan: the data sources of the config, which are opened if they are not given.

    Raises:
        RunError: as for ``require_loadable``.
    """
    require_loadable(run, config)
    return assemble(config, plan)


def require_same_data(run: Run, experiment: Experiment) -> None:
    """Compare the data of an experiment with the recorded data of the run, split by split.

    Raises:
        RunError: it differs.
    """
    for name, data in experiment.data.items():
        recorded = run.record.data.get(name) or run.data[name]
        if recorded != data_record(data):
            version = run.record.versions.get("nncli")
            by = "" if version == __version__ else f"; the run was made with nncli {str(version)[:LONGEST_VALUE]}"
            raise RunError(
                f"{run.path}: the {name} data{_file(run, name)} differs from what the run was trained on{by}"
            )


def _file(run: Run, split: str) -> str:
    """The file that a split is read from, in words; empty if it is generated."""
    sections = source_sections(run.config)
    path = getattr(sections.get(split, sections["data"]), "path", None)
    return "" if path is None else f" of {path}"
