"""The checks of a run in the terminal."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from nncli.cli.render.console import Output
from nncli.cli.render.table import Cell, Table
from nncli.config.diagnostics import counted

if TYPE_CHECKING:
    from nncli.analysis.verification import Check

RESULTS = {True: Cell("ok", "green"), False: Cell("WRONG", "bold red"), None: Cell("unreadable", "red")}


REWRITTEN = {"weights.npz", "evaluation.json"}  # resuming writes them again, as their checks say


def show_checks(checks: Sequence["Check"], conclusion: str) -> None:
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
        out.print(conclusion, soft_wrap=True)


def show_verified(conclusions: Sequence[str], conclusion: str, holds: bool | None) -> None:
    """Print the verdict on each run of a group, and on the group if all hold; otherwise an error with it follows."""
    out = Output()
    for each in conclusions:
        out.print(each, soft_wrap=True)
    if holds:
        out.print(f"\n{conclusion}", soft_wrap=True)


def verdict_of_group(path: Path, results: Sequence[bool | None]) -> str:
    """How many runs of a group are intact, in one line.

    Args:
        path: the directory of the group.
        results: whether each run is intact; None if it cannot be read.
    """
    intact, unreadable = results.count(True), results.count(None)
    could_not = f", {unreadable} could not be read" if unreadable else ""
    return f"{path}: {intact} of {counted(len(results), 'run')} passed all checks{could_not}"


def verdict(path: Path, checks: Sequence["Check"], obstacles: Sequence[str], missing: str | None) -> str:
    """What is proven, or what differs, in one line.

    Args:
        path: the run directory.
        checks: its checks.
        obstacles: why training again might not give the same bytes on this machine.
        missing: what to do about a missing evaluation, if training is complete.
    """
    wrong = [check.subject for check in checks if check.holds is False]
    unreadable = [check.subject for check in checks if check.holds is None]
    if wrong:
        again = "" if obstacles or REWRITTEN.issuperset(wrong) else f"; train it again: nncli train {quote(str(path))}"
        return f"{path}: {len(wrong)} of {len(checks)} checks failed: {', '.join(wrong)}{again}"
    if unreadable:
        what = f"could not read the run or data: {', '.join(unreadable)}"
        return f"{path}: {len(unreadable)} of {len(checks)} checks {what}"
    intact = f"{path}: {len(checks)} of {len(checks)} checks passed"
    if missing:
        return f"{intact}, but the run is not evaluated: {missing}"
    if obstacles:
        return f"{intact}, but training again on this machine may not give the same bytes: {', '.join(obstacles)}"
    return f"{intact}, and training again gives the same bytes on this machine: nncli train {quote(str(path))}"
