"""Plain tables: columns that do not fit a terminal are shortened first, then left out and named; never in a pipe."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from rich.cells import cell_len
from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.format import DIGITS, figure
from nncli.config.diagnostics import counted, sanitized_line

# between words, but not between a number and its unit; and after a separator within a word, but not within a number
WORDS = re.compile(r"(?<=[^\d×] )")
PARTS = re.compile(rf"(?<=\w_)|(?<=\w[-.,/])(?![\d .])|{WORDS.pattern}")
GAP, SMALL_GAP = 3, 1  # spaces between columns
FEWER_DIGITS = 3
MAX_NAMED = 4  # columns that are left out; of more, the first and the last are named


class Cell(NamedTuple):
    """A value in a table: a float is printed with as many digits as there is room for, None as a dash.

    Args:
        value: the value.
        style: its style.
        mark: what is printed before it.
    """

    value: Any
    style: str = ""
    mark: str = ""

    def text(self, digits: int | None) -> str:
        """The text, with this number of significant digits; with all of them if ``digits`` is None."""
        value = "–" if self.value is None else self.value
        return self.mark + (figure(value, digits) if isinstance(value, float) else sanitized_line(str(value)))


class Layout(NamedTuple):
    """Which columns are printed, and how: their widths, the spaces between them, and the digits of numbers."""

    columns: Sequence[int]
    widths: Sequence[int]
    gap: int
    digits: int | None

    @property
    def width(self) -> int:
        """The width of the table."""
        return sum(self.widths) + self.gap * (len(self.widths) - 1)


class Table:
    """A plain table.

    Args:
        headings: the heading of each column; without any text there is no heading.
        text_columns: the number of columns, from the left, that are left-aligned; others are right-aligned.
        digits: significant digits of floats; all of them if None.
    """

    def __init__(self, *headings: str, text_columns: int = 1, digits: int | None = DIGITS) -> None:
        self.headings = [Cell(heading, "bold") for heading in headings]
        self.text_columns, self.digits = text_columns, digits
        self.rows: list[list[Cell]] = []
        self.sections: set[int] = set()  # the indices of the rows with an empty line before them

    def add_row(self, *values: Any, style: str = "") -> None:
        """Add a row of values; those that are no ``Cell`` have this style."""
        self.rows.append([value if isinstance(value, Cell) else Cell(value, style) for value in values])

    def add_section(self) -> None:
        """Print an empty line before the next row."""
        self.sections.add(len(self.rows))

    def fits(self, out: Output) -> bool:
        """Whether no column has to be left out."""
        indices = range(len(self.headings))
        return len(self._fitting(indices, out.room).columns) == len(indices)

    def print(self, out: Output) -> None:
        """Print the table; if it does not fit, it is shortened first, then columns are left out and named."""
        indices = range(len(self.headings))
        layout = self._fitting(indices, out.room)
        self._print(out, layout)
        missing = [sanitized_line(self.headings[index].value) for index in indices if index not in layout.columns]
        if missing:
            listed = ", ".join(missing) if len(missing) <= MAX_NAMED else f"{missing[0]} … {missing[-1]}"
            names = f" ({listed})" if any(missing) else ""
            note = f"+{counted(len(missing), 'column')}{names}: widen the terminal, or use --json"
            out.print("\n".join(broken(note, out.room)), soft_wrap=True)

    def print_in_parts(self, out: Output) -> None:
        """Print the table; columns that do not fit follow in further tables, each with the first column."""
        rest: Sequence[int] = range(1, len(self.headings))
        while rest:
            layout = self._fitting([0, *rest], out.room, least=2, may_shorten=False)
            self._print(out, layout)
            rest = rest[len(layout.columns) - 1 :]
            if rest:
                out.print()

    def _fitting(self, columns: Sequence[int], room: float, least: int = 1, may_shorten: bool = True) -> Layout:
        """The layout with the most columns that fits; the narrowest with ``least`` columns if none fits."""
        fewer = self.digits and min(self.digits, FEWER_DIGITS)
        styles = [(GAP, self.digits), (SMALL_GAP, self.digits), (SMALL_GAP, fewer)]  # from the widest to the narrowest
        spans = {digits: [self._span(index, digits) for index in columns] for _, digits in styles}
        for count in range(len(columns), least - 1, -1):
            for gap, digits in styles if may_shorten or count == least else styles[:1]:
                available = room - gap * (count - 1)
                if sum(narrow for narrow, _ in spans[digits][:count]) <= available:
                    return self._layout(columns[:count], _widths(spans[digits][:count], available), gap, digits)
        return self._layout(columns[:least], [narrow for narrow, _ in spans[fewer][:least]], SMALL_GAP, fewer)

    def _layout(self, columns: Sequence[int], widths: Sequence[int], gap: int, digits: int | None) -> Layout:
        """A layout in which no column is wider than its lines."""
        used = [
            max(cell_len(line) for text, ends in self._texts(index, digits) for line in broken(text, width, ends))
            for index, width in zip(columns, widths, strict=True)
        ]
        return Layout(columns, used, gap, digits)

    def _texts(self, index: int, digits: int | None) -> list[tuple[str, re.Pattern[str]]]:
        """The heading and the cells of a column, and where each may be broken."""
        return [(row[index].text(digits), self._ends(row, index)) for row in (self.headings, *self.rows)]

    def _ends(self, row: Sequence[Cell], index: int) -> re.Pattern[str]:
        """Where the text of a cell may be broken; the first column has the names of rows, which stay whole."""
        return PARTS if index or row is self.headings else WORDS

    def _span(self, index: int, digits: int | None) -> tuple[int, int]:
        """The least width of a column, with its texts broken into lines, and the width without that."""
        texts = self._texts(index, digits)
        pieces = (piece for text, ends in texts for piece in ends.split(text))
        return max(cell_len(piece.rstrip()) for piece in pieces), max(cell_len(text) for text, _ in texts)

    def _print(self, out: Output, layout: Layout) -> None:
        lines = []
        if any(cell.value for cell in self.headings):
            lines += [*self._lines(self.headings, layout), Text("─" * layout.width)]
        for index, row in enumerate(self.rows):
            lines += [Text()] * (index in self.sections) + list(self._lines(row, layout))
        out.print(Text("\n").join(lines), soft_wrap=True)

    def _lines(self, row: Sequence[Cell], layout: Layout) -> Iterator[Text]:
        """The lines of a row: as many as its tallest cell has."""
        cells = [row[index] for index in layout.columns]
        texts = [
            broken(row[index].text(layout.digits), width, self._ends(row, index))
            for index, width in zip(layout.columns, layout.widths, strict=True)
        ]
        for number in range(max(map(len, texts))):
            line = Text()
            for position, (cell, lines, width) in enumerate(zip(cells, texts, layout.widths, strict=True)):
                text = lines[number] if number < len(lines) else ""
                padding = " " * (width - cell_len(text))
                before = " " * layout.gap * (position > 0)
                is_left = layout.columns[position] < self.text_columns
                line.append(before if is_left else before + padding)
                line.append(text, cell.style)
                line.append(padding if is_left else "")
            line.rstrip()
            yield line


def _widths(spans: Sequence[tuple[int, int]], available: float) -> list[int]:
    """The widths of columns that fit; the widest is broken into lines where it is necessary, and the first one last."""
    widths = [wide for _, wide in spans]
    while sum(widths) > available:
        breakable = [index for index in range(1, len(widths)) if widths[index] > spans[index][0]] or [0]
        widths[max(breakable, key=widths.__getitem__)] -= 1
    return widths


def broken(text: str, width: float, ends: re.Pattern[str] = PARTS) -> list[str]:
    """The lines of a text, broken between words and after separators within them; a longer piece is not broken.

    >>> broken("chapter10_momentum", 10), broken("short", 10), broken("a categorical 1.5 s", 8)
    (['chapter10_', 'momentum'], ['short'], ['a', 'categorical', '1.5 s'])
    """
    lines = [""]
    for piece in ends.split(text):
        if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]
