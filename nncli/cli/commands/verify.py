"""``nncli verify``: check a run against its own records."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from nncli.cli.options import examples, json_option, run_argument, runs_dir_option
from nncli.cli.output import print_json
from nncli.errors import RunError, StorageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nncli.analysis.verification import Check
    from nncli.store.run_reader import Run


@click.command(epilog=examples("nncli verify config"))
@run_argument
@runs_dir_option
@json_option
def verify(run: str, runs_dir: Path | None, as_json: bool) -> None:
    """Check the integrity of a run, or of each run of a group.

    Recomputes all checksums, regenerates the data, and evaluates the network again; the results must equal the
    recorded ones. Reports whether training the run again would give the same bytes on this machine. Exit code 4 if a
    check fails, 5 if a file or the data cannot be read.
    """
    from nncli.cli.options import find_run
    from nncli.cli.render.verify import show_checks, show_verified
    from nncli.store.group_files import is_group
    from nncli.store.run_reader import Run

    path = find_run(run, runs_dir)
    verified = _verified_group(path) if is_group(path) else _verified(Run(path))
    try:
        if as_json:
            print_json(verified.document)
        elif verified.runs:
            show_verified([each.conclusion for each in verified.runs], verified.conclusion, verified.holds)
        else:
            show_checks(verified.checks, verified.conclusion)
    finally:  # the exit code counts even if the output cannot be written
        if not verified.holds:
            raise (RunError if verified.holds is False else StorageError)(verified.conclusion)


class Verified(NamedTuple):
    """The result of all checks of a run, or of all runs of a group.

    Args:
        holds: whether all hold; None if none fails but something cannot be read.
        conclusion: the result in one line.
        document: the JSON document.
        checks: the checks of a run.
        runs: the results of the runs of a group.
    """

    holds: bool | None
    conclusion: str
    document: dict[str, Any]
    checks: "Sequence[Check]" = ()
    runs: "Sequence[Verified]" = ()


def _verified(run: "Run") -> Verified:
    """Verify a run."""
    from nncli.analysis.verification import obstacles
    from nncli.analysis.verification import verify as run_checks
    from nncli.cli.render.verify import verdict
    from nncli.runner.compute_threads import compute_threads

    with compute_threads(run.record.spec.training.threads):
        checks = list(run_checks(run))
    differing = obstacles(run, checks)
    holds = _all_hold([check.holds for check in checks])
    conclusion = verdict(run.path, checks, differing, run.missing_evaluation if holds else None)
    document = {"run": str(run.path), "holds": holds, "checks": [check.to_json() for check in checks]}
    return Verified(holds, conclusion, {**document, "reproducible": not differing, "differences": differing}, checks)


def _verified_group(group: Path) -> Verified:
    """Verify each run of a group; one that cannot be read does not end the others.

    Raises:
        RunError: it has no runs yet.
    """
    from nncli.cli.render.verify import verdict_of_group
    from nncli.store.find_run import find_runs
    from nncli.store.run_reader import Run

    runs = []
    for path in find_runs([str(group)]):
        try:
            runs.append(_verified(Run(path)))
        except (RunError, StorageError) as error:
            holds = None if isinstance(error, StorageError) else False
            check = {"what": "run", "words": str(error), "holds": holds}
            document = {"run": str(path), "holds": holds, "checks": [check], "reproducible": False, "differences": []}
            runs.append(Verified(holds, str(error), document))
    holds = _all_hold([run.holds for run in runs])
    document = {"group": str(group), "holds": holds, "runs": [run.document for run in runs]}
    return Verified(holds, verdict_of_group(group, [run.holds for run in runs]), document, runs=runs)


def _all_hold(results: "Sequence[bool | None]") -> bool | None:
    """Whether all checks hold; None if none fails but a file or the data cannot be read."""
    return False if False in results else None if None in results else True
