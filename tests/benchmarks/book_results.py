"""Final results of every config in configs/book at full length: a table of training and test metrics.

A config without a validation or test set gets the test set of chapter 11, sampled after training. On the spiral the
result is one of many that the same program may give; ``book_optimizers.py`` measures their range.

Usage: python -m tests.benchmarks.book_results [NAME ...]
"""

import argparse
import time

from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.training.loop import Trainer
from tests.conftest import ROOT

BOOK = ROOT / "configs" / "book"
TEST = "test={type: spiral, samples: 100, classes: 3}"


def final_results(path):
    """Loss and first metric of the final weights on the training set and on the held-out set, and the seconds."""
    config = load(path).config
    if config.test is None and config.validation is None:
        config = load(path, (TEST,)).config
    experiment, started = assemble(config), time.monotonic()
    training = Trainer(experiment)
    for _ in training.epochs():
        pass
    experiment.sample_test_set()
    metric = config.metrics[0].type
    held_out = "validation" if config.validation else "test"
    values = [training.measured(split)[name] for split in ("training", held_out) for name in ("loss", metric)]
    return metric, held_out, values, time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="stems of configs; default: all")
    names = parser.parse_args().names
    print("| config | metric | training loss | training metric | held out | loss | metric | seconds |", flush=True)
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for path in sorted(BOOK.glob("*.yaml")):
        if names and path.stem not in names:
            continue
        metric, held_out, values, seconds = final_results(path)
        loss, value, test_loss, test_value = (f"{each:.4g}" for each in values)
        cells = (f"`{path.name}`", metric, loss, value, held_out, test_loss, test_value, f"{seconds:.0f}")
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
