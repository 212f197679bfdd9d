"""Train a config: connects the experiment, the trainer and the run directory."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple, TypeAlias

from nncli.experiment.assembly import assemble
from nncli.experiment.loading import LoadedConfig
from nncli.runner.compute_threads import compute_threads
from nncli.store.records import EvaluationRecord
from nncli.store.run_writer import RunWriter
from nncli.training.loop import Epoch, Trainer, never

# Called when training begins; returns a context that lasts as long as training and yields a callback for each epoch.
Observer: TypeAlias = Callable[[RunWriter], AbstractContextManager[Callable[[Epoch], object]]]


class Result(NamedTuple):
    """How a training ended.

    Args:
        path: the run directory.
        evaluation: the evaluation of a finished run; None if a stop request ended the training.
        progress: the epoch, and the batch within an unfinished epoch, as text.
    """

    path: Path
    evaluation: EvaluationRecord | None
    progress: str


def ignore(value: object) -> None:
    """Take an epoch or a message, and do nothing."""


def unobserved(writer: RunWriter) -> AbstractContextManager[Callable[[Epoch], object]]:
    """The observer that shows nothing."""
    return nullcontext(ignore)


def train(
    loaded: LoadedConfig,
    default_name: str,
    *,
    runs: Path,
    name: str | None = None,
    observer: Observer = unobserved,
    stop: Callable[[], bool] = never,
) -> Result:
    """Train a config, and write a new run directory.

    Args:
        loaded: the config.
        default_name: the name of the run, numbered if it is taken.
        runs: the directory that holds the runs.
        name: another name of the run, which must not be taken.
        observer: called when training begins.
        stop: polled after each batch; if it returns True, training ends after a checkpoint.

    Raises:
        BusyError: the name is taken.
        CommandLineError: the name is not valid.
        ConfigError: the config does not fit its data.
        DivergedError: a value became NaN or infinite.
        StorageError: a file cannot be read or written.
        WorkerError: a process among which steps are divided has ended, such as by a signal.
    """
    run_name, is_numbered = (default_name, True) if name is None else (name, False)
    with compute_threads(loaded.config.training.threads, loaded.document):
        trainer = Trainer(assemble(loaded.config, loaded.plan), stop)
        with RunWriter.create(runs, run_name, loaded, trainer, is_numbered) as writer:
            return run_to_end(writer, observer)


def run_to_end(writer: RunWriter, observer: Observer) -> Result:
    """Train to the last epoch, or until a stop is requested."""
    trainer, evaluation = writer.trainer, None
    with observer(writer) as show:
        for epoch in writer.record():
            show(epoch)
        if trainer.is_done:
            evaluation = writer.finish()
        else:
            writer.interrupt()
    return Result(writer.path, evaluation, trainer.state().progress)
