"""PyTorch as its tutorials have it: modules, autograd, and Adam fused into one kernel."""

from itertools import count, pairwise

import numpy as np
import torch

from tests.benchmarks.standalone_programs import train_in_pieces
from tests.benchmarks.workloads import BETA_1, BETA_2, EPSILON, F


def model(workload):
    """Linear layers with the work's weights, ReLU between them; PyTorch keeps Wᵀ."""
    linear = [torch.nn.Linear(inputs, units) for inputs, units in pairwise(workload.widths)]
    with torch.no_grad():
        for layer, weights in zip(linear, workload.weights, strict=True):
            layer.weight.copy_(torch.from_numpy(weights.T))
            layer.bias.zero_()
    layers = [layer for each in linear for layer in (each, torch.nn.ReLU())]
    return torch.nn.Sequential(*layers[:-1])


def prepare(workload, threads, compiled=lambda function: function):
    torch.set_num_threads(threads)
    network, crossentropy = model(workload), torch.nn.CrossEntropyLoss()
    inputs, targets = torch.from_numpy(workload.inputs), torch.from_numpy(workload.targets)
    optimizer = torch.optim.Adam(
        network.parameters(), workload.learning_rate, betas=(BETA_1, BETA_2), eps=EPSILON, fused=True
    )
    loss_of, updates = compiled(lambda inputs, targets: crossentropy(network(inputs), targets)), count()

    def step():
        loss = loss_of(inputs, targets)
        optimizer.zero_grad()
        loss.backward()
        if workload.decay:
            optimizer.param_groups[0]["lr"] = workload.learning_rate / (1 + workload.decay * next(updates))
        optimizer.step()
        return loss.item()

    def outputs():
        with torch.no_grad():
            return network(inputs).numpy()

    return lambda steps: np.array([step() for _ in range(steps)], F), outputs


if __name__ == "__main__":
    train_in_pieces(prepare)
