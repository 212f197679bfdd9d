"""``nncli verify``: check a run against its own records."""

from pathlib import Path

import click

from nncli.cli.options import examples, json_option, run_argument, runs_dir_option
from nncli.cli.output import print_json


@click.command(epilog=examples("nncli verify config"))
@run_argument
@runs_dir_option
@json_option
def verify(run: str, runs_dir: Path | None, as_json: bool) -> None:
    """Check the integrity of a run.

    Recomputes all checksums, regenerates the data, and evaluates the network again; the results must equal the
    recorded ones. Reports whether training the run again would give the same bytes on this machine. Exit code 4 if a
    check fails, 5 if a file or the data cannot be read.
    """
    from nncli.analysis.verification import obstacles
    from nncli.analysis.verification import verify as run_checks
    from nncli.cli.options import find_run
    from nncli.cli.render.verify import show_checks, verdict
    from nncli.errors import RunError, StorageError
    from nncli.runner.blas_threads import blas_threads
    from nncli.store.run_reader import Run

    loaded = Run(find_run(run, runs_dir))
    with blas_threads(loaded.record.spec.training.threads):
        checks = list(run_checks(loaded))
    differing = obstacles(loaded, checks)
    results = {check.holds for check in checks}
    holds = False if False in results else None if None in results else True
    conclusion = verdict(loaded.path, checks, differing, loaded.missing_evaluation if holds else None)
    try:
        if as_json:
            document = {"run": str(loaded.path), "holds": holds, "checks": [check.to_json() for check in checks]}
            print_json({**document, "reproducible": not differing, "differences": differing})
        else:
            show_checks(checks, conclusion)
    finally:  # the exit code counts even if the output cannot be written
        if not holds:
            raise (RunError if holds is False else StorageError)(conclusion)
