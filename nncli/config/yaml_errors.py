"""Errors of YAML syntax in plain words, at the line that is wrong instead of the one at which the parser gave up."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import yaml

from nncli.config.diagnostics import counted, shown

# patterns of lines, compiled when an error is explained
NO_SPACE_AFTER_DASH = r"(?P<before>\s*)-(?P<word>[A-Za-z{\[][^\s:]*)"
NO_SPACE_AFTER_COLON = r"(?P<before>\s*(- )?(?P<key>\w+)):(?P<value>[^\s].*)"
EQUALS = r"(?P<before>\s*(- )?(?P<key>\w+))\s*=\s*(?P<value>.*)"
WORDS = r"\s*(?P<key>\w[\w.-]*)(\s+(?P<value>[^:]*))?"  # a line without a colon
ITEM = r"\s*- (?P<keys>\w+: \w+(, \w+: [^,{}\[\]#]+)+)"  # without its braces
TWO_KEYS = r"\s*\w+: [^,:{}\[\]]+,\s*(?P<second>\w+: .*)"
SECTION = r"\s*(- )?(?P<key>\w+): (?P<value>\w+: .*)"
BRACKETS = {"{": "}", "[": "]"}
INDENTED = ("<block mapping start>", "<block sequence start>", "'-'", "'?'", "<scalar>", "'{'", "'['")


class YamlProblem(NamedTuple):
    """What is wrong with a text; line and column count from 0."""

    line: int
    column: int
    message: str


def explain(text: str, error: yaml.MarkedYAMLError) -> YamlProblem:
    """The mistake that caused an error of the parser."""
    lines = text.splitlines() or [""]
    mark = error.problem_mark or error.context_mark
    line, column = (min(mark.line, len(lines) - 1), mark.column) if mark else (0, 0)
    problem = (error.problem or "syntax error").replace("\n", " ")
    for explanation in (_tab, _quote, _bracket, _punctuation, _same_line, _indentation, _comma, _character):
        if found := explanation(lines, YamlProblem(line, column, problem), error.context_mark):
            return found
    context = f"{error.context}: " if error.context else ""
    return YamlProblem(line, column, f"invalid YAML: {context}{problem}")


def _tab(_lines: Sequence[str], at: YamlProblem, _context: yaml.Mark | None) -> YamlProblem | None:
    if "'\\t'" in at.message:
        return at._replace(message="a tab is not allowed here; indent and separate with spaces")
    return None


def _quote(_lines: Sequence[str], at: YamlProblem, context: yaml.Mark | None) -> YamlProblem | None:
    """A quotation mark without its counterpart."""
    if context and at.message == "found unexpected end of stream":
        return YamlProblem(
            context.line, context.column, "this quotation mark is not closed; write another one at the end"
        )
    return None


def _bracket(lines: Sequence[str], at: YamlProblem, _context: yaml.Mark | None) -> YamlProblem | None:
    """A bracket without its counterpart, or a comma that is missing or too many between brackets."""
    closing = re.search(r"but found '([}\]])'$", at.message)
    if closing and "<" in at.message:
        return at._replace(message=f"this '{closing[1]}' has no opening bracket before it; remove it")
    if re.search(r"expected the node content, but found '[,}\]]'", at.message):
        return at._replace(message="a value is missing before this; write one, or remove a ','")
    if not re.match(r"expected ',' or '[}\]]'|expected the node content, but found '<stream end>'", at.message):
        return None
    opened = _unclosed(lines, at)
    if opened is None:
        return None
    bracket = lines[opened[0]][opened[1]]
    if opened[0] == at.line and "<stream end>" not in at.message:
        return _wrong_bracket(bracket, lines[at.line], at) or _missing_comma(lines[at.line], at)
    message = f"this '{bracket}' is not closed; write '{BRACKETS[bracket]}' at the end of its line"
    return YamlProblem(*opened, message)


def _unclosed(lines: Sequence[str], at: YamlProblem) -> tuple[int, int] | None:
    """Line and column of the last bracket before a position that is still open there."""
    opened = []
    for number, line in enumerate(lines[: at.line + 1]):
        for column, character in enumerate(line if number < at.line else line[: at.column]):
            if character == "#" and (column == 0 or line[column - 1] == " "):
                break
            if character in BRACKETS:
                opened.append((number, column))
            elif character in BRACKETS.values() and opened:
                opened.pop()
    return opened[-1] if opened else None


def _wrong_bracket(bracket: str, line: str, at: YamlProblem) -> YamlProblem | None:
    """A closing bracket of another kind than the opening one."""
    if line[at.column : at.column + 1] not in BRACKETS.values():
        return None
    return at._replace(message=f"this '{line[at.column]}' closes a '{bracket}'; write '{BRACKETS[bracket]}'")


def _missing_comma(line: str, at: YamlProblem) -> YamlProblem:
    """A comma that is missing between two values or keys in one line."""
    before = line[: at.column].rstrip()
    start = before.rfind(" ") + 1 if line[at.column : at.column + 1] == ":" else at.column
    if before.endswith(";") or line[:start].rstrip().endswith(";"):
        return YamlProblem(at.line, line[: at.column].rindex(";"), "write a ',' instead of ';'")
    word = re.match(r"[^\s,:}\]]*", line[start:])
    return YamlProblem(at.line, start, f"write a ',' before {shown(word[0] if word and word[0] else line[start:][:1])}")


def _punctuation(lines: Sequence[str], at: YamlProblem, context: yaml.Mark | None) -> YamlProblem | None:
    """A space that is missing after ``-`` or ``:``, or ``=`` instead of ``:``, in the line or in the one before it."""
    first = context.line if context and "could not find expected ':'" in at.message else at.line
    for number in (first, _line_before(lines, first), _line_before(lines, _line_before(lines, first))):
        line = lines[number]
        if found := re.match(NO_SPACE_AFTER_DASH, line):
            column = len(found["before"])
            return YamlProblem(number, column, f"write a space after '-': - {found['word']}")
        if found := re.fullmatch(NO_SPACE_AFTER_COLON, line):
            message = f"write a space after ':': {found['key']}: {found['value'].strip()}"
            return YamlProblem(number, len(found["before"]), message)
        if found := re.fullmatch(EQUALS, line):
            message = f"write ': ' instead of '=': {found['key']}: {found['value'].strip()}"
            return YamlProblem(number, len(found["before"]), message)
    return None


def _same_line(lines: Sequence[str], at: YamlProblem, context: yaml.Mark | None) -> YamlProblem | None:
    """An item or a key that needs a separate line, or a line without its ``:``."""
    if at.message.startswith("sequence entries are not allowed"):
        return at._replace(message="write each item of the list on a line of its own, below the key")
    if at.message == "could not find expected ':'" and context:
        return _missing_colon(lines, context.line)
    return _second_colon(lines, at) if at.message == "mapping values are not allowed here" else None


def _second_colon(lines: Sequence[str], at: YamlProblem) -> YamlProblem | None:
    """Several keys in one line without braces, or a line before it without its ``:``."""
    if item := re.fullmatch(ITEM, lines[at.line]):
        return YamlProblem(at.line, item.start("keys"), f"several keys in one line; write {{{item['keys'].strip()}}}")
    if keys := re.fullmatch(TWO_KEYS, lines[at.line]):
        message = "two keys in one line; write each on a line of its own, without the ','"
        return YamlProblem(at.line, keys.start("second"), message)
    before = _line_before(lines, at.line)
    if before < at.line and (found := _missing_colon(lines, before)):
        return found
    if section := re.fullmatch(SECTION, lines[at.line]):
        value = section["value"].strip()
        value = value.removesuffix("}") if value.count("}") > value.count("{") else value
        braces = f"{section['key']}: {{{value}}}"
        return at._replace(message=f"a second ':' in one line; write {braces}")
    return None


def _missing_colon(lines: Sequence[str], number: int) -> YamlProblem | None:
    """A line that should have a colon, or a dash as the items above."""
    found = re.fullmatch(WORDS, lines[number].rstrip())
    if not found:
        return None
    above = _line_before(lines, number)
    if above < number and lines[above].lstrip().startswith("- ") and _indent(lines[above]) == _indent(lines[number]):
        return YamlProblem(number, _indent(lines[number]), f"write '- ' before an item of a list: - {found[0].strip()}")
    message = f"write ':' after {shown(found['key'])}" + (
        f": {found['key']}: {found['value']}" if found["value"] else ""
    )
    return YamlProblem(number, found.end("key"), message)


def _indentation(lines: Sequence[str], at: YamlProblem, _context: yaml.Mark | None) -> YamlProblem | None:
    """A line that is indented by more or fewer spaces than its neighbors."""
    is_start = any(f"found {token}" in at.message or f"found '{token}'" in at.message for token in INDENTED)
    if not is_start and at.message != "mapping values are not allowed here":
        return None
    line, above = lines[at.line], lines[_line_before(lines, at.line)]
    spaces, other = _indent(line), _indent(above)
    after_item = above.lstrip().startswith("- ") and not line.lstrip().startswith("-")
    name = re.fullmatch(r"\s*- (\w+)", above.rstrip())
    if after_item and name and spaces > other:
        return YamlProblem(
            at.line, spaces, f"a layer with keys needs 'type': write '- type: {name[1]}' in the line above"
        )
    if after_item:
        what, other = "the keys of the item above begin", other + 2
    else:
        what = "the line above"
    if spaces == other:
        return None
    message = f"this line is indented by {counted(spaces, 'space')}, {what} by {other}; indent them equally"
    return YamlProblem(at.line, spaces, message)


def _comma(_lines: Sequence[str], at: YamlProblem, _context: yaml.Mark | None) -> YamlProblem | None:
    """A comma at the end of a line, as between brackets."""
    if at.message == "expected <block end>, but found ','":
        return at._replace(message="a ',' separates values between brackets only; remove it")
    return None


def _character(_lines: Sequence[str], at: YamlProblem, _context: yaml.Mark | None) -> YamlProblem | None:
    """A character that has a meaning in YAML at the start of a value."""
    found = re.match(r"found character '(.)' that cannot start any token", at.message)
    if found:
        return at._replace(message=f"a value cannot begin with {found[1]}; put it in quotes")
    return None


def _line_before(lines: Sequence[str], number: int) -> int:
    """The index of the last line before ``number`` that is neither empty nor a comment; ``number`` if there is none."""
    before = [index for index in range(number) if lines[index].strip() and not lines[index].strip().startswith("#")]
    return before[-1] if before else number


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
