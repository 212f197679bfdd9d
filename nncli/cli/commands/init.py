"""``nncli init``: a config to start from."""

import os
from pathlib import Path
from shlex import quote

import click

from nncli.cli.interrupts import raised_on_ctrl_c

STARTER = """\
# A small network that learns the three arms of a spiral.
#
#   nncli train {name}                                 train it
#   nncli train {name} optimizer.learning_rate=0.02    the same with one value changed
#   nncli show {name}                                  the network in figures
#   nncli components                                   everything that can be written here

seed: 0                          # where all random numbers begin

data:                            # the training set
  type: spiral
  samples: 100                   # points per class
  classes: 3

validation:                      # a fresh draw to progress_for; or {{fraction: 0.2}} to take rows out of data
  type: spiral
  samples: 100

# test: {{type: spiral, samples: 100}} # a set that is looked at once, after training

layers:                          # from the data to the output; the input width is found from the data
  - {{type: dense, units: 64}}     # l2: 5e-4, or initializer: {{type: normal, scale: 0.01}}, go here too
  - relu                         # a bare name where there is nothing more to say
  # - {{type: dropout, rate: 0.1}} # numbers switched off at random, in training only
  - {{type: dense, units: 3}}      # one output a class
  - softmax

loss: categorical_crossentropy   # for numbers as targets mean_squared_error, behind a dense layer or linear
# metrics: [accuracy]            # all that suit the task where it is not given

optimizer:
  type: adam                     # or sgd, nesterov, adagrad, rmsprop, adamw, nadam
  learning_rate: 0.02
  decay: 5e-5                    # the rate at update t is learning_rate / (1 + decay * t)

# schedule: cosine               # beside decay, or instead of it: step, exponential, cosine, warmup
# clipping: {{type: norm, limit: 1.0}} # holds the gradients to a length

regularization:                  # for every dense layer that says nothing itself
  l2: 1e-4

training:
  epochs: 5000
  # batch_size: 32               # rows per step; all of them where it is not given
  # log_every: 50                # epochs between two rows of metrics.csv
  early_stopping:                # ends early, and keeps the best weights
    metric: validation_loss
    patience: 1000               # epochs without a better value
"""


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default="config.yaml")
def init(path: Path) -> None:
    """Write a commented config to start from."""
    from nncli.store.atomic_write import create_atomic

    name = shell_word(str(path))
    with raised_on_ctrl_c():
        create_atomic(path, STARTER.format(name=name).encode())
    print(f"{name}: written; train it with: nncli train {name}")


def shell_word(text: str) -> str:
    r"""Text as one word of a shell, in printable characters only.

    >>> shell_word("a.yaml"), shell_word("my a.yaml"), shell_word("it's\n.yaml")
    ('a.yaml', "'my a.yaml'", "$'it\\x27s\\x0a.yaml'")
    """
    if text.isprintable():
        return quote(text)
    escaped = (each if each.isprintable() and each not in "'\\" else _bytes(each) for each in text)
    return f"$'{''.join(escaped)}'"


def _bytes(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))
