"""The runs of a list: their notes, and the keys in which their configs differ."""

from nncli.analysis.config_table import config_table
from nncli.analysis.run_list import run_listing, runs_in, visible_paths, with_differences
from nncli.store.notes import NOTES, Notes, write_notes
from nncli.store.run_reader import Run
from tests.examples import train_config


def test_notes_are_listed(workdir):
    """Damaged ones are the problem of the run, which is finished all the same."""
    path = train_config(workdir / "config.yaml").path
    write_notes(path, Notes(note="a", tags=["b"]))
    listed = run_listing(path)
    assert (listed.note, listed.tags, listed.problem) == ("a", ["b"], None)
    (path / NOTES).write_bytes(b"{")
    listed = run_listing(path)
    assert (listed.is_finished, listed.note) == (True, None)
    assert "notes.json: damaged" in listed.problem


def test_differences_are_those_of_most_runs(workdir):
    """A value that is most frequent is none; of equally frequent ones the first."""
    changes = {"a": (), "b": ("seed=1",), "c": (), "d": ("seed=2", "optimizer=sgd")}
    for name, overrides in changes.items():
        train_config(workdir / "config.yaml", overrides, name=name)
    listed = runs_in(workdir / "runs")
    assert [run.differences for run in listed[:3]] == [{}, {"seed": 1}, {}]
    assert listed[3].differences["seed"] == 2
    assert (listed[3].differences["optimizer.type"], listed[3].differences["optimizer.beta_1"]) == ("sgd", None)
    table = config_table([Run(run.path) for run in listed])
    assert {key: [run.config.get(key) for run in listed] for key in table} == table


def test_run_that_is_not_listed_with_others_has_no_differences(workdir):
    """As the only one of its directory."""
    listed = run_listing(train_config(workdir / "config.yaml").path)
    assert with_differences([listed])[0].differences == {}
    assert run_listing(workdir) is None


def test_run_without_metrics_has_no_epoch(workdir):
    """As one that was interrupted before its first row."""
    path = train_config(workdir / "config.yaml").path
    (path / "evaluation.json").unlink()
    header, _, _ = (path / "metrics.csv").read_text().partition("\n")
    (path / "metrics.csv").write_text(f"{header}\n")
    listed = run_listing(path)
    assert (listed.epoch, listed.metrics) == (None, {})


def test_runs_that_cannot_be_read_are_last(workdir):
    """The others keep the order of their names."""
    for name in "abc":
        train_config(workdir / "config.yaml", name=name)
    (workdir / "runs" / "a" / "run.json").write_bytes(b"{")
    assert [run.name for run in runs_in(workdir / "runs")] == ["b", "c", "a"]


def test_hidden_entries_are_not_visible(tmp_path):
    """As what a removal or a new run is about to rename."""
    for name in ("b", ".removed-0123456789abcdef", "a"):
        (tmp_path / name).mkdir()
    assert [path.name for path in visible_paths(tmp_path)] == ["a", "b"]
