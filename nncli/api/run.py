"""A run as an object: its config, its metrics, and its trained network."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nncli.analysis.evaluation import assess
from nncli.errors import RunError
from nncli.inference.raw_predictor import RawPredictor
from nncli.nn.parameters import Array, Parameters
from nncli.runner.compute_threads import compute_threads
from nncli.store import run_reader
from nncli.store.run_files import signature
from nncli.store.run_recording import require_epoch
from nncli.store.run_status import RunStatus


class Evaluation(dict[str, dict[str, float]]):
    """The metrics of the weights that were kept, by split.

    ``warnings`` has the signs that the training learned nothing, each with ``kind``, ``message`` and ``facts``.
    """

    def __init__(self, splits: Mapping[str, Mapping[str, float]], warnings: list[dict[str, Any]]) -> None:
        super().__init__({name: dict(metrics) for name, metrics in splits.items()})
        self.warnings = warnings


class _Files(run_reader.Run):
    """The files of a run, each read once; ``signature`` is that of the files before the first was read.

    Args:
        path: the run directory.
        epoch: that of the weights to load; None for the final ones.
    """

    def __init__(self, path: Path, epoch: int | None = None) -> None:
        self.signature, self._epoch = signature(path), epoch
        super().__init__(path)

    def load_weights(self, parameters: Parameters, epoch: int | None = None) -> int:
        """Copy the weights of ``epoch``, or else those of the chosen epoch, into ``parameters``."""
        return super().load_weights(parameters, self._epoch if epoch is None else epoch)

    @cached_property
    def predictor(self) -> RawPredictor:
        """The network, with its weights and its preprocessing."""
        return RawPredictor(self)


class Run:
    """A run: its config, its metrics, and its trained network.

    Files are read on first use, and again once one of them has changed, as by training.
    ``status`` is a ``RunStatus``, a string: ``running``, ``finished``, ``interrupted``, ``not evaluated`` or
    ``diverged``.
    """

    def __init__(self, path: Path, epoch: int | None = None) -> None:
        path = path.absolute()
        with run_errors(path):
            self._epoch, self._files = epoch, _Files(path, epoch)
            if epoch is not None:
                require_epoch(self._files, self._files.snapshots, epoch)

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
    def snapshots(self) -> dict[int, dict[str, Array]]:
        """The weights by epoch, and then by name as in weights.npz: those in snapshots.npz, and the final ones.

        ``nncli.load(run, epoch=epoch)`` is the run with the weights of one of these epochs.
        """
        with self._reading() as files:
            return dict(files.snapshots)

    @property
    def health(self) -> dict[str, Array]:
        """The columns of health.csv by name, each (N,) with one value per logged epoch; the first is ``epoch``.

        ``layers.0.update_ratio`` is the norm of the last update of layer 0 / the norm of its weights. Values that do
        not exist are NaN, such as the gradient of the untrained network. A run of nncli before 0.9 has ``epoch`` alone.
        """
        with self._reading() as files:
            health, columns = files.health, {"epoch": files.health.epochs}
            for index, layer in health.layers().items():
                columns |= {f"layers.{index}.{name}": values for name, values in layer.items()}
            return columns

    @property
    def evaluation(self) -> Evaluation | None:
        """The metrics of the weights that were kept, by split; None unless the run is finished."""
        with self._reading() as files:
            evaluation = files.evaluation
            return None if evaluation is None else Evaluation(evaluation.splits, files.warnings)

    @property
    def feature_names_in_(self) -> Array:
        """The names of the columns of rows, in the order in which an array has them.

        Those of a table are its input columns, without those that were the same in all training rows.
        """
        with self._reading() as files:
            return np.array(files.predictor.feature_names, object)

    @property
    def classes_(self) -> Array:
        """The names of the classes (C,), in the order of the probabilities; a regression does not have this attribute.

        Raises:
            AttributeError: the run is a regression.
        """
        with self._reading() as files:
            if files.predictor.class_names is None:
                raise AttributeError(f"{self.path}: a regression has no classes_")
            return np.array(files.predictor.class_names)

    def predict(self, inputs: Any) -> Array:
        """The predictions of the network for rows; an unfinished run predicts with its newest checkpoint.

        Of a run on a file they are what the target column has: names of classes (N,), or values (N,) in the unit of the
        target, (N, M) with several targets. Of a run on sampled data, such as spiral, they are the outputs (N, M) of
        the network: probabilities, or values of a regression. A warning names the categories that no training row has.

        Args:
            inputs: for a run on a table a list of dictionaries, a mapping of columns, a frame of any library, or an
                array (N, D) of the columns ``feature_names_in_``. The values are those that the file would have: texts,
                numbers, booleans or dates; None, NaN and NaT are missing. Otherwise numbers (N, D).

        Raises:
            ConfigError: columns are missing, or values are not those of their columns, with row, column and value.
            DivergedError: the weights or the outputs are not finite.
            RunError: the weights are missing or damaged.
        """
        with self._computing() as files:
            return files.predictor.predict(inputs)

    def predict_proba(self, inputs: Any) -> Array:
        """The probabilities (N, C) of the classes ``classes_`` for rows, as for ``predict``.

        Raises:
            BusyError, ConfigError, DivergedError, RunError: as for ``predict``.
            CommandLineError: the run is a regression.
        """
        with self._computing() as files:
            return files.predictor.predict_proba(inputs)

    def score(self, inputs: Any, targets: Any) -> float:
        """The accuracy of a classifier, or R² of a regression.

        Args:
            inputs: the rows, as for ``predict``.
            targets: the class of each row (N,), or its values (N,) or (N, M) in the unit of the targets.

        Raises:
            BusyError, DivergedError, RunError: as for ``predict``.
            ConfigError: as for ``predict``, and also if a target is not a class of the training data or not a number.
        """
        with self._computing() as files:
            return files.predictor.score(inputs, targets)

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
                files = self._files = _Files(files.path, self._epoch)
            yield files

    @contextmanager
    def _computing(self) -> Iterator[_Files]:
        """The files as they are now, while matrix products are computed on the number of threads in the config."""
        with self._reading() as files, compute_threads(files.record.spec.training.threads):
            yield files


@contextmanager
def run_errors(path: Path) -> Iterator[None]:
    """Set ``path`` of each RunError to the run directory, unless it has one."""
    try:
        yield
    except RunError as error:
        error.path = error.path or path
        raise
