"""A run rebuilt from its config, its data and its files."""

from nncli import __version__
from nncli.config.diagnostics import LONGEST_VALUE, path_text
from nncli.config.model import Config
from nncli.errors import RunError
from nncli.experiment.assembly import Experiment, assemble
from nncli.experiment.checks import arrays_fit_into_memory
from nncli.store.run_reader import Run
from nncli.store.run_writer import data_record


def assembled(run: Run, config: Config) -> Experiment:
    """What a run's config describes; it may have been trained where there is more memory, or be no config that was."""
    for path, reason in arrays_fit_into_memory(config, run.plan):
        raise RunError(f"{run.path}: {path_text(path)}: {reason}")
    run.require_parameters()
    return assemble(config)


def require_same_data(run: Run, experiment: Experiment) -> None:
    """Each split that is drawn now is the one that the run was trained on.

    Raises:
        RunError: one is not.
    """
    for name, data in experiment.data.items():
        recorded = run.record.data.get(name) or run.data[name]
        if recorded != data_record(data):
            made = run.record.versions.get("nncli")
            by = "" if made == __version__ else f"; it was made with nncli {str(made)[:LONGEST_VALUE]}"
            raise RunError(f"{run.path}: the {name} data drawn now is not what the run was trained on{by}")
