"""Standard output and standard error: texts are sanitized, failed writes are reported, and nothing blocks forever."""

import contextlib
import errno
import io
import json
import os
import pty
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest

from nncli.cli import output
from nncli.errors import StorageError
from tests.conftest import SPEC

HOSTILE = "\x1b]52;c;aGk=\x07\x1b[2J\x9b31m\r\x08\x7f\u202eabc\u2066"
RICH_SEQUENCES = re.compile(
    r"\x1b\[(?:[\d;]*m|\?(?:25|7)[hl]|J|\d*[AK]|\d*G)|\x1b[78]|\r(?=\n|\x1b\[)"
)  # what rich writes in a terminal
COMMANDS = (
    ("--{}",),
    ("{}",),
    ("init", "{}.yaml"),
    ("data", "{}.csv"),
    ("data", "{}.csv", "--target", "{}", "--json"),
    ("predict", "runs/{}", "{}.csv"),
    ("check", "{}.yml", "missing{}"),
    ("check", "damaged{}.yaml"),
    ("show", "{}.yml", "metrics=[]"),
    ("show", "{}.yml", "{}=1"),
    ("show", "{}.yml", 'loss="{}"'),
    ("explain", "{}.yml"),
    ("explain", "{}.yml", "--json"),
    ("explain", "{}"),
    ("explain", "runs/{}"),
    ("explain", "{}.yml", "--layer", "{}"),
    ("explain", "momentum", "{}.yml"),
    ("explain", "relu", "--inputs", "{}"),
    ("gradcheck", "{}.yml"),
    ("gradcheck", "{}.yml", "--json"),
    ("profile", "{}.yml", "--seconds", "1", "--json"),
    ("components", "{}"),
    ("schema",),
    ("completion", "{}"),
    ("help", "{}"),
    ("train", "{}.yml"),
    ("train", "{}.yml", "--name", "{}"),
    ("train", "{}.yml", "--json"),
    ("train", "--resume", "runs/{}"),
    ("train", "--resume", "runs/stopped{}"),
    ("train", "--resume", "runs/damaged{}"),
    ("train", "{}.yml", "--seeds", "{}"),
    ("train", "{}.yml", "--seeds", "1", "--name", "{}"),
    ("sweep", "{}.yml", "{}=1,2"),
    ("sweep", "{}.yml", "training.epochs=1,2", "--metric", "{}"),
    ("sweep", "{}.yml", "training.epochs=1,2", "--engine", "dask://{}:1"),
    ("worker", "runs/{}"),
    ("worker", "{}"),
    ("evaluate", "runs/{}"),
    ("evaluate", "runs/{}", "--json"),
    ("evaluate", "runs/{}", "--fail-below", "{}=1"),
    ("evaluate", "runs/damaged{}"),
    ("compare", "runs/{}", "runs/stopped{}"),
    ("compare", "runs/{}", "runs/stopped{}", "--json"),
    ("compare", "runs/{}", "runs/stopped{}", "--csv"),
    ("compare", "runs/{}", "runs/stopped{}", "--markdown"),
    ("compare", "runs/{}", "runs/stopped{}", "--latex"),
    ("compare", "runs/{}", "runs/stopped{}", "--top", "1"),
    ("compare", "runs/{}", "runs/stopped{}", "--columns", "{}"),
    ("compare", "runs/{}", "runs/stopped{}", "--sort", "{}"),
    ("compare", "runs/{}", "runs/stopped{}", "--curve", "{}"),
    ("compare", "runs/{}", "runs/columns{}"),
    ("compare", "runs/{}", "runs/columns{}", "--by", "{}"),
    ("compare", "runs/{}", "runs/columns{}", "--by", "seed", "--metric", "{}"),
    ("compare", "runs/{}", "runs/columns{}", "--by", "seed", "--baseline", "{}"),
    ("compare", "runs/{}", "runs/columns{}", "--fail-on-regression", "{}"),
    ("plot", "runs/{}"),
    ("plot", "runs/{}", "runs/stopped{}"),
    ("plot", "runs/columns{}", "--curves"),
    ("plot", "runs/{}", "--confusion", "--calibration", "--weights", "--gradients", "--units", "--json"),
    ("plot", "runs/{}", "-o", "{}.svg"),
    ("report", "runs/{}", "-o", "{}.html"),
    ("report", "runs/{}", "runs/stopped{}"),
    ("report", "runs/columns{}"),
    ("runs",),
    ("runs", "--json"),
    ("runs", "missing{}"),
    ("runs", "empty{}"),
    ("runs", "--csv"),
    ("runs", "--where", "{}=1"),
    ("runs", "--where", "{}"),
    ("runs", "--sort", "{}"),
    ("runs", "--export", "{}", "x"),
    ("runs", "--export", "tensorboard", "{}"),
    ("runs", "--export", "mlflow", "{}"),
    ("note", "runs/{}"),
    ("note", "runs/{}", "{}", "--json"),
    ("note", "runs/{}", "--tag", "{}"),
    ("note", "runs/{}", "--tag", "a", "--remove-tag", "{}"),
    ("rm", "runs/{}", "--yes"),
    ("rm", "empty{}", "--yes"),
    ("cache", "--cache-dir", "empty{}"),
    ("cache", "--cache-dir", "empty{}", "--json"),
    ("verify", "runs/{}"),
    ("verify", "runs/damaged{}"),
    ("verify", "runs/columns{}", "--json"),
)

