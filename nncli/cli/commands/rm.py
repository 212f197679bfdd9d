"""``nncli rm``: remove runs and groups."""

import sys
from pathlib import Path

import click

from nncli.cli.options import examples, json_option, runs_argument, runs_dir_option
from nncli.cli.output import print_json
from nncli.errors import CommandLineError


@click.command(epilog=examples("nncli rm config --yes"))
@runs_argument("Paths or names of runs and groups.")
@click.option("-y", "--yes", "is_agreed", is_flag=True, help="Remove them without a question.")
@runs_dir_option
@json_option
def rm(runs: tuple[str, ...], is_agreed: bool, runs_dir: Path | None, as_json: bool) -> None:
    """Remove runs and groups, after a question.

    A run that is training is never removed, nor a directory with files that nncli did not write: then nothing is
    removed. Without a terminal --yes is required.
    """
    from nncli.cli.options import find_run_or_group
    from nncli.cli.render.rm import question, removed_text
    from nncli.store.removal import outermost, plan_removal, remove

    removals = [plan_removal(path) for path in outermost([find_run_or_group(run, runs_dir) for run in runs])]
    if not is_agreed:
        if not sys.stdin.isatty():
            raise CommandLineError("rm asks before it removes anything, and there is no terminal to ask in; pass --yes")
        if not click.confirm(question(removals), err=True):
            removals = []
    for removal in removals:
        remove(removal.path)
        if not as_json:
            print(removed_text(removal))
    if as_json:
        entries = [{"path": str(each.path), "trials": each.trials, "bytes": each.bytes} for each in removals]
        print_json({"removed": entries})
    elif not removals:
        print("nothing was removed")
