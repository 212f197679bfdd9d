"""Runs to export."""

import pytest

from nncli.analysis.group_list import listing
from nncli.store.notes import Notes, write_notes
from tests.examples import train_config
from tests.groups import seeds_group

TESTED = ("test={type: spiral, samples: 10, seed: 7}",)


@pytest.fixture
def runs(workdir):
    """A run with a test set, a note and a tag; and a group of two seeds."""
    path = train_config(workdir / "config.yaml", TESTED, name="tested").path
    write_notes(path, Notes(note="the baseline ✓", tags=["paper", "spiral"]))
    seeds_group(workdir, seeds=(0, 1))
    return workdir / "runs"


@pytest.fixture
def listed(runs):
    """The listed runs by name; that of a trial follows the name of its group."""
    found = listing(runs)
    assert [group.name for group in found.groups] == ["seeds"]
    return {run.path.relative_to(runs).as_posix(): run for run in found.all_runs}
