"""``nncli init``: write a config to start from."""

import os
from pathlib import Path
from shlex import quote

import click

from nncli.cli.interrupts import raised_on_ctrl_c
from nncli.cli.options import examples
from nncli.cli.paths import SCHEMA_COPY
from nncli.errors import CommandLineError

SCHEMA = Path(__file__).parents[2] / "config.schema.json"  # of this version of nncli

STANDARD_OUTPUT = "-"
STARTER = """\
# A small network that classifies the points of a spiral with three arms.

seed: 0                          # random seed

data:                            # training set
  type: spiral
  samples: 100                   # points per class
  classes: 3

validation:                      # validation set, newly generated; {fraction: 0.2} takes it from data
  type: spiral
  samples: 100

# test: {type: spiral, samples: 100} # test set, evaluated once after training

layers:                          # from the input to the output; the input width follows from the data
  - {type: dense, units: 64}     # optional: l2: 5e-4, initializer: {type: normal, scale: 0.01}
  - relu                         # a name alone is short for {type: relu}
  # - {type: dropout, rate: 0.1} # drops 10 % of the units at random, during training only
  - {type: dense, units: 3}      # one output per class
  - softmax

loss: categorical_crossentropy   # for regression: mean_squared_error, with a dense or linear output layer
# metrics: [accuracy]            # default: all metrics that suit the task

optimizer:
  type: adam                     # or sgd, nesterov, adagrad, rmsprop, adamw, nadam
  learning_rate: 0.02
  decay: 5e-5                    # learning rate of update t: learning_rate / (1 + decay * t)

# schedule: cosine               # learning rate schedule: step, exponential, cosine, warmup
# clipping: {type: norm, limit: 1.0} # gradient clipping

regularization:                  # default for all dense layers
  l2: 1e-4

training:
  epochs: 5000
  # batch_size: 32               # rows per training step; default: all rows
  # log_every: 50                # epochs between two rows of metrics.csv
  # snapshots: 100               # epochs whose weights are kept for plot and report; default: as many as fit 2 MB
  early_stopping:                # ends training early, and restores the best weights
    metric: validation_loss
    patience: 1000               # epochs without improvement
"""


@click.command(epilog=examples("nncli init spiral.yaml", "nncli init flowers.yaml --data iris.csv --target species"))
@click.argument(
    "path",
    type=click.Path(path_type=Path),
    default="config.yaml",
    help="File to write; - is standard output.  [default: config.yaml]",
)
@click.option("--data", "data", type=click.Path(path_type=Path), help="CSV or TSV file to train on.")
@click.option("--target", help="Column of the file to predict.")
def init(path: Path, data: Path | None, target: str | None) -> None:
    """Write a commented config to start from: for a file with --data and --target, else for the spiral data."""
    from nncli.cli.reading import reading_shown
    from nncli.cli.render.progress import note
    from nncli.store.atomic_write import create_atomic
    from nncli.store.safe_read import storage_errors

    directory = Path.cwd() if str(path) == STANDARD_OUTPUT else path.absolute().parent
    with reading_shown():
        body, notes = _body(data, target, directory)
    for text in notes:
        note(text)
    if str(path) == STANDARD_OUTPUT:
        print(_config(body, _schema_reference(directory), "config.yaml"), end="")
        return
    with storage_errors(path):
        if path.is_dir():
            fix = f"give a file name, such as {shell_word(str(path / 'config.yaml'))}"
            raise CommandLineError(f"{path}: is a directory; {fix}")
        schema = _schema_reference(directory)
    name = shell_word(str(path))
    with raised_on_ctrl_c():
        create_atomic(path, _config(body, schema, name).encode())
    print(f"{name}: written; train it with: nncli train {name}")


def _body(data: Path | None, target: str | None, directory: Path) -> tuple[str, list[str]]:
    """The text of the config below its first comments, and notes on the file.

    Raises:
        CommandLineError: --data or --target is given without the other.
        SourceError: the file is damaged, or has no such column.
    """
    if data is None and target is None:
        return STARTER, []
    if data is None or target is None:
        raise CommandLineError("--data and --target belong together: --data FILE --target COLUMN")
    from nncli.experiment.starter import config_for_file

    return config_for_file(data, os.path.relpath(data, directory), target)


def _config(body: str, schema: str, name: str) -> str:
    """The text of the config, beginning with the reference to its schema and the commands to use it."""
    return f"# yaml-language-server: $schema={schema}\n#\n{_usage(name)}\n\n{body}"


def _schema_reference(directory: Path) -> str:
    """Where an editor finds the schema of a config in this directory: a copy there, else the one of the package.

    Below the directory, as with .venv in a project, the path is relative, so that both can be moved together. A path
    ends at a space for the editor, so that any other one is a URL.
    """
    from urllib.parse import quote as url_quote

    if (directory / SCHEMA_COPY).is_file():
        return SCHEMA_COPY
    if SCHEMA.is_relative_to(directory):
        relative = SCHEMA.relative_to(directory).as_posix()
        if url_quote(relative) == relative:
            return relative
    return SCHEMA.as_uri()


def _usage(name: str) -> str:
    """The commands that the config begins with, as comments."""
    commands = {
        f"nncli train {name}": "train it",
        f"nncli train {name} optimizer.learning_rate=0.01": "train it with one value changed",
        f"nncli show {name}": "all values, and a summary of the network",
        "nncli components": "all layers, losses, optimizers, ...",
    }
    width = max(map(len, commands))
    return "\n".join(f"#   {command:<{width}}   {meaning}" for command, meaning in commands.items())


def shell_word(text: str) -> str:
    r"""Quote a text as one word of a shell, with printable characters only.

    >>> shell_word("a.yaml"), shell_word("my a.yaml"), shell_word("it's\n.yaml")
    ('a.yaml', "'my a.yaml'", "$'it\\x27s\\x0a.yaml'")
    """
    if text.isprintable():
        return quote(text)
    escaped = (each if each.isprintable() and each not in "'\\" else _bytes(each) for each in text)
    return f"$'{''.join(escaped)}'"


def _bytes(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))
