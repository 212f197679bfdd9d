"""Commands under ``python -OO``, which removes docstrings."""

import os
import subprocess
import sys

import pytest

from nncli.cli.docstrings import REMOVED


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["train", "--help"], 0),
        (["explain", "dense"], 2),
        (["explain", "config.yaml"], 2),
        (["components"], 2),
        (["components", "--json"], 2),
        (["schema"], 2),
        (["check", "config.yaml"], 0),
        (["train", "config.yaml", "-q"], 0),
    ],
)
def test_removed_docstrings_are_reported(workdir, arguments, code):
    """Commands that print docstrings say that they are removed; all others work."""
    done = subprocess.run(
        [sys.executable, "-m", "nncli", *arguments],
        capture_output=True,
        env={**os.environ, "PYTHONOPTIMIZE": "2", "COLUMNS": "200"},
        encoding="utf-8",
        check=False,
        cwd=workdir,
    )
    assert done.returncode == code
    assert (REMOVED in " ".join((done.stdout + done.stderr).split())) == ("config.yaml" not in arguments or code == 2)
