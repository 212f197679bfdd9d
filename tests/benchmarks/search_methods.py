"""The best of 30 trials of tpe against the best of 30 and of 100 random ones, on three problems, without directories.

A repetition has a seed, which is that of the search and of the config, so that data and initial weights differ too. The
measure is the validation loss of the best trial. Usage: python -m tests.benchmarks.search_methods [--seeds 0..9]
"""

import argparse
import math
import statistics
import tempfile
from pathlib import Path

from nncli.errors import DivergedError
from nncli.experiment.assembly import assemble
from nncli.sweep.plan import Plan, record_from_file
from nncli.sweep.search import stages
from nncli.sweep.seeds import parse_seeds
from nncli.sweep.sweep_config import SweepOptions
from nncli.sweep.trials import Outcome
from nncli.training.loop import Trainer

RANGES = "optimizer.learning_rate: {min: 1e-4, max: 1, log: true}"
CONFIGS = {
    "spiral": (
        """\
data: {type: spiral, samples: 60, classes: 3}
validation: {type: spiral, samples: 100}
layers: [{type: dense, units: 16}, tanh, {type: dense, units: 3}, softmax]
loss: categorical_crossentropy
optimizer: adam
regularization: {l2: 1e-4}
training: {epochs: 150, log_every: 150}
""",
        f"""\
  {RANGES}
  optimizer.type: [sgd, adagrad, rmsprop, adam]
  layers[0].units: {{min: 4, max: 64, log: true}}
  layers[1]: [relu, tanh, sigmoid]
  regularization.l2: {{min: 1e-7, max: 0.1, log: true}}
""",
    ),
    "sine": (
        """\
data: {type: sine, samples: 64}
validation: {type: sine, samples: 199}
layers: [{type: dense, units: 16}, tanh, {type: dense, units: 16}, tanh, {type: dense, units: 1}, linear]
loss: mean_squared_error
optimizer: adam
training: {epochs: 60, log_every: 60, batch_size: 16}
""",
        f"""\
  {RANGES}
  optimizer.beta_1: {{min: 0.0, max: 0.99}}
  layers[0].units: {{min: 2, max: 32, log: true}}
  layers[2].units: {{min: 2, max: 32, log: true}}
  layers[1]: [relu, tanh, sigmoid]
  training.batch_size: [4, 8, 16, 32, 64]
""",
    ),
    "moons": (
        """\
data: {type: moons, samples: 40, noise: 0.3}
validation: {type: moons, samples: 300, noise: 0.3}
layers: [{type: dense, units: 32}, relu, {type: dropout, rate: 0.2}, {type: dense, units: 1}, sigmoid]
loss: binary_crossentropy
optimizer: adam
regularization: {l2: 1e-4}
training: {epochs: 100, log_every: 100, batch_size: 20}
""",
        f"""\
  {RANGES}
  optimizer.type: [sgd, nesterov, adam]
  layers[0].units: {{min: 4, max: 64, log: true}}
  layers[2].rate: {{min: 0.0, max: 0.8}}
  regularization.l2: {{min: 1e-7, max: 1, log: true}}
""",
    ),
}
TRIALS = {"tpe": 30, "random": 100}


class Trained:
    """Trains trials when their outcomes are asked for; ``values`` are the validation losses in their order."""

    def __init__(self, plan):
        self.plan, self.trials, self.values = plan, {}, []

    def __call__(self, numbers, epochs=None):
        return [self.outcome(number) for number in numbers]

    def outcome(self, number):
        loaded = self.plan.loaded(self.trials[number])
        try:
            *_, epoch = Trainer(assemble(loaded.config, loaded.plan)).epochs()
        except DivergedError:
            self.values.append(math.inf)
            return Outcome(number, "diverged")
        self.values.append(epoch.metrics["validation_loss"])
        return Outcome(number, "finished", self.values[-1])


def losses(directory, method, trials, seed):
    """The validation losses of the trials of a search, in their order; infinity for those that diverged."""
    options = SweepOptions(method=method, trials=trials, seed=seed, runs=directory / "runs")
    plan = Plan(record_from_file(directory / "sweep.yaml", options, [f"seed={seed}"]), directory / "runs" / "group")
    trained = Trained(plan)
    for stage in stages(plan, trained):
        trained.trials |= {task.trial.number: task.trial for task in stage}
        if method == "random":
            trained([task.trial.number for task in stage])
    return trained.values


def written(name, directory):
    """Write a problem and its sweep to a directory."""
    config, over = CONFIGS[name]
    (directory / "config.yaml").write_text(config)
    (directory / "sweep.yaml").write_text(f"base: config.yaml\nmetric: validation_loss\nover:\n{over}")


def mean_text(values):
    """The mean and its standard error."""
    return f"{statistics.mean(values):.4f} ± {statistics.stdev(values) / math.sqrt(len(values)):.4f}"


def needed(values, target):
    """The number of trials until a loss is at most as large as a target; one more than all if none is."""
    return next((index for index, value in enumerate(values, 1) if value <= target), len(values) + 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0..9")
    parser.add_argument("--problems", nargs="*", default=list(CONFIGS))
    arguments = parser.parse_args()
    seeds = parse_seeds(arguments.seeds)
    for name in arguments.problems:
        with tempfile.TemporaryDirectory() as temporary:
            directory = Path(temporary)
            written(name, directory)
            found = {each: [losses(directory, each, TRIALS[each], seed) for seed in seeds] for each in TRIALS}
        tpe = [min(each) for each in found["tpe"]]
        rows = {"tpe, 30": tpe}
        rows |= {f"random, {count}": [min(each[:count]) for each in found["random"]] for count in (30, 100)}
        for row, best in rows.items():
            print(f"{name:8} {row:12} {mean_text(best)}", flush=True)
        wins = sum(one <= other for one, other in zip(tpe, rows["random, 100"], strict=True))
        differences = [one - other for one, other in zip(tpe, rows["random, 100"], strict=True)]
        trials = [needed(each, target) for each, target in zip(found["random"], tpe, strict=True)]
        print(
            f"{name:8} difference   {mean_text(differences)}; tpe is as good in {wins} of {len(seeds)}; random needs "
            f"{statistics.median(trials):g} trials (median) for the best of tpe",
            flush=True,
        )


if __name__ == "__main__":
    main()
