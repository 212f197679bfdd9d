"""``nncli train``: from a config to a run directory, or on from where a run was interrupted."""

import time
from contextlib import nullcontext
from pathlib import Path
from signal import SIGINT
from typing import TYPE_CHECKING, Any

import click

from nncli.cli.interrupts import raised_on_ctrl_c
from nncli.cli.options import RUNS, find_run
from nncli.cli.output import drop_unread_messages, print_json
from nncli.errors import CommandLineError, InterruptionError, StorageError

if TYPE_CHECKING:
    from nncli.runner.signals import StopRequest
    from nncli.store.run_writer import RunWriter


@click.command()
@click.argument("config", required=False)
@click.argument("overrides", nargs=-1)
@click.option("--resume", "run", metavar="RUN", help="Go on with a run: a directory, or the name of one in the folder.")
@click.option("--name", help="The run's name; else the config's, with a number where that is taken.")
@click.option(
    "--runs", type=click.Path(path_type=Path), default=RUNS, show_default=True, help="The folder of all runs."
)
@click.option("-q", "--quiet", is_flag=True, help="No progress; only the run's path is printed.")
@click.option("--json", "as_json", is_flag=True, help="No progress; one JSON document instead of text.")
def train(
    config: str | None,
    overrides: tuple[str, ...],
    run: str | None,
    name: str | None,
    runs: Path,
    quiet: bool,
    as_json: bool,
) -> None:
    """Train a network, and leave a run directory.

    OVERRIDES change values of the config: optimizer.learning_rate=0.1 layers[0].units=128

    An interrupted run goes on with --resume, and ends as if nothing had been between. It needs no CONFIG; one that is
    given has to say what the run's says, but may ask for more training.epochs, as OVERRIDES may.
    """
    started = time.monotonic()
    drop_unread_messages()
    if run is not None:
        if name is not None:
            raise CommandLineError("--name is for a new run; --resume goes on with one that has a name")
        result = _resume(find_run(run, runs), config, overrides, quiet or as_json)
    elif config is None:
        raise click.UsageError("Missing argument 'CONFIG'; or --resume RUN goes on with a run.")
    else:
        result = _start(Path(config), overrides, name, runs, quiet or as_json)
    result["seconds"] = round(time.monotonic() - started, 3)
    if as_json:
        print_json(result)
    elif quiet:
        print(result["run"])
    else:
        from nncli.cli.render.train import show_result

        show_result(result)


def _start(config: Path, overrides: tuple[str, ...], name: str | None, runs: Path, silent: bool) -> dict[str, Any]:
    """A new run."""
    from nncli.experiment.assembly import assemble
    from nncli.experiment.loading import load
    from nncli.runner.blas_threads import blas_threads
    from nncli.runner.signals import stop_on_signals
    from nncli.store.run_writer import RunWriter, name_from
    from nncli.train.loop import Trainer

    run_name = name_from(config) if name is None else name
    with raised_on_ctrl_c(), stop_on_signals() as stop:
        loaded = load(config, overrides)
        with blas_threads(loaded.config.training.threads, loaded.document):
            training = Trainer(assemble(loaded.config, loaded.plan), stop)
            with RunWriter.create(runs, run_name, loaded, training, numbered=name is None) as directory:
                return _trained(directory, stop, silent)


def _resume(path: Path, config: str | None, overrides: tuple[str, ...], silent: bool) -> dict[str, Any]:
    """A run that goes on."""
    from nncli.cli.render.progress import note
    from nncli.runner.blas_threads import blas_threads
    from nncli.runner.reload import assembled
    from nncli.runner.resume import Resumption
    from nncli.runner.signals import stop_on_signals
    from nncli.train.loop import Trainer

    is_config = config is not None and ("=" not in config or Path(config).is_file())
    words = overrides if config is None or is_config else (config, *overrides)
    with raised_on_ctrl_c(), stop_on_signals() as stop, Resumption(path) as resumption:
        resolved = resumption.resolve_config(Path(config) if config is not None and is_config else None, words)
        evaluation = resumption.finished(resolved)
        if evaluation is not None:
            trained = evaluation.epochs_trained
            why = "" if trained == resolved.training.epochs else " by early stopping, which more epochs do not change"
            note(f"{path}: finished already, at epoch {trained}{why}; nothing is left to do")
            return {"run": str(path), **evaluation.model_dump()}
        with (
            blas_threads(resolved.training.threads),
            resumption.reopen(Trainer(assembled(resumption.run, resolved), stop)) as directory,
        ):
            for sentence in resumption.told:
                note(sentence)
            return _trained(directory, stop, silent)


def _trained(directory: "RunWriter", stop: "StopRequest", silent: bool) -> dict[str, Any]:
    """Train to the end, or to where a signal asks to stop."""
    from nncli.cli.render.progress import ProgressView, progress_for

    try:
        with nullcontext(ProgressView()) if silent else progress_for(directory.training) as view:
            for epoch in directory.record():
                view.show(epoch)
            if stop.signum is not None and not directory.training.is_done:  # saved before the display is put away
                raise directory.interrupt(stop.signum)
            evaluation = directory.finish()
        return {"run": str(directory.path), **evaluation.model_dump()}
    except StorageError as error:
        raise StorageError(f"{error}; {directory.cure}") from None
    except KeyboardInterrupt:
        raise InterruptionError(f"{directory.path}: stopped at once; {directory.cure}", SIGINT) from None
