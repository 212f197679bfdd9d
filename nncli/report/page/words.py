"""Numbers and lists in sentences."""

from collections.abc import Sequence

DIGITS = 4  # significant digits


def figure(value: float) -> str:
    """A number with four significant digits.

    >>> figure(0.25), figure(1234567.0), figure(2.5e-7)
    ('0.25', '1.235e+06', '2.5e-07')
    """
    return f"{value:.{DIGITS}g}"


def percent(value: float) -> str:
    """A fraction as percent.

    >>> percent(0.8367)
    '83.7%'
    """
    return f"{100 * value:.1f}%"


def listed(texts: Sequence[str], limit: int = 20) -> str:
    """Texts as a list in a sentence; of many, the first ones.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    if len(texts) > limit:
        texts = [*texts[:limit], f"{len(texts) - limit} more"]
    return " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))
