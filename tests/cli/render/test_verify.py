"""The checks of a run as a table."""

from pathlib import Path

import pytest

from nncli.analysis.verification import Check
from nncli.cli.render.verify import show_checks


def test_only_checks_that_hold_have_passed(capsys):
    """A file that cannot be read has neither passed nor failed."""
    checks = [Check("data", "same", True), Check("weights.npz", "damaged", False), Check("run.json", "EIO", None)]
    show_checks(Path("runs/a"), checks, [])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[2:5]] == ["ok", "WRONG", "unreadable"]
    assert lines[-1] == "1 of 3 checks passed"


@pytest.mark.parametrize(
    ("obstacles", "words"),
    [
        ([], "gives the same bytes: same versions and kernels"),
        (["numpy (1 then, 2 now)"], "may not give the same bytes:"),
    ],
)
def test_verdict_on_training_again(capsys, obstacles, words):
    """The command, whether it gives the same bytes, and what differs if it may not."""
    show_checks(Path("runs/a b"), [Check("data", "same", True)], obstacles)
    text = " ".join(capsys.readouterr().out.split())
    assert f"training again on this machine (nncli train 'runs/a b') {words}" in text
    assert all(each in text for each in obstacles)
