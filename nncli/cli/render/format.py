"""Numbers and table cells as text."""

from typing import Any

from nncli.config.diagnostics import sanitized_line

LARGE = 1e6


def direction(higher_is_better: bool | None) -> str:
    """An arrow towards better values; empty if neither direction is better."""
    return "" if higher_is_better is None else " ↑" if higher_is_better else " ↓"


def cell_text(value: Any) -> str:
    """A value as a table cell: six significant digits, and a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def warning_text(warning: dict[str, Any]) -> str:
    """A recorded warning that the training learned nothing, as one line."""
    return f"warning: {sanitized_line(warning['message'])}"


def figure(value: float, digits: int = 4) -> str:
    """A number with ``digits`` decimal places, or ``digits`` significant digits if it is very small or large.

    >>> figure(0.25), figure(2.3456789e-06), figure(0.0), figure(2.5e38)
    ('0.2500', '2.346e-06', '0.0000', '2.5e+38')
    """
    is_plain = value == 0 or 10.0 ** (1 - digits) <= abs(value) < LARGE
    return f"{value:.{digits}f}" if is_plain else f"{value:.{digits}g}"
