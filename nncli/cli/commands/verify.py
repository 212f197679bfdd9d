"""``nncli verify``: a run held against what it says of itself."""

import click

from nncli.cli.output import print_json


@click.command()
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
def verify(run: str, as_json: bool) -> None:
    """Check every file of a run.

    RUN is a run directory, or the name of one in runs/. Every digest is computed again, the data is drawn again, and
    the network measured again, which has to give what was recorded. Exit code 4 where something does not, 5 where
    the system refuses to read a file, which says nothing about the run.
    """
    from nncli.analysis.verification import verify as checked
    from nncli.cli.options import find_run
    from nncli.errors import RunError, StorageError
    from nncli.runner.blas_threads import blas_threads
    from nncli.store.run_reader import Run

    held = Run(find_run(run))
    with blas_threads(held.record.spec.training.threads):
        checks = list(checked(held))
    failed = sum(check.holds is False for check in checks)
    unreadable = sum(check.holds is None for check in checks)
    try:
        if as_json:
            holds = False if failed else None if unreadable else True
            document = {"run": str(held.path), "holds": holds, "checks": [check.to_json() for check in checks]}
            print_json(document)
        else:
            from nncli.cli.render.verify import show_checks

            show_checks(checks)
    finally:  # a check has failed even where nobody reads the rest
        if failed:
            raise RunError(f"{held.path}: {failed} of {len(checks)} checks failed")
        if unreadable:
            raise StorageError(f"{held.path}: {unreadable} of {len(checks)} checks could not read the run")
