"""The small runs that faults are injected into: their configs, the commands that train them, and reference runs."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.fault_injection.child_processes import run_forked

NAME = "tested"  # of the run that faults are injected into
RUN = f"runs/{NAME}"
REFERENCE = "reference"  # of the run without faults
TABLE_RUN = "runs/table"
TABLE = "a,b,target\n" + "".join(f"{i},{'xyz'[i % 3]},{'xyz'[i % 3]}\n" for i in range(24))  # the file data.csv
TABLE_OVERRIDES = ("data={type: table, path: data.csv, target: target}",)
TRAIN = ("train", "config.yaml", "--name", NAME)
RESUME = ("train", "--resume", RUN)
EXTENDED_EPOCHS = 9  # to which the runs of EXTENSIONS are extended


def resume_with_epochs(epochs: int) -> tuple[str, ...]:
    """The command that resumes the run with a larger number of epochs."""
    return (*RESUME, f"training.epochs={epochs}")


RESUME_LONGER = resume_with_epochs(6)  # turns the plain config into the longer one

_TEMPLATE = """\
seed: 3
data: {{type: spiral, samples: {samples}, classes: 3}}
layers: [{layers}{{type: dense, units: 3}}, softmax]
loss: categorical_crossentropy
optimizer: {{type: adam, learning_rate: 0.05}}
training: {{epochs: {epochs}, log_every: {log_every}, checkpoint_seconds: {seconds}{more}}}
metrics: [accuracy]
"""


def config_text(
    samples: int = 8, epochs: int = 4, log_every: int = 1, seconds: float = 0, layers: str = "", more: str = ""
) -> str:
    """A small config; ``layers`` come before the last layer, ``more`` at the end of the section training."""
    hidden = layers or "{type: dense, units: 4}, relu, "
    return _TEMPLATE.format(
        samples=samples, layers=hidden, epochs=epochs, log_every=log_every, seconds=seconds, more=more
    )


DROPOUT = "{type: dense, units: 4}, relu, {type: dropout, rate: 0.2}, "
CONFIGS = {
    "plain": config_text(),
    "longer": config_text(epochs=6),
    "batches": config_text(layers=DROPOUT, epochs=14, seconds=0.008, more=", batch_size: 8"),
    "stopping": config_text(
        epochs=30, seconds=0.008, more=", early_stopping: {patience: 2, metric: loss, min_delta: 0.02}"
    ),
    "nnfs": config_text(layers=DROPOUT, epochs=5) + "rng: nnfs\n",
}
PATIENT = ", early_stopping: {patience: 30, metric: loss, min_delta: 9}"  # keeps the weights of epoch 0
# configs as a function of the number of epochs; the row of the last epoch is off the log interval
EXTENSIONS: Mapping[str, Callable[[int], str]] = {
    "extend off interval": lambda epochs: config_text(epochs=epochs, log_every=2),
    "extend twice": lambda epochs: config_text(epochs=epochs, log_every=2),
    "extend with early stopping": lambda epochs: config_text(epochs=epochs, log_every=2, more=PATIENT),
    "extend with a schedule": lambda epochs: (
        config_text(epochs=epochs, log_every=2) + "schedule: {type: cosine, updates: 7}\n"
    ),
    "extend with nnfs": lambda epochs: (
        config_text(epochs=epochs, log_every=2, layers=DROPOUT) + "rng: nnfs\ntest: {type: spiral, samples: 5}\n"
    ),
}


def working_directory(directory: Path, text: str) -> Path:
    """Create a directory to run commands in: a config with this text, and an empty directory ``runs``."""
    (directory / "runs").mkdir(parents=True)
    (directory / "config.yaml").write_text(text, encoding="utf-8")
    return directory


def reference_run(directory: Path, text: str) -> Path:
    """Train without faults in a new directory, and return the run; requires ``import_everything``."""
    working_directory(directory, text)
    outcome = run_forked(("train", "config.yaml", "--name", REFERENCE, "-q"), directory)
    assert outcome.code == 0, outcome.err
    return directory / "runs" / REFERENCE


def run_to_extend(directory: Path, name: str) -> Path:
    """A new directory with a finished run of one of EXTENSIONS: 3 epochs, or 3 extended to 5 for "extend twice"."""
    working_directory(directory, EXTENSIONS[name](3))
    for arguments in (TRAIN, resume_with_epochs(5)) if name == "extend twice" else (TRAIN,):
        outcome = run_forked((*arguments, "-q"), directory)
        assert outcome.code == 0, outcome.err
    return directory
