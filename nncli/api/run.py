"""A run as an object: its config, its metrics, and its trained network."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from nncli.analysis.evaluation import assess
from nncli.errors import RunError
from nncli.inference.predictor import Predictor
from nncli.nn.parameters import Array
from nncli.runner.blas_threads import blas_threads
from nncli.store import run_reader
from nncli.store.run_files import signature
from nncli.store.run_status import RunStatus


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
        with run_errors(path):
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
        with run_errors(self.path):
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
        with run_errors(self.path):
            files = self._files
            if files.signature != signature(files.path):
                files = self._files = _Files(files.path)
            yield files

    @contextmanager
    def _computing(self) -> Iterator[_Files]:
        """The files as they are now, while matrix products are computed on the number of threads in the config."""
        with self._reading() as files, blas_threads(files.record.spec.training.threads):
            yield files


@contextmanager
def run_errors(path: Path) -> Iterator[None]:
    """Set ``path`` of each RunError to the run directory, unless it has one."""
    try:
        yield
    except RunError as error:
        error.path = error.path or path
        raise
