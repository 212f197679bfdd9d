"""Commands in a terminal, and signals during training."""

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time

import numpy as np
import pytest
from pexpect import EOF
from pexpect.fdpexpect import fdspawn

from nncli.processes import CAN_FORK
from nncli.store.checkpoint import unpack
from tests.examples import DIVIDED
from tests.fault_injection.child_processes import members_of_group

pytestmark = pytest.mark.slow

ENDLESS = ["training.epochs=100000000", "training.log_every=1000"]
AS_SHELL = """
import fcntl, runpy, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
runpy.run_module("nncli", run_name="__main__", alter_sys=True)
"""
SHOWN, HIDDEN = "\x1b[?25h", "\x1b[?25l"
ESCAPES = re.compile(r"\x1b(?:\[[\d;?]*[a-zA-Z]|[78])")
MOVES = re.compile(r"\x1b\[\d*[A-H]")
COLORS = re.compile(r"\x1b\[[\d;]*[34]\d[\d;]*m")


def environment(**variables):
    """The environment of this process, with a terminal of a fixed type and size."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR", "CI"}}
    return inherited | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"} | variables


@contextlib.contextmanager
def terminal(workdir, *arguments, **variables):
    """Run a command in a pseudo-terminal; yield its screen and its process."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", AS_SHELL, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=workdir,
        env=environment(**variables),
        start_new_session=True,
    )
    os.close(theirs)
    screen = fdspawn(ours, timeout=60, encoding="utf-8", codec_errors="replace")
    try:
        yield screen, process
    finally:
        process.kill()
        process.wait()
        screen.close()


def rest(screen):
    """Everything that is printed until the end."""
    screen.expect(EOF)
    return screen.before


def finished(workdir, *arguments, **variables):
    """Everything that a command prints in a terminal, and its exit code."""
    with terminal(workdir, *arguments, **variables) as (screen, process):
        text = rest(screen)
        return text, process.wait()


@pytest.fixture
def training(workdir):
    """An endless training in pipes instead of a terminal, after its first line of progress."""
    command = [sys.executable, "-m", "nncli", "train", "config.yaml", *ENDLESS]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", cwd=workdir, env=environment()
    ) as process:
        assert process.stderr.readline().startswith("epoch 0/")
        yield process
        process.kill()


def newest(run):
    return unpack(max((run / "checkpoints").iterdir()).read_bytes())


def panels(text):
    """The frames of the display, each as its lines without escape sequences."""
    plain = ESCAPES.sub("", text).replace("\r", "")
    return [frame.splitlines() for frame in re.findall(r"╭─ .*?╯\n", plain, re.DOTALL)]


def test_terminal_gets_a_panel_that_stays(workdir):
    """It is redrawn in place, hides the cursor and shows it again, and its last frame stays above the result."""
    text, code = finished(workdir, "train", "config.yaml", "training.epochs=6000")
    assert code == 0
    assert HIDDEN in text
    assert text.rindex(SHOWN) > text.rindex(HIDDEN)
    assert MOVES.search(text)
    live, _, result = text.rpartition(SHOWN)
    *frames, last = panels(live)
    assert " left" in frames[-1][1]
    assert "Ctrl-C stops and saves" in frames[-1][-1]
    assert "epoch 6000/6000" in last[1]
    assert re.search(r"epochs/s · learning rate 0\.05", last[2])
    assert re.search(r"validation +\d\.\d+ +\d\.\d+ @\d+", "\n".join(last))
    assert re.search("[\u2801-\u28ff] training ", "\n".join(last))
    assert re.search(r"╯\x1b\[0m\r\n(\x1b\S+)?$", live)
    for frame in (*frames, last):
        assert {len(line) for line in frame} == {100}
        assert all(line.strip("│ ") for line in frame)
    assert "epoch 0/6000  loss" not in text
    assert "6000 epochs in " in result
    assert "runs/config" in result


def test_panel_of_a_fast_training_is_drawn_once(workdir):
    """A training of some milliseconds leaves the panel of its end."""
    text, code = finished(workdir, "train", "config.yaml", "training.epochs=20")
    assert code == 0
    assert "epoch 20/20" in panels(text)[-1][1]
    assert len(panels(text)) <= 2


