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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from nncli import errors
from nncli.analysis.evaluation import assess
from nncli.config.yaml_output import to_yaml_value
from nncli.errors import CommandLineError, RunError
from nncli.inference.predictor import Predictor
from nncli.nn.parameters import Array
from nncli.runner import resume as resume_runner
from nncli.runner import train as train_runner
from nncli.runner.blas_threads import blas_threads, single_blas_thread
from nncli.store import run_reader
from nncli.store.find_run import find_run
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


class Run:
    """A run: its config, its metrics, and its trained network. Files are read on first use and cached.

    ``status`` is a ``RunStatus``, a string: ``running``, ``finished``, ``interrupted`` or ``diverged``.
    """

    def __init__(self, path: Path) -> None:
        with _run_errors(path):
            self._reader = run_reader.Run(path)

    def __repr__(self) -> str:
        return f"<nncli run {str(self.path)!r}: {self.status}>"

    @property
    def path(self) -> Path:
        """The run directory."""
        return self._reader.path

    @property
    def name(self) -> str:
        """The name of the run directory."""
        return self._reader.name

    @property
    def status(self) -> RunStatus:
        """The status at this moment, which follows from the lock and the files; it is read at each access."""
        with _run_errors(self.path):
            return run_reader.Run(self.path).status

    @cached_property
    def config(self) -> dict[str, Any]:
        """The resolved config: overrides applied, defaults filled in."""
        with _run_errors(self.path):
            config: dict[str, Any] = self._reader.config.model_dump()
            return config

    @cached_property
    def metrics(self) -> dict[str, Array]:
        """The columns of metrics.csv by name, each (N,) with one value per logged epoch; the first is ``epoch``."""
        with _run_errors(self.path):
            metrics = self._reader.metrics
            return {name: metrics.column(name) for name in metrics.names}

    @cached_property
    def evaluation(self) -> Evaluation | None:
        """The metrics of the weights that were kept, by split; None unless the run is finished."""
        with _run_errors(self.path):
            evaluation = self._reader.evaluation
            return None if evaluation is None else Evaluation(evaluation.splits, self._reader.warnings)

    def predict(self, inputs: Any) -> Array:
        """The outputs (N, M) of the network for rows (N, D): probabilities, or values of a regression.

        An unfinished run predicts with the weights of its newest checkpoint.

        Raises:
            ConfigError: the rows are not finite numbers, or have another number of columns than the training data.
            DivergedError: the weights are not finite.
            RunError: the weights are missing or damaged.
        """
        with self._computing():
            return self._predictor.predict(inputs)

    def evaluate(self, splits: Sequence[str] = (), threshold: float | None = None) -> dict[str, dict[str, Any]]:
        """Evaluate the network on the run's data, which is generated again.

        Args:
            splits: ``training``, ``validation`` or ``test``; all if empty.
            threshold: the decision threshold of a binary classifier; None for the config's.

        Returns:
            For each split ``rows`` and ``metrics``; for a classifier also ``confusion`` (rows: actual, columns:
            predicted) and ``classes`` with the scores of each class; for a binary one with a single output also
            ``threshold``.

        Raises:
            CommandLineError: the run has no such split, or no threshold.
            DivergedError: a weight or a metric is not finite.
            RunError: the weights are damaged, or the data is not what the run was trained on.
        """
        with self._computing():
            assessment: dict[str, dict[str, Any]] = assess(self._reader, tuple(splits), threshold)["splits"]
            return assessment

    @cached_property
    def _predictor(self) -> Predictor:
        return Predictor(self._reader)

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """Compute on the number of threads in the run's config, and add the run directory to errors."""
        with _run_errors(self.path), single_blas_thread(), blas_threads(self._reader.record.spec.training.threads):
            yield


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

    Args:
        config: the path of a config, or its content as a mapping.
        overrides: values replaced in the config: strings ``key=value``, or a mapping of keys to values.
        runs: the directory that holds the runs.
        name: the name of the run; by default that of the config file, or ``run``, numbered if it is taken.
        on_epoch: called with each row of metrics.csv, by column, when it is logged.
        stop: polled after each batch; if it returns True, training ends after a checkpoint, and can be resumed.

    Raises:
        CommandLineError: there is no such config, or an override or the name is not valid.
        ConfigError: the config is wrong; ``diagnostics`` has each problem.
        DivergedError: a value became NaN or infinite.
        BusyError: the name is taken.
        StorageError: a file cannot be read or written.
    """
    with single_blas_thread():
        result = train_runner.train(
            dict(config) if isinstance(config, Mapping) else Path(config),
            _override_strings(overrides),
            runs=Path(runs),
            name=name,
            observer=_observer(on_epoch),
            stop=stop or never,
        )
    return Run(result.path)


def resume(
    run: StrPath | Run,
    overrides: Overrides = (),
    *,
    runs: StrPath = "runs",
    on_epoch: OnEpoch | None = None,
    stop: Callable[[], bool] | None = None,
) -> Run:
    """Resume a run from its newest valid checkpoint; the result is bit-identical to that of an uninterrupted run.

    A run that is finished is returned as it is.

    Args:
        run: the run, its directory, or its name in ``runs``.
        overrides: ``training.epochs`` with a larger value, to train further.
        runs: the directory that holds the runs.
        on_epoch: called with each row of metrics.csv, by column, when it is logged.
        stop: polled after each batch; if it returns True, training ends after a checkpoint, and can be resumed.

    Raises:
        BusyError: another process is training the run.
        ConfigError: an override is not allowed; ``diagnostics`` has each problem.
        DivergedError: a value became NaN or infinite.
        RunError: the run is missing, or no checkpoint is valid.
        StorageError: a file cannot be read or written.
    """
    path = _path(run, runs)
    with _run_errors(path), single_blas_thread():
        resume_runner.resume(path, _override_strings(overrides), observer=_observer(on_epoch), stop=stop or never)
    return Run(path)


def load(run: StrPath, *, runs: StrPath = "runs") -> Run:
    """A run, by its directory or by its name in ``runs``.

    Raises:
        RunError: there is no such run.
    """
    return Run(_path(run, runs))


def _path(run: StrPath | Run, runs: StrPath) -> Path:
    return run.path if isinstance(run, Run) else find_run(os.fspath(run), Path(runs))


def _override_strings(overrides: Overrides) -> tuple[str, ...]:
    """Overrides as the command line has them.

    Raises:
        CommandLineError: they are a single string, or a value has no counterpart in YAML.
    """
    if isinstance(overrides, str):
        raise CommandLineError(
            f"overrides must be a list or a mapping, got the string {overrides!r}; write [{overrides!r}]"
        )
    if not isinstance(overrides, Mapping):
        return tuple(overrides)
    try:
        return tuple(f"{key}={to_yaml_value(value)}" for key, value in overrides.items())
    except TypeError as error:
        raise CommandLineError(f"overrides: {error}") from None


def _observer(on_epoch: OnEpoch | None) -> train_runner.Observer:
    if on_epoch is None:
        return train_runner.unobserved

    def call(epoch: Epoch) -> None:
        if epoch.metrics is not None:
            on_epoch({"epoch": epoch.number, **epoch.metrics})

    def observe(writer: RunWriter) -> AbstractContextManager[Callable[[Epoch], object]]:
        return nullcontext(call)

    return observe


@contextmanager
def _run_errors(path: Path) -> Iterator[None]:
    """Set ``path`` of each RunError to the run directory."""
    try:
        yield
    except RunError as error:
        error.path = path
        raise
