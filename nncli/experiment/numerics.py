"""Floating-point settings shared by training and evaluation."""

import numpy as np

RELATIVE_ROUNDING = 1e-4  # relative difference that other rounding in float32 can cause with equal weights
# Suppresses NumPy's warnings: NaN and infinity are legal intermediate results, which training detects and locates.
allow_non_finite = np.errstate(over="ignore", invalid="ignore", divide="ignore")