def test_watched_training_draws_the_boundary(workdir):
    """With --watch the plane of the two inputs is next to the curves, and the results are the same."""
    text, code = finished(workdir, "train", "config.yaml", "training.epochs=3000", "--watch")
    assert code == 0
    last = panels(text)[-1]
    assert len(last) > 20
    assert sum("▀" in line for line in last) > 10
    assert re.search(" epoch 3000 .* epoch 3000 ", "\n".join(last))
    assert finished(workdir, "train", "config.yaml", "training.epochs=3000", "-q")[1] == 0
    for name in ("weights.npz", "metrics.csv"):
        watched, quiet = (workdir / "runs" / run / name for run in ("config", "config-2"))
        assert watched.read_bytes() == quiet.read_bytes()


def test_terminal_that_is_resized_gets_a_panel_of_its_width(workdir):
    """The next frame has the new width, and erases the lines that the terminal has broken."""
    unset = {"COLUMNS": "", "LINES": ""}
    with terminal(workdir, "train", "config.yaml", *ENDLESS, **unset) as (screen, process):
        for columns in (90, 60):
            fcntl.ioctl(screen.child_fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
            screen.expect("╭[^╮]*╮[^╰]*╰[^╯]*╯")
            screen.expect("╭[^╮]*╮[^╰]*╰[^╯]*╯")
            assert {len(line) for line in panels(screen.after + "\n")[0]} == {columns}
        screen.send("\x03")
        rest(screen)
        assert process.wait() == 130


def test_ctrl_c_in_a_terminal_is_exit_code_130(workdir):
    """The key stops training after a checkpoint; the panel stays, and the message below says how to resume."""
    with terminal(workdir, "train", "config.yaml", *ENDLESS) as (screen, process):
        screen.expect(r"validation.*\d\.\d")
        screen.send("\x03")
        text = rest(screen)
        assert process.wait() == 130
    assert SHOWN in text
    assert HIDDEN not in text
    live, _, end = text.rpartition(SHOWN)
    assert "validation" in "\n".join(panels(live)[-1])
    message = " ".join(end.split())
    assert "\x1b[1mruns/config\x1b[0m: interrupted by SIGINT at epoch " in message
    assert "resume with: nncli train --resume runs/config" in message
    assert newest(workdir / "runs" / "config").state.epoch > 0


@pytest.mark.skipif(not CAN_FORK, reason="processes are forked")
@pytest.mark.parametrize("keys", ["\x03", "\x03\x03"], ids=["once", "twice"])
def test_ctrl_c_ends_all_processes_of_a_training(workdir, keys):
    """The key is sent to the workers as well, which leave it to their parent: it ends them, and writes a checkpoint.

    Its parameters are those of a training of as many epochs that is not interrupted.
    """
    command = ("train", "config.yaml", *DIVIDED, *ENDLESS)
    with terminal(workdir, *command) as (screen, process):
        screen.expect(r"validation.*\d\.\d")
        while len(members_of_group(process.pid)) < 2:
            time.sleep(0.01)
        screen.send(keys)
        text = rest(screen)
        assert process.wait() == 130
        assert not members_of_group(process.pid)
    assert "resume with: nncli train --resume runs/config" in " ".join(text.rpartition(SHOWN)[2].split())
    state = newest(workdir / "runs" / "config").state
    assert state.epoch > 0 or len(keys) > 1  # the second key does not wait for a checkpoint
    if state.epoch > 0:
        assert finished(workdir, *command, f"training.epochs={state.epoch}", "--name", "other", "-q")[1] == 0
        with np.load(workdir / "runs" / "other" / "weights.npz") as weights:
            expected = np.concatenate([array.ravel() for array in weights.values()])
        assert np.array_equal(state.vectors["values"], expected)


def test_panel_of_a_diverged_training_stays(workdir):
    """With its last finite metrics; the message below names what diverged."""
    text, code = finished(workdir, "train", "config.yaml", "optimizer={type: sgd, learning_rate: 1.0e+30}")
    assert code == 7
    live, _, message = text.rpartition(SHOWN)
    assert re.search(r"training +\d\.\d+", "\n".join(panels(live)[-1]))
    assert "training diverged at epoch " in message


def code_after_closing(workdir, *, ignored):
    """The exit code of a training whose terminal is closed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "nncli", "train", "config.yaml", *(["training.epochs=20000"] if ignored else ENDLESS)],
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        cwd=workdir,
        env=environment(),
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL),  # noqa: PLW1509
    )
    os.close(theirs)
    while b" left" not in os.read(ours, 4096):
        pass
    os.close(ours)
    if not ignored:
        process.send_signal(signal.SIGHUP)
    return process.wait(timeout=60)


def test_closed_terminal_stops_training_with_a_checkpoint(workdir):
    """Its SIGHUP stops training, though nothing can be drawn any more; under nohup training runs to its end."""
    assert code_after_closing(workdir, ignored=False) == 129
    assert newest(workdir / "runs" / "config").state.epoch > 0
    assert code_after_closing(workdir, ignored=True) == 0
    assert (workdir / "runs" / "config-2" / "evaluation.json").exists()


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signal_stops_training_with_a_checkpoint(workdir, run_cli, training, signum, code):
    """The last epoch is on disk, the message says so, and the run can be evaluated at that epoch."""
    training.send_signal(signum)
    out, err = training.communicate(timeout=60)
    assert (training.returncode, out) == (code, "")
    last = err.splitlines()[-1]
    message = re.fullmatch(
        rf"runs/config: interrupted by {signum.name} at epoch (\d+); resume with: nncli train --resume runs/config",
        last,
    )
    assert message, err
    run = workdir / "runs" / "config"
    assert newest(run).state.epoch == int(message[1])
    assert np.isfinite(newest(run).state.vectors["values"]).all()
    assert newest(run).metrics_bytes == (run / "metrics.csv").stat().st_size
    assert not (run / "evaluation.json").exists()
    evaluated = run_cli("evaluate", "config", "--json")
    assert evaluated.code == 0
    assert json.loads(evaluated.out)["status"] == f"interrupted at epoch {message[1]}"


def test_status_is_running_until_the_process_is_killed(workdir, run_cli, training):
    """Another process sees the lock; after a kill, which leaves no time for anything, the run is interrupted."""
    seen = run_cli("evaluate", "config", "--json")
    assert json.loads(seen.out)["status"] == "running"
    training.kill()
    training.wait()
    assert json.loads(run_cli("evaluate", "config", "--json").out)["status"].startswith("interrupted at epoch ")


def test_checkpoints_are_written_periodically(workdir):
    """Without any signal the latest checkpoint follows the training."""
    command = [sys.executable, "-m", "nncli", "train", "config.yaml", *ENDLESS, "--quiet"]
    with subprocess.Popen([*command, "training.checkpoint_seconds=0.01"], cwd=workdir, env=environment()) as process:
        checkpoints, seen = workdir / "runs" / "config" / "checkpoints", set()
        deadline = time.monotonic() + 60
        while len(seen) < 3 and time.monotonic() < deadline:
            seen |= {path.name for path in checkpoints.glob("*.ckpt") if path.name != "00000000.ckpt"}
            time.sleep(0.005)
        process.kill()
    assert len(seen) >= 3


def test_no_color_removes_colors_from_the_display(workdir):
    """NO_COLOR leaves the display, without its colors."""
    colored, _ = finished(workdir, "train", "config.yaml", "training.epochs=20000")
    plain, code = finished(workdir, "train", "config.yaml", "training.epochs=20000", NO_COLOR="1")
    assert code == 0
    assert COLORS.search(colored)
    assert not COLORS.search(plain)
    assert MOVES.search(plain)


@pytest.mark.parametrize("arguments", [["evaluate", "config"], ["compare", "config", "config-2"], ["components"]])
def test_no_color_removes_colors_from_results(workdir, run_cli, arguments):
    """No command prints colors if the user wants none."""
    assert run_cli("train", "config.yaml", "-q").code == run_cli("train", "config.yaml", "-q").code == 0
    text, code = finished(workdir, *arguments, NO_COLOR="1")
    assert code == 0
    assert not COLORS.search(text)


def test_dumb_terminal_gets_plain_lines(workdir):
    """A terminal that cannot draw gets the progress as lines, without control codes."""
    text, code = finished(workdir, "train", "config.yaml", TERM="dumb")
    assert code == 0
    assert "epoch 0/30  loss" in text
    assert "\x1b" not in text


def test_pipe_gets_plain_lines(workdir):
    """In pipes no control code is printed, on neither stream."""
    command = [sys.executable, "-m", "nncli", "train", "config.yaml"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, cwd=workdir, env=environment())
    assert [line.split()[1] for line in done.stderr.splitlines()] == ["0/30", "10/30", "20/30", "30/30"]
    assert "\x1b" not in done.stdout + done.stderr


def test_quiet_in_a_terminal_prints_only_the_path(workdir):
    """No display, no table."""
    assert finished(workdir, "train", "config.yaml", "--quiet") == ("runs/config\r\n", 0)


def test_json_in_a_terminal_is_one_document(workdir):
    """No display, no colors, no other text."""
    text, code = finished(workdir, "train", "config.yaml", "--json")
    assert code == 0
    assert json.loads(text)["run"] == "runs/config"


def test_standard_output_gets_only_the_result(workdir):
    """With standard output in a file the terminal still gets the display, and the file nothing of it."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "nncli", "train", "config.yaml", "training.epochs=20000", "--name", "x"]
    with (workdir / "out.txt").open("w", encoding="utf-8") as file:
        process = subprocess.Popen(command, stdout=file, stderr=theirs, cwd=workdir, env=environment())
    os.close(theirs)
    screen = fdspawn(ours, timeout=60, encoding="utf-8", codec_errors="replace")
    assert MOVES.search(rest(screen))
    screen.close()
    assert process.wait() == 0
    text = (workdir / "out.txt").read_text(encoding="utf-8")
    assert "\x1b" not in text
    assert text.endswith("saved in runs/x\n")


PAGER = "sh -c 'cat; echo paged'"


@pytest.mark.parametrize(
    ("arguments", "lines", "is_paged"),
    [
        (["explain", "config.yaml"], "30", True),
        (["explain", "config.yaml"], "500", False),
        (["explain", "config.yaml", "--json"], "30", False),
        (["explain", "adam"], "10", True),
    ],
)
def test_explanation_longer_than_the_screen_is_paged(workdir, arguments, lines, is_paged):
    """With the program in ``PAGER``; everything is printed either way."""
    text, code = finished(workdir, *arguments, LINES=lines, PAGER=PAGER)
    assert code == 0
    assert ("paged" in text) == is_paged
    assert "adam" in text


def test_pager_of_its_own_shows_colors(workdir):
    """``less`` gets the escape sequences, and waits at the end of the first screen."""
    with terminal(workdir, "explain", "config.yaml", PAGER="less") as (screen, process):
        screen.expect("one training step")
        screen.expect("\x1b\\[1m")
        assert process.poll() is None
        screen.send("q")
        rest(screen)
        assert process.wait() == 0


@pytest.mark.parametrize("pipe", ["stdin", "stdout"])
def test_nothing_is_paged_without_a_terminal_on_both_sides(workdir, pipe):
    """Neither if no key can be read nor if the output goes to a pipe."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0), os.fdopen(theirs, "wb", buffering=0) as side:
        streams = {"stdin": side, "stdout": side, pipe: subprocess.PIPE}
        command = [sys.executable, "-m", "nncli", "explain", "dense"]
        with subprocess.Popen(command, **streams, cwd=workdir, env=environment(LINES="5", PAGER=PAGER)) as process:
            text = process.communicate(timeout=60)[0] if pipe == "stdout" else None
        os.set_blocking(ours, False)
        text = text or os.read(ours, 2**16)
    assert process.returncode == 0
    assert b"Source: " in text
    assert b"paged" not in text
    assert (b"\x1b[1m" in text) == (pipe == "stdin")  # colors are for a terminal


PLACE, WRONG = "config.yaml:10:40", ": optimizer.learning_rate: must be greater than 0, got -1"


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_errors_have_colors_in_a_terminal(workdir, variables):
    """The location, the caret and the word "Error" stand out, unless the user or the terminal wants no colors."""
    spec = workdir / "config.yaml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("0.05", "-1"), encoding="utf-8")
    text, code = finished(workdir, "check", "config.yaml", **variables)
    assert code == 3
    bold = not variables
    lines = text.splitlines()
    assert lines[0] == (f"\x1b[1m{PLACE}\x1b[0m{WRONG}" if bold else PLACE + WRONG)
    assert ("\x1b[1;31m" in lines[2], "\x1b" in text) == (bold, bold)
    usage, code = finished(workdir, "show", **variables)
    assert (code, "\x1b[1;31mError:\x1b[0m Missing argument" in usage) == (2, bold)


def test_errors_in_a_pipe_have_no_colors(workdir):
    """Whatever the variables say, the bytes are those of the message."""
    command = [sys.executable, "-m", "nncli", "show", "nothing.yaml"]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", check=False, cwd=workdir, env=environment(FORCE_COLOR="1")
    )
    assert done.stderr.startswith("nothing.yaml: no such file; ")


def test_narrow_terminal_names_columns_and_a_pipe_has_them(workdir, run_cli):
    """The width counts in a terminal only."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    text, _ = finished(workdir, "runs", COLUMNS="40")
    assert "+2 columns (validation_loss, validation_" in text
    lines = [line.rstrip() for line in finished(workdir, "evaluate", "config", COLUMNS="40")[0].splitlines()]
    assert "validation, 60 rows: confusion matrix" in lines  # broken between words
    assert "(rows: actual, columns: predicted)" in lines
    command = [sys.executable, "-m", "nncli", "runs"]
    piped = subprocess.run(
        command, stdout=subprocess.PIPE, encoding="utf-8", check=True, cwd=workdir, env=environment(COLUMNS="40")
    )
    assert "validation_accuracy" in piped.stdout.splitlines()[0]


def test_interrupted_training_is_json(workdir):
    """With --json the message is a document, and the exit code is that of the signal."""
    command = [sys.executable, "-m", "nncli", "train", "config.yaml", *ENDLESS, "--json"]
    first = workdir / "runs" / "config" / "checkpoints" / "00000000.ckpt"
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", cwd=workdir, env=environment()
    ) as process:
        deadline = time.monotonic() + 60
        while not first.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(out) == {"error": {"message": err.rstrip("\n"), "exit_code": 130, "run": "runs/config"}}
    assert "resume with: nncli train --resume runs/config" in err


