"""How many bytes each file of a run can have, so that a larger one is never read."""

from math import prod
from typing import Any

import numpy as np

from nncli.run.checkpoint import LONGEST_HEAD
from nncli.run.evaluation import columns
from nncli.run.records import ArrayRecord
from nncli.spec.document import MAX_CHARACTERS
from nncli.spec.sections import Spec

# Of run.json: a thousand layers take a 16th of it; overrides may be as long as a command line, with escapes.
RECORD = 2**24
SPEC = 4 * MAX_CHARACTERS
NUMBER = 30  # characters of a value with its comma; the longest float64 has 24
MEMBER = 1024  # an array's part of an NPZ file besides its values and its name, which stands there twice
MORE_ROWS = 10_000  # that of epoch 0, that of a divergence, and one for each time that the number of epochs is raised
MORE_VECTORS = 3  # the values, the best ones, and one to spare


def metrics_bytes(spec: Any) -> int:
    """Of metrics.csv; ``spec`` is resolved, or the sections of one."""
    names = ("epoch", *columns(spec))
    rows: int = spec.training.epochs // spec.training.log_interval + MORE_ROWS
    return len(",".join(names)) + 1 + rows * len(names) * NUMBER


def checkpoint_bytes(spec: Spec, parameters: list[ArrayRecord]) -> int:
    """Of a checkpoint."""
    vectors = len(spec.optimizer.component.target.remembers) + MORE_VECTORS
    return 2 * LONGEST_HEAD + vectors * parameter_bytes(spec, parameters)


def weights_bytes(spec: Spec, parameters: list[ArrayRecord]) -> int:
    """Of weights.npz."""
    around = sum(MEMBER + 8 * len(array.name) for array in parameters)
    return around + parameter_bytes(spec, parameters)


def parameter_bytes(spec: Spec, parameters: list[ArrayRecord]) -> int:
    """Of all arrays, as they are in memory."""
    return np.dtype(spec.dtype).itemsize * sum(prod(array.shape) for array in parameters)
