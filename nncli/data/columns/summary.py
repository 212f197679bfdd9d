"""Summaries of the values of a column, for display."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nncli.data.transforms.moments import Array, mean

BINS = 10
MOST_FREQUENT = 10


@dataclass(frozen=True)
class Summary:
    """A summary of the values of a column.

    Args:
        rows: N.
        missing: the number of rows without a value.
        distinct: the number of different values.
        smallest: the smallest value, or for categories the first one in alphabetical order; None without values.
        mean: the mean; None for categories.
        largest: the largest value, or the last category.
        histogram: the number of values in each of ten equal intervals from the smallest to the largest; empty for
            categories and without values.
        most_frequent: up to ten categories with their numbers of rows, the most frequent first.
    """

    rows: int
    missing: int
    distinct: int
    smallest: float | str | None = None
    mean: float | None = None
    largest: float | str | None = None
    histogram: tuple[int, ...] = ()
    most_frequent: tuple[tuple[str, int], ...] = ()


def summary_of_numbers(values: Array) -> Summary:
    """The summary of numbers, dates in seconds, or true and false as 1 and 0; NaN where missing."""
    known = values[~np.isnan(values)]
    missing = len(values) - len(known)
    if not len(known):
        return Summary(len(values), missing, 0)
    known.sort()
    distinct = 1 + int(np.count_nonzero(known[1:] != known[:-1]))
    smallest, largest = float(known[0]), float(known[-1])
    return Summary(len(values), missing, distinct, smallest, mean(known), largest, histogram(known))


def histogram(known: Array) -> tuple[int, ...]:
    """The number of sorted values in each of ten equal intervals, [a, b) but for the last one, [a, b].

    Values are halved, as the difference of the largest and the smallest may overflow.
    """
    low, high = float(known[0]) / 2, float(known[-1]) / 2
    borders = low + (high - low) * (np.arange(1, BINS) / BINS)
    ends = np.searchsorted(known, np.minimum(borders, high) * 2, side="left")
    return tuple(np.diff(ends, prepend=0, append=len(known)).tolist())


def summary_of_categories(codes: Array, texts: Sequence[str]) -> Summary:
    """The summary of categories: codes (N,) in a list of texts, −1 where missing."""
    missing, *counts = np.bincount(codes + 1, minlength=len(texts) + 1).tolist()
    found = {text: count for text, count in zip(texts, counts, strict=True) if count}
    frequent = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:MOST_FREQUENT]
    return Summary(
        len(codes),
        missing,
        len(found),
        min(found, default=None),
        largest=max(found, default=None),
        most_frequent=tuple(frequent),
    )
