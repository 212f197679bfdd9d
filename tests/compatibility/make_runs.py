"""Make the runs that the tests read: ``python -m tests.compatibility.make_runs 2a57e11``.

The revision is extracted with ``git archive`` and trains every run itself. A run is interrupted deterministically:
a small driver makes the trainer send itself a signal after a given number of updates.
"""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.compatibility.revisions import extract, run_python

DIRECTORY = Path(__file__).parent
RUNS = DIRECTORY / "runs_0_4_1"
RESUMED = DIRECTORY / "resumed_0_4_1"
RESULTS = ("weights.npz", "metrics.csv", "evaluation.json")
CHECKPOINT = "checkpoints/*.ckpt"
DIVERGED = 7

# Usage: driver.py SIGNUM UPDATES train ...; the command of 0.4.1 receives the signal after so many updates.
DRIVER = """\
import signal
import sys

from nncli.cli import main
from nncli.run.training import Training

signum, updates, step = int(sys.argv[1]), int(sys.argv[2]), Training.step


def step_and_interrupt(training, inputs, targets):
    step(training, inputs, targets)
    if training.optimizer.updates == updates:
        signal.raise_signal(signum)


Training.step = step_and_interrupt
sys.exit(main(sys.argv[3:]))
"""

Config = dict[str, Any]


def layers(*hidden: str | Config, outputs: int = 3, activation: str = "softmax") -> list[str | Config]:
    """Hidden layers between a dense layer of 8 units and an output layer."""
    return [{"type": "dense", "units": 8}, *hidden, {"type": "dense", "units": outputs}, activation]


CLASSIFICATION: Config = {
    "seed": 3,
    "data": {"type": "spiral", "samples": 20, "classes": 3},
    "layers": layers("relu"),
    "loss": "categorical_crossentropy",
    "optimizer": {"type": "adam", "learning_rate": 0.05, "decay": 1e-3},
    "training": {"epochs": 40, "log_every": 10},
}
REGRESSION = CLASSIFICATION | {
    "data": {"type": "sine", "samples": 40},
    "layers": layers("tanh", outputs=1, activation="linear"),
    "loss": "mean_squared_error",
}
BINARY = CLASSIFICATION | {
    "seed": 1,  # early stopping keeps the weights of epoch 5, or with mini-batches of epoch 4
    "data": {"type": "spiral", "samples": 20, "classes": 2},
    "validation": {"type": "spiral", "samples": 20, "classes": 2},
    "layers": layers("relu", outputs=1, activation="sigmoid"),
    "loss": "binary_crossentropy",
    "optimizer": {"type": "adam", "learning_rate": 0.05},
    "metrics": ["accuracy", "f1"],
}
DROPOUT = CLASSIFICATION | {"layers": layers("relu", {"type": "dropout", "rate": 0.2})}
MINIBATCHES = {"epochs": 12, "log_every": 2, "batch_size": 16}  # 4 updates per epoch
SAMPLED_TEST_SET = {"test": {"type": "spiral", "samples": 10, "classes": 3}}


class Interruption(NamedTuple):
    """The signal that ends a training, and the number of updates after which it does."""

    signum: signal.Signals
    updates: int


FINISHED: dict[str, Config] = {
    "classification": CLASSIFICATION
    | {"validation": {"fraction": 0.2}, "test": {"fraction": 0.2}, "regularization": {"l2": 1e-3, "bias_l1": 1e-4}},
    "nnfs_dropout": DROPOUT | SAMPLED_TEST_SET | {"rng": "nnfs"},
    "regression": REGRESSION | {"validation": {"fraction": 0.25}},
    "early_stopping": BINARY
    | {"training": {"epochs": 400, "log_every": 5, "early_stopping": {"metric": "validation_loss", "patience": 20}}},
    "minibatches": CLASSIFICATION
    | {
        "dtype": "float64",
        "layers": layers("batch_normalization", "relu"),
        "schedule": {"type": "warmup", "updates": 10, "then": "cosine"},
        "clipping": {"type": "norm", "limit": 0.5},
        "training": MINIBATCHES,
    },
    "adagrad": CLASSIFICATION
    | {"layers": layers("leaky_relu"), "optimizer": {"type": "adagrad", "learning_rate": 0.5}},
    "adamw": REGRESSION | {"optimizer": {"type": "adamw", "learning_rate": 0.02, "weight_decay": 0.01}},
    "nadam": REGRESSION | {"loss": "mean_absolute_error", "optimizer": {"type": "nadam", "learning_rate": 0.02}},
    "nesterov": CLASSIFICATION
    | {"layers": layers("elu"), "optimizer": {"type": "nesterov", "learning_rate": 0.5, "momentum": 0.9}},
    "rmsprop": CLASSIFICATION
    | {"layers": layers("gelu"), "optimizer": {"type": "rmsprop", "learning_rate": 0.02, "decay": 1e-4}},
    "sgd": CLASSIFICATION
    | {
        "clipping": {"type": "value", "limit": 0.1},
        "schedule": {"type": "step", "every": 10, "gamma": 0.5},
        "optimizer": {"type": "sgd", "learning_rate": 1.0, "momentum": 0.9},
    },
}
RAISED = ("raised", CLASSIFICATION | {"schedule": "cosine", "training": {"epochs": 25, "log_every": 10}}, 45)
DIVERGING: dict[str, Config] = {
    "diverged_to_infinity": CLASSIFICATION | {"optimizer": {"type": "sgd", "learning_rate": 1e30}},
    "diverged_to_nan": CLASSIFICATION
    | {
        "layers": layers("linear", {"type": "dense", "units": 8}, "linear"),
        "optimizer": {"type": "sgd", "learning_rate": 1e25},
    },
}
# The signals reach each training in turn: the first one while it starts, the others while it resumes.
INTERRUPTED: dict[str, tuple[Config, list[Interruption]]] = {
    "interrupted_derived": (
        DROPOUT | SAMPLED_TEST_SET | {"training": MINIBATCHES},
        [Interruption(signal.SIGTERM, 22)],
    ),
    "interrupted_nnfs": (
        DROPOUT | SAMPLED_TEST_SET | {"rng": "nnfs", "training": MINIBATCHES},
        [Interruption(signal.SIGINT, 21)],
    ),
    "interrupted_early_stopping": (
        BINARY
        | {
            "training": {
                "epochs": 400,
                "log_every": 4,
                "batch_size": 16,
                "early_stopping": {"metric": "validation_loss", "patience": 20},
            }
        },
        [Interruption(signal.SIGHUP, 31)],
    ),
    "interrupted_between_epochs": (
        CLASSIFICATION | {"optimizer": {"type": "nadam", "learning_rate": 0.05}, "schedule": "cosine"},
        [Interruption(signal.SIGTERM, 20)],
    ),
    # A checkpoint within an epoch, and rows of metrics.csv after it that the checkpoint does not count.
    "killed": (
        DROPOUT | {"optimizer": {"type": "sgd", "learning_rate": 0.5, "momentum": 0.9}, "training": MINIBATCHES},
        [Interruption(signal.SIGTERM, 15), Interruption(signal.SIGKILL, 33)],
    ),
}


