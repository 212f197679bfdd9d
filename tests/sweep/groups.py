"""Groups of runs for tests: small networks that train in milliseconds, and the files that they leave."""

import hashlib

from nncli.store.group_files import AxisRecord, GroupRecord, create_group, trial_paths
from nncli.sweep.plan import Plan
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
