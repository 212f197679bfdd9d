"""The plots of a run by name."""

import pytest

from nncli.errors import CommandLineError, RunError
from nncli.report.plots import PLOTS, PlotOptions, epoch_of, plot_data, plot_name
from nncli.report.trained_run import TrainedRun
from nncli.store.run_reader import Run
from tests.examples import SINE
from tests.report.conftest import TABLE

WITHOUT = {"classes": {"fit", "residuals"}, "sine": {"boundary", "confusion", "calibration"}}


@pytest.mark.parametrize(("changes", "task"), [((), "classes"), (SINE, "sine")])
def test_each_plot_exists_or_names_the_reason(trained, changes, task):
    """A plot that does not apply to the task is an error that names another option."""
    run = trained(*changes)
    for name in PLOTS:
        if name in WITHOUT[task]:
            with pytest.raises(CommandLineError, match=f"has no plot '{name}': "):
                plot_data(name, run, PlotOptions())
        else:
            assert plot_data(name, run, PlotOptions())


def test_default_follows_from_the_inputs(trained):
    """A boundary of two, a curve of one, else the learning curves."""
    assert plot_name(None, trained()) == "boundary"
    assert plot_name(None, trained(*SINE)) == plot_name("boundary", trained(*SINE)) == "fit"
    other = trained(TABLE[0].replace("depth: number", "depth: category"), *TABLE[1:])
    assert plot_name(None, other) == "curves"
    assert plot_name("boundary", other) == "boundary"


def test_run_without_weights_has_curves(trained):
    """Before its first checkpoint; damaged weights are an error instead."""
    run = trained()
    (run.run.path / "weights.npz").write_bytes(b"")
    with pytest.raises(RunError, match=r"weights\.npz"):
        plot_name(None, run)
    (run.run.path / "evaluation.json").unlink()
    for path in (run.run.path / "checkpoints").iterdir():
        path.unlink()
    unfinished = TrainedRun(Run(run.run.path))
    assert plot_name(None, unfinished) == "curves"
    assert epoch_of("curves", unfinished) is None


def test_plots_of_the_whole_training_have_no_epoch(trained):
    """All others are of the weights of one epoch."""
    run = trained()
    found = {name for name in PLOTS if epoch_of(name, run) is None}
    assert found == {"curves", "gradients"}
    assert epoch_of("weights", run) == 30


def test_lost_file_leaves_the_boundary_without_rows(trained, workdir):
    """The network, and the range of its inputs, are in the run."""
    run = trained(*TABLE)
    (workdir / "table.csv").unlink()
    view = plot_data("boundary", run, PlotOptions(width=4, height=3))
    assert view.points is None
    assert view.outputs.shape == (3, 4, 3)
    assert run.problem.startswith("drawn without rows: ")


def test_unknown_split_is_an_error(trained):
    """It is not reported as a file that cannot be read."""
    for changes in ((), TABLE):
        with pytest.raises(CommandLineError, match="has no split 'train'; it has training, validation"):
            plot_data("boundary", trained(*changes), PlotOptions("train"))
