"""Time whole trainings, start-up and files included: nncli against the textbook program, in turns.

Both train the book's network (300 points, 64 units, Adam) for 10,001 epochs, in single precision, on one BLAS thread.
The textbook computes loss and accuracy at every epoch, as the book has it; ``--lean`` lets it do so at every hundredth
only, as nncli does. Usage: python -m tests.benchmarks.whole_process [--rounds 7] [--lean]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
EPOCHS = 10_001


def commands(folder, lean):
    """The two programs, each as the words of its command."""
    config = ROOT / "configs" / "adam.yaml"
    ours = ["-m", "nncli", "train", str(config), "validation=null", f"training.epochs={EPOCHS}", "--runs", folder, "-q"]
    theirs = [str(HERE / "textbook.py"), str(EPOCHS), *(["100"] if lean else [])]
    return {"nncli": [sys.executable, *ours], "textbook": [sys.executable, *theirs]}


def seconds(command):
    """How long one whole process takes."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as installed, modules are compiled once and for all
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT, env=environment)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--lean", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        programs = commands(folder, given.lean)
        for command in programs.values():
            seconds(command)  # warms the disk's cache
        rounds = [{name: seconds(command) for name, command in programs.items()} for _ in range(given.rounds)]
    for name in programs:
        times = sorted(each[name] for each in rounds)
        print(f"{name:9} median {statistics.median(times):.2f} s   from {times[0]:.2f} to {times[-1]:.2f}")
    ratios = sorted(each["nncli"] / each["textbook"] for each in rounds)
    print(f"ratio     median {statistics.median(ratios):.3f}     from {ratios[0]:.3f} to {ratios[-1]:.3f}")


if __name__ == "__main__":
    main()
