"""``nncli verify``: a run held against what it says of itself."""

import click

from nncli.cli.output import print_json


@click.command()
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
def verify(run: str, as_json: bool) -> None:
    """Check every file of a run.

    RUN is a run directory, or the name of one in runs/. Every digest is computed again, the data is drawn again, and
    the network measured again, which has to give what was recorded. Exit code 4 where something does not.
    """
    from nncli.cli.arguments import find_run
    from nncli.cli.threads import blas_threads
    from nncli.errors import RunError
    from nncli.run.reading import Run
    from nncli.run.verification import verify as checked

    held = Run(find_run(run))
    with blas_threads(held.record.spec.training.threads):
        checks = list(checked(held))
    failed = [check for check in checks if not check.holds]
    try:
        if as_json:
            document = {"run": str(held.path), "holds": not failed, "checks": [vars(check) for check in checks]}
            print_json(document)
        else:
            from nncli.cli.overview import show_checks

            show_checks(checks)
    finally:  # a check has failed even where nobody reads the rest
        if failed:
            raise RunError(f"{held.path}: {len(failed)} of {len(checks)} checks failed")
