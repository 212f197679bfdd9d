"""``nncli help`` and the pages of ``--help``: tasks, defaults, exit codes, and examples that work."""

import re
import shlex
import shutil

import numpy as np
import pytest
from PIL import Image

from nncli.cli.main import TASKS
from nncli.cli.main import nncli as group
from nncli.errors import (
    BusyError,
    CommandLineError,
    ConfigError,
    DivergedError,
    GateError,
    RunError,
    StorageError,
)
from tests.conftest import ROOT, SPEC
from tests.test_configs import shortened, stand_ins

ERRORS = (CommandLineError, ConfigError, RunError, StorageError, BusyError, DivergedError, GateError)
EXAMPLES = re.compile(r"^ *Examples?:\n((?: +\S.*\n)+)", re.MULTILINE)


def examples(page):
    """The commands that a page of help ends with."""
    block = EXAMPLES.search(page)[1]
    return [line.strip() for line in block.splitlines()]


@pytest.mark.parametrize("command", [*group.commands, ""])
def test_page_is_that_of_the_option(run_cli, command):
    """``nncli help COMMAND`` prints what ``nncli COMMAND --help`` prints."""
    by_option, by_command = run_cli(*command.split(), "--help"), run_cli("help", *command.split())
    assert by_command == by_option
    assert by_command.code == 0


def test_unknown_command_is_reported_with_a_similar_one(run_cli):
    """As it is without help."""
    result = run_cli("help", "trian")
    assert (result.code, result.out) == (2, "")
    assert "No such command 'trian'. Did you mean 'train'?" in result.err


def test_commands_are_grouped_by_task(run_cli):
    """A heading for each task, with its commands below."""
    page = run_cli("help").out
    for task, names in TASKS.items():
        assert re.search(rf"^{task}:\n" + "".join(rf"  {name} .*\n" for name in names), page, re.MULTILINE)


def test_page_ends_with_the_exit_codes(run_cli):
    """Every code is in the table at the end."""
    table = run_cli("help").out.partition("Exit codes:\n")[2]
    codes = {int(code) for code in re.findall(r"(?:^| {2}|, )(\d+)(?=  |, )", table, re.MULTILINE)}
    assert codes == {0, 1, *(error.exit_code for error in ERRORS), 129, 130, 143}


@pytest.mark.parametrize("columns", ["60", "80", "200"])
@pytest.mark.parametrize("command", group.commands)
def test_page_ends_with_examples(run_cli, monkeypatch, command, columns):
    """Each in one line at every width, so that it can be copied."""
    monkeypatch.setenv("COLUMNS", columns)
    page = run_cli(command, "--help").out
    assert page.rstrip().endswith(examples(page)[-1])
    assert all("nncli " in example for example in examples(page))


def words_of(example, directory):
    """The arguments of nncli in an example, its patterns replaced by paths as a shell does."""
    words = shlex.split(re.search(r"nncli ([^)]*)", example)[1])
    return [path for word in words for path in (sorted(map(str, directory.glob(word))) if "*" in word else [word])]


FILES_OF_EXAMPLES = {"new.csv", "iris.csv", "tshirt.png"}


def write_files(directory, run_cli):
    """The files that examples name, with runs that were trained on them."""
    iris = (ROOT / "configs" / "iris.csv").read_text(encoding="utf-8")
    for name in ("iris.csv", "new.csv"):
        (directory / name).write_text(iris, encoding="utf-8")
    assert run_cli("init", "iris.yaml", "--data", "iris.csv", "--target", "species").code == 0
    shutil.rmtree(directory / "runs" / "config")
    assert run_cli("train", "iris.yaml", "training.epochs=30", "-q", "-n", "config").code == 0
    book = ROOT / "configs" / "book" / "chapter19.yaml"
    names = stand_ins(book, directory)
    assert run_cli("train", str(book), *shortened(book), *names, "-q", "-n", "chapter19").code == 0
    for name in ("tshirt.png", "pants.png"):
        Image.new("L", (56, 56), 200).save(directory / name)
    np.save(directory / "images.npy", np.zeros((10, 28, 28), np.uint8))
    np.save(directory / "labels.npy", np.arange(10))


@pytest.mark.slow
@pytest.mark.parametrize("command", ["", *group.commands])
def test_examples_work_as_written(workdir, run_cli, command):
    """In a directory with a config and the runs that the examples name; those of nncli begin without any."""
    page = run_cli(*command.split(), "--help").out
    if not command:
        (workdir / "config.yaml").unlink()
    (workdir / "configs").mkdir()
    (workdir / "configs" / "other.yaml").write_text(SPEC, encoding="utf-8")
    for name in {"": (), "train": ("config",)}.get(command, ("config", "fast")):
        assert run_cli("train", "config.yaml", "training.epochs=500", "-q", "-n", name).code == 0
    if command == "worker":
        assert run_cli("sweep", "config.yaml", "optimizer=sgd,adam", "training.epochs=5", "-q").code == 0
    if FILES_OF_EXAMPLES & set(" ".join(examples(page)).split()):
        write_files(workdir, run_cli)
    for example in examples(page):
        result = run_cli(*words_of(example, workdir))
        assert result.code == 0, (example, result.err)


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_short_option_of_the_version(run_cli, option):
    """The long one and the short one print the same."""
    assert run_cli(option).out.startswith("nncli, version ")


def test_older_names_of_options_are_accepted_but_not_shown(workdir, run_cli):
    """``--runs``, ``--fail-under`` and ``--fail-over`` do what the new names do."""
    assert run_cli("train", "config.yaml", "-q", "--runs", "here", "-n", "a").out == "here/a\n"
    for option, name in (("--fail-under", "accuracy=2"), ("--fail-over", "loss=0")):
        assert run_cli("evaluate", "here/a", option, name).code == 8
    pages = run_cli("train", "--help").out + run_cli("evaluate", "--help").out
    assert not re.search(r"--runs\b(?!-dir)|--fail-under|--fail-over", pages)
