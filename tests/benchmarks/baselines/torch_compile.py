"""PyTorch with forward, loss and their gradient compiled into separate kernels; Adam is fused as in eager mode."""

import torch

from tests.benchmarks.baselines import pytorch
from tests.benchmarks.standalone_programs import train_in_pieces


def prepare(workload, threads):
    return pytorch.prepare(workload, threads, torch.compile)


if __name__ == "__main__":
    train_in_pieces(prepare)
