"""Groups of runs for tests: trained trial by trial, without the search that plans them."""

from nncli.store.group_files import AxisRecord, GroupRecord, create_group, trial_name
from tests.conftest import SPEC
from tests.examples import train_config


def seeds_group(directory, seeds=(0, 1, 2), trained=None, name="seeds", **values):
    """A group of seeds in ``runs`` of a directory with ``config.yaml``; the first ``trained`` of them are trained."""
    record = GroupRecord(config=SPEC, config_path="../config.yaml", seeds=list(seeds), **values)
    path = create_group(directory / "runs", name, record, is_numbered=False)
    for number, seed in enumerate(seeds[:trained]):
        train_trial(directory, path, number, f"seed={seed}")
    return path


def search_group(directory, optimizers=("sgd", "adam"), seeds=(0, 1), name="search", metric="validation_accuracy"):
    """A group that searches over optimizers, each with several seeds; all trials are trained."""
    axis = AxisRecord(key="optimizer.type", values=list(optimizers))
    record = GroupRecord(config=SPEC, config_path="../config.yaml", axes=[axis], seeds=list(seeds), metric=metric)
    path = create_group(directory / "runs", name, record, is_numbered=False)
    trials = [(optimizer, seed) for optimizer in optimizers for seed in seeds]
    for number, (optimizer, seed) in enumerate(trials):
        train_trial(directory, path, number, f"optimizer={optimizer}", f"seed={seed}")
    return path


def train_trial(directory, group, number, *overrides):
    """Train one trial of a group."""
    return train_config(directory / "config.yaml", overrides, runs=group, name=trial_name(number))
