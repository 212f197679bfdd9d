"""A run by its path or its name: where it is looked up first."""

from pathlib import Path

import pytest

from nncli.store.find_run import find_run


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


def test_resume_takes_the_run_in_the_given_directory(workdir, run_cli):
    """Not one of that name in the current directory."""
    for runs in (".", "elsewhere"):
        assert run_cli("train", "config.yaml", "-q", "--runs-dir", runs, "--name", "same").code == 0
    more = ("--resume", "same", "training.epochs=40", "-q")
    assert run_cli("train", *more, "--runs-dir", "elsewhere").out == "elsewhere/same\n"
    assert run_cli("train", *more).out == "same\n"