class Maker:
    """Makes runs with one revision of the package, in ``workdir``/runs.

    Args:
        source: the directory that holds the package.
        workdir: where the runs are made.
    """

    def __init__(self, source: Path, workdir: Path) -> None:
        self.source, self.workdir = source, workdir
        (workdir / "driver.py").write_text(DRIVER, encoding="utf-8")

    def train(self, name: str, config: Config, code: int = 0, interruption: Interruption | None = None) -> None:
        """Train a config from its first epoch; the command must end with this exit code."""
        path = self.workdir / f"{name}.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        self._run(["train", path.name, "-q"], code, interruption)

    def resume(self, name: str, *overrides: str, code: int = 0, interruption: Interruption | None = None) -> None:
        """Resume a run; the command must end with this exit code."""
        self._run(["train", "--resume", name, *overrides, "-q"], code, interruption)

    def _run(self, arguments: list[str], code: int, interruption: Interruption | None) -> None:
        program = ["-m", "nncli"]
        if interruption:
            program = ["driver.py", *map(str, map(int, interruption))]
        done = run_python(self.source, [*program, *arguments], self.workdir)
        if done.returncode != code:
            sys.exit(f"{' '.join(arguments)}: exit code {done.returncode}, not {code}: {done.stderr}")


def exit_code(signum: signal.Signals) -> int:
    """The exit code of a trainer that this signal ends; SIGKILL cannot be handled."""
    return -signum if signum == signal.SIGKILL else 128 + signum


def make(maker: Maker) -> None:
    """Make all runs; those that are interrupted are resumed by the revision itself in a second directory."""
    for name, config in FINISHED.items():
        maker.train(name, config)
    name, config, epochs = RAISED
    maker.train(name, config)
    maker.resume(name, f"training.epochs={epochs}")
    for name, config in DIVERGING.items():
        maker.train(name, config, code=DIVERGED)
    for name, (config, (first, *later)) in INTERRUPTED.items():
        maker.train(name, config, exit_code(first.signum), first)
        for each in later:
            maker.resume(name, code=exit_code(each.signum), interruption=each)


def store(runs: Path, directory: Path, names: tuple[str, ...]) -> None:
    """Replace the runs in a directory by these: of each the named files, and its newest checkpoint if that is named."""
    shutil.rmtree(directory, ignore_errors=True)
    for run in runs.iterdir():
        files = [run / name for name in names if name != CHECKPOINT]
        files += sorted(run.glob(CHECKPOINT))[-1:] if CHECKPOINT in names else []
        for path in filter(Path.exists, files):
            target = directory / path.relative_to(runs)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def main() -> int:
    """Replace the stored runs by those of a revision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision")
    revision = parser.parse_args().revision
    with tempfile.TemporaryDirectory() as temporary:
        workdir = Path(temporary) / "work"
        workdir.mkdir()
        maker = Maker(extract(revision, Path(temporary) / "source"), workdir)
        make(maker)
        store(workdir / "runs", RUNS, ("spec.yaml", "run.json", CHECKPOINT, *RESULTS))
        for run in (workdir / "runs").iterdir():
            if run.name in INTERRUPTED:
                maker.resume(run.name)
            else:
                shutil.rmtree(run)
        store(workdir / "runs", RESUMED, RESULTS)
    sizes = [path.stat().st_size for directory in (RUNS, RESUMED) for path in directory.rglob("*") if path.is_file()]
    print(f"{len(list(RUNS.iterdir()))} runs, {len(list(RESUMED.iterdir()))} resumed, {sum(sizes):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
