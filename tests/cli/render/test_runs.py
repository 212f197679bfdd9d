"""The runs in a directory as a table: epochs, and the keys in which they differ."""

from pathlib import Path

import pytest

from nncli.analysis.run_list import RunListing
from nncli.cli.render.runs import MAX_KEYS, show_runs
from nncli.store.run_status import RunProgress, RunStatus


def shown(capsys, **fields):
    """The lines for one run at epoch 10 of 30."""
    progress = RunProgress(fields.pop("status", RunStatus.FINISHED))
    show_runs(Path("runs"), [RunListing(Path("runs/one"), progress, 10, 30, {"loss": 0.5}, **fields)], None, 4)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(("status", "epoch"), [(RunStatus.RUNNING, "10/30"), (RunStatus.FINISHED, "10")])
def test_total_number_of_epochs_is_shown_while_training(capsys, status, epoch):
    """Of a run that has ended, the epoch alone."""
    assert shown(capsys, status=status)[2].split() == ["one", status, epoch, "0.5000"]


@pytest.mark.parametrize("more", [0, 1])
def test_many_differing_keys_are_counted(capsys, more):
    """A limited number is shown."""
    lines = shown(capsys, differences={f"k{index}": index for index in range(MAX_KEYS + more)})
    text = " ".join(lines).partition("Differences from the most frequent values:")[2]
    assert text.count("k") == MAX_KEYS
    assert text.endswith("and 1 more") == bool(more)
