"""The program of each baseline: it trains the book's network and prints its progress, as the book's program does."""

import sys

import numpy as np

from tests.benchmarks.workloads import spiral

EVERY = 100


def epochs():
    """The command's only argument."""
    return int(sys.argv[1])


def accuracy(outputs, workload):
    """The fraction of rows whose class has the largest output."""
    return np.mean(np.argmax(outputs, axis=1) == workload.targets)


def train_in_pieces(prepare):
    """Train, and print loss and accuracy every hundred epochs."""
    workload = spiral()
    run, outputs = prepare(workload, 1)
    for epoch in range(0, epochs(), EVERY):
        correct = accuracy(outputs(), workload)
        losses = run(min(EVERY, epochs() - epoch))
        print(f"epoch: {epoch}, acc: {correct:.3f}, loss: {losses[0]:.3f}")


def train_at_once(prepare):
    """Train, then print the losses every hundred epochs, and the final accuracy."""
    workload = spiral()
    run, outputs = prepare(workload, 1)
    losses = run(epochs())
    for epoch in range(0, epochs(), EVERY):
        print(f"epoch: {epoch}, loss: {losses[epoch]:.3f}")
    print(f"acc: {accuracy(outputs(), workload):.3f}")
