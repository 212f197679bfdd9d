"""``nncli runs``: the runs in a directory."""

from pathlib import Path

import click
from click.core import ParameterSource

from nncli.cli.options import (
    completed_by,
    digits_of,
    exact_option,
    examples,
    json_option,
    runs_dir_option,
    sort_option,
)
from nncli.cli.output import print_json
from nncli.cli.paths import RUNS
from nncli.errors import CommandLineError


@click.command(epilog=examples("nncli runs --sort validation_loss", "nncli runs --json"))
@click.argument(
    "directory",
    type=click.Path(path_type=Path),
    required=False,
    shell_complete=completed_by("directory"),
    help="Directory that holds the runs, as --runs-dir.",
)
@sort_option
@runs_dir_option
@exact_option
@json_option
@click.pass_context
def runs(
    context: click.Context, directory: Path | None, sort: str | None, runs_dir: Path | None, exact: bool, as_json: bool
) -> None:
    """List the runs in a directory.

    Shows the status of each run (running, finished, interrupted, not evaluated, diverged, damaged, unreadable, or
    unsupported by this version), its metrics, and the keys in which its config differs from most others.
    """
    from nncli.analysis.run_list import runs_in

    if directory and context.get_parameter_source("runs_dir") is ParameterSource.COMMANDLINE:
        raise CommandLineError("use only one of DIRECTORY and --runs-dir")
    directory = directory or runs_dir or RUNS
    listed = runs_in(directory, sort)
    if as_json:
        print_json({"runs": [run.to_json() for run in listed]})
        return
    from nncli.cli.render.runs import show_runs

    show_runs(directory, listed, sort, digits_of(exact))
