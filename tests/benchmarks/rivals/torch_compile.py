"""PyTorch with forward, loss and their gradient compiled into kernels of their own; Adam is fused as in eager mode."""

import torch

from tests.benchmarks.programs import train_in_pieces
from tests.benchmarks.rivals import pytorch


def prepare(work, threads):
    return pytorch.prepare(work, threads, torch.compile)


if __name__ == "__main__":
    train_in_pieces(prepare)
