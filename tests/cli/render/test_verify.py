"""The checks of a run as a table, and the verdict."""

from pathlib import Path

import pytest

from nncli.analysis.verification import Check
from nncli.cli.render.verify import show_checks, verdict

GOOD, BAD, UNREAD = Check("data", "same", True), Check("weights.npz", "damaged", False), Check("run.json", "EIO", None)


def test_each_check_has_a_row(capsys):
    """A file that cannot be read has neither passed nor failed; the error that follows has the verdict."""
    show_checks(Path("runs/a"), [GOOD, BAD, UNREAD], [])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[2:5]] == ["ok", "WRONG", "unreadable"]
    assert lines[5:] == [""]


@pytest.mark.parametrize(
    ("checks", "obstacles", "words"),
    [
        (
            [GOOD],
            [],
            "training again gives the same bytes on this machine: nncli train 'runs/a b'",
        ),
        (
            [GOOD],
            ["numpy (1 then, 2 now)"],
            "may not give the same bytes: numpy (1 then, 2 now)",
        ),
        ([GOOD, BAD, UNREAD], [], "1 of 3 checks failed: weights.npz; train it again: nncli train 'runs/a b'"),
        ([GOOD, BAD], ["config.yaml is not ok"], "1 of 2 checks failed: weights.npz"),
        ([GOOD, UNREAD], [], "1 of 2 checks could not read the run or data: run.json"),
    ],
)
def test_verdict_is_one_line(checks, obstacles, words):
    """What is proven, or what differs; the first word is the run."""
    line = verdict(Path("runs/a b"), checks, obstacles)
    assert line.startswith("runs/a b: ")
    assert line.endswith(words)
    assert "\n" not in line


def test_verdict_of_an_intact_run_is_the_last_line(capsys):
    """After an empty line."""
    show_checks(Path("runs/a"), [GOOD], [])
    assert capsys.readouterr().out.splitlines()[-2:] == ["", verdict(Path("runs/a"), [GOOD], [])]
