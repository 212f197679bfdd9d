"""Where the book's optimizers end at full length: each config as it is, and with one weight nudged by its last bit.

On the spiral such a nudge changes the last line, so that a single run says little; the spread of several is what can be
held against the book's. Usage: python -m tests.benchmarks.bands [--runs 9]
"""

import argparse

import numpy as np

from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.train.loop import Trainer
from tests.conftest import ROOT

BANDS = {  # accuracy and loss at epoch 10,000 of the book's program, over 8 to 16 runs that differ by one such nudge
    "sgd": ((0.587, 0.693), (0.767, 0.879)),
    "momentum": ((0.680, 0.957), (0.121, 0.603)),
    "adagrad": ((0.807, 0.867), (0.368, 0.428)),
    "rmsprop": ((0.870, 0.917), (0.207, 0.259)),
    "adam": ((0.963, 0.980), (0.069, 0.086)),
}


def final_line(name, nudged):
    """Accuracy and loss of a config's last epoch; with ``nudged`` > 0 that weight goes up by its last bit at epoch 1.

    Not before: AdaGrad's first step has length 1, next to which the last bit of a first weight is lost.
    """
    spec = load(ROOT / "configs" / "book" / f"chapter10_{name}.yaml", ("training.log_every=10000",)).config
    experiment = assemble(spec)
    values = experiment.network.parameters.values

    def nudge():  # asked whether to stop, after each step
        if experiment.optimizer.updates == 1 and nudged:
            values[nudged] = np.nextafter(values[nudged], np.inf, dtype=values.dtype)
        return False

    *_, epoch = Trainer(experiment, nudge).epochs()
    return epoch.metrics["accuracy"], epoch.metrics["loss"]


def within(line, bands):
    """Whether a line lies in the bands, which are given to three decimals."""
    return all(low <= round(value, 3) <= high for value, (low, high) in zip(line, bands, strict=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    for name, bands in BANDS.items():
        lines = [final_line(name, nudged) for nudged in range(runs)]
        told = [f"{name:9} as it is {lines[0][0]:.3f} {lines[0][1]:.3f} {'in' if within(lines[0], bands) else 'out'}"]
        for what, values, (low, high) in zip(("accuracy", "loss"), zip(*lines, strict=True), bands, strict=True):
            told.append(f"{what} {min(values):.3f} to {max(values):.3f}, the book's {low:.3f} to {high:.3f}")
        told.append(f"{sum(within(line, bands) for line in lines)} of {runs} in the band")
        print("; ".join(told), flush=True)


if __name__ == "__main__":
    main()
