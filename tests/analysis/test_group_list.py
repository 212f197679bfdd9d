"""Groups in a list: trials by status, how many are planned, and the result."""

from pathlib import Path
from shutil import rmtree
from statistics import mean

import numpy as np
import pytest

from nncli.analysis import group_list
from nncli.analysis.group_list import GroupListing, Listing, group_listing, listing
from nncli.analysis.run_filter import Condition
from nncli.analysis.run_list import RunListing
from nncli.store.group_files import AxisRecord, FailureRecord, GroupRecord, write_failure
from nncli.store.notes import Notes, write_notes
from nncli.store.run_reader import Run
from nncli.store.run_status import RunProgress, RunStatus
from tests.groups import search_group, seeds_group


def record(**values):
    return GroupRecord(config="", config_path="", **values)


def axis(count):
    return AxisRecord(key="seed", values=list(range(count)))


def trials(values, metric="accuracy"):
    """Finished trials with these values; None has diverged."""
    return [
        RunListing(
            Path(f"g/{number:04}"),
            RunProgress(RunStatus.DIVERGED if value is None else RunStatus.FINISHED),
            metrics={metric: 1.0 if value is None else value},
        )
        for number, value in enumerate(values)
    ]


def test_result_of_seeds_is_their_mean():
    """Over finished runs only; the standard deviation is that of a sample, as NumPy computes it."""
    group = GroupListing(Path("g"), record(seeds=[0, 1, 2, 3]), trials([0.5, 0.75, None, 0.7]), metric="accuracy")
    result = group.result
    assert (result.metric, result.point, result.runs) == ("accuracy", None, 3)
    assert result.mean == pytest.approx(np.mean([0.5, 0.75, 0.7]))
    assert result.deviation == pytest.approx(np.std([0.5, 0.75, 0.7], ddof=1))
    assert group.counts == {"finished": 3, "diverged": 1}


@pytest.mark.parametrize(("metric", "point", "values"), [("accuracy", 1, [0.6, 0.7]), ("loss", 2, [0.1, 0.2])])
def test_result_of_a_search_is_its_best_point(metric, point, values):
    """By the mean of its replicates, in the direction of the metric."""
    measured = trials([0.9, 0.2, 0.6, 0.7, 0.1, 0.2], metric)
    result = GroupListing(Path("g"), record(axes=[axis(3)], seeds=[0, 1], metric=metric), measured).result
    assert (result.point, result.runs, result.mean) == (point, 2, pytest.approx(mean(values)))


def test_single_run_has_no_deviation():
    """And a group without finished trials has no result."""
    assert GroupListing(Path("g"), record(), trials([0.5]), metric="accuracy").result.deviation is None
    assert GroupListing(Path("g"), record(), trials([None]), metric="accuracy").result is None
    assert GroupListing(Path("g"), record(metric="loss"), trials([0.5])).result is None


def test_listed_group_has_the_metrics_of_its_runs(workdir):
    """The metric is by default the first one on the validation set; the values are those of evaluation.json."""
    path = seeds_group(workdir)
    group = group_listing(path)
    values = [Run(trial.path).evaluation.splits["validation"]["accuracy"] for trial in group.trials]
    assert (group.method, group.planned, group.counts) == ("3 seeds", 3, {"finished": 3})
    assert (group.result.metric, group.result.mean) == ("validation_accuracy", pytest.approx(np.mean(values)))


def test_failures_are_trials(workdir):
    """With or without a run directory, in the order of their numbers."""
    path = seeds_group(workdir, seeds=range(4), trained=2)
    write_failure(path, 0, FailureRecord(exit_code=3, message="no rows"))
    write_failure(path, 3, FailureRecord(exit_code=3, message="no columns"))
    group = group_listing(path)
    assert group.counts == {"failed": 2, "finished": 1}
    assert [trial.name for trial in group.trials] == ["0000", "0001", "0003"]
    assert group.trials[0].problem == f"{path / '0000'}: no rows"


def test_failures_without_a_run_are_between_the_others(workdir):
    """By their numbers, whatever was read first."""
    path = seeds_group(workdir)
    rmtree(path / "0001")
    write_failure(path, 1, FailureRecord(exit_code=3, message="no rows"))
    assert [trial.name for trial in group_listing(path).trials] == ["0000", "0001", "0002"]


def test_trials_have_the_tags_of_their_group(workdir):
    """Besides their own; they are not shown with them."""
    path = seeds_group(workdir)
    seeds_group(workdir, name="other")
    write_notes(path, Notes(tags=["thesis"]))
    write_notes(path / "0001", Notes(tags=["odd"]))
    for text, names in {"tag=thesis": ["0000", "0001", "0002"], "tag=odd": ["0001"]}.items():
        (group,) = listing(workdir / "runs", [Condition.parse(text)]).groups
        assert (group.name, [trial.name for trial in group.trials]) == ("seeds", names)
    assert listing(workdir / "runs").groups[1].trials[1].tags == ["odd"]


@pytest.mark.parametrize(
    ("metric", "order"), [("validation_accuracy", ["good", "bad"]), ("validation_loss", ["bad", "good"])]
)
def test_the_direction_of_a_metric_sorts_groups(metric, order):
    """Best first."""
    groups = [
        GroupListing(Path(name), record(), trials([value], metric)) for name, value in (("bad", 0.2), ("good", 0.8))
    ]
    for given in (groups, groups[::-1]):
        found = group_list._sorted(Listing(Path(), [], given, False), metric)
        assert [group.name for group in found.groups] == order


def test_conditions_apply_to_trials(workdir):
    """A group without a matching trial is left out; how many are planned says nothing about the others."""
    search_group(workdir)
    seeds_group(workdir)
    found = listing(workdir / "runs", [Condition.parse("optimizer=sgd")])
    assert [(group.name, group.planned, len(group.trials)) for group in found.groups] == [("search", None, 2)]
    assert [run.path.parent.name for run in found.all_runs] == ["search", "search"]


def test_groups_are_sorted_by_their_result(workdir):
    """By the listed metric, best first; a group without it is last."""
    search_group(workdir, seeds=(0,), metric="loss")
    seeds_group(workdir, trained=0)
    seeds_group(workdir, seeds=(5, 6), name="a")
    groups = listing(workdir / "runs", sort="validation_loss").groups
    assert {group.result.metric for group in groups[:2]} == {"validation_loss"}
    assert groups[0].result.mean <= groups[1].result.mean
    assert groups[2].result is None
    assert [group.name for group in listing(workdir / "runs", sort="name").groups] == ["a", "search", "seeds"]
