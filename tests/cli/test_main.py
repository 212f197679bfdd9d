"""The command line as a whole: start-up, exit codes, and what happens where something is wrong with nncli itself."""

import errno
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import pytest

from nncli import __version__
from nncli.cli.main import SINGLE_THREAD_ENV
from nncli.cli.main import nncli as group
from nncli.errors import InterruptionError

NOT_FOR_TRAINING = ("rich", "plotext", "importlib.metadata", "email", "pydantic")
HEAVY = ("numpy", "pydantic_core", "pydantic", "rich", "yaml", "plotext", "nnfs")
LOADED = """
import sys
from nncli.cli.main import main
code = main(sys.argv[1:])
print(code, *(name for name in {} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"], ["train", "--help"], ["compare", "--help"]])
def test_help_and_version_start_without_numpy(arguments):
    """Nothing heavy is imported to print a page of help."""
    program = LOADED.format(HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stderr == "0\n"
    assert done.stdout


def test_training_starts_without_what_it_does_not_use(workdir):
    """Neither the display is imported nor pydantic's models; its core checks a spec."""
    program, arguments = LOADED.format(NOT_FOR_TRAINING), ["train", "config.yaml", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, encoding="utf-8", check=True
    )
    assert (done.stdout, done.stderr) == ("runs/config\n", "0\n")


def test_the_version_is_the_packages(run_cli):
    """Name and version, and nothing else."""
    assert run_cli("--version").out == f"nncli, version {__version__}\n"


@pytest.mark.parametrize("command", sorted(group.commands))
def test_every_command_has_help(run_cli, command):
    """A page with its usage, and a sentence in the list of commands."""
    result = run_cli(command, "--help")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"Usage: nncli {command} ")
    assert f"\n  {command} " in run_cli("--help").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Usage: nncli"),
        (["tran"], "No such command 'tran'"),
        (["train"], "Missing argument 'CONFIG'"),
        (["train", "a.yaml", "--fast"], "No such option"),
        (["show"], "Missing argument 'CONFIG'"),
        (["compare"], "Missing argument"),
        (["evaluate", "a", "b"], "Got unexpected extra argument"),
    ],
)
def test_a_usage_error_is_exit_code_2(run_cli, arguments, message):
    """What click refuses is told on standard error."""
    result = run_cli(*arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


@pytest.fixture
def breaks(monkeypatch, tmp_path):
    """Let ``nncli init`` end with an error of any kind, and bugs be reported below ``tmp_path``."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def broken(error):
        def fail(*_):
            raise error

        monkeypatch.setattr("nncli.store.atomic_write.create_atomic", fail)

    return broken


def test_a_bug_is_one_line_and_a_file(run_cli, breaks, tmp_path):
    """Exit code 1; the line names the error and the file, and the file holds version and traceback."""
    breaks(RuntimeError("first line\nsecond line"))
    result = run_cli("init", "new.yaml")
    assert (result.code, result.out) == (1, "")
    (report,) = tmp_path.glob("nncli-bug-*.txt")
    assert result.err == f"a bug in nncli: RuntimeError: first line; the traceback is in {report}\n"
    text = report.read_text(encoding="utf-8")
    assert text.startswith(f"nncli {__version__}\nTraceback (most recent call last):\n")
    assert text.endswith("RuntimeError: first line\nsecond line\n")


def test_a_bug_without_words_is_told_too(run_cli, breaks):
    """An error with an empty message is no second bug."""
    breaks(RuntimeError())
    result = run_cli("init", "new.yaml")
    assert result.code == 1
    assert result.err.startswith("a bug in nncli: RuntimeError: ; the traceback is in ")


def test_a_bug_is_told_where_its_report_cannot_be_written(run_cli, breaks, monkeypatch):
    """A full disk does not hide the bug, and is no traceback."""

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    breaks(RuntimeError("first line"))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        result = run_cli("init", "new.yaml")
    assert result.code == 1
    assert "a bug in nncli: RuntimeError: first line" in result.err


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (MemoryError(), 3, "out of memory; fewer units, fewer rows or a smaller batch_size need less\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (click.Abort(), 130, "interrupted\n"),
        (InterruptionError("stopped", 15), 143, "stopped\n"),
        (click.ClickException("wrong"), 1, "Error: wrong\n"),
    ],
)
def test_what_is_no_bug_has_its_own_exit_code(run_cli, breaks, tmp_path, error, code, message):
    """Too little memory and interruptions are told without a report."""
    breaks(error)
    result = run_cli("init", "new.yaml")
    assert (result.code, result.out, result.err) == (code, "", message)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(arguments)
        for arguments in (["components"], ["components", "--json"], ["--help"], ["check", "config.yaml"])
    ],
)
def test_a_reader_that_has_enough_is_no_error(workdir, arguments):
    """A pipe that is closed already, as ``| head`` leaves it, ends quietly with exit code 0."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "nncli", *arguments]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, encoding="utf-8", check=False, cwd=workdir)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_pipe_to_head_is_quiet():
    """The first line arrives, and nobody complains about the rest."""
    command = f'"{sys.executable}" -m nncli components --json | head -1'
    done = subprocess.run(command, shell=True, capture_output=True, encoding="utf-8", check=True)
    assert (done.stdout, done.stderr) == ("[\n", "")


def limited(workdir, *arguments, **limits):
    """A command under limits of the system."""

    def limit():
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, name), (value, value))

    command = [sys.executable, "-m", "nncli", *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=workdir, preexec_fn=limit)


