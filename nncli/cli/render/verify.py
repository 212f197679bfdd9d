"""The checks of a run in the terminal."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from nncli.cli.render.console import Output
from nncli.cli.render.table import Cell, Table

if TYPE_CHECKING:
    from nncli.analysis.verification import Check

RESULTS = {True: Cell("ok", "green"), False: Cell("WRONG", "bold red"), None: Cell("unreadable", "red")}


def show_checks(path: Path, checks: Sequence["Check"], obstacles: Sequence[str]) -> None:
    """Print one row per check, then the verdict if all have passed; otherwise an error with the verdict follows."""
    out = Output()
    rows = Table("check", "result", "details", text_columns=3)
    for check in checks:
        rows.add_row(check.subject, RESULTS[check.holds], check.description.replace("\n", "; "))
    rows.print(out)
    if not rows.fits(out):
        for check in checks:
            if not check.holds:
                out.print_text(f"{check.subject}: {check.description}")
    out.print()
    if all(check.holds for check in checks):
        out.print(verdict(path, checks, obstacles), soft_wrap=True)


def verdict(path: Path, checks: Sequence["Check"], obstacles: Sequence[str]) -> str:
    """What is proven, or what differs, in one line.

    Args:
        path: the run directory.
        checks: its checks.
        obstacles: why training again might not give the same bytes on this machine.
    """
    wrong = [check.subject for check in checks if check.holds is False]
    unreadable = [check.subject for check in checks if check.holds is None]
    if wrong:
        again = "" if obstacles else f"; train it again: nncli train {quote(str(path))}"
        return f"{path}: {len(wrong)} of {len(checks)} checks failed: {', '.join(wrong)}{again}"
    if unreadable:
        what = f"could not read the run or data: {', '.join(unreadable)}"
        return f"{path}: {len(unreadable)} of {len(checks)} checks {what}"
    intact = f"{path}: {len(checks)} of {len(checks)} checks passed"
    if obstacles:
        return f"{intact}, but training again on this machine may not give the same bytes: {', '.join(obstacles)}"
    return f"{intact}, and training again gives the same bytes on this machine: nncli train {quote(str(path))}"
