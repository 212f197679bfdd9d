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


def fused_adam(network, workload):
    """PyTorch's Adam, one kernel per step."""
    rates = {"betas": (BETA_1, BETA_2), "eps": EPSILON}
    return torch.optim.Adam(network.parameters(), workload.learning_rate, **rates, fused=True)


def prepare(workload, threads, compiled=lambda function: function):
    torch.set_num_threads(threads)
    network, crossentropy = model(workload), torch.nn.CrossEntropyLoss()
    inputs, targets = torch.from_numpy(workload.inputs), torch.from_numpy(workload.targets)
    optimizer = fused_adam(network, workload)
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


def prepare_epochs(workload, batch_size, seed):
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    network, crossentropy = model(workload), torch.nn.CrossEntropyLoss()
    inputs, targets = torch.from_numpy(workload.inputs), torch.from_numpy(workload.targets)
    optimizer = fused_adam(network, workload)

    def step(inputs, targets):
        loss = crossentropy(network(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def train(epochs):
        for _ in range(epochs):
            if batch_size == len(inputs):
                step(inputs, targets)
                continue
            for rows in torch.randperm(len(inputs)).split(batch_size):
                step(inputs[rows], targets[rows])

    def outputs(inputs):
        with torch.no_grad():
            return network(torch.from_numpy(inputs)).numpy()

    return train, outputs


if __name__ == "__main__":
    train_in_pieces(prepare)
