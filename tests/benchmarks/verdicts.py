"""How often verdicts on groups are wrong when nothing differs, and the coverage of their intervals, by simulation.

Usage: python -m tests.benchmarks.verdicts [--repetitions 2000]
"""

import argparse

from tests.analysis.simulated_groups import SCORES, SIZES, coverage, false_verdicts, split_coverage
from tests.benchmarks.tables import markdown

SPLITS = ((5, False), (10, False), (10, True), (30, True))


def table(measure, sizes=SIZES):
    """One row per distribution, paired and not, with a percentage for each number of runs."""
    rows = [
        [
            f"{name}, {'paired' if is_paired else 'not paired'}",
            *(f"{100 * measure(name, n, is_paired):.1f}" for n in sizes),
        ]
        for name in SCORES
        for is_paired in (True, False)
    ]
    return markdown(["scores", *map(str, sizes)], rows)


def main():
    """Simulate and print."""
    parser = argparse.ArgumentParser(description="verdicts on groups by simulation")
    parser.add_argument("--repetitions", type=int, default=2000)
    times = parser.parse_args().repetitions
    for groups in (2, 5):
        print(f'\nfalse "better" of {groups} groups, % of {times} repetitions, by number of runs\n')
        print(table(lambda name, runs, is_paired, groups=groups: false_verdicts(name, groups, runs, is_paired, times)))
    print("\ncoverage of the 95% interval, %\n")
    print(table(lambda name, runs, is_paired: coverage(name, runs, is_paired, times)))
    print("\ncoverage of splits of the same rows, %\n")
    print(markdown(["splits", "Nadeau-Bengio", "Student"], [_of_splits(*each, times) for each in SPLITS]))


def _of_splits(splits, is_random, times):
    """The coverage with and without correction."""
    ratio = 1 / 4 if is_random else 1 / (splits - 1)
    name = f"{splits} random splits of 80 : 20" if is_random else f"{splits} folds"
    return [name, *(f"{100 * split_coverage(splits, is_random, each, times):.1f}" for each in (ratio, 0.0))]


if __name__ == "__main__":
    main()
