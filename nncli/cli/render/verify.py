"""The checks of a run in the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.table import table

if TYPE_CHECKING:
    from nncli.analysis.verification import Check

VERDICTS = {True: Text("ok", "green"), False: Text("WRONG", "bold red"), None: Text("unreadable", "red")}


def show_checks(checks: Sequence["Check"]) -> None:
    """One row per check, those that failed in red."""
    out = Output()
    made = table("part", "", "found", numbers=False)
    for check in checks:
        verdict = VERDICTS[check.holds].copy()
        made.add_row(check.subject, verdict, Text(check.description))
    out.print(made)
