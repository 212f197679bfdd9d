"""Where the book's programs end: every config in configs/book at full length, as a table of training and test figures.

A config without a set to be held against gets the test draw of chapter 11, after training. On the spiral the last line
is one of many that the same program may end with; see ``bands.py`` for how far they spread.

Usage: python -m tests.benchmarks.chapters [NAME ...]
"""

import argparse
import time

from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.train.loop import Trainer
from tests.conftest import ROOT

BOOK = ROOT / "configs" / "book"
TEST = "test={type: spiral, samples: 100, classes: 3}"


def final_figures(config):
    """Loss and headline metric of the last weights on the training set and on the held-out one, and the seconds."""
    spec = load(config).config
    if spec.test is None and spec.validation is None:
        spec = load(config, (TEST,)).config
    experiment, started = assemble(spec), time.monotonic()
    training = Trainer(experiment)
    for _ in training.epochs():
        pass
    experiment.sample_test_set()
    metric = spec.metrics[0].type
    held_out = "validation" if spec.validation else "test"
    figures = [training.measured(split)[name] for split in ("training", held_out) for name in ("loss", metric)]
    return metric, held_out, figures, time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="configs by their stems; all where none is given")
    names = parser.parse_args().names
    print("| config | metric | training loss | training metric | held out | loss | metric | seconds |", flush=True)
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for config in sorted(BOOK.glob("*.yaml")):
        if names and config.stem not in names:
            continue
        metric, held_out, figures, seconds = final_figures(config)
        loss, value, test_loss, test_value = (f"{figure:.4g}" for figure in figures)
        cells = (f"`{config.name}`", metric, loss, value, held_out, test_loss, test_value, f"{seconds:.0f}")
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
