"""The plain program of each rival: it trains the book's network and prints how it goes, as the book's does."""

import sys

import numpy as np

from tests.benchmarks.works import spiral

EVERY = 100


def epochs():
    """The command's only argument."""
    return int(sys.argv[1])


def accuracy(outputs, work):
    """The share of rows whose class is given the most."""
    return np.mean(np.argmax(outputs, axis=1) == work.targets)


def train_in_pieces(prepare):
    """Loss and accuracy at each hundredth epoch, as training comes to it."""
    work = spiral()
    run, outputs = prepare(work, 1)
    for epoch in range(0, epochs(), EVERY):
        correct = accuracy(outputs(), work)
        losses = run(min(EVERY, epochs() - epoch))
        print(f"epoch: {epoch}, acc: {correct:.3f}, loss: {losses[0]:.3f}")


def train_at_once(prepare):
    """The same from the losses that are there in the end; the accuracy is that of the last weights."""
    work = spiral()
    run, outputs = prepare(work, 1)
    losses = run(epochs())
    for epoch in range(0, epochs(), EVERY):
        print(f"epoch: {epoch}, loss: {losses[epoch]:.3f}")
    print(f"acc: {accuracy(outputs(), work):.3f}")
