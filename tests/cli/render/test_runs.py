"""The runs in a directory as a table: epochs, and the keys in which they differ."""

import re
from pathlib import Path

import pytest

from nncli.analysis.group_list import GroupListing, Listing
from nncli.analysis.run_list import RunListing
from nncli.cli.render.runs import MAX_KEYS, export_text, show_runs
from nncli.store.group_files import AxisRecord, GroupRecord
from nncli.store.run_status import RunProgress, RunStatus


def shown(capsys, **fields):
    """The lines for one run at epoch 10 of 30."""
    progress = RunProgress(fields.pop("status", RunStatus.FINISHED))
    run = RunListing(Path("runs/one"), progress, 10, 30, {"loss": 0.5}, **fields)
    show_runs(Listing(Path("runs"), [run], [], is_group=False), {}, None, 4, is_filtered=False)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(("status", "epoch"), [(RunStatus.RUNNING, "10/30"), (RunStatus.FINISHED, "10")])
def test_total_number_of_epochs_is_shown_while_training(capsys, status, epoch):
    """Of a run that has ended, the epoch alone."""
    assert shown(capsys, status=status)[2].split() == ["one", status, epoch, "0.5000"]


def test_the_ranking_metric_precedes_the_keys_of_trials(capsys):
    """A narrow terminal leaves out columns from the right."""
    run = RunListing(Path("g/0000"), RunProgress(RunStatus.FINISHED), 10, 10, {"loss": 0.5, "validation_loss": 0.7})
    found = Listing(Path("g"), [run], [], is_group=True, metric="validation_loss")
    show_runs(found, {"units": [8]}, None, 4, is_filtered=False)
    assert capsys.readouterr().out.split()[:5] == ["trial", "status", "epoch", "validation_loss", "units"]


@pytest.mark.parametrize("more", [0, 1])
def test_many_differing_keys_are_counted(capsys, more):
    """A limited number is shown."""
    lines = shown(capsys, differences={f"k{index}": index for index in range(MAX_KEYS + more)})
    text = " ".join(lines).partition("Differences from the most frequent values:")[2]
    assert text.count("k") == MAX_KEYS
    assert text.endswith("and 1 more") == bool(more)


def group_row(capsys, values, metric="validation_accuracy", **fields):
    """The row of a group whose trials have these values of a metric, without its name and method."""
    trials = [
        RunListing(Path(f"g/{number:04}"), RunProgress(RunStatus.FINISHED), metrics={metric: value})
        for number, value in enumerate(values)
    ]
    group = GroupListing(Path("g"), GroupRecord(config="", config_path="", metric=metric, **fields), trials)
    show_runs(Listing(Path("runs"), [], [group], is_group=False), {}, None, 4, is_filtered=False)
    return capsys.readouterr().out.splitlines()[2]


@pytest.mark.parametrize(
    ("values", "fields", "row"),
    [
        ([0.5, 0.7], {"seeds": [0, 1]}, "g   2 seeds   2 of 2 finished   validation_accuracy 0.6000 ± 0.14"),
        ([0.5], {"seeds": [0, 1]}, "g   2 seeds   1 of 2 finished   validation_accuracy 0.5000"),
        ([], {"folds": 5}, "g   5 folds   0 of 5 finished   –"),
        (
            [0.5, 0.7],
            {"axes": [AxisRecord(key="seed", values=[0, 1, 2])]},
            "g   grid   2 of 3 finished   best validation_accuracy 0.7000",
        ),
    ],
)
def test_group_is_one_line(capsys, values, fields, row):
    """The mean and the standard deviation of several runs, never of one; the best of a search."""
    assert re.sub(" {3,}", "   ", group_row(capsys, values, **fields)) == row


def test_notes_are_below_the_table(capsys):
    """The tags, and the first line of the note."""
    assert shown(capsys, note="first\nsecond", tags=["a", "b"])[-2:] == ["Notes:", "one: #a #b first"]


def test_filtered_list_without_runs_says_so(capsys):
    """The hint to train is for a directory without runs."""
    show_runs(Listing(Path("runs"), [], [], is_group=False), {}, None, 4, is_filtered=True)
    assert capsys.readouterr().out == "runs: no run meets the conditions\n"


def test_export_is_one_line():
    """Skipped runs are counted if there are any."""
    counts = {"target": "events", "created": 1, "updated": 0, "unchanged": 2}
    assert export_text({**counts, "skipped": []}) == "events: runs: 1 created, 0 updated, 2 unchanged"
    assert export_text({**counts, "skipped": ["a"]}) == "events: runs: 1 created, 0 updated, 2 unchanged, 1 skipped"
