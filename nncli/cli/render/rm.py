"""The question before runs are removed, and what was removed, in the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nncli.cli.output import sanitized
from nncli.config.diagnostics import counted, sanitized_line

if TYPE_CHECKING:
    from nncli.store.removal import Removal


def question(removals: Sequence["Removal"]) -> str:
    """What is to be removed, one line each, and the question."""
    lines = [f"{_described(each)}\n" for each in removals]
    total = f" ({_size(sum(each.bytes for each in removals))} in all)" if len(removals) > 1 else ""
    return sanitized(f"{''.join(lines)}Remove {'it' if len(removals) == 1 else f'these {len(removals)}'}{total}?")


def removed_text(removal: "Removal") -> str:
    """What was removed, in one line."""
    return f"removed {_described(removal)}"


def _described(removal: "Removal") -> str:
    kind = "run" if removal.trials is None else f"group of {counted(removal.trials, 'run')}"
    return f"{sanitized_line(str(removal.path))}: {kind}, {_size(removal.bytes)}"


def _size(count: int) -> str:
    return f"{count / 2**20:,.1f} MiB" if count >= 2**20 else f"{count / 2**10:,.0f} KiB"
