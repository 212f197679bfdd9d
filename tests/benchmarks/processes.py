"""Time whole processes, start-up and files included, and their peak memory: nncli's against its rivals', in turns.

All train the book's spiral network (300 points, 64 units, Adam) for 10,001 epochs in single precision, full batch, on
one thread. The rivals' programs compute the loss at each epoch and print it at each hundredth; nncli measures loss and
accuracy at each hundredth, and writes its run directory. ``--bare`` holds ``nncli train``, with the validation set of
its config, against the same steps in a bare loop.

Usage: python -m tests.benchmarks.processes [--rounds 5] [--rivals NAME ...] [--bare]
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

from tests.benchmarks.machine import ROOT, arguments, environment, pin, told
from tests.benchmarks.rivals import RIVALS, chosen
from tests.benchmarks.tables import column, markdown, ratios, spread
from tests.benchmarks.turns import in_turns

EPOCHS = 10_001
LEAST = 0.9  # the accuracy of who has trained
PROGRAMS = ("textbook", "pytorch", "jax_scan", "scikit_learn")
ACCURACY = re.compile(r"^acc(?:uracy|:) +(\d\.\d+)|, acc: (\d\.\d+)", re.MULTILINE)
MEBIBYTES = 1 << 20 if sys.platform == "darwin" else 1 << 10  # in the unit of ru_maxrss


class Cost(NamedTuple):
    """What one process took: seconds by the clock, seconds of processors, and the most memory that it held, in MiB."""

    seconds: float
    cpu_seconds: float
    memory: float


HEADS = ("wall, s", "processor, s", "peak memory, MiB")


def cost(words, variables, least=0.0):
    """The cost of a process; standard error goes to a pipe, as where nobody looks on.

    A process counts the memory of who starts it as its own, so nothing large, such as NumPy, is imported here.

    Raises:
        SystemExit: the process has failed, or the last accuracy that it prints is below ``least``.
    """
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            words, stdout=output, stderr=subprocess.PIPE, encoding="utf-8", cwd=ROOT, env=variables
        )
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stderr.close()
        output.seek(0)
        _require_success(words, process.returncode, errors, output.read(), least)
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / MEBIBYTES)


def _require_success(words, code, errors, text, least):
    if code:
        sys.exit(f"{' '.join(words)} ended with {code}:\n{errors}")
    if least:
        found = [float(first or second) for first, second in ACCURACY.findall(text)]
        if not found or found[-1] < least:
            sys.exit(f"{' '.join(words)} did not train: its accuracies are {found[-3:]}, at least {least} is expected")


def train(folder, *settings, epochs=EPOCHS):
    """The words of ``nncli train``."""
    config = ROOT / "configs" / "adam.yaml"
    words = ["nncli", "train", str(config), f"training.epochs={epochs}", *settings, "--runs", folder]
    return [sys.executable, "-m", *words]


def program(name):
    """The words of a rival's program."""
    return [sys.executable, "-m", f"tests.benchmarks.rivals.{name}", str(EPOCHS)]


def python(code):
    """The words of a few statements."""
    return [sys.executable, "-c", code]


def comparisons(folder, rivals, bare):
    """What is held against each other: a caption, the words of each process by its title, and the least accuracy."""
    programs = {RIVALS[name].title: program(name) for name in rivals if name != "nncli"}
    yield f"{EPOCHS:,} epochs", {"nncli train": train(folder, "validation=null"), **programs}, LEAST
    numpy = {"import numpy": python("import numpy")}
    yield "Start-up, and one epoch", {"nncli train": train(folder, epochs=1), **numpy}, 0.0
    libraries = {"import click, rich.console": python("import click, rich.console")}
    yield "Start-up alone", {"nncli --help": [sys.executable, "-m", "nncli", "--help"], **libraries}, 0.0
    if bare:
        both = {"nncli train": train(folder), "the bare loop": program("nncli")}
        yield (
            f"{EPOCHS:,} epochs with validation, metrics, files and lines of progress, and without all these",
            both,
            LEAST,
        )


def in_rounds(commands, rounds, variables, least):
    """The cost of each command in each round, after one that fills the caches of disk and modules."""
    measures = {title: partial(cost, words, variables, least) for title, words in commands.items()}
    in_turns(measures, 1)
    return in_turns(measures, rounds)


def table(results):
    """A row of each process: its cost, and the first one's time as a share of its own."""
    against, *_ = results[0]
    rows = []
    for title in results[0]:
        seconds = [{name: each.seconds for name, each in costs.items()} for costs in results]
        share = "" if title == against else spread(ratios(seconds, against, title))
        rows.append([title, *map(spread, zip(*column(results, title), strict=True)), share])
    return markdown(["process", *HEADS, f"{against} as a share of it"], rows)


def main():
    parser = arguments(__doc__, rounds=5)
    parser.add_argument(
        "--rivals", nargs="*", metavar="NAME", choices=PROGRAMS, default=PROGRAMS, help=" ".join(PROGRAMS)
    )
    parser.add_argument("--bare", action="store_true", help="also hold nncli train against its steps alone")
    given = parser.parse_args()
    pin(1)
    variables, rivals = environment(1, given.keep_environment), chosen(given.rivals)
    print(told(variables, (rival.package for rival in rivals.values())), flush=True)
    own = getrusage(RUSAGE_SELF).ru_maxrss / MEBIBYTES  # what a process is started with
    print(
        f"\nMedians of the rounds (the lowest to the highest). Less memory than {own:.0f} MiB is not told.", flush=True
    )
    with tempfile.TemporaryDirectory() as folder:
        for caption, commands, least in comparisons(folder, rivals, given.bare):
            results = in_rounds(commands, given.rounds, variables, least)
            print(f"\n{caption}:\n\n{table(results)}", flush=True)


if __name__ == "__main__":
    main()
