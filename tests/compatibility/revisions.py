"""Extract a git revision of the package, and run its commands in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.conftest import ROOT

EXTRACTED = ("nncli", "configs")


def extract(revision: str, directory: Path) -> Path:
    """Write the package and the configs of a git revision into a directory, and return it."""
    directory.mkdir(parents=True, exist_ok=True)
    archive = subprocess.run(["git", "archive", revision, *EXTRACTED], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        sys.exit(f"{revision}: git archive fails: {archive.stderr.decode().strip()}")
    subprocess.run(["tar", "-x", "-C", directory], input=archive.stdout, check=True)
    return directory


def run_python(source: Path, arguments: Iterable[object], workdir: Path) -> "subprocess.CompletedProcess[str]":
    """Run Python in ``workdir``, where ``import nncli`` gives the package in ``source``."""
    return subprocess.run(
        [sys.executable, "-P", *map(str, arguments)],
        cwd=workdir,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
