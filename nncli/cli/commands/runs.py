"""``nncli runs``: the runs and groups in a directory."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from nncli.cli.options import completed_by, digits_of, exact_option, examples, json_option, runs_dir_option
from nncli.cli.output import print_json
from nncli.cli.paths import RUNS
from nncli.errors import CommandLineError

if TYPE_CHECKING:
    from nncli.analysis.group_list import Listing


@click.command(
    epilog=examples(
        "nncli runs --sort validation_loss",
        "nncli runs --where status=finished --where 'validation_accuracy>0.3'",
        "nncli runs --csv",
    )
)
@click.argument(
    "directory",
    type=click.Path(path_type=Path),
    required=False,
    shell_complete=completed_by("directory"),
    help="Directory that holds the runs, as --runs-dir, or a group, by path or by name.",
)
@click.option(
    "--where",
    "conditions",
    metavar="CONDITION",
    multiple=True,
    shell_complete=completed_by("condition"),
    help="Only runs with optimizer.type=adam, 'validation_accuracy>0.8', tag=TAG, ...; all must hold.",
)
@click.option(
    "--sort",
    metavar="KEY",
    shell_complete=completed_by("metric"),
    help="Sort the runs by a metric, best first, or by a key of the config.",
)
@runs_dir_option
@click.option("--csv", "as_csv", is_flag=True, help="Output CSV: one line per run, those of groups included.")
@click.option(
    "--export",
    "exported",
    metavar="[tensorboard DIR | mlflow URI]",
    nargs=2,
    shell_complete=completed_by("export"),
    help="Write the listed runs as event files of TensorBoard, or send them to an MLflow server.",
)
@exact_option
@json_option
@click.pass_context
def runs(
    context: click.Context,
    directory: Path | None,
    conditions: tuple[str, ...],
    sort: str | None,
    runs_dir: Path | None,
    as_csv: bool,
    exported: tuple[str, str] | None,
    exact: bool,
    as_json: bool,
) -> None:
    """List the runs and groups in a directory, or the trials of a group.

    Shows the status of each run (running, finished, interrupted, not evaluated, diverged, failed, damaged, unreadable,
    or unsupported by this version), its metrics, and the keys in which its config differs from most others. A group
    has one line: how its trials ended, and the best of a search, or mean and standard deviation.
    """
    from nncli.analysis.group_list import listing
    from nncli.analysis.run_filter import Condition

    if as_csv and as_json:
        raise CommandLineError("use only one of --csv and --json")
    is_explicit = context.get_parameter_source("runs_dir") is ParameterSource.COMMANDLINE
    found = listing(_directory(directory, runs_dir, is_explicit), [Condition.parse(text) for text in conditions], sort)
    if exported:
        _export(found, *exported, as_json)
    elif as_json:
        print_json(found.to_json())
    else:
        from nncli.analysis.run_table import run_table, varied_keys
        from nncli.cli.render.runs import csv_text, show_runs

        if as_csv:
            print(csv_text(*run_table(found.directory, found.all_runs)), end="")
        else:
            varied = varied_keys(found.runs) if found.is_group else {}
            show_runs(found, varied, sort, digits_of(exact), bool(conditions))


def _directory(given: Path | None, runs_dir: Path | None, is_explicit: bool) -> Path:
    """The directory of the runs, or the group of a name in it."""
    from nncli.store.group_files import is_group

    runs = runs_dir or RUNS
    if given is None:
        return runs
    if is_group(runs / given) and (is_explicit or not given.is_dir()):
        return runs / given
    if is_explicit:
        raise CommandLineError(f"use only one of DIRECTORY and --runs-dir; {runs / given} is not a group")
    return given


def _export(found: "Listing", kind: str, target: str, as_json: bool) -> None:
    """Export the listed runs, and print how many were written."""
    from nncli.cli.interrupts import raised_on_ctrl_c
    from nncli.cli.render.progress import note
    from nncli.cli.render.runs import export_text
    from nncli.export.export import export_runs

    with raised_on_ctrl_c():
        done = export_runs(found.all_runs, kind, target)
    if as_json:
        print_json({**found.to_json(), "export": done.to_json()})
    else:
        print(export_text(done.to_json()))
    for reason in done.skipped.values():
        note(f"not exported: {reason}")
