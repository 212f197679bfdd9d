"""Time and peak memory of whole processes, nncli compared with its baselines.

All train the book's spiral network (300 points, 64 units, Adam) for 10,001 epochs in float32, full batch, on one
thread. The programs of the baselines compute the loss at each epoch and print it every hundred epochs; nncli measures
loss and accuracy every hundred epochs, and writes its run directory. ``--bare`` compares ``nncli train``, with the
validation set of its config, with the same steps in a bare loop.

Usage: python -m tests.benchmarks.processes [--rounds 5] [--baselines NAME ...] [--bare]
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from functools import partial
from resource import RUSAGE_SELF, getrusage
from typing import NamedTuple

from tests.benchmarks.baselines import BASELINES, chosen
from tests.benchmarks.interleaving import interleave
from tests.benchmarks.machine import ROOT, arguments, description, environment, pin
from tests.benchmarks.tables import column, markdown, ratios, spread

EPOCHS = 10_001
MIN_ACCURACY = 0.9  # after training
PROGRAMS = ("textbook", "pytorch", "jax_scan", "scikit_learn")
ACCURACY = re.compile(r"^acc(?:uracy|:) +(\d\.\d+)|, acc: (\d\.\d+)", re.MULTILINE)
MEBIBYTES = 1 << 20 if sys.platform == "darwin" else 1 << 10  # in the unit of ru_maxrss


class Cost(NamedTuple):
    """The cost of one process: wall-clock seconds, CPU seconds, and peak memory in MiB."""

    seconds: float
    cpu_seconds: float
    memory: float


HEADS = ("wall, s", "CPU, s", "peak memory, MiB")


def cost(command, variables, least=0.0):
    """The cost of a process.

    Raises:
        SystemExit: the process has failed, or the last accuracy that it prints is below ``least``.
    """
    found, text = completed(command, variables)
    if least:
        _require_accuracy(command, text, least)
    return found


def completed(command, variables):
    """The cost and the standard output of a process; standard error is a pipe, so that no progress is displayed.

    The peak memory of a process includes that of its parent before exec, so nothing large is imported here.

    Raises:
        SystemExit: the process has failed.
    """
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.PIPE, encoding="utf-8", cwd=ROOT, env=variables
        )
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stderr.close()
        if process.returncode:
            sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{errors}")
        output.seek(0)
        return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / MEBIBYTES), output.read()


def _require_accuracy(command, text, least):
    found = [float(first or second) for first, second in ACCURACY.findall(text)]
    if not found or found[-1] < least:
        sys.exit(f"{' '.join(command)} did not train: its accuracies are {found[-3:]}, at least {least} is expected")


def train(directory, *settings, epochs=EPOCHS):
    """The command of ``nncli train``."""
    config = ROOT / "configs" / "adam.yaml"
    command = ["nncli", "train", str(config), f"training.epochs={epochs}", *settings, "--runs-dir", directory]
    return [sys.executable, "-m", *command]


def program(name):
    """The command of a baseline's program."""
    return [sys.executable, "-m", f"tests.benchmarks.baselines.{name}", str(EPOCHS)]


def python(code):
    """The command of a few statements."""
    return [sys.executable, "-c", code]


def comparisons(directory, baselines, bare):
    """The comparisons: a caption, the command of each process by title, and the minimum accuracy."""
    programs = {BASELINES[name].title: program(name) for name in baselines if name != "nncli"}
    yield f"{EPOCHS:,} epochs", {"nncli train": train(directory, "validation=null"), **programs}, MIN_ACCURACY
    numpy = {"import numpy": python("import numpy")}
    yield "Start-up, and one epoch", {"nncli train": train(directory, epochs=1), **numpy}, 0.0
    libraries = {"import click, rich.console": python("import click, rich.console")}
    yield "Start-up alone", {"nncli --help": [sys.executable, "-m", "nncli", "--help"], **libraries}, 0.0
    if bare:
        both = {"nncli train": train(directory), "the bare loop": program("nncli")}
        yield (
            f"{EPOCHS:,} epochs with validation, metrics, files and lines of progress, and without all these",
            both,
            MIN_ACCURACY,
        )


def in_rounds(commands, rounds, variables, least):
    """The cost of each command in each round, after a warm-up round."""
    measures = {title: partial(cost, command, variables, least) for title, command in commands.items()}
    interleave(measures, 1)
    return interleave(measures, rounds)


def table(results):
    """A row of each process: its cost, and the first one's time relative to its own."""
    against, *_ = results[0]
    rows = []
    for title in results[0]:
        seconds = [{name: each.seconds for name, each in costs.items()} for costs in results]
        ratio = "" if title == against else spread(ratios(seconds, against, title))
        rows.append([title, *map(spread, zip(*column(results, title), strict=True)), ratio])
    return markdown(["process", *HEADS, f"{against} relative to it"], rows)


def main():
    parser = arguments(__doc__, rounds=5)
    parser.add_argument(
        "--baselines", nargs="*", metavar="NAME", choices=PROGRAMS, default=PROGRAMS, help=" ".join(PROGRAMS)
    )
    parser.add_argument("--bare", action="store_true", help="also compare nncli train with its steps alone")
    given = parser.parse_args()
    pin(1)
    variables, baselines = environment(1, given.keep_environment), chosen(given.baselines)
    print(description(variables, (baseline.package for baseline in baselines.values())), flush=True)
    own = getrusage(RUSAGE_SELF).ru_maxrss / MEBIBYTES  # the minimum of every process
    print(
        f"\nMedians of the rounds (the lowest to the highest). Less memory than {own:.0f} MiB is not lines.", flush=True
    )
    with tempfile.TemporaryDirectory() as directory:
        for caption, commands, least in comparisons(directory, baselines, given.bare):
            results = in_rounds(commands, given.rounds, variables, least)
            print(f"\n{caption}:\n\n{table(results)}", flush=True)


if __name__ == "__main__":
    main()
