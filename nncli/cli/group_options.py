"""Options of the commands that train groups of runs: where trials are trained, and which seeds and folds there are."""

from collections.abc import Callable
from shlex import quote
from typing import Any

import click

from nncli.cli.options import Integer
from nncli.errors import CommandLineError

_JOBS = click.option(
    "-j", "--jobs", type=Integer(min=1, max=1024), metavar="N", help="Number of processes that train.  [default: 1]"
)
_ENGINE = click.option("--engine", metavar="ENGINE", help="Train on a Dask cluster: dask://HOST:PORT, its scheduler.")
_SEEDS = click.option("--seeds", metavar="SEEDS", help="Seeds of a group of runs: 10 for 0 to 9, or 0..9, or 1,2,5.")
_VARY = click.option(
    "--vary",
    metavar="PARTS",
    help="What a seed varies: some of data, split, weights, order, dropout; or all.  [default: weights,order,dropout]",
)
_FOLDS = click.option("--folds", type=Integer(min=2), metavar="K", help="Cross-validate with this number of folds.")


def workers_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say where trials are trained: ``jobs`` and ``engine``."""
    return _JOBS(_ENGINE(command))


def replicates_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that train a config several times: ``seeds``, ``vary`` and ``folds``."""
    return _SEEDS(_VARY(_FOLDS(command)))


def has_replicates(
    seeds: str | None, vary: str | None, folds: int | None, jobs: int | None, engine: str | None, is_new: bool
) -> bool:
    """Whether options ask for a group of runs of one config; ``is_new`` says whether a config is trained anew.

    Raises:
        click.UsageError: they do not, but one of them is for a group; or nothing is trained anew.
    """
    if seeds is not None or folds is not None:
        if not is_new:
            raise click.UsageError("--seeds and --folds train new runs of a CONFIG, without --resume and --watch.")
        return True
    given = {"--vary": vary, "--jobs": jobs, "--engine": engine}
    option = next((name for name, value in given.items() if value), None)
    if option:
        raise click.UsageError(f"{option} is for a group of runs, as with --seeds 10.")
    return False


class Workers:
    """How a group is worked on.

    Args:
        jobs: the number of processes; None for the default.
        engine: the cluster; None for this machine.
        is_silent: whether no progress is shown.

    Raises:
        CommandLineError: there are both jobs and a cluster, or the cluster has no valid address.
    """

    def __init__(self, jobs: int | None, engine: str | None, is_silent: bool) -> None:
        if engine and jobs:
            raise CommandLineError("--jobs is for this machine, and --engine names a cluster; use one of them")
        if engine:
            from nncli.sweep.dask_cluster import address_of

            address_of(engine)
        self.jobs, self.engine, self.is_silent = jobs or 1, engine, is_silent

    @property
    def options(self) -> str:
        """The options of the command line that give these workers."""
        return f" --engine {quote(self.engine)}" if self.engine else f" -j {self.jobs}" if self.jobs > 1 else ""
