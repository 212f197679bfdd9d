"""The command line as a whole: start-up, help, exit codes, and crash reports."""

import errno
import json
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

NOT_FOR_TRAINING = ("numpy.ma", "rich", "plotext", "importlib.metadata", "email", "pydantic")
HEAVY = ("numpy", "pydantic_core", "pydantic", "rich", "yaml", "plotext", "nnfs")
LOADED = """
import sys
from nncli.cli.main import main
code = main(sys.argv[1:])
print(code, *(name for name in {} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"], ["train", "--help"], ["compare", "--help"]])
def test_help_and_version_start_without_numpy(arguments):
    """Nothing slow is imported to print a page of help."""
    program = LOADED.format(HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stderr == "0\n"
    assert done.stdout


@pytest.mark.slow
def test_training_imports_only_what_it_uses(workdir):
    """Neither the display nor pydantic's models are imported; pydantic-core checks a config."""
    program, arguments = LOADED.format(NOT_FOR_TRAINING), ["train", "config.yaml", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, encoding="utf-8", check=True
    )
    assert (done.stdout, done.stderr) == ("runs/config\n", "0\n")


def test_version_is_that_of_the_package(run_cli):
    """Name and version, and nothing else."""
    assert run_cli("--version").out == f"nncli, version {__version__}\n"


