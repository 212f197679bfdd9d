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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from nncli import errors
from nncli.analysis.evaluation import assess
from nncli.config.yaml_output import to_yaml_value
from nncli.errors import CommandLineError, RunError
from nncli.experiment.loading import load_mapping
from nncli.inference.predictor import Predictor
from nncli.nn.parameters import Array
from nncli.runner import resume as resume_runner
from nncli.runner import train as train_runner
from nncli.runner.blas_threads import blas_threads
from nncli.runner.run_config import load_named
from nncli.store import run_reader
from nncli.store.find_run import find_run
from nncli.store.run_files import signature
from nncli.store.run_status import RunStatus
from nncli.store.run_writer import RunWriter
from nncli.training.loop import Epoch, never

__all__ = ["Run", "errors", "load", "resume", "train"]

StrPath: TypeAlias = str | os.PathLike[str]
Config: TypeAlias = StrPath | Mapping[str, Any]
Overrides: TypeAlias = Sequence[str] | Mapping[str, Any]
OnEpoch: TypeAlias = Callable[[dict[str, float]], object]


class Evaluation(dict[str, dict[str, float]]):
    """The metrics of the weights that were kept, by split.

    ``warnings`` has the signs that the training learned nothing, each with ``kind``, ``message`` and ``facts``.
    """

    def __init__(self, splits: Mapping[str, Mapping[str, float]], warnings: list[dict[str, Any]]) -> None:
        super().__init__({name: dict(metrics) for name, metrics in splits.items()})
        self.warnings = warnings


class _Files(run_reader.Run):
    """The files of a run, each read once; ``signature`` is that of the files before the first was read."""

    def __init__(self, path: Path) -> None:
        self.signature = signature(path)
        super().__init__(path)

    @cached_property
    def predictor(self) -> Predictor:
        """The network, with its weights."""
        return Predictor(self)


class Run:
    """A run: its config, its metrics, and its trained network.

    Files are read on first use, and again once one of them has changed, as by training.
    ``status`` is a ``RunStatus``, a string: ``running``, ``finished``, ``interrupted``, ``not evaluated`` or
    ``diverged``.
    """

    def __init__(self, path: Path) -> None:
        path = path.absolute()
        with _run_errors(path):
            self._files = _Files(path)

    def __repr__(self) -> str:
        return f"<nncli run {str(self.path)!r}: {self.status}>"

    @property
    def path(self) -> Path:
        """The run directory, as an absolute path: it stays the same if the current directory changes."""
        return self._files.path

    @property
    def name(self) -> str:
        """The name of the run directory."""
        return self._files.name

    @property
    def status(self) -> RunStatus:
        """The status at this moment, which follows from the lock and the files; it is read at each access."""
        with _run_errors(self.path):
            return run_reader.Run(self.path).status

    @property
    def config(self) -> dict[str, Any]:
        """The resolved config: overrides applied, defaults filled in."""
        with self._reading() as files:
            config: dict[str, Any] = files.config.model_dump()
            return config

    @property
    def metrics(self) -> dict[str, Array]:
        """The columns of metrics.csv by name, each (N,) with one value per logged epoch; the first is ``epoch``."""
        with self._reading() as files:
            return {name: files.metrics.column(name) for name in files.metrics.names}

    @property
    def evaluation(self) -> Evaluation | None:
        """The metrics of the weights that were kept, by split; None unless the run is finished."""
        with self._reading() as files:
            evaluation = files.evaluation
            return None if evaluation is None else Evaluation(evaluation.splits, files.warnings)

    def predict(self, inputs: Any) -> Array:
        """The outputs (N, M) of the network for rows (N, D): probabilities, or values of a regression.

        An unfinished run predicts with the weights of its newest checkpoint.

        Raises:
            BusyError: another call in this process computes on another number of threads.
            ConfigError: the rows are not finite numbers, or have another number of columns than the training data.
            DivergedError: the weights or the outputs are not finite.
            RunError: the weights are missing or damaged.
        """
        with self._computing() as files:
            return files.predictor.predict(inputs)

    def evaluate(self, splits: str | Sequence[str] = (), threshold: float | None = None) -> dict[str, dict[str, Any]]:
        """Evaluate the network on the run's data, which is generated again.

        Args:
            splits: ``training``, ``validation`` or ``test``, or several of them; all if empty.
            threshold: the decision threshold of a binary classifier; None for the config's.

        Returns:
            For each split ``rows`` and ``metrics``; for a classifier also ``confusion`` (rows: actual, columns:
            predicted) and ``classes`` with the scores of each class; for a binary one with a single output also
            ``threshold``.

        Raises:
            BusyError: another call in this process computes on another number of threads.
            CommandLineError: the run has no such split, or no threshold.
            DivergedError: a weight or a metric is not finite.
            RunError: the weights are damaged, or the data is not what the run was trained on.
        """
        names = (splits,) if isinstance(splits, str) else tuple(splits)
        with self._computing() as files:
            assessment: dict[str, dict[str, Any]] = assess(files, names, threshold)["splits"]
            return assessment

    @contextmanager
    def _reading(self) -> Iterator[_Files]:
        """The files as they are now; errors have the run directory."""
        with _run_errors(self.path):
            files = self._files
            if files.signature != signature(files.path):
                files = self._files = _Files(files.path)
            yield files

    @contextmanager
    def _computing(self) -> Iterator[_Files]:
        """The files as they are now, while matrix products are computed on the number of threads in the config."""
        with self._reading() as files, blas_threads(files.record.spec.training.threads):
            yield files


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

    Several threads may train at the same time if their configs have the same ``training.threads``, as BLAS has one
    number of threads for the whole process. The same holds for ``predict`` and ``evaluate``, also within ``on_epoch``.

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
        BusyError: the name is taken, or another call in this process computes on another number of threads.
        RunError: the run to train again is damaged.
        StorageError: a file cannot be read or written.
    """
    changes, directory = _override_strings(overrides), Path(runs).absolute()
    if isinstance(config, Mapping):
        loaded, default_name = load_mapping(dict(config), changes), "run"
    else:
        loaded, default_name = load_named(Path(config), changes, directory)
    result = train_runner.train(
        loaded,
        default_name,
        runs=directory,
        name=name,
        observer=_observer(on_epoch),
        stop=_polled(stop),
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
        BusyError: the run is being trained, or another call in this process computes on another number of threads.
        CommandLineError: an override or a callback is not valid.
        ConfigError: an override is not allowed; ``diagnostics`` has each problem.
        DivergedError: a value became NaN or infinite.
        RunError: the run is missing, or no checkpoint is valid.
        StorageError: a file cannot be read or written.
    """
    path = _path(run, runs)
    with _run_errors(path):
        resume_runner.resume(path, _override_strings(overrides), observer=_observer(on_epoch), stop=_polled(stop))
    return Run(path)


