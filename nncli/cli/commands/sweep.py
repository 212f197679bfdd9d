"""``nncli sweep``: train a config with several values of its keys, as a group of runs."""

from pathlib import Path

import click

from nncli.cli.group_options import Workers, replicates_options, workers_options
from nncli.cli.group_training import base_config, plan_group, train_group
from nncli.cli.note_options import NoteOptions
from nncli.cli.options import (
    Integer,
    cache_dir_option,
    completed_by,
    examples,
    json_option,
    note_option,
    overrides_argument,
    runs_dir_option,
    tag_option,
)
from nncli.cli.output import drop_unread_messages
from nncli.cli.paths import RUNS

METHODS = ("grid", "random", "halving", "tpe")


@click.command(
    epilog=examples(
        "nncli sweep config.yaml optimizer=sgd,adam,rmsprop --seeds 3 -j 2",
        "nncli sweep config.yaml 'optimizer.learning_rate={min: 1e-4, max: 0.1, log: true}' --method random --trials 5",
        "nncli sweep config.yaml optimizer.learning_rate=0.01,0.1 training.epochs=20 --name rates",
    )
)
@click.argument(
    "config",
    type=click.Path(path_type=Path),
    shell_complete=completed_by("config"),
    help="Config that is varied, or a file that describes the sweep.",
)
@overrides_argument
@click.option("--method", type=click.Choice(METHODS), help="How points are chosen.  [default: grid]")
@click.option(
    "--metric",
    metavar="METRIC",
    shell_complete=completed_by("metric"),
    help="Metric that ranks the trials.  [default: validation_accuracy, or else another metric or the loss]",
)
@click.option("--trials", type=Integer(min=1), metavar="N", help="Number of points.  [default: all combinations]")
@click.option("--batch", type=Integer(min=1), metavar="N", help="Number of points that tpe chooses together.")
@replicates_options
@click.option(
    "--max-failures", type=Integer(min=0), metavar="N", help="After more failures than this no further trial starts."
)
@click.option("--seed", type=Integer(min=0), metavar="N", help="Seed of the search.  [default: 0]")
@click.option(
    "-n",
    "--name",
    help="Name of the group; an unfinished one is continued.  [default: name of the config with -sweep]",
)
@note_option
@tag_option
@runs_dir_option
@cache_dir_option
@workers_options
@click.option("--plan", "is_planned", is_flag=True, help="Create the group, and leave its trials to 'nncli worker'.")
@click.option("-q", "--quiet", is_flag=True, help="No progress; print only the path of the group.")
@json_option
def sweep(
    config: Path,
    overrides: tuple[str, ...],
    method: str | None,
    metric: str | None,
    trials: int | None,
    batch: int | None,
    seeds: str | None,
    vary: str | None,
    folds: int | None,
    max_failures: int | None,
    seed: int | None,
    name: str | None,
    text: str | None,
    tags: tuple[str, ...],
    runs_dir: Path | None,
    jobs: int | None,
    engine: str | None,
    is_planned: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Train a config with several values of its keys.

    KEY=V1,V2 varies a key over values, and KEY={min: 1e-4, max: 0.1, log: true} over a range. Each trial is a run in
    the directory of the group. The same command continues a group that was interrupted; 'nncli worker' lets more
    processes and machines work on it.
    """
    from nncli.store.run_writer import name_from
    from nncli.sweep.definition import is_sweep_file
    from nncli.sweep.plan import record_from_command_line, record_from_file
    from nncli.sweep.sweep_config import SweepOptions

    drop_unread_messages()
    notes = NoteOptions(text, tags)
    notes.check()
    workers = Workers(jobs, engine, is_silent=quiet or as_json)
    runs = runs_dir or RUNS
    options = SweepOptions(method, metric, trials, batch, seeds, vary, folds, max_failures, seed, runs)
    if config.is_file() and is_sweep_file(config):
        record, default_name = record_from_file(config, options, overrides), name_from(config)
    else:
        base, base_name = base_config(config, runs_dir)
        record, default_name = record_from_command_line(base, overrides, options), f"{base_name}-sweep"
    if is_planned:
        plan_group(record, default_name, name, runs, notes).print(quiet, as_json)
    else:
        train_group(record, default_name, name, runs, workers, notes).print(quiet, as_json)
