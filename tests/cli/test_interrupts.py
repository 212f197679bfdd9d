"""Ctrl-C at any moment: no traceback, and exit code 130."""

import random
import re
import subprocess
import sys

import pytest

# sends SIGINT to itself when the numbered import begins, counted from the first one of click
INTERRUPTED = """
import os, runpy, signal, sys

def count(event, details):
    global left
    if event == "import" and (left is not None or details[0] == "click"):
        left = number if left is None else left - 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGINT)

left, number = None, int(sys.argv.pop(1))
sys.addaudithook(count)
runpy.run_module("nncli", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    "command", [["evaluate", "run"], ["train", "config.yaml", "--runs", "new"], ["init", "n.yaml"]]
)
def test_ctrl_c_at_an_import_is_exit_code_130(here, nncli, command):
    """Whichever module is being imported, the process prints one line and ends."""
    assert nncli("train", "config.yaml", "--name", "run", "-q").code == 0
    for number in (0, 1, 10, 30, 70, 100, *random.Random(1).sample(range(100), 4)):
        (here / "n.yaml").unlink(missing_ok=True)
        words = [sys.executable, "-c", INTERRUPTED, str(number), *command]
        done = subprocess.run(words, capture_output=True, encoding="utf-8", check=False, cwd=here)
        assert re.search(r"(\A|\n)interrupted\n\Z|: interrupted by SIGINT at epoch ", done.stderr)
        assert done.returncode == 130
        assert "KeyboardInterrupt" not in done.stderr
