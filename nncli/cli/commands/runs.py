"""``nncli runs``: what is in a folder of runs."""

from pathlib import Path

import click

from nncli.cli.options import RUNS
from nncli.cli.output import print_json


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=RUNS)
@click.option("--sort", metavar="METRIC", help="Order the runs by a metric, the best first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
def runs(folder: Path, sort: str | None, as_json: bool) -> None:
    """List the runs of a folder.

    Shows of every run in FOLDER, or in runs/, whether it is running, finished, interrupted and resumable, diverged,
    damaged or unreadable, its metrics, and what sets its config apart from the others.
    """
    from nncli.analysis.run_list import runs_in

    listed = runs_in(folder, sort)
    if as_json:
        print_json({"runs": [each.to_json() for each in listed]})
        return
    from nncli.cli.render.runs import show_runs

    show_runs(folder, listed)
