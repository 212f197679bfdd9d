"""Checks of seeds for single purposes, and of folds."""

from collections.abc import Iterator

from nncli.config.diagnostics import Finding
from nncli.config.model import Config
from nncli.data.split import split_sizes
from nncli.experiment.checks import check
from nncli.experiment.data_plan import DataPlan
from nncli.experiment.sections import fractions, parts, validation_fold

SHARED = {"split": "data", "order": "weights", "dropout": "weights"}  # with rng: nnfs, whose generator each one uses


@check("rng", "seed", "seeds")
def check_seeds(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """With the book's generator, data has one seed and training has one."""
    if config.rng != "nnfs":
        return
    for key, other in SHARED.items():
        seed, shared = config.seed_of(key), config.seed_of(other)
        if seed != shared:
            place = key if getattr(config.seeds, key, None) is not None else other
            message = f"with rng: nnfs, {key} has the generator of {other}, but the seeds are {seed} and {shared}"
            yield Finding(("seeds", place), f"{message}; write {key}: {shared}, or rng: derived")


@check("data", "validation", "test")
def check_columns(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """Parts by the values of a column are taken of data that is read from a file."""
    if config.data.component.target.is_read:
        return  # splitting it has reported what does not fit
    for name, section in parts(config).items():
        keys = [key for key in ("where", "group", "last") if isinstance(getattr(section, key, None), str | dict)]
        if keys:
            yield Finding((name, keys[0]), "names a column, but only a table has columns with names; remove it")


@check("data", "validation", "test")
def check_folds(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """Each fold has rows of each class; folds by group are parts of a table, whose rows have been split already."""
    fold = validation_fold(config)
    if fold is None or fold.group is not None:
        return
    rows = [split_sizes(count, fractions(config))["training"] for count in plan.schema.class_counts]
    if 0 < min(rows) < fold.folds:
        of_class = " of each class" if plan.schema.classes else ""
        message = f"{fold.folds} folds need at least {fold.folds} rows{of_class}, but there are {min(rows)}"
        yield Finding(("validation", "folds"), f"{message}; use fewer folds or more samples")
