"""The largest size of each file of a run; larger files are untrusted input and are never read."""

from math import prod

import numpy as np

from nncli.config.document import MAX_CHARACTERS
from nncli.config.model import Config
from nncli.experiment.metric_columns import SPARE_ROWS, VALUE_LENGTH
from nncli.store.checkpoint import LONGEST_HEAD
from nncli.store.records import ArrayRecord

RECORD = 2**24  # bytes of run.json and evaluation.json; a config of a thousand layers takes a 16th of it
CONFIG = 4 * MAX_CHARACTERS  # bytes of a config; a character has at most 4 bytes in UTF-8
MEMBER = 1024  # bytes of an array in an NPZ file besides its values and its name, which occurs twice
EPOCH = 8  # bytes of the epoch of a snapshot
LAYER_COLUMNS = 3  # of health.csv, at most
LONGEST_COLUMN = 40  # characters of its name
EXTRA_VECTORS = 3  # the values, the best values of early stopping, and a spare one


def checkpoint_bytes(config: Config, parameters: list[ArrayRecord]) -> int:
    """The largest size of a checkpoint."""
    vectors = len(config.optimizer.component.target.state_names) + EXTRA_VECTORS
    return 2 * LONGEST_HEAD + vectors * parameter_bytes(config, parameters)


def weights_bytes(config: Config, parameters: list[ArrayRecord]) -> int:
    """The largest size of weights.npz."""
    overhead = sum(MEMBER + 8 * len(array.name) for array in parameters)
    return overhead + parameter_bytes(config, parameters)


def snapshots_bytes(config: Config, parameters: list[ArrayRecord]) -> int:
    """The largest size of snapshots.npz: the arrays of each snapshot, and its epoch."""
    limit = config.training.snapshots or 0
    overhead = weights_bytes(config, parameters) - parameter_bytes(config, parameters)
    return overhead + MEMBER + limit * (parameter_bytes(config, parameters) + EPOCH)


def health_bytes(config: Config) -> int:
    """The largest size of health.csv."""
    columns = 1 + len(config.layers) * LAYER_COLUMNS
    rows = config.training.epochs // config.training.log_interval + SPARE_ROWS
    return columns * (LONGEST_COLUMN + rows * VALUE_LENGTH)


def parameter_bytes(config: Config, parameters: list[ArrayRecord]) -> int:
    """The size of all saved arrays in memory."""
    return np.dtype(config.dtype).itemsize * sum(prod(array.shape) for array in parameters)
