"""Final accuracy and loss of the book's optimizers at full length, with and without a 1-ulp perturbation of a weight.

On the spiral such a perturbation changes the final results, so that a single run says little; the range of several runs
is compared with that of the book's program. Usage: python -m tests.benchmarks.book_optimizers [--runs 9]
"""

import argparse

import numpy as np

from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.training.loop import Trainer
from tests.conftest import ROOT

# ranges of accuracy and loss at epoch 10,000 of the book's program, over 8 to 16 runs with such perturbations
EXPECTED_RANGES = {
    "sgd": ((0.587, 0.693), (0.767, 0.879)),
    "momentum": ((0.680, 0.957), (0.121, 0.603)),
    "adagrad": ((0.807, 0.867), (0.368, 0.428)),
    "rmsprop": ((0.870, 0.917), (0.207, 0.259)),
    "adam": ((0.963, 0.980), (0.069, 0.086)),
}


def final_results(name, perturbed):
    """Accuracy and loss of a config's last epoch; the weight of index ``perturbed`` > 0 goes up by 1 ulp after epoch 1.

    Not before, because the last bit of an initial weight is lost in AdaGrad's first step, whose length is 1.
    """
    config = load(ROOT / "configs" / "book" / f"chapter10_{name}.yaml", ("training.log_every=10000",)).config
    experiment = assemble(config)
    values = experiment.network.parameters.values

    def perturb():  # called after each step, returns whether to stop
        if experiment.optimizer.updates == 1 and perturbed:
            values[perturbed] = np.nextafter(values[perturbed], np.inf, dtype=values.dtype)
        return False

    *_, epoch = Trainer(experiment, perturb).epochs()
    return epoch.metrics["accuracy"], epoch.metrics["loss"]


def is_within(results, ranges):
    """Whether accuracy and loss are in their ranges, which have three decimals."""
    return all(low <= round(value, 3) <= high for value, (low, high) in zip(results, ranges, strict=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    for name, ranges in EXPECTED_RANGES.items():
        results = [final_results(name, perturbed) for perturbed in range(runs)]
        accuracy, loss = results[0]
        parts = [f"{name:9} unperturbed {accuracy:.3f} {loss:.3f} {'in' if is_within(results[0], ranges) else 'out'}"]
        for metric, values, (low, high) in zip(("accuracy", "loss"), zip(*results, strict=True), ranges, strict=True):
            parts.append(f"{metric} {min(values):.3f} to {max(values):.3f}, the book's {low:.3f} to {high:.3f}")
        parts.append(f"{sum(is_within(each, ranges) for each in results)} of {runs} in the book's ranges")
        print("; ".join(parts), flush=True)


if __name__ == "__main__":
    main()
