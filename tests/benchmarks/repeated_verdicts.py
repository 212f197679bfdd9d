"""How often the verdict on the optimizers of the spiral is the same with other seeds.

Each set is a group of five optimizers and ten seeds that no other set has; every two optimizers are compared in it. A
contradiction is a pair of optimizers of which one is better in one set, and the other one in another set.

Usage: python -m tests.benchmarks.repeated_verdicts DIRECTORY [--sets 20] [--seeds 10] [--epochs 1000] [--jobs 2]
"""

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path

from nncli.analysis.comparison_sides import read_groups, sides_by
from nncli.analysis.group_comparison import compare_groups
from nncli.analysis.group_results import GroupResult, chosen_metric
from nncli.analysis.group_rows import row_means
from nncli.analysis.group_verdict import Outcome, decide
from nncli.config.yaml_output import to_yaml_value
from nncli.experiment.loading import load
from nncli.runner.train import train
from nncli.store.group_files import AxisRecord, GroupRecord, create_group, trial_name
from tests.benchmarks.machine import ROOT
from tests.benchmarks.tables import markdown

OPTIMIZERS = [  # those of chapter 10 of the book
    {"type": "sgd", "learning_rate": 1.0, "decay": 1e-3},
    {"type": "sgd", "learning_rate": 1.0, "decay": 1e-3, "momentum": 0.9},
    {"type": "adagrad", "learning_rate": 1.0, "decay": 1e-4},
    {"type": "rmsprop", "learning_rate": 0.02, "decay": 1e-5, "rho": 0.999},
    {"type": "adam", "learning_rate": 0.05, "decay": 5e-7},
]
NAMES = ["sgd", "momentum", "adagrad", "rmsprop", "adam"]
BASE = ("rng=derived", "data.seed=0", "layers[0].initializer.scale=0.1", "layers[2].initializer.scale=0.1")
CONFIG = ROOT / "configs" / "adam.yaml"


def train_trial(group, point, seed, number, epochs):
    """Train one trial, unless its run is there."""
    if not (group / trial_name(number)).exists():
        optimizer = f"optimizer={to_yaml_value(OPTIMIZERS[point])}"
        loaded = load(CONFIG, (*BASE, f"training.epochs={epochs}", f"seed={seed}", optimizer))
        train(loaded, "trial", runs=group, name=trial_name(number))


def make_groups(directory, settings):
    """The groups, with all trials trained."""
    axis = AxisRecord(key="optimizer", values=OPTIMIZERS)
    groups = [directory / f"set{index:02}" for index in range(settings.sets)]
    jobs = []
    for index, group in enumerate(groups):
        seeds = list(range(index * settings.seeds, (index + 1) * settings.seeds))
        if not group.exists():
            record = GroupRecord(config=CONFIG.read_text(), config_path=str(CONFIG), axes=[axis], seeds=seeds)
            create_group(directory, group.name, record, is_numbered=False)
        jobs += [
            (group, point, seed, point * len(seeds) + offset, settings.epochs)
            for point in range(len(OPTIMIZERS))
            for offset, seed in enumerate(seeds)
        ]
    with ProcessPoolExecutor(settings.jobs, get_context("spawn")) as pool:
        for done in [pool.submit(train_trial, *job) for job in jobs]:
            done.result()
    return groups


def outcomes(group):
    """The outcome for each pair of optimizers, by the indices of both."""
    sides = sides_by(read_groups([group]), ["optimizer"])
    metric = chosen_metric([entry for side in sides for entry in side.entries], None)
    groups = [GroupResult(name, metric, side.entries) for name, side in zip(NAMES, sides, strict=True)]
    means = [row_means(each, len(groups)) for each in groups]
    pairs = list(combinations(range(len(groups)), 2))
    comparisons = [compare_groups(groups[a], groups[b], (means[a], means[b])) for a, b in pairs]
    verdicts = decide(comparisons, 0.0, len(pairs))
    return {pair: verdict.outcome for pair, verdict in zip(pairs, verdicts, strict=True)}


def table(found):
    """One row per pair: how many sets call the first one better, the second one, or none."""
    rows, contradictions = [], 0
    for pair in found[0]:
        counts = Counter(each[pair] for each in found)
        better, worse = counts[Outcome.BETTER], counts[Outcome.WORSE]
        contradictions += min(better, worse)
        names = " and ".join(NAMES[index] for index in pair)
        rows.append([names, str(better), str(worse), str(len(found) - better - worse)])
    return markdown(["pair", "first is better", "second is better", "no verdict"], rows), contradictions


def main():
    """Train, compare and print."""
    parser = argparse.ArgumentParser(description=sys.modules[__name__].__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    for name, default in (("sets", 20), ("seeds", 10), ("epochs", 1000), ("jobs", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    settings = parser.parse_args()
    settings.directory.mkdir(parents=True, exist_ok=True)
    found = [outcomes(group) for group in make_groups(settings.directory, settings)]
    text, contradictions = table(found)
    print(f"{text}\ncontradictions: {contradictions} of {len(found) * len(found[0])} verdicts")


if __name__ == "__main__":
    main()
