"""Numerical gradients by central differences."""

import numpy as np

STEP = 1e-6


def central_differences(function, array, step=STEP):
    """d function() / d array, entry by entry; the array is changed in place and restored."""
    gradient = np.zeros(array.shape)
    for index in np.ndindex(array.shape):
        before = array[index]
        array[index] = before + step
        above = function()
        array[index] = before - step
        below = function()
        array[index] = before
        gradient[index] = (above - below) / (2 * step)
    return gradient


def relative_error(found, expected):
    """The largest difference, relative to the largest entry of either."""
    scale = max(np.abs(found).max(), np.abs(expected).max())
    return np.abs(found - expected).max() / scale if scale else 0.0
