"""Plain tables for a terminal."""

from rich import box
from rich.table import Table


def table(*headings: str, numbers: bool = True) -> Table:
    """A plain table; all columns but the first are numbers, to the right."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for index, heading in enumerate(headings):
        made.add_column(heading, justify="right" if numbers and index else "left", overflow="fold")
    return made
