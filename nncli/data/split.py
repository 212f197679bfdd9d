"""Rows taken out of a data set, the same share of each class."""

import numpy as np

from nncli.data.dataset import Dataset, Random


def part_size(rows: int, fraction: float) -> int:
    """How many of a class's rows a fraction takes: rounded, at least one."""
    return max(1, round(rows * fraction))


def split(dataset: Dataset, fractions: dict[str, float], rng: Random) -> dict[str, Dataset]:
    """The named parts, and the rest under ``training``; no row is in two, and each keeps the order of the rows.

    Args:
        dataset: (N, D) with class numbers.
        fractions: the share of each part; the shares of all parts together are less than 1.
        rng: decides which rows go where.

    Raises:
        ValueError: a class has too few rows to be in every part.
    """
    owner = np.zeros(len(dataset), np.int64)  # 0: training
    for label in range(dataset.classes):
        members = rng.permutation(np.flatnonzero(dataset.targets == label))
        start = 0
        for number, fraction in enumerate(fractions.values(), 1):
            stop = start + part_size(len(members), fraction)
            owner[members[start:stop]] = number
            start = stop
        if start >= len(members):
            shares = " and ".join(f"{name} {fraction:g}" for name, fraction in fractions.items())
            taken = f"the fractions ({shares}) take {start} of the {len(members)} rows of class {label}"
            raise ValueError(f"{taken}, and leave none to train on; write smaller ones or draw more rows")
    return {name: dataset.rows(np.flatnonzero(owner == number)) for number, name in enumerate(("training", *fractions))}
