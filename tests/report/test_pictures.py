"""The pictures of a run by name."""

import pytest

from nncli.errors import CommandLineError, RunError
from nncli.report.pictures import PICTURES, Wish, epoch_of, picture, resolved
from nncli.report.trained_run import TrainedRun
from nncli.store.run_reader import Run
from tests.examples import SINE
from tests.report.conftest import TABLE

WITHOUT = {"classes": {"fit", "residuals"}, "sine": {"boundary", "confusion", "calibration"}}


@pytest.mark.parametrize(("changes", "task"), [((), "classes"), (SINE, "sine")])
def test_each_picture_exists_or_says_why_not(trained, changes, task):
    """A picture that does not suit the task is refused with another option."""
    run = trained(*changes)
    for name in PICTURES:
        if name in WITHOUT[task]:
            with pytest.raises(CommandLineError, match=f"has no picture '{name}': "):
                picture(name, run, Wish())
        else:
            assert picture(name, run, Wish())


def test_default_follows_from_the_inputs(trained):
    """A boundary of two, a curve of one, else the learning curves."""
    assert resolved(None, trained()) == "boundary"
    assert resolved(None, trained(*SINE)) == resolved("boundary", trained(*SINE)) == "fit"
    other = trained(TABLE[0].replace("depth: number", "depth: category"), *TABLE[1:])
    assert resolved(None, other) == "curves"
    assert resolved("boundary", other) == "boundary"


def test_run_without_weights_has_curves(trained):
    """Before its first checkpoint; damaged weights are an error instead."""
    run = trained()
    (run.run.path / "weights.npz").write_bytes(b"")
    with pytest.raises(RunError, match=r"weights\.npz"):
        resolved(None, run)
    (run.run.path / "evaluation.json").unlink()
    for path in (run.run.path / "checkpoints").iterdir():
        path.unlink()
    unfinished = TrainedRun(Run(run.run.path))
    assert resolved(None, unfinished) == "curves"
    assert epoch_of("curves", unfinished) is None


def test_lost_file_leaves_the_boundary_without_rows(trained, workdir):
    """The network, and the range of its inputs, are in the run."""
    run = trained(*TABLE)
    (workdir / "table.csv").unlink()
    view = picture("boundary", run, Wish(width=4, height=3))
    assert view.points is None
    assert view.outputs.shape == (3, 4, 3)
    assert run.problem.startswith("drawn without rows: ")


def test_unknown_split_is_an_error(trained):
    """It is not taken for a file that cannot be read."""
    with pytest.raises(CommandLineError, match="has no split 'train'; it has training, validation"):
        picture("boundary", trained(), Wish("train"))
