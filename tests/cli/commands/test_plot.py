"""``nncli plot``: plots in the terminal, as JSON and as files."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nncli
from nncli.cli.commands.plot import PLOTS as OPTIONS
from nncli.cli.render.boundary import MAX_LABEL, TEXTURES
from nncli.cli.render.console import Output
from nncli.cli.render.diagram import MAX_CURVES
from nncli.report.boundary import points_of
from nncli.report.plots import PLOTS
from nncli.report.trained_run import TrainedRun
from nncli.store.run_reader import Run
from tests.examples import BINARY, SINE

OF_CLASSES = [name for name in OPTIONS if name != "residuals"]


@pytest.fixture
def runs(workdir, run_cli):
    """A classifier, and a regression of one input."""
    for name, changes in {"classes": (), "sine": SINE}.items():
        assert run_cli("train", "config.yaml", *changes, "-q", "--name", name).code == 0
    return workdir / "runs"


def test_options_are_the_plots():
    """Each plot has an option; that of a boundary also draws a fitted curve."""
    assert set(OPTIONS) == set(PLOTS) - {"fit"}


@pytest.mark.parametrize("changes", [(), BINARY], ids=["classes", "binary"])
def test_cells_of_the_terminal_are_predictions(workdir, run_cli, monkeypatch, changes):
    """The texture of each cell is that of the class that ``predict`` gives for its center."""
    monkeypatch.setenv("COLUMNS", "60")
    assert run_cli("train", "config.yaml", *changes, "-q", "--name", "run").code == 0
    result = run_cli("plot", "run")
    assert (result.code, result.err) == (0, "")
    heading, _, *lines = result.out.splitlines()
    plot = [line[MAX_LABEL + 1 :] for line in lines[:20]]
    assert heading == "run  (epoch 30, training)"
    run = nncli.load("run")
    inputs = points_of(TrainedRun(Run(workdir / "runs" / "run"))).inputs
    low, high = inputs.min(axis=0), inputs.max(axis=0)
    low, high = low - 0.05 * (high - low), high + 0.05 * (high - low)
    size = np.array([len(plot[0]), 20])
    counted = 0
    for row, line in enumerate(reversed(plot)):
        for column, character in enumerate(line):
            center = low + (np.array([column, row]) + 0.5) * (high - low) / size
            if character in TEXTURES:
                counted += 1
                assert TEXTURES.index(character) == np.argmax(run.predict_proba([center]))
    assert counted > 0.8 * size.prod()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_each_plot_fits_the_terminal(runs, run_cli, terminal_width, monkeypatch, width):
    """No line is wider, and no control character is printed."""
    terminal_width(width)
    monkeypatch.setattr(Output, "print_text", Output.print)  # sentences are one line in a pipe
    for run, names in {"classes": OF_CLASSES, "sine": ["boundary", "residuals", "curves"]}.items():
        result = run_cli("plot", run, *(f"--{name}" for name in names))
        assert (result.code, result.err) == (0, "")
        assert max(map(len, result.out.splitlines())) <= width
        assert "\x1b" not in result.out


def test_default_depends_on_the_inputs(runs, run_cli):
    """A boundary of two inputs, a fitted curve of one, the curves of several runs."""
    assert "x →" in run_cli("plot", "classes").out
    assert "y by x" in run_cli("plot", "sine").out
    both = run_cli("plot", "classes", "sine").out
    assert "validation_loss by epoch" in both
    assert "a classes   b sine" in both


def test_curves_name_the_best_and_the_kept_epoch(workdir, run_cli):
    """Those of metrics.csv and evaluation.json."""
    stopped = "training={epochs: 60, log_every: 1, early_stopping: {metric: validation_loss, patience: 5}}"
    assert run_cli("train", "config.yaml", stopped, "optimizer.learning_rate=0.5", "-q", "--name", "run").code == 0
    epoch = json.loads((workdir / "runs" / "run" / "evaluation.json").read_bytes())["epoch"]
    out = run_cli("plot", "run", "--curves").out
    assert f" at epoch {epoch}; weights kept of epoch {epoch} (line)" in out


def test_json_has_the_points_of_the_file(runs, run_cli):
    """The values of each series are those of the column in metrics.csv."""
    document = json.loads(run_cli("plot", "classes", "sine", "--json").out)
    for each in document["runs"]:
        with Path(each["run"], "metrics.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for curve in each["curves"]["curves"]:
            assert curve["epochs"] == [int(row["epoch"]) for row in rows]
            for series in curve["series"]:
                assert series["values"] == [float(row[series["column"]]) for row in rows]


def test_snapshot_is_shown(runs, run_cli):
    """--epoch takes the weights of that epoch; one that has none is an error that lists the nearest."""
    first, last = (json.loads(run_cli("plot", "classes", "--json", *epoch).out) for epoch in (["--epoch", 10], []))
    assert (first["runs"][0]["epoch"], last["runs"][0]["epoch"]) == (10, 30)
    assert first["runs"][0]["boundary"]["outputs"] != last["runs"][0]["boundary"]["outputs"]
    result = run_cli("plot", "classes", "--epoch", 11)
    assert (result.code, "the nearest are those of 0, 10, 20, 30" in result.err) == (2, True)


def test_runs_of_the_same_name_are_told_apart(workdir, runs, run_cli):
    """By their paths: each has a curve."""
    assert run_cli("train", "config.yaml", "seed=7", "-q", "--name", "sine", "--runs-dir", "other").code == 0
    out = run_cli("plot", "runs/sine", "other/sine", "--curves").out
    assert "a runs/sine   b other/sine" in out
    document = json.loads(run_cli("plot", "runs/sine", "other/sine", "--curves", "--json").out)
    assert [each["curves"]["run"] for each in document["runs"]] == ["runs/sine", "other/sine"]


def test_many_runs_are_drawn_up_to_a_limit(runs, run_cli):
    """More cannot be distinguished; a line reports it."""
    out = run_cli("plot", *(["classes", "sine"] * 5), "--curves").out
    assert out.startswith(f"plotting {MAX_CURVES} of 10 runs\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["sine", "--confusion"],
            "runs/sine: has no plot 'confusion': a regression has no classes; use --residuals",
        ),
        (["classes", "--residuals"], "has no plot 'residuals': a classifier has no residuals"),
        (["classes", "--confusion", "--split", "test"], "has no split 'test'; it has training, validation"),
        (["classes", "--curves", "--epoch", "0"], "--epoch: curves show all epochs; leave it out"),
        (
            ["classes", "--weights", "--units", "--split", "training"],
            "show no rows of a split; it is for --boundary, --calibration, --confusion, --residuals",
        ),
        (["classes", "-o", "a.gif"], "a.gif: plots are written as .svg, .png or .pdf; name a file such as plot.svg"),
        (["classes", "-o", "a.svg", "--json"], "--json and -o exclude each other"),
        (["classes", "-o", "a.svg", "--units", "--weights"], "a.svg: a file has one plot; choose --weights or"),
    ],
)
def test_wrong_combinations_are_rejected(runs, run_cli, arguments, message):
    """With exit code 2, and the reason."""
    result = run_cli("plot", *arguments)
    assert result.code == 2
    assert message in result.err


@pytest.mark.slow
def test_lost_data_is_reported(workdir, run_cli):
    """A missing table: the boundary is drawn without rows, the confusion matrix is an error."""
    rows = "".join(f"{index % 9},{index % 7},{'a' if index % 9 > 4 else 'b'}\n" for index in range(60))
    (workdir / "table.csv").write_text(f"one,two,kind\n{rows}", encoding="utf-8")
    data = "data={type: table, path: table.csv, target: kind}"
    layers = "layers=[{type: dense, units: 8}, relu, {type: dense, units: 2}, softmax]"
    assert run_cli("train", "config.yaml", data, layers, "validation={fraction: 0.3}", "-q", "--name", "run").code == 0
    (workdir / "table.csv").unlink()
    result = run_cli("plot", "run")
    assert result.code == 0
    assert "runs/run: drawn without rows: " in result.err
    assert run_cli("plot", "run", "--confusion").code == 3


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_files_are_written_for_each_plot(runs, run_cli, suffix):
    """In their formats; plots of several runs are in one file."""
    begin = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[suffix]
    for name in OPTIONS:
        run = "sine" if name == "residuals" else "classes"
        assert run_cli("plot", run, f"--{name}", "-o", f"{name}.{suffix}").out == f"{name}.{suffix}\n"
    assert run_cli("plot", "classes", "sine", "-o", f"both.{suffix}").code == 0
    assert run_cli("plot", "classes", "sine", "--weights", "-o", f"weights.{suffix}").code == 0
    assert all(path.read_bytes().startswith(begin) for path in runs.parent.glob(f"*.{suffix}"))


@pytest.mark.slow
def test_svg_has_equal_bytes_and_harmless_names(runs, run_cli):
    """In each process; names of runs are text, no markup and no formula."""
    name = "<script>alert(1)</script>$x^2$&\x1b[2J"
    (runs / "classes").rename(runs / name.replace("/", "_"))
    run = f"runs/{name.replace('/', '_')}"
    found = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-m", "nncli", "plot", run, "-o", f"{seed}.svg"]
        assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0
        found.append((runs.parent / f"{seed}.svg").read_text(encoding="utf-8"))
    assert found[0] == found[1]
    assert "<script" not in found[0]
    assert "&lt;script&gt;alert(1)&lt;_script&gt;$x^2$&amp;�[2J" in found[0]


@pytest.mark.slow
def test_curves_of_a_file_are_those_of_metrics(runs, run_cli):
    """The line of the loss in an SVG has a point for each logged epoch, as high as its value."""
    assert run_cli("plot", "classes", "-o", "a.svg", "--curves").code == 0
    text = (runs.parent / "a.svg").read_text(encoding="utf-8")
    losses = nncli.load("classes").metrics["loss"]
    paths = [path.split('"')[0].split() for path in text.split('<path d="')[1:]]
    heights = [np.array(path[2::3], float) for path in paths if path.count("L") == len(losses) - 1 and "z" not in path]
    assert any(abs(np.corrcoef(each, losses)[0, 1] + 1) < 1e-6 for each in heights)


def test_missing_extra_is_reported(runs, run_cli, monkeypatch):
    """Before anything is computed; the terminal and JSON do not need it."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = run_cli("plot", "classes", "-o", "a.svg")
    assert (result.code, result.out) == (2, "")
    assert "plots as files need an extra that is not installed; install it: pip install 'nncli[plots]'" in result.err
    assert run_cli("plot", "classes").code == 0


@pytest.mark.slow
def test_matplotlib_is_imported_for_files_only(runs):
    """A plot in the terminal starts without it."""
    code = "import sys; from nncli.cli.main import main; main(['plot', 'classes']); print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.endswith("False\n")
