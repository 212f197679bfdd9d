"""``nncli train``: train a config and save the run, or resume a run."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from shlex import quote
from signal import SIGINT, Signals
from typing import TYPE_CHECKING, Any

import click

from nncli.cli.group_options import Workers, has_replicates, replicates_options, workers_options
from nncli.cli.group_training import train_replicates
from nncli.cli.interrupts import raised_on_ctrl_c
from nncli.cli.note_options import NoteOptions
from nncli.cli.options import (
    cache_dir_option,
    completed_by,
    digits_of,
    exact_option,
    examples,
    find_run,
    json_option,
    note_option,
    overrides_argument,
    runs_dir_option,
    tag_option,
)
from nncli.cli.output import drop_unread_messages, print_json
from nncli.cli.paths import RUNS
from nncli.cli.training_progress import progress_for
from nncli.errors import CommandLineError, InterruptionError, StorageError, WorkerError

if TYPE_CHECKING:
    from nncli.config.model import TrainingConfig
    from nncli.experiment.loading import LoadedConfig
    from nncli.runner.train import Result
    from nncli.store.run_writer import RunWriter
    from nncli.training.loop import Epoch


@click.command(
    epilog=examples(
        "nncli train config.yaml",
        "nncli train config.yaml optimizer.learning_rate=0.1 --name fast",
        "nncli train config.yaml 'optimizer={type: sgd, momentum: 0.9}'",
        "nncli train --resume config training.epochs=6000",
        "nncli train config.yaml --seeds 3 -j 2",
    )
)
@click.argument(
    "config",
    required=False,
    type=click.Path(),
    shell_complete=completed_by("config"),
    help="YAML file that describes the network and its training, or a run, whose config is taken.",
)
@overrides_argument
@click.option(
    "--resume",
    "run",
    metavar="RUN",
    is_flag=False,
    flag_value="",
    shell_complete=completed_by("run"),
    help="Resume a run, by path or by name.",
)
@click.option("-n", "--name", help="Run name.  [default: name of the config file or run, numbered if taken]")
@note_option
@tag_option
@replicates_options
@runs_dir_option
@cache_dir_option
@workers_options
@click.option(
    "--watch",
    is_flag=True,
    help="In a terminal, draw the decision boundary of a network with two inputs while it trains, else larger curves.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress; print only the path of the run, and warnings.")
@exact_option
@json_option
def train(
    config: str | None,
    overrides: tuple[str, ...],
    run: str | None,
    name: str | None,
    text: str | None,
    tags: tuple[str, ...],
    seeds: str | None,
    vary: str | None,
    folds: int | None,
    runs_dir: Path | None,
    jobs: int | None,
    engine: str | None,
    watch: bool,
    quiet: bool,
    exact: bool,
    as_json: bool,
) -> None:
    """Train a network and save the run.

    --resume continues an interrupted run; the result is bit-identical to that of an uninterrupted one. CONFIG is
    optional with --resume and must equal the run's config, except that training.epochs may be larger.

    --seeds and --folds train a group of runs, which the same command continues.
    """
    from nncli.cli.render.format import warning_text
    from nncli.cli.render.progress import note

    notes = NoteOptions(text, tags)
    notes.check()
    started = time.monotonic()
    drop_unread_messages()
    if watch and (quiet or as_json):
        raise click.UsageError(f"--watch draws the training, and {'--quiet' if quiet else '--json'} shows no progress.")
    is_new = config is not None and run is None and not watch
    if has_replicates(seeds, vary, folds, jobs, engine, is_new):
        workers = Workers(jobs, engine, is_silent=quiet or as_json)
        report = train_replicates(str(config), overrides, (seeds, vary, folds), name, runs_dir, workers, notes)
        report.print(quiet, as_json)
        return
    display = _Display(quiet or as_json, watch, notes)
    if run == "":
        raise CommandLineError(_resumable_runs(runs_dir or RUNS))
    if run is not None:
        if name is not None:
            raise CommandLineError("--name is for a new run; a run that is resumed has a name")
        result = _resume(find_run(run, runs_dir), config, overrides, display)
    elif config is None:
        raise click.UsageError("Missing argument 'CONFIG'; or resume a run with --resume RUN.")
    else:
        result = _train(Path(config), overrides, name, runs_dir, display)
    result["seconds"] = round(time.monotonic() - started, 3)
    if as_json:
        print_json(result)
    elif quiet:
        print(result["run"])
    else:
        from nncli.cli.render.train import show_result

        show_result(result, display.first, display.training, digits_of(exact))
    for warning in result["warnings"]:
        note(warning_text(warning))


def _resumable_runs(directory: Path) -> str:
    """The message for --resume without a run: which runs of the directory can be resumed."""
    from nncli.analysis.run_list import runs_in

    found = [each for each in runs_in(directory) if each.progress.is_resumable]
    names = ", ".join(f"{each.path.name} ({str(each.progress).removesuffix(', resumable')})" for each in found)
    return f"--resume needs a run; resumable in {directory}/: {names or 'none'}"


class _Display:
    """Opens the progress display when training begins, at the epoch ``first`` of the run directory ``run``.

    ``training`` is the section of the config from then on. The note and the tags are written before it.
    """

    def __init__(self, is_silent: bool, is_watched: bool, notes: NoteOptions) -> None:
        self.is_silent, self.is_watched, self.notes = is_silent, is_watched, notes
        self.run: Path | None = None
        self.first: int | None = None
        self.training: TrainingConfig | None = None

    def __call__(self, writer: "RunWriter") -> AbstractContextManager[Callable[["Epoch"], object]]:
        self.run, self.first = writer.path, writer.trainer.epoch
        self.training = writer.trainer.settings
        self.notes.write(writer.path)
        return nullcontext(lambda epoch: None) if self.is_silent else progress_for(writer, self.is_watched)


def _train(
    config: Path, overrides: tuple[str, ...], name: str | None, runs: Path | None, display: _Display
) -> dict[str, Any]:
    """Train a new run, and return its document."""
    from nncli.cli.reading import reading_shown
    from nncli.runner.signals import stop_on_signals
    from nncli.runner.train import train as train_config

    with raised_on_ctrl_c(), stop_on_signals() as stop, _resumable(display):
        with reading_shown(display.is_silent):
            loaded, default_name = _load(config, overrides, runs)
        _print_notes(loaded, display)
        result = train_config(loaded, default_name, runs=runs or RUNS, name=name, observer=display, stop=stop)
        return _document(result, stop.signum)


def _print_notes(loaded: "LoadedConfig", display: _Display) -> None:
    """Print warnings about the data, and the values that change with a component that an override replaces.

    Warnings are printed with --quiet, too.
    """
    from nncli.cli.render.progress import note

    if loaded.overrides and not display.is_silent:
        from nncli.experiment.replacements import replacement_notes

        for text in replacement_notes(loaded):
            note(text)
    for text in loaded.plan.warnings:
        note(f"warning: {text}")


def _load(config: Path, overrides: tuple[str, ...], runs: Path | None) -> tuple["LoadedConfig", str]:
    """The config and the default name of its run; what reads a run is imported for a run only."""
    from nncli.experiment.loading import load
    from nncli.store.run_writer import name_from

    if config.is_file():
        return load(config, overrides), name_from(config)

    from nncli.runner.run_config import load_named

    return load_named(config, overrides, runs)


def _resume(path: Path, config: str | None, overrides: tuple[str, ...], display: _Display) -> dict[str, Any]:
    """Resume a run, and return its document; a config with an equals sign is an override unless it names a file."""
    from nncli.cli.reading import reading_shown
    from nncli.cli.render.progress import note
    from nncli.runner.resume import resume
    from nncli.runner.signals import stop_on_signals

    is_override = config is not None and "=" in config and not Path(config).is_file()
    overrides = (config, *overrides) if config is not None and is_override else overrides
    given = Path(config) if config is not None and not is_override else None
    if given is not None and not given.is_file() and not given.suffix:
        raise CommandLineError(f"{config}: with --resume, CONFIG is a file and must be that of the run; leave it out")
    with raised_on_ctrl_c(), stop_on_signals() as stop, _resumable(display), reading_shown(display.is_silent):
        result = resume(path, overrides, config=given, observer=display, stop=stop, report=note)
        return _document(result, stop.signum)


def _document(result: "Result", signum: int | None) -> dict[str, Any]:
    """The document that ``--json`` prints, except for the duration.

    Raises:
        InterruptionError: a signal stopped the training.
    """
    if result.evaluation is not None:
        return {"run": str(result.path), **result.evaluation.model_dump()}
    signum = SIGINT if signum is None else signum
    message = f"{result.path}: interrupted by {Signals(signum).name} at {result.progress}; {_hint(result.path)}"
    raise InterruptionError(message, signum, result.path)


@contextmanager
def _resumable(display: _Display) -> Iterator[None]:
    """Add the command that resumes the run to the message of an error that ends training."""
    try:
        yield
    except (StorageError, WorkerError) as error:
        if display.run is None:
            raise
        raise type(error)(f"{error}; {_hint(display.run)}") from None
    except KeyboardInterrupt:
        if display.run is None:
            raise
        message = f"{display.run}: stopped at once, without a new checkpoint; {_hint(display.run)}"
        raise InterruptionError(message, SIGINT, display.run) from None


def _hint(run: Path) -> str:
    """The command that resumes a run from its newest checkpoint."""
    return f"resume with: nncli train --resume {quote(str(run))}"
