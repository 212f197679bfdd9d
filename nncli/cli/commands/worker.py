"""``nncli worker``: train the trials of a group that no other worker trains."""

from pathlib import Path

import click

from nncli.cli.group_options import Workers, workers_options
from nncli.cli.group_training import continue_group
from nncli.cli.options import cache_dir_option, completed_by, examples, find_run, json_option, runs_dir_option
from nncli.cli.output import drop_unread_messages


@click.command(epilog=examples("nncli worker config-sweep", "nncli worker config-sweep -j 2"))
@click.argument("group", shell_complete=completed_by("run"), help="Path or name of a group of runs.")
@runs_dir_option
@cache_dir_option
@workers_options
@click.option("-q", "--quiet", is_flag=True, help="No progress; print only the path of the group.")
@json_option
def worker(
    group: str,
    runs_dir: Path | None,
    jobs: int | None,
    engine: str | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Train the trials of a group that no other worker trains.

    Any number of workers can share the trials of a group, on all machines that see its directory. A trial that was
    interrupted is resumed from its checkpoint.
    """
    from nncli.errors import RunError
    from nncli.store.group_files import is_group, read_group
    from nncli.sweep.plan import Plan

    drop_unread_messages()
    workers = Workers(jobs, engine, is_silent=quiet or as_json)
    path = find_run(group, runs_dir)
    if not is_group(path):
        raise RunError(f"{path}: not a group of runs: group.json is missing; 'nncli sweep' makes one", path)
    continue_group(Plan(read_group(path), path), workers).print(quiet, as_json)
