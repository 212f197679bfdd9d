"""The network of a run as a function from raw rows to outputs, without its data."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nncli.errors import ConfigError, DivergedError
from nncli.experiment.assembly import build_metrics, build_network
from nncli.experiment.numerics import allow_non_finite
from nncli.nn.metrics.classification import decision_threshold
from nncli.nn.parameters import Array
from nncli.runner.reload import require_loadable
from nncli.store.preprocessing import read_preprocessing
from nncli.store.run_reader import Run
from nncli.threads import ProcessLock

if TYPE_CHECKING:
    from nncli.data.table import Table


class Predictor:
    """The network of a run, with its final weights, or those of the newest checkpoint if the run is not finished.

    ``epoch`` is the epoch of these weights, ``columns`` the number of input columns, ``network`` the network itself,
    ``threshold`` the decision threshold for class 1 of a single output.

    Args:
        run: the run; its data is not needed.
        epoch: that of other weights, one of ``run.snapshots``.

    Raises:
        CommandLineError: the run has no weights of this epoch.
        DivergedError: the weights are not finite.
        RunError: the weights are missing or damaged, or do not fit into memory.
    """

    def __init__(self, run: Run, epoch: int | None = None) -> None:
        require_loadable(run, run.config)
        self.columns = run.record.data["training"].columns
        self._path, self._lock = run.path, ProcessLock()
        schema = run.plan.schema
        self.preprocessing, self.class_names, self.targets = read_preprocessing(run), schema.class_names, schema.targets
        self.threshold = decision_threshold(build_metrics(run.config).values())
        self.network = build_network(run.config, self.columns, run.config.training.threads)
        parameters = self.network.parameters
        self.epoch = run.load_weights(parameters, epoch)
        if not np.isfinite(parameters.values).all():
            raise DivergedError(f"{run.path}: the weights of epoch {self.epoch} are not finite", epoch=self.epoch)

    @allow_non_finite
    def predict(self, inputs: Any) -> Array:
        """The outputs (N, M) of rows (N, D): probabilities of the classes, or values of a regression.

        Several threads may predict at the same time; they take turns, as they share the arrays of the layers.

        Raises:
            ConfigError: the rows are not numbers, not finite, or have another number of columns.
            DivergedError: an output is not finite, since a value on the way to it is too large for the dtype.
        """
        rows = self._validated(inputs)
        with self._lock.of_process():
            outputs = self.network.predict(rows)
        self._require_finite(outputs)
        return outputs

    def predict_rows(self, rows: "Table | Array") -> Array:
        """The outputs (N, M) of the network for rows of a table or of an array, as the data has them.

        Those of a regression are scaled as its targets were.

        Raises:
            DivergedError: as for ``predict``.
            TableError: a row has a value that cannot be encoded.
        """
        assert self.preprocessing is not None
        return self.predict(self.preprocessing.inputs(rows, self.network.dtype.name))

    def in_target_units(self, outputs: Array) -> Array:
        """Outputs (N, M) of a regression in the unit of the targets; probabilities as they are."""
        scaling = self.preprocessing.scaling if self.preprocessing else None
        return scaling.restore(outputs) if scaling else outputs

    def _require_finite(self, outputs: Array) -> None:
        """Check that all outputs are finite.

        Raises:
            DivergedError: one is not; it names the first.
        """
        is_bad = ~np.isfinite(outputs)
        if is_bad.any():
            row, column = np.argwhere(is_bad)[0].tolist()
            reason = f"a value of the network is too large for {outputs.dtype}; are the inputs scaled as in training?"
            message = f"{self._path}: the outputs of inputs[{row}] are not finite: {reason}"
            raise DivergedError(message, epoch=self.epoch, array="outputs", index=(row, column))

    def _validated(self, inputs: Any) -> Array:
        rows = numbers(inputs)
        if rows.ndim != 2 or rows.shape[1] != self.columns:
            hint = "; write [row] for a single row" if rows.shape == (self.columns,) else ""
            raise ConfigError(f"inputs must have the shape (rows, {self.columns}), got {rows.shape}{hint}")
        is_bad = ~np.isfinite(rows.astype(self.network.dtype))
        if is_bad.any():
            row, column = np.argwhere(is_bad)[0].tolist()
            value = rows[row, column]
            reason = f"too large for {self.network.dtype}" if np.isfinite(value) else "not finite"
            raise ConfigError(f"inputs[{row}, {column}] is {value:g}, which is {reason}")
        return rows


def numbers(inputs: Any) -> Array:
    """The inputs as an array of real numbers.

    Raises:
        ConfigError: they are something else.
    """
    if np.ma.isMaskedArray(inputs):
        raise ConfigError("inputs must be real numbers, got a masked array; write .filled(value) for missing values")
    try:
        rows = np.asarray(inputs)
    except ValueError as error:
        raise ConfigError(f"inputs must be an array of rows of equal length: {error}") from None
    if rows.dtype.kind not in "biuf":
        hint = "; convert with .astype(float)" if rows.dtype.kind == "O" else ""
        raise ConfigError(f"inputs must be real numbers, got an array of dtype {rows.dtype}{hint}")
    return rows
