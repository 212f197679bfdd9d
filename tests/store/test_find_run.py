"""A run by its path or its name: where it is looked up first."""

from pathlib import Path

import pytest

from nncli.errors import CommandLineError, RunError
from nncli.store.find_run import MAX_LISTED, find_run, reject_unknown_name


@pytest.fixture
def same_name(workdir):
    """A directory of one name in the current directory, in runs/ and in elsewhere/; only the first one is a run."""
    for path in ("same", "runs/same", "elsewhere/same"):
        Path(path).mkdir(parents=True)
    Path("same/run.json").touch()
    return "same"


@pytest.mark.parametrize(
    ("prefix", "runs", "found"),
    [
        ("", None, "same"),
        ("", "runs", "runs/same"),
        ("", "elsewhere", "elsewhere/same"),
        ("", "missing", "same"),
        ("./", "elsewhere", "same"),
        ("runs/", "elsewhere", "runs/same"),
    ],
)
def test_name_is_looked_up_first_in_the_directory_that_is_given(same_name, prefix, runs, found):
    """Even if the directory of that name there is not a run; a path is a path."""
    assert find_run(f"{prefix}{same_name}", runs and Path(runs)) == Path(found)


def make_runs(directory, *names):
    for name in names:
        (Path(directory) / name).mkdir(parents=True)


@pytest.mark.parametrize(
    ("text", "runs", "message"),
    [
        (
            "spirl",
            None,
            "spirl (looked in ./ and runs/); did you mean 'spiral'? runs/ has: moons, spiral, spiral-2, spiral3",
        ),
        (
            "xyzzy",
            None,
            "xyzzy (looked in ./ and runs/); runs/ has: moons, spiral, spiral-2, spiral3"
            "; for other directories pass --runs-dir DIR",
        ),
        ("xyzzy", "runs", "xyzzy (looked in ./ and runs/); runs/ has: moons, spiral, spiral-2, spiral3"),
        ("xyzzy", "none", "xyzzy (looked in ./ and none/); none/ does not exist"),
        ("spiral.yaml", None, "spiral.yaml is a config, not a run; runs with its name: spiral, spiral-2"),
        ("other.yaml", None, "other.yaml is a config, not a run; 'nncli train other.yaml' makes one"),
        (
            "missing.yaml",
            None,
            "missing.yaml (looked in ./ and runs/); runs/ has: moons, spiral, spiral-2, spiral3"
            "; for other directories pass --runs-dir DIR",
        ),
    ],
)
def test_message_names_similar_runs_and_those_there_are(workdir, text, runs, message):
    """Hidden directories are no runs, and the runs of a config have its name, with a number or without."""
    make_runs("runs", "spiral", "spiral-2", "spiral3", "moons", ".hidden")
    for name in ("spiral.yaml", "other.yaml"):
        Path(name).touch()
    with pytest.raises(RunError) as error:
        find_run(text, runs and Path(runs))
    assert str(error.value).removeprefix("run not found: ") == message


@pytest.mark.parametrize(("count", "end"), [(MAX_LISTED, "name-7"), (MAX_LISTED + 3, "name-07 and 3 more")])
def test_only_some_runs_are_listed(workdir, count, end):
    """With how many more there are, if there are more."""
    make_runs("runs", *(f"name-{index:0{len(str(count))}}" for index in range(count)))
    with pytest.raises(RunError) as error:
        find_run("xyzzy", Path("runs"))
    assert str(error.value).endswith(end)


def test_name_of_no_config_and_no_run_is_reported(workdir):
    """Unless there is such a file, or it has a suffix: reading it as a config says more."""
    make_runs("runs", "moons")
    with pytest.raises(CommandLineError, match="xyzzy: no such config, and no such run in runs/; runs/ has: moons"):
        reject_unknown_name(Path("xyzzy"))
    Path("xyzzy").touch()
    for name in ("xyzzy", "missing.yaml", "missing/xyzzy"):
        reject_unknown_name(Path(name))


def test_resume_takes_the_run_in_the_given_directory(workdir, run_cli):
    """Not one of that name in the current directory."""
    for runs in (".", "elsewhere"):
        assert run_cli("train", "config.yaml", "-q", "--runs-dir", runs, "--name", "same").code == 0
    more = ("--resume", "same", "training.epochs=40", "-q")
    assert run_cli("train", *more, "--runs-dir", "elsewhere").out == "elsewhere/same\n"
    assert run_cli("train", *more).out == "same\n"
