"""Groups for tests of sweeps: planned, trained in milliseconds or with given outcomes, and the files they leave."""

import hashlib
from pathlib import Path

from nncli.errors import DivergedError
from nncli.runner.resume import resume
from nncli.runner.train import train
from nncli.store.group_files import AxisRecord, GroupRecord, create_group, read_group, trial_name, trial_paths
from nncli.sweep.plan import Plan, record_from_command_line
from nncli.sweep.sweep_config import SweepOptions
from nncli.sweep.trials import Outcome
from tests.conftest import SPEC

OPTIMIZERS = AxisRecord(key="optimizer.type", values=["sgd", "adam"])
RATES = AxisRecord(key="optimizer.learning_rate", values=[0.1, 1e30])  # the second one diverges with sgd
THREADS = AxisRecord(key="training.threads", values=[1, 999])  # BLAS does not take the second one


def record(**changes):
    """The record of a group of two optimizers with three seeds."""
    given = {"config_path": "../../config.yaml", "axes": [OPTIMIZERS], "seeds": [0, 1, 2], "vary": ["all"]}
    return GroupRecord(**{"config": SPEC, "metric": "validation_loss", **given, **changes})


def group_in(directory, name="group", **changes):
    """The plan of a new group."""
    wanted = record(**changes)
    return Plan(wanted, create_group(directory, name, wanted, is_numbered=False))


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


def is_of_time(path):
    """Whether a file depends on the time that training took: a checkpoint before the last one."""
    return path.suffix == ".ckpt" and path != max(path.parent.iterdir())


def contents(group):
    """The SHA-256 of each file of the trials, by its path in the group."""
    files = [each for trial in trial_paths(group) for each in trial.rglob("*") if each.is_file()]
    files += group.glob("*.failed.json")
    return {
        str(path.relative_to(group)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not is_of_time(path)
    }


def hidden(group):
    """The hidden files of a group, which killed processes may leave for a while."""
    return sorted(str(path.relative_to(group)) for path in group.rglob(".*"))
