"""Palettes that are safe for color blindness: a color for each class or run, and a color map for values."""

import numpy as np

from nncli.nn.parameters import Array

# Okabe and Ito 2008, https://jfly.uni-koeln.de/color/, without black.
CLASS_COLORS = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#f0e442", "#0072b2")
# Viridis of matplotlib (CC0) at 17 values from 0 to 1.
VIRIDIS = """
440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c
1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725
"""


def rgb(color: str) -> Array:
    """Red, green and blue (3,) from 0 to 255 of a color such as ``#56b4e9``."""
    return np.array([int(color.lstrip("#")[start : start + 2], 16) for start in (0, 2, 4)], np.float64)


def class_colors(classes: int) -> Array:
    """The colors (C, 3) of classes, which repeat after the seventh: only a second channel tells them apart."""
    return np.array([rgb(CLASS_COLORS[label % len(CLASS_COLORS)]) for label in range(classes)])


def viridis(fractions: Array) -> Array:
    """The colors (..., 3) of values (...) from 0 to 1 on the scale viridis."""
    anchors = np.array([rgb(each) for each in VIRIDIS.split()])
    positions = np.linspace(0, 1, len(anchors))
    return np.stack([np.interp(fractions, positions, anchors[:, channel]) for channel in range(3)], axis=-1)


def strength(probabilities: Array) -> Array:
    """How certain the most probable class is (...), from 0 for equal probabilities (..., C) to 1."""
    classes = probabilities.shape[-1]
    certain: Array = (probabilities.max(axis=-1) * classes - 1) / max(1, classes - 1)
    return np.clip(certain, 0, 1)
