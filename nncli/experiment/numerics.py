"""Numerical settings."""

import numpy as np

RELATIVE_ROUNDING = 1e-4  # what single precision may make of other roundings where the weights are the same
quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what is not finite is found and named
