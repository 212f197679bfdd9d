"""Detection of the delimiter: the one that gives the same number of fields in every row."""

from pathlib import Path

from nncli.config.diagnostics import counted, shown
from nncli.data.delimited.problems import FatalProblemError, TableError
from nncli.data.delimited.rows import Rows, Text

WHITESPACE = " "  # as a delimiter it is any number of spaces and tabs
NAMES = {"tab": "\t", r"\t": "\t", "whitespace": WHITESPACE, "comma": ",", "semicolon": ";", "pipe": "|"}
CANDIDATES = ",;\t|"


def checked_delimiter(written: str) -> str:
    """The delimiter from its name or character in the config.

    Raises:
        TableError: the text cannot be a delimiter.
    """
    character = NAMES.get(written, written)
    is_printable = character == "\t" or (len(character) == 1 and " " <= character <= "~")
    if not is_printable or character.isalnum() or character in "\"'+-._":
        known = "write ',', ';', '|', ':', tab or whitespace"
        raise TableError(f"{shown(written)} cannot be a delimiter; {known}", "delimiter")
    return character


def detected_delimiter(text: Text, name: str, width: int | None) -> str:
    """The delimiter of the first rows of a file; a comma if there is a single column.

    If no candidate gives the same number of fields in every row, the only candidate in the first line is used, so
    that the rows with another number of fields are reported.

    Args:
        text: the first rows.
        name: the name of the file; ``.tsv`` prefers the tab if several candidates fit.
        width: the number of columns, if known.

    Raises:
        TableError: the delimiter is ambiguous.
        FatalProblemError: a quote is misplaced.
    """
    found, problem = {}, None
    for candidate in CANDIDATES:
        try:
            found[candidate] = _Fit(text, candidate)
        except FatalProblemError as error:  # the quotes belong to another delimiter, or are wrong
            problem = error
    fitting = [candidate for candidate, fit in found.items() if fit.is_regular and fit.least in {width or fit.least}]
    if len(fitting) == 1 or ("\t" in fitting and {".tsv", ".tab"} & set(Path(name).suffixes)):
        return fitting[0] if len(fitting) == 1 else "\t"
    if not fitting:
        in_first_line = [candidate for candidate in CANDIDATES if candidate.encode() in text.content.split(b"\n")[0]]
        if len(in_first_line) == 1:
            return in_first_line[0]
        if problem and not in_first_line:
            raise problem
        if all(fit.most == 1 for fit in found.values()):
            _require_single_column(text, name)
            return ","
    listed = ", ".join(f"{quoted(candidate)} gives {fit}" for candidate, fit in found.items() if fit.most > 1)
    raise TableError(f"{name}: the delimiter is not clear: {listed}; write the right one as delimiter:")


def quoted(delimiter: str) -> str:
    """A delimiter as it is named in messages.

    >>> quoted(","), quoted(WHITESPACE)
    ("','", 'white space')
    """
    return {"\t": "a tab", WHITESPACE: "white space"}.get(delimiter, repr(delimiter))


class _Fit:
    """The smallest and the largest number of fields that a delimiter gives in a row, and the lines of such rows."""

    def __init__(self, text: Text, delimiter: str) -> None:
        rows = Rows(text, delimiter)
        rows.remove_blank_rows()
        counts = rows.field_counts
        self.least, self.most = int(counts.min()), int(counts.max())
        self._lines = rows.lines[int(counts.argmin())], rows.lines[int(counts.argmax())]

    @property
    def is_regular(self) -> bool:
        return self.least == self.most > 1

    def __str__(self) -> str:
        if self.is_regular:
            return f"{self.least} fields in every row"
        return f"{counted(self.least, 'field')} in line {self._lines[0]} and {self.most} in line {self._lines[1]}"


def _require_single_column(text: Text, name: str) -> None:
    """Reject rows that could also be delimited by white space."""
    words = [len(line.split()) for line in text.content.split(b"\n") if line.strip()]
    if min(words) == max(words) > 1:
        fields = f"white space divides every row into {words[0]} fields"
        raise TableError(f"{name}: {fields}; write delimiter: whitespace, or delimiter: ',' for a single column")
