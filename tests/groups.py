"""Groups of small runs for tests: trained trial by trial, without the search that plans them."""

import json

from nncli.experiment.loading import load
from nncli.runner.train import train
from nncli.store.group_files import (
    AxisRecord,
    FailureRecord,
    GroupRecord,
    create_group,
    trial_name,
    write_failure,
)
from tests.conftest import SPEC
from tests.examples import put_record

FIXED_DATA = ("data.seed=0", "validation.seed=1", "training.epochs=20")
OPTIMIZERS = ["adam", "sgd"]
SEEDS = range(4)


def make_group(
    runs,
    name,
    values=(),
    *,
    seeds=SEEDS,
    overrides=FIXED_DATA,
    key="optimizer.type",
    failed=(),
    trained=None,
    **record,
):
    """A group in a directory of runs: one trial for each value of a key and each seed, trained or failed.

    Args:
        runs: the directory of runs.
        name: the name of the group.
        values: those of the key.
        seeds: the seeds.
        overrides: overrides of the small config.
        key: the key that varies.
        failed: the numbers of the trials that failed instead.
        trained: the number of trials that are trained; None for all.
        record: further keys of group.json.
    """
    runs.mkdir(exist_ok=True, parents=True)
    config = runs.parent / "config.yaml"
    config.write_text(SPEC, encoding="utf-8")
    axes = [AxisRecord(key=key, values=list(values))] if values else []
    given = {"config_path": "../../config.yaml", "overrides": list(overrides), "axes": axes, "seeds": [*seeds]}
    group = create_group(runs, name, GroupRecord(config=SPEC, **given, **record), is_numbered=False)
    for number in range(max(1, len(values)) * len(seeds))[:trained]:
        point, replicate = divmod(number, len(seeds))
        chosen = (f"{key}={values[point]}",) if values else ()
        if number in failed:
            write_failure(group, number, FailureRecord(exit_code=3, message="failed"))
        else:
            loaded = load(config, (*overrides, *chosen, f"seed={seeds[replicate]}"))
            train(loaded, "trial", runs=group, name=trial_name(number))
    return group


def seeds_group(directory, seeds=(0, 1, 2), trained=None, name="seeds", **record):
    """A group of seeds in ``runs`` of a directory; the first ``trained`` of them are trained."""
    return make_group(directory / "runs", name, seeds=seeds, overrides=(), trained=trained, **record)


def search_group(directory, optimizers=("sgd", "adam"), seeds=(0, 1), name="search", metric="validation_accuracy"):
    """A group that searches over optimizers, each with several seeds; all trials are trained."""
    return make_group(directory / "runs", name, optimizers, seeds=seeds, overrides=(), metric=metric)


def set_scores(group, scores, metric="accuracy"):
    """Give the trials of a group other validation scores, in the order of their numbers."""
    for number, score in enumerate(scores):
        file = group / trial_name(number) / "evaluation.json"
        evaluation = json.loads(file.read_text(encoding="utf-8"))
        evaluation["splits"]["validation"][metric] = score
        put_record(file, evaluation)
