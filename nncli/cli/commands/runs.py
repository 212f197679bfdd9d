"""``nncli runs``: the runs in a directory."""

from pathlib import Path

import click

from nncli.cli.completion import complete_directory
from nncli.cli.options import RUNS, json_option, sort_option
from nncli.cli.output import print_json


@click.command()
@click.argument(
    "directory",
    type=click.Path(path_type=Path),
    default=RUNS,
    shell_complete=complete_directory,
    help="Directory that holds the runs. [default: runs]",
)
@sort_option
@json_option
def runs(directory: Path, sort: str | None, as_json: bool) -> None:
    """List the runs in a directory.

    Shows the status of each run (running, finished, interrupted, not evaluated, diverged, damaged, unreadable, or
    unsupported by this version), its metrics, and the keys in which its config differs from most others.
    """
    from nncli.analysis.run_list import runs_in

    listed = runs_in(directory, sort)
    if as_json:
        print_json({"runs": [run.to_json() for run in listed]})
        return
    from nncli.cli.render.runs import show_runs

    show_runs(directory, listed)
