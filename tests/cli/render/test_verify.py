"""The checks of a run as a table, and the verdict."""

from pathlib import Path

import pytest

from nncli.analysis.verification import Check
from nncli.cli.render.verify import show_checks, verdict

GOOD, UNREAD = Check("data", "same", True), Check("run.json", "EIO", None)
BAD, WRONG = Check("weights.npz", "damaged", False), Check("metrics.csv", "damaged", False)


def test_each_check_has_a_row(capsys):
    """A file that cannot be read has neither passed nor failed; the error that follows has the verdict."""
    show_checks([GOOD, BAD, UNREAD], "")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[2:5]] == ["ok", "WRONG", "unreadable"]
    assert lines[5:] == [""]


@pytest.mark.parametrize(
    ("checks", "obstacles", "missing", "words"),
    [
        ([GOOD], [], None, "training again gives the same bytes on this machine: nncli train 'runs/a b'"),
        ([GOOD], ["numpy (1 then, 2 now)"], None, "may not give the same bytes: numpy (1 then, 2 now)"),
        ([GOOD], [], "training is complete", "but the run is not evaluated: training is complete"),
        ([GOOD, BAD, UNREAD], [], None, "1 of 3 checks failed: weights.npz"),
        (
            [BAD, WRONG],
            [],
            None,
            "2 of 2 checks failed: weights.npz, metrics.csv; train it again: nncli train 'runs/a b'",
        ),
        ([GOOD, WRONG], ["config.yaml is not ok"], None, "1 of 2 checks failed: metrics.csv"),
        ([GOOD, UNREAD], [], None, "1 of 2 checks could not read the run or data: run.json"),
    ],
)
def test_verdict_is_one_line(checks, obstacles, missing, words):
    """What is proven, or what differs; the first word is the run."""
    line = verdict(Path("runs/a b"), checks, obstacles, missing)
    assert line.startswith("runs/a b: ")
    assert line.endswith(words)
    assert "\n" not in line


def test_verdict_of_an_intact_run_is_the_last_line(capsys):
    """After an empty line."""
    show_checks([GOOD], "runs/a: 1 of 1 checks passed")
    assert capsys.readouterr().out.splitlines()[-2:] == ["", "runs/a: 1 of 1 checks passed"]