def load(run: StrPath, *, runs: StrPath | None = None) -> Run:
    """A run, by its directory or by its name in ``runs``.

    Args:
        run: the directory, or the name.
        runs: the directory that holds the runs, as for ``resume``.

    Raises:
        RunError: there is no such run.
    """
    return Run(_path(run, runs))


def _path(run: StrPath | Run, runs: StrPath | None) -> Path:
    """The run directory, as an absolute path."""
    if isinstance(run, Run):
        return run.path
    return find_run(os.fspath(run), None if runs is None else Path(runs)).absolute()


def _override_strings(overrides: Overrides) -> tuple[str, ...]:
    """Overrides as the command line has them.

    Raises:
        CommandLineError: they are something else, or a value has no counterpart in YAML.
    """
    if not isinstance(overrides, Mapping):
        return _strings(overrides)
    try:
        return tuple(f"{key}={to_yaml_value(value)}" for key, value in overrides.items())
    except TypeError as error:
        raise CommandLineError(f"overrides: {error}") from None


def _strings(overrides: Sequence[str]) -> tuple[str, ...]:
    """A sequence of strings as a tuple.

    Raises:
        CommandLineError: it is something else.
    """
    if isinstance(overrides, str) or not isinstance(overrides, Iterable):
        hint = f"; write [{overrides!r}]" if isinstance(overrides, str) else ""
        raise CommandLineError(f"overrides must be a list of strings or a mapping, got {overrides!r}{hint}")
    strings = tuple(overrides)
    for each in strings:
        if not isinstance(each, str):
            raise CommandLineError(f"overrides must be strings such as 'seed=1', or a mapping, got {each!r}")
    return strings


def _require_function(name: str, value: object) -> None:
    """Check an argument before anything is created.

    Raises:
        CommandLineError: it is neither None nor a function.
    """
    if value is not None and not callable(value):
        raise CommandLineError(f"{name} must be a function, got {value!r}")


def _observer(on_epoch: OnEpoch | None) -> train_runner.Observer:
    _require_function("on_epoch", on_epoch)
    if on_epoch is None:
        return train_runner.unobserved

    def observe(writer: RunWriter) -> AbstractContextManager[Callable[[Epoch], object]]:
        def call(epoch: Epoch) -> None:
            if epoch.metrics is not None:
                with _checkpoint_on_error(writer):
                    on_epoch({"epoch": epoch.number, **epoch.metrics})

        return nullcontext(call)

    return observe


def _polled(stop: Callable[[], bool] | None) -> Callable[[], bool]:
    _require_function("stop", stop)
    return never if stop is None else stop


@contextmanager
def _checkpoint_on_error(writer: RunWriter) -> Iterator[None]:
    """Write a checkpoint if a callback between two batches ends training, also by Ctrl-C; its own error is raised."""
    try:
        yield
    except BaseException as error:
        try:
            writer.interrupt()
        except errors.NncliError as failure:
            error.add_note(f"the checkpoint could not be written: {failure}")
        raise


@contextmanager
def _run_errors(path: Path) -> Iterator[None]:
    """Set ``path`` of each RunError to the run directory, unless it has one."""
    try:
        yield
    except RunError as error:
        error.path = error.path or path
        raise