WITHOUT_DELAY = "import nncli.cli.reading as reading\nreading.DELAY = reading.INTERVAL = 0\n"
TABLE = """\
seed: 0
data: {type: table, path: data.csv, target: kind}
layers: [{type: dense, units: 2}, softmax]
loss: categorical_crossentropy
optimizer: adam
training: {epochs: 3}
"""
READ = "reading data.csv"


@pytest.fixture
def table(workdir, run_cli, monkeypatch):
    """A run on a table; in a terminal its bar appears at once."""
    rows = "".join(f"{number / 7:.6f},{'ab'[number % 2]}\n" for number in range(1000))
    (workdir / "data.csv").write_text("size,kind\n" + rows, encoding="utf-8")
    (workdir / "table.yaml").write_text(TABLE, encoding="utf-8")
    assert run_cli("train", "table.yaml", "-q").code == 0
    monkeypatch.setattr(sys.modules[__name__], "AS_SHELL", AS_SHELL.replace("runpy.run", WITHOUT_DELAY + "runpy.run"))
    return workdir


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "table.yaml"],
        ["check", "table.yaml"],
        ["data", "table.yaml"],
        ["data", "data.csv"],
        ["predict", "table", "data.csv", "-o", "out.csv"],
        ["evaluate", "table", "--data", "data.csv"],
        ["init", "new.yaml", "--data", "data.csv", "--target", "kind"],
    ],
)
def test_reading_has_a_bar_in_a_terminal(table, arguments):
    """Every command that reads a table shows it, and removes it before its result."""
    text, code = finished(table, *arguments)
    assert code == 0
    assert READ in text
    assert "kB" in text
    assert re.search(r"\r\x1b\[1A\x1b\[2K", text[text.rindex(READ) :])


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "table.yaml", "-q"],
        ["train", "table.yaml", "--json"],
        ["check", "table.yaml", "--json"],
        ["data", "data.csv", "--json"],
        ["evaluate", "table", "--data", "data.csv", "--json"],
        ["predict", "table", "data.csv"],
    ],
)
def test_reading_has_no_bar_beside_other_output(table, arguments):
    """Not with -q and --json, nor between predictions that are printed in the terminal."""
    text, code = finished(table, *arguments)
    assert (code, "\x1b" in text) == (0, False)
