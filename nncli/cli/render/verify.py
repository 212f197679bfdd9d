"""The checks of a run in the terminal."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.table import table

if TYPE_CHECKING:
    from nncli.analysis.verification import Check

RESULTS = {True: Text("ok", "green"), False: Text("WRONG", "bold red"), None: Text("unreadable", "red")}


def show_checks(path: Path, checks: Sequence["Check"], obstacles: Sequence[str]) -> None:
    """Print one row per check, whether training again gives the same bytes, and how many checks have passed."""
    out = Output()
    rows = table("check", "result", "details", numbers=False)
    for check in checks:
        rows.add_row(check.subject, RESULTS[check.holds].copy(), Text(check.description))
    out.print(rows)
    again = f"training again on this machine (nncli train {quote(str(path))})"
    if obstacles:
        out.print(Text(f"\n{again} may not give the same bytes: {', '.join(obstacles)}"))
    else:
        out.print(Text(f"\n{again} gives the same bytes: same versions and kernels"))
    out.print(f"{sum(check.holds is True for check in checks)} of {len(checks)} checks passed")
