"""The network of a run as a function from raw rows to outputs, without its data."""

from typing import Any

import numpy as np

from nncli.errors import ConfigError, DivergedError
from nncli.experiment.assembly import build_network
from nncli.experiment.numerics import allow_non_finite
from nncli.nn.parameters import Array
from nncli.runner.reload import require_loadable
from nncli.store.run_reader import Run


class Predictor:
    """The network of a run, with its final weights, or those of the newest checkpoint if the run is not finished.

    ``epoch`` is the epoch of these weights, ``columns`` the number of input columns.

    Args:
        run: the run; its data is not needed.

    Raises:
        DivergedError: the weights are not finite.
        RunError: the weights are missing or damaged, or do not fit into memory.
    """

    def __init__(self, run: Run) -> None:
        require_loadable(run, run.config)
        self.columns = run.record.data["training"].columns
        self._network = build_network(run.config, self.columns)
        parameters = self._network.parameters
        self.epoch = run.load_weights(parameters)
        if not np.isfinite(parameters.values).all():
            raise DivergedError(f"{run.path}: the weights of epoch {self.epoch} are not finite", epoch=self.epoch)

    @allow_non_finite
    def predict(self, inputs: Any) -> Array:
        """The outputs (N, M) of rows (N, D): probabilities of the classes, or values of a regression.

        Raises:
            ConfigError: the rows are not numbers, not finite, or have another number of columns.
        """
        return self._network.predict(self._validated(inputs))

    def _validated(self, inputs: Any) -> Array:
        rows = _numbers(inputs)
        if rows.ndim != 2 or rows.shape[1] != self.columns:
            hint = "; write [row] for a single row" if rows.shape == (self.columns,) else ""
            raise ConfigError(f"inputs must have the shape (rows, {self.columns}), got {rows.shape}{hint}")
        is_bad = ~np.isfinite(rows.astype(self._network.dtype))
        if is_bad.any():
            row, column = np.argwhere(is_bad)[0].tolist()
            value = rows[row, column]
            reason = f"too large for {self._network.dtype}" if np.isfinite(value) else "not finite"
            raise ConfigError(f"inputs[{row}, {column}] is {value:g}, which is {reason}")
        return rows


def _numbers(inputs: Any) -> Array:
    """The inputs as an array of real numbers.

    Raises:
        ConfigError: they are something else.
    """
    try:
        rows = np.asarray(inputs)
    except ValueError as error:
        raise ConfigError(f"inputs must be an array of rows of equal length: {error}") from None
    if rows.dtype.kind not in "biuf":
        raise ConfigError(f"inputs must be real numbers, got an array of dtype {rows.dtype}")
    return rows
