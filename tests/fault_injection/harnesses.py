"""What the harnesses have in common on their command lines, and the faults that each of them must find.

``python -m tests.fault_injection.harnesses`` runs each harness once per fault, and reports a fault that it does not
find. The option ``--fault NAME`` of a harness does so for one.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.conftest import ROOT
from tests.fault_injection import FAULT_VARIABLE

POWER_LOSS = ("--max-failures", "1", "--states", "600")
PLAIN = (*POWER_LOSS, "--only", "plain")
RESUMED = (*POWER_LOSS, "--only", "plain-resumed")
SAMPLE = ("--max-failures", "1", "--sample", "2000")
KILLED = ("--max-failures", "1", "--runs", "200")

# by harness: fault -> arguments with which the harness finds it soon
FAULTS_OF_HARNESS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "power_loss": {
        "no fsync of files": PLAIN,
        "no fsync of directories": PLAIN,
        "files are written in place": PLAIN,
        "oldest checkpoint is removed first": PLAIN,
        "metrics are not synced": RESUMED,
        "run directory is published before it is synced": PLAIN,
        "metrics are not truncated": RESUMED,
        "extension writes no checkpoint": (*POWER_LOSS, "--only", "extend twice"),
        "run is resumed from the oldest checkpoint": RESUMED,
    },
    "signals_at_system_calls": {
        "files are written in place": SAMPLE,
        "metrics are not truncated": (*SAMPLE, "--scenario", "resume"),
        "extension truncates metrics first": (*SAMPLE, "--scenario", "extend off interval"),
        "extension writes no checkpoint": (*SAMPLE, "--scenario", "extend twice"),
        "sigterm is not caught": SAMPLE,
    },
    "errors_at_system_calls": {
        "files are written in place": SAMPLE,
        "extension truncates metrics first": (*SAMPLE, "--scenario", "extend off interval"),
        "extension removes the evaluation first": (*SAMPLE, "--scenario", "extend with early stopping"),
        "storage errors are swallowed": SAMPLE,
        "storage errors are not translated": SAMPLE,
        "temporary files are left behind": SAMPLE,
        "failed fsync of metrics is ignored": SAMPLE,
    },
    "read_errors": {
        "unreadable files count as damaged": SAMPLE,
        "unreadable checkpoint is skipped": ("--max-failures", "1", "--scenario", "resume interrupted"),
    },
    "filesystems": {
        "hard links are required": (),
        "fsync of directories is required": (),
        "staging directories are left behind": (),
    },
    "concurrent_trainers": {"runs are not locked": ("--rounds", "2")},
    "moved_runs": {"failed writes are not examined": ("--rounds", "40")},
    "random_kills": {
        "dropout rng is not restored": KILLED,
        "order of rows is drawn from another state": KILLED,
        "metrics are not truncated": KILLED,
        "update count is not restored": KILLED,
        "optimizer state is not loaded by processes": KILLED,
        "workers outlive their parent": KILLED,
        "metrics are measured again": KILLED,
        "best epoch is not restored": KILLED,
        "files are written in place": KILLED,
    },
    "group_kills": {"metrics are not truncated": ("--kills", "40")},
    "cross_run_isolation": {
        "checkpoints of any run are accepted": ("--pairs", "3"),
        "evaluations of any run are accepted": ("--pairs", "60"),
    },
}
FOUND = re.compile(r"[1-9]\d* wrong|has trained")


def run_module(module: str, *arguments: str, fault: str = "") -> "subprocess.CompletedProcess[str]":
    """``python -m tests.fault_injection.MODULE``, with a fault if one is named."""
    return subprocess.run(
        [sys.executable, "-m", f"tests.fault_injection.{module}", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), FAULT_VARIABLE: fault},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=1200,
    )


def add_fault_option(parser: argparse.ArgumentParser, harness: str) -> None:
    """Give a harness the option ``--fault``."""
    faults = FAULTS_OF_HARNESS[harness]
    parser.add_argument("--fault", choices=faults, metavar="NAME", help=f"inject a fault: {', '.join(faults)}")


def run_with_fault(harness: str, fault: str) -> int:
    """Run a harness with a fault in all of its processes; returns its exit code."""
    result = run_module(harness, *FAULTS_OF_HARNESS[harness][fault], fault=fault)
    print(result.stdout, result.stderr, sep="", end="")
    return result.returncode


def run_harness(
    harness: str, parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace, Path], object]
) -> int:
    """Read the command line of a harness, and run it in a temporary directory, or with a fault.

    Returns 1 if ``run`` returns something that is wrong: a number of test cases, or a list of problems.
    """
    add_fault_option(parser, harness)
    arguments = parser.parse_args()
    if arguments.fault:
        return run_with_fault(harness, arguments.fault)
    with tempfile.TemporaryDirectory(prefix=f"{harness}-") as directory:
        return 1 if run(arguments, Path(directory)) else 0


def main() -> int:
    """Run the harnesses with their faults; returns 1 if a fault is not found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("harness", nargs="*", choices=[[], *FAULTS_OF_HARNESS], help="all if none is given")
    missed = 0
    for harness in parser.parse_args().harness or FAULTS_OF_HARNESS:
        for fault, arguments in FAULTS_OF_HARNESS[harness].items():
            result = run_module(harness, *arguments, fault=fault)
            is_found = result.returncode == 1 and bool(FOUND.search(result.stdout))
            missed += not is_found
            last_line = (result.stdout + result.stderr).strip().splitlines()[-1:]
            print(f"{harness}: {fault}: {'found' if is_found else 'MISSED'}: {''.join(last_line)[:160]}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
