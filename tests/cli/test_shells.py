"""Completion in bash, zsh and fish: each position of the table typed into a real shell, and how lines are split."""

import os
import re
import shlex
import shutil
import sys

import pexpect
import pytest
from click.shell_completion import CompletionItem

from nncli.cli.main import COMPLETE_ENV
from nncli.cli.main import nncli as group
from nncli.cli.shells import OPEN, SHELLS
from tests.cli.completion_positions import POSITIONS, write_workdir

# Prints its arguments, except when a shell asks for completions or for the script.
PROGRAM = """\
#!/bin/sh
if [ -n "${variable}" ] || [ "$1" = completion ]; then exec {python} -m nncli "$@"; fi
printf 'RAN'; printf '[%s]' "$@"; echo
"""
INPUTRC = """\
set show-all-if-ambiguous on
set page-completions off
set completion-query-items 0
set bell-style none
set enable-bracketed-paste off
"""
START = {
    "bash": (["--norc", "--noprofile"], "PS1='READY '; eval \"$(nncli completion bash)\""),
    "zsh": (["-f"], "PROMPT='READY '; LISTMAX=1000; unsetopt beep list_ambiguous; eval \"$(nncli completion zsh)\""),
    "fish": (["--no-config"], "function fish_prompt; echo 'READY '; end; nncli completion fish | source"),
}
ESCAPES = re.compile(r"\x1b(\[[\d;?>]*[a-zA-Z]|[=>]|\([B0])")
TIMEOUT = 30  # seconds; only a test that fails waits so long


class Terminal:
    """A shell in a terminal in which completion is loaded as the documents say."""

    def __init__(self, name, directory):
        options, start = START[name]
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("XDG_")},
            "PATH": f"{directory / 'bin'}:{os.environ['PATH']}",
            "HOME": str(directory / "bin"),
            "INPUTRC": str(directory / "bin" / "inputrc"),
            "TERM": "xterm",
            "LC_ALL": "C.UTF-8",
        }
        self.shell = pexpect.spawn(
            name, options, env=environment, cwd=directory, encoding="utf-8", dimensions=(100, 200), timeout=TIMEOUT
        )
        self.type(f"{start}; echo DO''NE\r")
        self.shell.expect("DONE\r\n")

    def type(self, text):
        """Type a text."""
        self.shell.send(text)

    def arguments(self, line):
        """Type a line, the tab key and the return key; return the arguments that the command gets."""
        self.type(f"nncli {line}\t\r")
        self.shell.expect(r"RAN((\[.*\])+)\r?\n")
        return self.shell.match[1]

    def require_listed(self, line, words):
        """Type a line and the tab key, and wait until the shell lists every word; drop the line."""
        self.type(f"nncli {line}\t")
        listed, missing = "", set(words)
        try:
            while missing:
                listed += self.shell.read_nonblocking(10_000, TIMEOUT)
                missing = {word for word in missing if not is_shown(word, ESCAPES.sub("", listed))}
        finally:
            self.type("\x03")
            self.wait_until_ready()

    def wait_until_ready(self):
        """Wait until the shell answers; it may discard what is typed while it handles Ctrl-C."""
        for attempt in range(TIMEOUT):
            self.type(f"echo NE''XT{attempt}\r")
            if self.shell.expect([f"NEXT{attempt}\r\n", pexpect.TIMEOUT], timeout=1 + attempt) == 0:
                return
        pytest.fail("the shell does not answer")