@pytest.mark.parametrize("descriptors", range(4, 12))
def test_too_few_descriptors_are_not_an_error_of_standard_output(workdir, descriptors):
    """The file that cannot be opened is named, in one line."""
    done = limited(workdir, "train", "config.yaml", RLIMIT_NOFILE=descriptors)
    if descriptors == 4:  # Python itself does not start
        return
    assert "standard output" not in done.stderr
    assert "Traceback" not in done.stderr
    if done.returncode:
        assert "Too many open files" in done.stderr.splitlines()[-1]


def test_too_few_descriptors_are_told_with_what_helps(workdir):
    """The command that allows more is in the message."""
    done = limited(workdir, "train", "config.yaml", RLIMIT_NOFILE=5)
    assert done.returncode == 5
    assert done.stderr.endswith(": Too many open files; allow more, as with 'ulimit -n 256'\n")


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not keep to the limit")
@pytest.mark.parametrize("mebibytes", [60, 90, 120, 150, 180, 210])
def test_a_small_address_space_is_told_before_numpy_is_imported(workdir, mebibytes):
    """OpenBLAS would end the process, or an import fail."""
    done = limited(workdir, "train", "config.yaml", RLIMIT_AS=mebibytes * 2**20)
    need = "NumPy needs 160 MiB of address space more than the limit leaves; raise it, as with ulimit -v\n"
    assert done.returncode == 0 or (done.returncode, done.stderr) == (3, need)
    assert mebibytes > 120 or done.returncode == 3


def test_settings_are_made_before_numpy_reads_them(run_cli, monkeypatch):
    """One thread, whatever the user's environment says: that is the spec's to say."""
    for variable in SINGLE_THREAD_ENV:
        monkeypatch.setenv(variable, "7")
    run_cli("--version")
    assert {variable: os.environ[variable] for variable in SINGLE_THREAD_ENV} == SINGLE_THREAD_ENV


def test_the_installed_command_is_the_module(workdir):
    """``nncli`` and ``python -m nncli`` are the same program, and hand their exit code to the shell."""
    script = Path(sys.executable).parent / "nncli"
    for command in ([str(script)], [sys.executable, "-m", "nncli"]):
        command += ["check", "missing.yaml"]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=workdir)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("missing.yaml: no such file")


def test_a_wrong_command_line_cannot_steer_the_terminal(run_cli):
    """A file's name that a shell has put in the place of an option is printed without control characters."""
    result = run_cli("compare", "--\x1b[2J")
    assert (result.code, "\x1b" in result.err) == (2, False)
    assert "No such option" in result.err
