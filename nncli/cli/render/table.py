"""Plain tables for a terminal, and names that are longer than a column."""

import re

from rich import box
from rich.table import Table


def table(*headings: str, numbers: bool = True) -> Table:
    """A plain table; with ``numbers`` all columns but the first are right-aligned."""
    plain = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for index, heading in enumerate(headings):
        plain.add_column(heading, justify="right" if numbers and index else "left", overflow="fold")
    return plain


def break_name(name: str, width: int) -> str:
    r"""Break a name into lines of at most ``width`` characters, after a separator if possible.

    >>> break_name("chapter10_momentum", 10), break_name("short", 10), break_name("categorical", 8)
    ('chapter10_\nmomentum', 'short', 'categori\ncal')
    """
    lines = [""]
    for part in re.findall(rf"[^-_./, ]{{1,{width}}}[-_./, ]?|[-_./, ]", name):
        if len(lines[-1]) + len(part.rstrip()) > width and lines[-1]:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)
