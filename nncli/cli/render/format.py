"""Numbers and table cells as text."""

from typing import Any

from nncli.config.diagnostics import sanitized_line

BLOCKS = "▁▂▃▄▅▆▇█"  # heights from an eighth to a whole line
DIGITS = 4  # significant digits of a result, unless the user wants all of them
LARGE, SMALL = 1e6, 1e-4  # numbers beyond are printed with an exponent


def direction(higher_is_better: bool | None) -> str:
    """An arrow towards better values; empty if neither direction is better."""
    return "" if higher_is_better is None else " ↑" if higher_is_better else " ↓"


def cell_text(value: Any) -> str:
    """A value of a config as a table cell, with all its digits, and a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    return _shortest(value) if isinstance(value, float) else str(value)


def warning_text(warning: dict[str, Any]) -> str:
    """A recorded warning that the training learned nothing, as one line."""
    return f"warning: {sanitized_line(warning['message'])}"


def figure(value: float, digits: int | None = DIGITS) -> str:
    """A number with ``digits`` significant digits; with all of them, as in JSON, if ``digits`` is None.

    >>> figure(0.25), figure(99.996), figure(123456.0), figure(2.3456789e-06), figure(0.0), figure(2 / 3, None)
    ('0.2500', '100.0', '123456', '2.346e-06', '0', '0.6666666666666666')
    """
    if digits is None:
        return repr(value)
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    if not SMALL <= abs(rounded) < LARGE:
        return f"{value:.{digits}g}"
    exponent = int(f"{rounded:e}".partition("e")[2])
    return f"{value:.{max(0, digits - 1 - exponent)}f}"


def _shortest(value: float) -> str:
    """A number with the fewest digits that distinguish it from others."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)
