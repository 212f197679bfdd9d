"""The checks of a run in the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.table import table

if TYPE_CHECKING:
    from nncli.analysis.verification import Check

RESULTS = {True: Text("ok", "green"), False: Text("WRONG", "bold red"), None: Text("unreadable", "red")}


def show_checks(checks: Sequence["Check"]) -> None:
    """Print one row per check, and how many have passed."""
    out = Output()
    rows = table("check", "result", "details", numbers=False)
    for check in checks:
        rows.add_row(check.subject, RESULTS[check.holds].copy(), Text(check.description))
    out.print(rows)
    out.print(f"\n{sum(check.holds is True for check in checks)} of {len(checks)} checks passed")
