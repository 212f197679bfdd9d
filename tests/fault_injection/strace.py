"""System calls as strace writes them down: the calls of a command, in order, with what they were given."""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from tests.fault_injection.child_processes import Outcome, command, environment

NAMES = ("rename", "renameat", "renameat2", "mkdir", "mkdirat", "unlink", "unlinkat", "link", "linkat", "rmdir")
CHANGING = ("openat", "write", "pwrite64", "writev", "fsync", "fdatasync", "truncate", "ftruncate", *NAMES)
ALL = (*CHANGING, "open", "creat", "close", "dup", "dup2", "dup3", "lseek", "pwritev", "fallocate", "sendfile", "chdir")
READING = ("openat", "read", "pread64", "getdents64", "newfstatat", "fstat", "lstat", "stat", "statx", "fcntl")
WITH_DATA = {"write", "writev", "pwrite64", "pwritev", "read", "pread64"}  # whose strings are no paths
LONGEST = 1 << 28  # bytes of a string

_LINE = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+|\?)(.*)")
_HEX = r"(?:\\x[0-9a-f]{2})*"
_TOKEN = re.compile(rf'"({_HEX})"|(AT_FDCWD|\d+)<({_HEX})>(?:\(deleted\))?|([^,\s\[\]{{}}]+)')


class Descriptor(NamedTuple):
    """A descriptor with the path that it stood for."""

    number: int
    path: str


CWD = -100  # the number of AT_FDCWD
Token: TypeAlias = bytes | str | Descriptor


class Call(NamedTuple):
    """One system call: strings as bytes, words and numbers as text; no result where the process ended in it."""

    name: str
    tokens: tuple[Token, ...]
    result: int | None
    is_injected: bool = False

    @property
    def words(self) -> set[str]:
        """The flags."""
        return {word for token in self.tokens if isinstance(token, str) for word in token.split("|")}

    def paths(self) -> Iterator[Path]:
        """Every path that the call is about; a relative one begins at the descriptor before it, if there is one."""
        start = Path()
        for token in self.tokens:
            if isinstance(token, Descriptor):
                start = Path(token.path)
                if token.number != CWD:
                    yield start
            elif isinstance(token, bytes) and self.name not in WITH_DATA:
                yield start / token.decode()


class Trace(NamedTuple):
    """A command under strace: how it ended, its calls, and the signals that it got."""

    outcome: Outcome
    calls: list[Call]
    signals: list[str]


def is_available() -> bool:
    """Whether strace is installed and may trace."""
    return (
        bool(shutil.which("strace"))
        and not subprocess.run(["strace", "-o", "/dev/null", "true"], check=False).returncode
    )


def traced(
    arguments: Iterable[str],
    cwd: Path,
    options: Sequence[str] = (),
    stderr: Path | None = None,
) -> Trace:
    """Run a command under strace; its log, and standard error if a file is named, are written beside ``cwd``."""
    log = cwd.parent / f"{cwd.name}.strace"
    words = ["strace", "-f", "-y", "-xx", "-s", str(LONGEST), "-o", str(log), *options, *command(arguments)]
    with (stderr or cwd.parent / f"{cwd.name}.stderr").open("w+", encoding="utf-8") as errors:
        done = subprocess.run(
            words, cwd=cwd, env=environment(), stdout=subprocess.PIPE, stderr=errors, encoding="utf-8", check=False
        )
        text = "" if stderr else _again(errors)
    lines = log.read_text(encoding="ascii").splitlines()
    signals = [line.split()[2] for line in lines if " --- SIG" in line]
    signals += [line.split()[4] for line in lines if " +++ killed by SIG" in line]
    return Trace(Outcome(done.returncode, done.stdout, text), list(parsed(lines)), signals)


def _again(file) -> str:
    file.seek(0)
    return file.read()


def parsed(lines: Iterable[str]) -> Iterator[Call]:
    """The calls in the lines of a log; signals and exits are left out, calls of several threads are not understood."""
    for line in lines:
        assert "<unfinished" not in line or line.endswith("<unfinished ...>) = ?"), f"several threads: {line[:200]}"
        if found := _LINE.fullmatch(line):
            _, name, arguments, result, rest = found.groups()
            tokens = tuple(map(_token, _TOKEN.finditer(arguments)))
            yield Call(name, tokens, None if result == "?" else int(result), "(INJECTED)" in rest)


def _token(found: re.Match) -> Token:
    string, number, path, word = found.groups()
    if string is not None:
        return _unescaped(string)
    if number is not None:
        return Descriptor(CWD if number == "AT_FDCWD" else int(number), _unescaped(path).decode())
    return word


def _unescaped(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


class Point(NamedTuple):
    """A place in the scenario of a command: the ``number``-th call of that name in the whole process."""

    call: str
    number: int
    about: str


def changes(call: Call) -> bool:
    """Whether the call changes something, or may; a file that is opened to be read and an empty write do not."""
    if call.name == "openat":
        return "O_CREAT" in call.words
    return call.name in CHANGING and not (call.name == "write" and call.tokens[1] == b"")


def reads(call: Call) -> bool:
    """Whether the call reads a file, a directory, or what is known about one."""
    return call.name in READING and not changes(call)


def points(calls: Iterable[Call], directory: Path, chosen: Callable[[Call], bool] = changes) -> list[Point]:
    """Every such call about something below ``directory``, or about standard output or standard error."""
    counted: Counter[str] = Counter()
    found = []
    for call in calls:
        counted[call.name] += 1
        about = _about(call, directory)
        if about is not None and chosen(call):
            found.append(Point(call.name, counted[call.name], about))
    return found


def _about(call: Call, directory: Path) -> str | None:
    first = call.tokens[0] if call.tokens else None
    if call.name == "write" and isinstance(first, Descriptor) and first.number in (1, 2):
        return ("standard output", "standard error")[first.number - 1]
    below = [directory / path for path in call.paths() if (directory / path).is_relative_to(directory)]
    return str(below[-1].relative_to(directory)) if below else None
