"""nncli compared with its baselines, as one document in Markdown.

- steps: a step of four networks, with one to as many threads as cores, at most four.
- processes: whole trainings, with start-up and peak memory.
- epochs: an epoch of 60,000 × 784 in mini-batches, compared with its bare steps.
- memory: the peak memory of trainings, beside the estimate of ``nncli show``.
- accuracy: the time until an accuracy is reached, on the spiral and on Fashion-MNIST.

On a processor with AVX-512 all but memory are measured twice: as it is, and with AVX2 only.
Usage: python -m tests.benchmarks [--only PART,...] [--rounds 5] [--seeds 3] [--fashion DIRECTORY]
"""

import argparse
import sys
import time
from pathlib import Path

from tests.benchmarks.baselines import chosen
from tests.benchmarks.document import COMPARED, PARTS, Options, header
from tests.benchmarks.machine import usable_cores
from tests.benchmarks.problems import FASHION_FILES
from tests.benchmarks.processor_kinds import kinds

MAX_THREADS = 4


def parts(text):
    """The names of parts, separated by commas.

    Raises:
        ArgumentTypeError: one of them does not exist.
    """
    names = text.split(",")
    for name in names:
        if name not in PARTS:
            raise argparse.ArgumentTypeError(f"no part is called {name!r}; there are {', '.join(PARTS)}")
    return names


def fashion_directory(text):
    """An absolute path of the directory that has the four files.

    Raises:
        ArgumentTypeError: one of them is missing.
    """
    directory = Path(text).absolute()
    for name in (name for names in FASHION_FILES.values() for name in names):
        if not (directory / name).is_file():
            raise argparse.ArgumentTypeError(f"{directory / name} does not exist")
    return str(directory)


def parse_arguments(arguments=None):
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=parts, default=list(PARTS), metavar="PART,...", help=",".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3, help="trainings to an accuracy, of each program")
    parser.add_argument("--threads", type=int, default=min(usable_cores(), MAX_THREADS), help="the largest number")
    parser.add_argument("--fashion", type=fashion_directory, metavar="DIRECTORY", help="the files of Fashion-MNIST")
    return parser.parse_args(arguments)


def main():
    given = parse_arguments()
    options = Options(kinds(), given.threads, given.rounds, given.seeds, given.fashion, tuple(chosen(COMPARED)))
    for block in header(options):
        print(f"{block}\n", flush=True)
    for name in given.only:
        start = time.monotonic()
        for block in PARTS[name](options):
            print(f"{block}\n", flush=True)
        print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
