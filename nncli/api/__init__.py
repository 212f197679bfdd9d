"""The Python API: train, resume and load runs, without output, signal handlers or a change of global state.

>>> import nncli, tempfile
>>> config = {
...     "data": {"type": "spiral", "samples": 20},
...     "layers": [{"type": "dense", "units": 8}, "relu", {"type": "dense", "units": 3}, "softmax"],
...     "loss": "categorical_crossentropy",
...     "optimizer": "adam",
...     "training": {"epochs": 20, "log_every": 10},
... }
>>> runs = tempfile.mkdtemp()
>>> run = nncli.train(config, {"optimizer.learning_rate": 0.05}, runs=runs, name="spiral")
>>> run.name, str(run.status)
('spiral', 'finished')
>>> run.metrics["epoch"].tolist()
[0.0, 10.0, 20.0]
>>> run.predict([[0.3, 0.4], [-0.5, 0.1]]).shape
(2, 3)
>>> run = nncli.resume("spiral", ["training.epochs=30"], runs=runs, on_epoch=lambda record: print(record["epoch"]))
30
>>> run.evaluation["training"] == nncli.load("spiral", runs=runs).evaluate()["training"]["metrics"]
True
>>> try:
...     nncli.train(config, ["optimizer.learning_rate=-1"], runs=runs)
... except nncli.errors.ConfigError as error:
...     print(error.diagnostics[0].message)
must be greater than 0, got -1
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from nncli import errors
from nncli.api.arguments import Config, OnEpoch, Overrides, StrPath, observer, override_strings, polled
from nncli.api.run import Run, run_errors
from nncli.experiment.loading import load_mapping
from nncli.runner import resume as resume_runner
from nncli.runner import train as train_runner
from nncli.runner.run_config import load_named
from nncli.store.find_run import find_run

__all__ = ["Run", "errors", "load", "resume", "train"]


def train(
    config: Config,
    overrides: Overrides = (),
    *,
    runs: StrPath = "runs",
    name: str | None = None,
    on_epoch: OnEpoch | None = None,
    stop: Callable[[], bool] | None = None,
) -> Run:
    """Train a network, and save the run; the result is bit-identical to that of ``nncli train``.

    Several threads may train, predict and evaluate at the same time, also within ``on_epoch``.

    Args:
        config: the path of a config, its content as a mapping, or the path or the name of a run to train it again.
        overrides: values replaced in the config: strings ``key=value``, or a mapping of keys to values.
        runs: the directory that holds the runs.
        name: the name of the run; by default that of the config file or of the run that is trained again, else
            ``run``, numbered if it is taken.
        on_epoch: called with each row of metrics.csv, by column, when it is logged; an exception that it raises ends
            training after a checkpoint.
        stop: polled after each batch; if it returns True, training ends after a checkpoint, and can be resumed.

    Raises:
        CommandLineError: there is no such config, or an override, the name or a callback is not valid.
        ConfigError: the config is wrong; ``diagnostics`` has each problem.
        DivergedError: a value became NaN or infinite.
        BusyError: the name is taken.
        RunError: the run to train again is damaged.
        StorageError: a file cannot be read or written.
        WorkerError: a process among which steps are divided has ended, such as by a signal.
    """
    changes, directory = override_strings(overrides), Path(runs).absolute()
    if isinstance(config, Mapping):
        loaded, default_name = load_mapping(dict(config), changes), "run"
    else:
        loaded, default_name = load_named(Path(config), changes, directory)
    result = train_runner.train(
        loaded,
        default_name,
        runs=directory,
        name=name,
        observer=observer(on_epoch),
        stop=polled(stop),
    )
    return Run(result.path)


def resume(
    run: StrPath | Run,
    overrides: Overrides = (),
    *,
    runs: StrPath | None = None,
    on_epoch: OnEpoch | None = None,
    stop: Callable[[], bool] | None = None,
) -> Run:
    """Resume a run from its newest valid checkpoint; the result is bit-identical to that of an uninterrupted run.

    A run that is finished is returned as it is.

    Args:
        run: the run, its directory, or its name in ``runs``.
        overrides: ``training.epochs`` with a larger value, to train further.
        runs: the directory that holds the runs, where a name is looked up before the current directory; None for
            ``runs``, where it is looked up after it.
        on_epoch: called with each row of metrics.csv, by column, when it is logged; an exception that it raises ends
            training after a checkpoint.
        stop: polled after each batch; if it returns True, training ends after a checkpoint, and can be resumed.

    Raises:
        BusyError: the run is being trained.
        CommandLineError: an override or a callback is not valid.
        ConfigError: an override is not allowed; ``diagnostics`` has each problem.
        DivergedError: a value became NaN or infinite.
        RunError: the run is missing, or no checkpoint is valid.
        StorageError: a file cannot be read or written.
        WorkerError: a process among which steps are divided has ended, such as by a signal.
    """
    path = _path(run, runs)
    with run_errors(path):
        resume_runner.resume(path, override_strings(overrides), observer=observer(on_epoch), stop=polled(stop))
    return Run(path)


def load(run: StrPath, *, runs: StrPath | None = None, epoch: int | None = None) -> Run:
    """A run, by its directory or by its name in ``runs``.

    Args:
        run: the directory, or the name.
        runs: the directory that holds the runs, as for ``resume``.
        epoch: one of ``snapshots`` of the run, whose weights then predict and are evaluated; by default the final ones.

    Raises:
        CommandLineError: the run has no weights of this epoch.
        RunError: there is no such run.
    """
    return Run(_path(run, runs), epoch)


def _path(run: StrPath | Run, runs: StrPath | None) -> Path:
    """The run directory, as an absolute path."""
    if isinstance(run, Run):
        return run.path
    return find_run(os.fspath(run), None if runs is None else Path(runs)).absolute()
