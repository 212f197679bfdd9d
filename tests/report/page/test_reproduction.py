"""Commands and environment of a run."""

import shlex
import shutil

from nncli.report.page import reproduction as made
from nncli.report.page.reproduction import reproduction
from nncli.store.run_reader import Run
from tests.examples import LATE_TEST, train_config


def test_commands_are_those_of_a_shell(runs, tmp_path):
    """Train, verify and evaluate, also a run whose path has a space."""
    path = tmp_path / "my runs" / "it's"
    shutil.copytree(runs / "classes", path)
    commands, _ = reproduction(Run(path), "label")
    assert [shlex.split(line) for line in commands.lines] == [
        ["nncli", name, str(path)] for name in ("train", "verify", "evaluate")
    ]


def test_environment_has_the_checksum_of_each_split(workdir, monkeypatch):
    """And says whether this is the one that the run was trained in."""
    run = Run(train_config(workdir / "config.yaml", LATE_TEST).path)
    _, table = reproduction(run, "label")
    rows = dict(table.rows)
    assert {name: rows[f"SHA-256 of the {name} data"] for name in run.data} == {
        name: data.sha256 for name, data in run.data.items()
    }
    assert len({data.sha256 for data in run.data.values()}) == 3
    assert table.message.startswith("This report was made in the same environment")
    monkeypatch.setattr(made, "described_differences", lambda record: ["numpy 1 instead of 2", "another machine"])
    _, table = reproduction(run, "label")
    assert table.message == "Differs where this report was made: numpy 1 instead of 2; another machine."