@pytest.fixture(scope="module", params=list(START))
def terminal(request, tmp_path_factory):
    """A shell in a directory with configs and runs."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    directory = tmp_path_factory.mktemp(request.param)
    write_workdir(directory)
    program = directory / "bin" / "nncli"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(variable=COMPLETE_ENV, python=shlex.quote(sys.executable)), encoding="utf-8")
    program.chmod(0o755)
    (directory / "bin" / "inputrc").write_text(INPUTRC, encoding="utf-8")
    started = Terminal(request.param, directory)
    yield started
    started.shell.close(force=True)


def is_shown(word, text):
    """Whether a word is in a text; fish may show an ellipsis for its beginning."""
    return bool(re.search(rf"(?<!\w){word}(?!\w)|…({'|'.join(word[start:] for start in range(len(word) - 2))})", text))


def in_brackets(line):
    return "".join(f"[{word}]" for word in shlex.split(line))


@pytest.mark.slow
@pytest.mark.parametrize("line", POSITIONS)
def test_position_in_a_shell(terminal, line):
    """A single word is inserted, and the command gets it as one argument; several are listed."""
    words = POSITIONS[line]
    if terminal.shell.command.endswith("zsh"):
        line = line.replace("[", "\\[")  # an unquoted bracket begins a subscript there
    if len(words) == 1:
        before = line[: line.rfind(" ") + 1]
        assert terminal.arguments(line) == in_brackets(before) + f"[{words[0]}]"
    else:
        terminal.require_listed(line, [re.split(r"[=./\[](?=.)", word.rstrip("".join(OPEN)))[-1] for word in words])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "arguments"),
    [
        ("tra\tnet.y\toptimizer.l\t0.1", "train net.yaml optimizer.learning_rate=0.1"),
        ("train net.yaml optimizer=sg\tseed=1", "train net.yaml optimizer=sgd seed=1"),
        ("train nets/w\tlayers[0].u\t5", "train nets/wide.yaml 'layers[0].units=5'"),
        ("train my\\ n\tseed=1", "train 'my net.yaml' seed=1"),
        ("train 'my n\tseed=1", "train 'my net.yaml' seed=1"),
        ("evaluate --split=va\tdone", "evaluate --split=validation done"),
        ("evaluate don\t--fail-be\tacc\t0.5", "evaluate done --fail-below accuracy=0.5"),
        ("show ~/../nets/w\t--js\t", "show {home}/../nets/wide.yaml --json"),
        ("train net.yaml training.epochs=\t5", "train net.yaml training.epochs=5"),
        ("train net.yaml 'training.epochs=\t5'", "train net.yaml training.epochs=5"),
        ("evaluate done --fail-below accuracy=\t0.5", "evaluate done --fail-below accuracy=0.5"),
    ],
)
def test_line_typed_with_the_tab_key(terminal, typed, arguments):
    """A space follows a complete word, and none a word that goes on; quotes and escapes are kept."""
    home = terminal.shell.env["HOME"]
    terminal.type(f"nncli {typed}\r")
    terminal.shell.expect(r"RAN((\[.*\])+)\r?\n")
    assert terminal.shell.match[1] == in_brackets(arguments.format(home=home))


@pytest.mark.slow
def test_status_of_runs_is_listed(terminal):
    """Zsh and fish list the status of a run beside its name; bash lists names alone."""
    if terminal.shell.command.endswith("bash"):
        pytest.skip("bash has no descriptions")
    terminal.require_listed("evaluate ", ["done", "finished", "exploded", "diverged", "stopped", "interrupted"])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("nncli ", ([], "")),
        ("nncli tr", ([], "tr")),
        ("nncli train ", (["train"], "")),
        ("nncli train 'my c", (["train"], "my c")),
        ("nncli train 'my c'", (["train"], "my c")),
        ("nncli train my\\ c", (["train"], "my c")),
        ("nncli train a\\", (["train"], "a")),
        ("nncli train a optimizer=ad", (["train", "a"], "optimizer=ad")),
    ],
)
def test_line_is_split_as_the_shell_splits_it(monkeypatch, line, expected):
    """Words before the cursor, and the one at it without its quotes."""
    monkeypatch.setenv("COMP_LINE", line)
    assert SHELLS["zsh"](group, {}, "nncli", COMPLETE_ENV).get_completion_args() == expected


@pytest.mark.parametrize(
    ("line", "word", "expected"),
    [
        ("nncli train net.yaml optimizer=sg", "sg", "sgd"),
        ("nncli train net.yaml optimizer=sg", "optimizer=sg", "optimizer=sgd"),
        ("nncli train net.yaml dtype=", "=", "float32\nfloat64"),
        ("nncli train my", "my", "my\\ net.yaml"),
        ("nncli train 'my", "'my", "my net.yaml"),
        ("nncli evaluate done --split=v", "v", "validation"),
    ],
)
def test_answer_to_bash_is_what_it_replaces(tmp_path, monkeypatch, line, word, expected):
    """Bash replaces the part of a word after its last separator, whichever separators it has."""
    for name in ("net.yaml", "my net.yaml"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_WORD", word)
    assert SHELLS["bash"](group, {}, "nncli", COMPLETE_ENV).complete() == expected


def test_answer_to_zsh_separates_word_and_description(tmp_path, monkeypatch):
    """A colon in a word is escaped, and a sign says whether a space follows."""
    (tmp_path / "a:b.yaml").touch()
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMP_LINE", "nncli train a")
    assert SHELLS["zsh"](group, {}, "nncli", COMPLETE_ENV).complete() == "+a/\n a\\:b.yaml"
    monkeypatch.setenv("COMP_LINE", "nncli completion --h")
    assert SHELLS["zsh"](group, {}, "nncli", COMPLETE_ENV).complete() == " --help:Show this message and exit."


@pytest.mark.parametrize("end", "=.[/")
def test_no_space_follows_a_word_that_can_be_continued(end):
    """A key of a mapping, of a list or of a value, and a directory."""
    shell = SHELLS["zsh"](group, {}, "nncli", COMPLETE_ENV)
    assert [shell.format_completion(CompletionItem(f"word{each}")) for each in (end, "")] == [f"+word{end}", " word"]


def test_two_dashes_are_no_option(tmp_path, monkeypatch):
    """What follows them is an argument."""
    (tmp_path / "net.yaml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMP_LINE", "nncli train -- ne")
    assert SHELLS["fish"](group, {}, "nncli", COMPLETE_ENV).complete() == "net.yaml"
