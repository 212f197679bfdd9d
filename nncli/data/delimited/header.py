"""The header of a table: a name for each column, unique and not empty."""

from collections.abc import Iterator, Sequence

from nncli.config.diagnostics import counted, shown
from nncli.data.delimited.problems import Problem, Problems, TableError
from nncli.data.delimited.rows import Text, row_ends


def first_row(text: Text) -> tuple[Text, Text]:
    """Split a text into its first row and the rest; if a quote is not closed, the first row is the whole text."""
    ends = row_ends(text.content)
    end = int(ends[0]) + 1 if len(ends) else len(text.content)
    row, rest = text.content[:end], text.content[end:]
    return Text(row, text.first_line), Text(rest, text.first_line + row.count(b"\n"))


def checked_header(names: list[str], file: str, line: int) -> list[str]:
    """The names in the first row of a file.

    Raises:
        TableError: all names are numbers, so that the header is missing; or names are empty or duplicate.
    """
    if all(map(_is_number, names)):
        found = f"the first row has only numbers, {shown(', '.join(names))}, so that a header is missing"
        fix = f"write one there, or its {counted(len(names), 'name')} as header: [NAME, ...]"
        raise TableError(f"{file}:{line}: {found}; {fix}")
    wrong = [Problem(line, 0, message) for message in _wrong_names(names)]
    if wrong:
        problems = Problems(file)
        problems.add(wrong, len(wrong))
        raise problems.error()
    return names


def checked_names(names: Sequence[str]) -> list[str]:
    """The names from the config for a file without a header, without surrounding white space.

    Raises:
        TableError: there are none, or names are empty or duplicate.
    """
    stripped = [name.strip() for name in names]
    wrong = next(_wrong_names(stripped), None if stripped else "it is empty; write a name for each column")
    if wrong:
        raise TableError(f"header: {wrong}", "header")
    return stripped


def _wrong_names(names: Sequence[str]) -> Iterator[str]:
    first: dict[str, int] = {}
    for column, name in enumerate(names, 1):
        if not name:
            yield f"column {column} has no name; write one, or write the file without its row numbers"
        elif name in first:
            yield f"columns {first[name]} and {column} are both named {shown(name)}; rename one"
        first.setdefault(name, column)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
