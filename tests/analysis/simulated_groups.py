"""Simulated groups of scores: how often a verdict is wrong when nothing differs, and the coverage of the intervals."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np

from nncli.analysis.group_comparison import MIN_SIGN_FLIPS, GroupComparison
from nncli.analysis.group_verdict import Outcome, decide
from nncli.analysis.paired_tests import (
    Spread,
    fraction_won,
    paired_estimate,
    probability_better,
    sign_flip,
    unpaired_estimate,
)

SIZES = (2, 3, 4, 5, 6, 8, 10, 15, 20, 30)


def _collapsing(generator, shape):
    """Three in ten runs collapse to chance."""
    collapsed = generator.random(shape) < 0.3
    return np.where(collapsed, 0.33, 0.9) + generator.normal(0, 0.02, shape)


SCORES = {
    "normal": lambda generator, shape: generator.normal(0.9, 0.02, shape),
    "skewed": lambda generator, shape: 1 - generator.exponential(0.03, shape),
    "collapsing": _collapsing,
    "rounded": lambda generator, shape: np.round(generator.normal(0.9, 0.005, shape), 2),
}


def drawn(generator, name, groups, runs, is_paired):
    """The scores of groups without any difference (G, N); runs with the same seed are correlated if paired."""
    scores = SCORES[name](generator, (groups, runs))
    return scores + generator.normal(0, 0.02, runs) if is_paired and name != "rounded" else scores


def comparison(first, second, is_paired):
    """The comparison of two groups of scores (N,)."""
    groups = [SimpleNamespace(label=name, metric="accuracy", finished=range(len(first))) for name in "ab"]
    if is_paired:
        found = {
            "over_runs": paired_estimate(first - second),
            "pairs": len(first),
            "fraction_won": fraction_won(first - second),
            "sign_flip": sign_flip(first - second) if len(first) >= MIN_SIGN_FLIPS else None,
            "spread": Spread(float(np.std(first - second, ddof=1)), 1),
        }
    else:
        deviation = float(np.sqrt(np.var(first, ddof=1) + np.var(second, ddof=1)))
        found = {"over_runs": unpaired_estimate(first, second), "spread": Spread(deviation, 2)}
    difference = float(np.mean(first) - np.mean(second))
    return GroupComparison(*groups, difference=difference, probability=probability_better(first, second), **found)


def false_verdicts(name, groups, runs, is_paired, repetitions, seed=0):
    """The fraction of repetitions in which any of the groups is better than another one."""
    generator, pairs = np.random.default_rng(seed), list(combinations(range(groups), 2))
    wrong = 0
    for _ in range(repetitions):
        scores = drawn(generator, name, groups, runs, is_paired)
        found = [comparison(scores[a], scores[b], is_paired) for a, b in pairs]
        wrong += any(each.outcome in {Outcome.BETTER, Outcome.WORSE} for each in decide(found, 0.0, len(pairs)))
    return wrong / repetitions


def coverage(name, runs, is_paired, repetitions, seed=0):
    """The fraction of repetitions in which the 95% interval contains 0, the true difference."""
    generator = np.random.default_rng(seed)
    contained = 0
    for _ in range(repetitions):
        first, second = drawn(generator, name, 2, runs, is_paired)
        low, high = comparison(first, second, is_paired).over_runs.interval
        contained += low <= 0 <= high
    return contained / repetitions


def split_estimates(splits, is_random, ratio, repetitions, seed=0):
    """Estimates of the difference of two equally good regressions on splits of the same 100 rows.

    The first one sees one half of the features, the second one the other half, so the true difference is 0.

    Args:
        splits: the number of folds, or of random splits with 20 validation rows.
        is_random: whether the splits are random.
        ratio: validation rows / training rows for the correction; 0 for none.
        repetitions: the number of data sets.
        seed: of the random numbers.
    """
    generator, rows, features = np.random.default_rng(seed), 100, 5
    for _ in range(repetitions):
        halves = generator.normal(size=(2, rows, features))
        targets = halves.sum(axis=(0, 2)) + generator.normal(size=rows)
        errors = np.empty((2, splits))
        for split in range(splits):
            held_out = generator.permutation(rows) < rows // 5 if is_random else np.arange(rows) % splits == split
            for half, inputs in enumerate(halves):
                weights = np.linalg.lstsq(inputs[~held_out], targets[~held_out], rcond=None)[0]
                errors[half, split] = np.mean(np.abs(inputs[held_out] @ weights - targets[held_out]))
        yield paired_estimate(errors[0] - errors[1], ratio)


def split_coverage(splits, is_random, ratio, repetitions):
    """The fraction of data sets whose interval contains the true difference."""
    found = split_estimates(splits, is_random, ratio, repetitions)
    return float(np.mean([abs(each.difference) <= each.margin for each in found]))
