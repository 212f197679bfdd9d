"""``nncli rm``: the question, its answers, and what is refused."""

import json
import os
import pty
from pathlib import Path

import pytest

from nncli.store.lock import Lock
from tests.groups import seeds_group


@pytest.fixture
def runs(workdir, run_cli):
    """Two runs and a group."""
    for name in ("a", "b"):
        assert run_cli("train", "config.yaml", "-q", "--name", name).code == 0
    seeds_group(workdir, trained=1)
    return workdir / "runs"


@pytest.fixture
def answer(monkeypatch):
    """Answer the question as a user at a terminal does."""
    terminal, inner = pty.openpty()
    with os.fdopen(inner, encoding="utf-8") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield lambda text: os.write(terminal, f"{text}\n".encode())
    os.close(terminal)


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_yes_removes_without_a_question(runs, run_cli):
    """One line for each, with its size."""
    result = run_cli("rm", "a", "seeds", "--yes")
    assert [line.rpartition(", ")[0] for line in result.out.splitlines()] == [
        "removed runs/a: run",
        "removed runs/seeds: group of 1 run",
    ]
    assert names(runs) == ["b"]


@pytest.mark.parametrize(
    ("text", "left"), [("y", ["b", "seeds"]), ("n", ["a", "b", "seeds"]), ("", ["a", "b", "seeds"])]
)
def test_question_is_asked_in_a_terminal(runs, run_cli, answer, text, left):
    """On standard error, with what is removed; only a yes removes it."""
    answer(text)
    result = run_cli("rm", "a")
    assert result.code == 0
    assert "runs/a: run, " in result.err
    assert "Remove it? [y/N]: " in result.err
    assert ("nothing was removed" in result.out) == (left != ["b", "seeds"])
    assert names(runs) == left


def test_without_a_terminal_yes_is_required(runs, run_cli):
    """Exit code 2, and nothing is removed."""
    result = run_cli("rm", "a")
    assert (result.code, result.err) == (
        2,
        "rm asks before it removes anything, and there is no terminal to ask in; pass --yes\n",
    )
    assert names(runs) == ["a", "b", "seeds"]


def test_running_run_keeps_all(runs, run_cli):
    """Exit code 6; the others that were named are kept, too."""
    lock = Lock(runs / "b" / "lock")
    result = run_cli("rm", "a", "b", "--yes")
    lock.release()
    assert (result.code, "runs/b: another process is training" in result.err) == (6, True)
    assert names(runs) == ["a", "b", "seeds"]


def test_unknown_file_keeps_all(runs, run_cli):
    """Exit code 4, with its name."""
    (runs / "b" / "thesis.tex").touch()
    result = run_cli("rm", "a", "b", "--yes")
    assert (result.code, "runs/b: has files that nncli did not write: thesis.tex;" in result.err) == (4, True)
    assert names(runs) == ["a", "b", "seeds"]


@pytest.mark.parametrize("name", ["missing", "runs", "."])
def test_what_is_no_run_is_rejected(runs, run_cli, name):
    """A missing run, the directory of runs, and the current directory."""
    assert run_cli("rm", name, "--yes").code == 4
    assert names(runs) == ["a", "b", "seeds"]


def test_json_has_what_was_removed(runs, run_cli):
    """Path, trials and size."""
    size = sum(path.stat().st_size for path in Path("runs/a").rglob("*") if path.is_file())
    result = run_cli("rm", "a", "--yes", "--json")
    assert json.loads(result.out) == {"removed": [{"path": "runs/a", "trials": None, "bytes": size}]}