STYLED = (
    ("runs",),
    ("train", "{}.yml"),
    ("plot", "runs/{}", "--boundary", "--confusion"),
    ("train", "--resume", "runs/stopped{}"),
    ("compare", "runs/{}", "runs/stopped{}"),
    ("evaluate", "runs/damaged{}"),
)


@pytest.fixture
def hostile(workdir, run_cli):
    """Configs and runs with escape sequences in their names and contents."""
    (workdir / f"{HOSTILE}.yml").write_text(SPEC, encoding="utf-8")
    (workdir / f"damaged{HOSTILE}.yaml").write_bytes(f'loss: "x\x1b]52;c;aGk=\x07"\n{HOSTILE}: 1\n'.encode())
    (workdir / f"{HOSTILE}.csv").write_text(f"a,b\n{HOSTILE},{HOSTILE}\n", encoding="utf-8")
    (workdir / f"empty{HOSTILE}").mkdir()
    assert run_cli("train", "config.yaml", "--name", "run", "-q").code == 0
    runs = workdir / "runs"
    for name in ("", "stopped", "damaged", "columns"):
        shutil.copytree(runs / "run", runs / f"{name}{HOSTILE}")
    (runs / f"stopped{HOSTILE}" / "evaluation.json").unlink()
    max((runs / f"stopped{HOSTILE}" / "checkpoints").iterdir()).write_bytes(HOSTILE.encode())
    damaged = json.loads((runs / "run" / "run.json").read_bytes())
    damaged["spec"]["optimizer"][HOSTILE] = HOSTILE
    (runs / f"damaged{HOSTILE}" / "run.json").write_text(json.dumps(damaged), encoding="utf-8")
    metrics = runs / f"columns{HOSTILE}" / "metrics.csv"
    metrics.write_bytes(metrics.read_bytes().replace(b"accuracy", HOSTILE.encode(), 1))
    return workdir


def words(command):
    return [word.format(HOSTILE) for word in command]


def control_characters(text):
    """The characters of a text that are neither printable nor a newline nor a tab."""
    return {character for character in text if not character.isprintable() and character not in "\n\t"}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands_print_no_control_characters(hostile, run_cli, command):
    """Whatever directories, files, columns and options are called, and whatever damaged files contain."""
    result = run_cli(*words(command))
    assert result.out + result.err
    assert not control_characters(result.out + result.err)
    if "--json" in command and result.code == 0:
        assert json.loads(result.out)
        assert command[0] not in {"evaluate", "runs"} or HOSTILE in result.out.encode().decode("unicode_escape")


def test_sanitized_commands_are_all_commands():
    """The list above has every command."""
    from nncli.cli.main import nncli as group

    assert {command[0] for command in COMMANDS} >= set(group.commands)


@pytest.mark.slow
@pytest.mark.parametrize("ascii_only", [False, True])
def test_terminal_gets_only_sequences_of_rich(hostile, ascii_only):
    """Colors and the display of rich, and nothing out of a name; in the C locale too."""
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"} if ascii_only else {}
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "300", **locale}
    for command in STYLED[:2] if ascii_only else STYLED:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "nncli", *words(command)], stdout=theirs, stderr=theirs, env=environment, cwd=hostile
        )
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError):
            while part := os.read(ours, 4096):
                text += part
        os.close(ours)
        process.wait()
        assert text
        assert not control_characters(RICH_SEQUENCES.sub("", text.decode()))