@pytest.mark.parametrize("command", sorted(group.commands))
def test_help_of_each_command(run_cli, command):
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
def test_usage_error_is_exit_code_2(run_cli, arguments, message):
    """Errors of the command line are printed on standard error."""
    result = run_cli(*arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


@pytest.fixture
def breaks(monkeypatch, tmp_path):
    """Let ``nncli init`` raise an error, and crash reports be written below ``tmp_path``."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def broken(error):
        def fail(*_):
            raise error

        monkeypatch.setattr("nncli.store.atomic_write.create_atomic", fail)

    return broken


def test_internal_error_writes_a_crash_report(run_cli, breaks, tmp_path):
    """Exit code 1; the line names the error and the file, and the file has version and traceback."""
    breaks(RuntimeError("first line\nsecond line"))
    result = run_cli("init", "new.yaml")
    assert (result.code, result.out) == (1, "")
    (report,) = tmp_path.glob("nncli-crash-*.txt")
    assert result.err == f"internal error: RuntimeError: first line; crash report: {report}\n"
    text = report.read_text(encoding="utf-8")
    assert text.startswith(f"nncli {__version__}\nTraceback (most recent call last):\n")
    assert text.endswith("RuntimeError: first line\nsecond line\n")


def test_crash_report_takes_any_text(run_cli, breaks, tmp_path):
    """A path that is not valid in the encoding of the system has surrogates, which UTF-8 cannot encode."""
    breaks(RuntimeError("a\udcc3b"))
    assert run_cli("init", "new.yaml").code == 1
    (report,) = tmp_path.glob("nncli-crash-*.txt")
    assert report.read_text(encoding="utf-8").endswith("RuntimeError: a\\udcc3b\n")


def test_internal_error_without_message_is_reported(run_cli, breaks):
    """An error with an empty message has a crash report too."""
    breaks(RuntimeError())
    result = run_cli("init", "new.yaml")
    assert result.code == 1
    assert result.err.startswith("internal error: RuntimeError: ; crash report: ")


def test_internal_error_without_crash_report_is_reported(run_cli, breaks, monkeypatch):
    """A full disk does not hide the error, and causes no traceback."""

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    breaks(RuntimeError("first line"))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        result = run_cli("init", "new.yaml")
    assert result.code == 1
    assert "internal error: RuntimeError: first line" in result.err


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (MemoryError(), 3, "out of memory; use fewer units, fewer rows or a smaller batch_size\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (click.Abort(), 130, "interrupted\n"),
        (InterruptionError("stopped", 15), 143, "stopped\n"),
        (click.ClickException("wrong"), 1, "Error: wrong\n"),
    ],
)
def test_expected_errors_have_their_own_exit_code(run_cli, breaks, tmp_path, error, code, message):
    """Too little memory and interruptions are reported without a crash report."""
    breaks(error)
    result = run_cli("init", "new.yaml")
    assert (result.code, result.out, result.err) == (code, "", message)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (MemoryError(), 3, "out of memory; use fewer units, fewer rows or a smaller batch_size"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (InterruptionError("stopped", 15), 143, "stopped"),
        (click.UsageError("wrong"), 2, "wrong"),
        (OSError(errno.EACCES, "Denied", "a.py"), 5, "a.py: Denied"),
    ],
)
def test_errors_are_json_too(workdir, run_cli, monkeypatch, error, code, message):
    """With --json the error is the document, without the usage; standard error and the exit code are unchanged."""

    def fail(*_):
        raise error

    monkeypatch.setattr("nncli.runner.run_config.load_any", fail)
    plain, result = run_cli("show", "config.yaml"), run_cli("show", "config.yaml", "--json")
    assert json.loads(result.out) == {"error": {"message": message, "exit_code": code}}
    assert (result.code, result.err) == (plain.code, plain.err) == (code, plain.err)
    assert plain.out == ""


def test_error_of_a_config_has_its_diagnostics(workdir, run_cli):
    """Those of ``check``."""
    (workdir / "bad.yaml").write_text("seed: -1\nloss: mse\n", encoding="utf-8")
    document = json.loads(run_cli("show", "bad.yaml", "--json").out)["error"]
    (checked,) = json.loads(run_cli("check", "bad.yaml", "--json").out)["configs"]
    assert document["diagnostics"] == checked["diagnostics"]
    assert len(document["diagnostics"]) > 2


def test_result_stays_the_only_document(workdir, run_cli):
    """A command that fails after its result prints no second document."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    result = run_cli("evaluate", "config", "--fail-under", "accuracy=2", "--json")
    assert (result.code, set(json.loads(result.out))) == (
        8,
        {"run", "status", "epoch", "splits", "warnings", "gates_failed"},
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(arguments)
        for arguments in (["components"], ["components", "--json"], ["--help"], ["check", "config.yaml"])
    ],
)
def test_closed_pipe_is_exit_code_0(workdir, arguments):
    """A pipe that is closed already, as ``| head`` leaves it, ends the command without a message."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "nncli", *arguments]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, encoding="utf-8", check=False, cwd=workdir)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_pipe_to_head_is_quiet():
    """The first line arrives, and there is no message about the rest."""
    command = f'"{sys.executable}" -m nncli components --json | head -1'
    done = subprocess.run(command, shell=True, capture_output=True, encoding="utf-8", check=True)
    assert (done.stdout, done.stderr) == ("[\n", "")


def limited(workdir, *arguments, **limits):
    """Run a command under resource limits."""

    def limit():
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, name), (value, value))

    command = [sys.executable, "-m", "nncli", *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=workdir, preexec_fn=limit)


@pytest.mark.slow
@pytest.mark.parametrize("descriptors", range(4, 12))
def test_too_few_file_descriptors_name_the_file(workdir, descriptors):
    """The file that cannot be opened is named, in one line."""
    done = limited(workdir, "train", "config.yaml", RLIMIT_NOFILE=descriptors)
    if descriptors == 4:  # Python itself does not start
        return
    assert "standard output" not in done.stderr
    assert "Traceback" not in done.stderr
    if done.returncode:
        assert "Too many open files" in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_too_few_file_descriptors_are_reported_with_a_fix(workdir):
    """The message has the command that raises the limit."""
    done = limited(workdir, "train", "config.yaml", RLIMIT_NOFILE=5)
    assert done.returncode == 5
    assert done.stderr.endswith(": Too many open files; raise the limit, as with 'ulimit -n 256'\n")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not keep to the limit")
@pytest.mark.parametrize("mebibytes", [60, 90, 120, 150, 180, 210])
def test_small_address_space_is_reported_before_numpy_is_imported(workdir, mebibytes):
    """Otherwise OpenBLAS would abort the process, or an import would fail."""
    done = limited(workdir, "train", "config.yaml", RLIMIT_AS=mebibytes * 2**20)
    need = "NumPy needs 160 MiB of address space more than the limit leaves; raise it, as with ulimit -v\n"
    assert done.returncode == 0 or (done.returncode, done.stderr) == (3, need)
    assert mebibytes > 120 or done.returncode == 3


def test_compute_threads_are_set_before_numpy_is_imported(run_cli, monkeypatch):
    """One thread, whatever the environment says; the config decides."""
    for variable in SINGLE_THREAD_ENV:
        monkeypatch.setenv(variable, "7")
    run_cli("--version")
    assert {variable: os.environ[variable] for variable in SINGLE_THREAD_ENV} == SINGLE_THREAD_ENV


@pytest.mark.slow
def test_installed_command_equals_the_module(workdir):
    """``nncli`` and ``python -m nncli`` are the same program, with the same exit code."""
    script = Path(sys.executable).parent / "nncli"
    for command in ([str(script)], [sys.executable, "-m", "nncli"]):
        command += ["check", "missing.yaml"]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=workdir)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("missing.yaml: no such file")


def test_usage_error_is_sanitized(run_cli):
    """An unknown option is printed without control characters."""
    result = run_cli("compare", "--\x1b[2J")
    assert (result.code, "\x1b" in result.err) == (2, False)
    assert "No such option" in result.err


def test_help_is_no_error(run_cli):
    """Although it ends the command early, no document follows it."""
    result = run_cli("runs", "--json", "--help")
    assert (result.code, result.err, '"error"' in result.out) == (0, "", False)
