"""Ctrl-C at any time: no traceback, and exit code 130."""

import random
import re
import signal
import subprocess
import sys
from functools import partial

import pytest

from nncli.cli.interrupts import raised_on_ctrl_c

pytestmark = pytest.mark.slow

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
    "command", [["evaluate", "run"], ["train", "config.yaml", "--runs-dir", "new"], ["init", "n.yaml"]]
)
def test_ctrl_c_during_an_import_is_exit_code_130(workdir, run_cli, command):
    """Whichever module is being imported, the process prints one line and ends."""
    assert run_cli("train", "config.yaml", "--name", "run", "-q").code == 0
    for number in (0, 1, 10, 30, 50, 70, *random.Random(1).sample(range(70), 4)):
        (workdir / "n.yaml").unlink(missing_ok=True)
        words = [sys.executable, "-c", INTERRUPTED, str(number), *command]
        done = subprocess.run(words, capture_output=True, encoding="utf-8", check=False, cwd=workdir)
        assert re.search(r"(\A|\n)interrupted\n\Z|: interrupted by SIGINT at epoch ", done.stderr)
        assert done.returncode == 130
        assert "KeyboardInterrupt" not in done.stderr


@pytest.mark.parametrize("number", [0, 30])
def test_ignored_ctrl_c_stays_ignored(workdir, number):
    """As in a job that a script has put into the background: the command runs to its end."""
    words = [sys.executable, "-c", INTERRUPTED, str(number), "init", "n.yaml"]
    ignore = partial(signal.signal, signal.SIGINT, signal.SIG_IGN)
    done = subprocess.run(words, capture_output=True, encoding="utf-8", check=False, cwd=workdir, preexec_fn=ignore)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("before", [signal.SIG_IGN, signal.SIG_DFL])
def test_ctrl_c_handler_is_restored(before):
    """A signal that is ignored stays ignored; any other raises until the end of the context."""
    original = signal.signal(signal.SIGINT, before)
    try:
        with raised_on_ctrl_c():
            inside = signal.getsignal(signal.SIGINT)
        after = signal.getsignal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, original)
    assert inside == (before if before == signal.SIG_IGN else signal.default_int_handler)
    assert after == before