@pytest.mark.slow
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_truncated_output_is_exit_code_5(workdir, unbuffered):
    """A limit on the size of files, as a full disk, whatever the interpreter's own buffering is."""
    with (workdir / "out").open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", "nncli", "components", "--json"],
            stdout=out,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            encoding="utf-8",
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024)),
        )
    assert (done.returncode, done.stderr) == (5, "standard output: File too large\n")


def test_short_writes_are_continued(monkeypatch):
    """Also to a descriptor that another process has made non-blocking."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    taken = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: taken(descriptor, bytes(data[:3])))
    with io.TextIOWrapper(io.BufferedWriter(output.StandardOutput(writing)), encoding="utf-8") as stream:
        stream.write("ten bytes.")
    os.close(writing)
    assert os.read(reading, 100) == b"ten bytes."
    os.close(reading)


def test_failed_write_is_reported_once():
    """Later output is dropped, and the process can end."""
    raw = output.StandardOutput(os.open(os.devnull, os.O_RDONLY))
    with pytest.raises(StorageError, match="standard output: Bad file descriptor"):
        raw.write(b"x")
    assert raw.write(b"more") == 4
    os.close(raw.fileno())


def test_error_of_a_file_names_the_file(run_cli, monkeypatch):
    """An error of a file is not reported as one of standard output."""

    def fail(*_):
        raise OSError(errno.EACCES, "Denied", "a.py")

    monkeypatch.setattr("nncli.store.atomic_write.create_atomic", fail)
    result = run_cli("init", "new.yaml")
    assert (result.code, result.err) == (5, "a.py: Denied\n")


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_training_does_not_block_on_unread_messages(workdir, signum):
    """With a full pipe as standard error training continues, and the first signal stops it after a checkpoint."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writing, b"x" * 4096):
            pass
    os.set_blocking(writing, True)
    command = [sys.executable, "-m", "nncli", "train", "config.yaml", "training.epochs=100000000"]
    process = subprocess.Popen([*command, "training.checkpoint_seconds=0"], stderr=writing, cwd=workdir)
    try:
        checkpoints = workdir / "runs" / "config" / "checkpoints"
        newest, deadline = "", time.monotonic() + 60
        while newest < "00000100.ckpt" and time.monotonic() < deadline:  # the line of epoch 0 has been printed
            newest = max((path.name for path in checkpoints.glob("*.ckpt")), default="")
            assert process.poll() is None
        assert newest >= "00000100.ckpt"
        process.send_signal(signum)
        assert process.wait(timeout=60) == 128 + signum
    finally:
        process.kill()
        process.wait()
        os.close(reading)
        os.close(writing)


@pytest.fixture
def printed_error(monkeypatch):
    """What ``print_error`` writes to a terminal."""

    def call(text, **environment):
        for name, value in {"TERM": "xterm", "NO_COLOR": "", **environment}.items():
            monkeypatch.setenv(name, value)
        ours, theirs = pty.openpty()
        with (
            contextlib.closing(output.Stream(output.StandardError(theirs), "utf-8")) as stream,
            monkeypatch.context() as m,
        ):
            m.setattr(sys, "stderr", stream)
            output.print_error(text)
            stream.flush()
            written = os.read(ours, 4096).decode().replace("\r\n", "\n")
        os.close(ours)
        os.close(theirs)
        return written

    return call


def test_parts_of_an_error_stand_out(printed_error):
    """Its location is bold and its caret red; control characters in it are replaced."""
    text = "a.yaml:1:7: loss: x\x1b[2J\n    loss: x\n          ^"
    styled = "\x1b[1ma.yaml:1:7\x1b[0m: loss: x�[2J\n    loss: x\n\x1b[1;31m          ^\x1b[0m\n"
    assert printed_error(text) == styled
    assert printed_error("Error: no") == "\x1b[1;31mError:\x1b[0m no\n"


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_error_without_colors(printed_error, environment):
    """If the user or the terminal does not want them."""
    assert printed_error("a.yaml:1:7: loss", **environment) == "a.yaml:1:7: loss\n"


def test_error_is_a_document_unless_there_is_one(monkeypatch, capfd):
    """A reader of JSON gets one document at most; DEL is escaped in it."""
    for documents in ([], [{"a": "\x7f"}]):
        with output.standard_streams():
            for document in documents:
                output.print_json(document, ensure_ascii=False)
            output.print_json_error({"exit_code": 4})
            sys.stdout.flush()
        out = capfd.readouterr().out
        assert json.loads(out) == (documents or [{"error": {"exit_code": 4}}])[0]
        assert "\x7f" not in out
