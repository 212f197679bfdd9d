"""CPU time of a completion: what the program takes at a press of the tab key, above that of ``python -c pass``.

Each position of ``tests/cli/completion_positions.py`` is answered in a directory of 30 runs. Processes of both kinds
take turns on the last core of the machine.

Usage: python -m tests.benchmarks.completion [--rounds 10]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from nncli.cli.main import COMPLETE_ENV
from tests.benchmarks.machine import ROOT, pin
from tests.cli.completion_positions import POSITIONS, write_workdir

RUNS = 30
PROGRAM = "import sys; from nncli.__main__ import main; sys.exit(main())"  # as the installed script


def cpu_seconds(command, directory, line):
    """The user and system time of a process that completes a line."""
    asked = {COMPLETE_ENV: "fish_complete", "COMP_LINE": f"nncli {line}"}
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **asked}
    process = subprocess.Popen([sys.executable, *command], cwd=directory, env=variables, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, line
    return usage.ru_utime + usage.ru_stime


def main():
    """Print the median of each position, slowest first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    pin(1)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_workdir(directory)
        for number in range(RUNS - len(list((directory / "runs").iterdir()))):
            shutil.copytree(directory / "runs" / "done", directory / "runs" / f"done-{number}")
        taken = {line: [] for line in POSITIONS}
        for _ in range(rounds):
            for line, seconds in taken.items():
                plain = cpu_seconds(["-c", "pass"], directory, line)
                seconds.append(cpu_seconds(["-c", PROGRAM], directory, line) - plain)
    for line, seconds in sorted(taken.items(), key=lambda item: -median(item[1])):
        print(f"{median(seconds):.3f} s ({min(seconds):.3f}-{max(seconds):.3f})  {line}")


if __name__ == "__main__":
    main()
