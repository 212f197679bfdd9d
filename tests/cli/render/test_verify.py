"""The checks of a run as a table."""

from nncli.analysis.verification import Check
from nncli.cli.render.verify import show_checks


def test_only_checks_that_hold_have_passed(capsys):
    """A file that cannot be read has neither passed nor failed."""
    show_checks([Check("data", "same", True), Check("weights.npz", "damaged", False), Check("run.json", "EIO", None)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[2:5]] == ["ok", "WRONG", "unreadable"]
    assert lines[-1] == "1 of 3 checks passed"
