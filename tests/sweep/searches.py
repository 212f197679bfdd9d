"""Groups for tests of searches: planned from a command line, with outcomes that are given or trained."""

from pathlib import Path

from nncli.errors import DivergedError
from nncli.runner.resume import resume
from nncli.runner.train import train
from nncli.store.group_files import create_group, read_group, trial_name
from nncli.sweep.plan import Plan, record_from_command_line
from nncli.sweep.sweep_config import SweepOptions
from nncli.sweep.trials import Outcome
from tests.conftest import SPEC


def planned(*arguments, spec=SPEC, **options):
    """The plan of a command line, from the group.json that it writes to the current directory."""
    Path("config.yaml").write_text(spec)
    record = record_from_command_line(Path("config.yaml"), arguments, SweepOptions(**options))
    path = create_group(Path("runs"), "group", record, is_numbered=True)
    return Plan(read_group(path), path)


def trained(plan, task):
    """Train a task to its number of epochs, in the run directory of its trial."""
    path = plan.directory / trial_name(task.trial.number)
    try:
        if path.exists():
            return resume(path, (f"training.epochs={task.epochs}",))
        loaded = plan.loaded(task.trial, task.epochs)
        return train(loaded, "", runs=plan.directory, name=path.name)
    except DivergedError:
        return None


def outcomes_of(values):
    """Outcomes with given values by number, and ``asked``, with which they were asked for; None has diverged."""
    asked = []

    def outcomes(numbers, epochs=None):
        asked.append((list(numbers), epochs))
        return [
            Outcome(number, "finished" if values(number) is not None else "diverged", values(number))
            for number in numbers
        ]

    return outcomes, asked
