"""How many bytes each file of a run can have, so that a larger one is never read."""

from math import prod

import numpy as np

from nncli.config.document import MAX_CHARACTERS
from nncli.config.model import Config
from nncli.store.checkpoint import LONGEST_HEAD
from nncli.store.records import ArrayRecord

# Of run.json: a thousand layers take a 16th of it; overrides may be as long as a command line, with escapes.
RECORD = 2**24
SPEC = 4 * MAX_CHARACTERS
MEMBER = 1024  # an array's part of an NPZ file besides its values and its name, which stands there twice
MORE_VECTORS = 3  # the values, the best ones, and one to spare


def checkpoint_bytes(config: Config, parameters: list[ArrayRecord]) -> int:
    """Of a checkpoint."""
    vectors = len(config.optimizer.component.target.state_names) + MORE_VECTORS
    return 2 * LONGEST_HEAD + vectors * parameter_bytes(config, parameters)


def weights_bytes(config: Config, parameters: list[ArrayRecord]) -> int:
    """Of weights.npz."""
    around = sum(MEMBER + 8 * len(array.name) for array in parameters)
    return around + parameter_bytes(config, parameters)


def parameter_bytes(config: Config, parameters: list[ArrayRecord]) -> int:
    """Of all arrays, as they are in memory."""
    return np.dtype(config.dtype).itemsize * sum(prod(array.shape) for array in parameters)
