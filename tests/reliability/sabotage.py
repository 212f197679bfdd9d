"""Faults planted into a copy of the package, by which a harness shows that it finds what it is made to find."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import ROOT

COPIED = ("nncli", "tests", "configs")
Faults = Mapping[str, tuple[str, str] | list[tuple[str, str]]]


def planted(folder: Path, faults: Faults) -> Path:
    """Copy the package with its tests and configs into a folder, and put faults into the copy.

    Args:
        folder: where the copy goes; it is made where it is missing.
        faults: by a file's path from the top of the repository, as ``nncli/store/checkpoint.py``: the right text and
            the wrong one, or a list of such pairs. Nothing is planted where it is empty.

    Returns:
        The folder to be put on ``PYTHONPATH``, and to work in: ``python -m`` finds the copy before any other.

    Raises:
        AssertionError: a file does not hold the right text exactly once.
    """
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    for name, pairs in faults.items():
        path = folder / name
        text = path.read_text(encoding="utf-8")
        for right, wrong in [pairs] if isinstance(pairs, tuple) else pairs:
            assert text.count(right) == 1, f"{name} no longer holds what the fault replaces: {right!r}"
            text = text.replace(right, wrong)
        path.write_text(text, encoding="utf-8")
    return folder


def run_in(folder: Path, *words: str, seconds: float = 600) -> "subprocess.CompletedProcess[str]":
    """``python -m`` with these words, on the copy of the package in a folder that ``planted`` has filled."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=seconds,
    )
