"""The panel of a training, as it is drawn in terminals of several widths."""

import io
import json
import re
import time

import pytest
from rich.console import Console

from nncli.cli.render.panel import TrainingPanel, clock
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.report.live_boundary import LiveBoundary, has_plane
from nncli.report.live_history import History, metrics_of
from nncli.training.loop import Epoch, Trainer

EARLY_STOPPING = "training.early_stopping={metric: validation_loss, patience: 50}"
METRICS = {"learning_rate": 0.05, "loss": 0.5, "data_loss": 0.5, "accuracy": 0.75}


def validated(metrics):
    """Metrics of the training set for the validation set too."""
    return metrics | {"validation_loss": 2 * metrics["loss"], "validation_accuracy": 0.7}


@pytest.fixture
def panel_of(workdir):
    """Build the panel of a training that has not begun: ``panel_of("training.epochs=100")``."""

    def build(*overrides, is_watched=False):
        trainer = Trainer(assemble(load(workdir / "config.yaml", overrides).config))
        experiment = trainer.experiment
        boundary = LiveBoundary(experiment) if is_watched and has_plane(experiment) else None
        return TrainingPanel(trainer, "run", History(metrics_of(experiment)), is_watched, boundary)

    return build


def trained(panel):
    """The panel after its training."""
    for epoch in panel.trainer.epochs():
        panel.show(epoch)
    panel.end()
    return panel


def frame(panel, width=80, height=24, **options):
    """The lines of a frame."""
    console = Console(file=io.StringIO(), width=width, height=height, **options)
    console.print(panel)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("is_watched", [False, True])
@pytest.mark.parametrize("width", [20, 34, 50, 60, 80, 120, 200])
@pytest.mark.parametrize("epochs", [2, 10**9])
def test_nothing_folds(panel_of, width, epochs, is_watched):
    """Every line has the width of the terminal, and there are no more of them than it has, even with long numbers."""
    early_stopping = EARLY_STOPPING.replace("50", str(epochs))
    logged = f"training.log_every={epochs // 2}"
    panel = panel_of(f"training.epochs={epochs}", early_stopping, logged, is_watched=is_watched)
    for number in (0, 1, epochs - 1):
        panel.show(Epoch(number, validated(METRICS)))
        for height in (15, 20, 24, 60):
            lines = frame(panel, width, height)
            assert {len(line) for line in lines} == {width}
            assert {line[0] + line[-1] for line in lines} == {"╭╮", "││", "╰╯"}
            assert len(lines) < height


def test_first_frame_says_what_is_measured(panel_of):
    """Before the first metrics there is no empty line, no rate, and no time that would be left."""
    lines = frame(panel_of())
    text = "\n".join(lines)
    assert lines[0].startswith("╭─ run · 2-8-3 · spiral, 60 rows · 51 parameters ─")
    assert "epoch  0/30" in text
    assert "learning rate 0.05000" in text
    assert "measuring the untrained network" in text
    assert "epochs/s" not in text
    assert "left" not in text
    assert all(line.strip("│ ") for line in lines)


def test_title_names_the_file_of_the_data(workdir, panel_of):
    """Data of a file is better known by its name than by its kind."""
    for name, shown in (("rows.csv", "rows.csv"), ("a\x1b[2J.csv", "a�[2J.csv")):
        (workdir / name).write_text("a,b,kind\n" + "1,2,x\n3,5,y\n4,1,z\n" * 9, encoding="utf-8")
        data = json.dumps({"type": "table", "path": name, "target": "kind"})
        panel = panel_of(f"data={data}", "validation={fraction: 0.3}")
        assert frame(panel)[0].startswith(f"╭─ run · 2-8-3 · {shown}, ")


def test_metrics_have_their_direction_and_their_best_value_with_its_epoch(panel_of):
    """The loss was lower at epoch 10, the accuracy has never been higher."""
    panel = panel_of()
    panel.show(Epoch(10, validated(METRICS | {"loss": 0.25})))
    panel.show(Epoch(20, validated(METRICS | {"accuracy": 0.875})))
    text = "\n".join(frame(panel))
    assert re.search(r"loss ↓ +best @epoch +accuracy ↑ +best @epoch", text)
    assert re.search(r"training +0\.5000 +0\.2500 @10 +0\.8750 +0\.8750 @20", text)
    assert re.search(r"validation +1\.000 +0\.5000 @10 +0\.7000 +0\.7000 @10", text)
    colored = "\n".join(frame(panel, force_terminal=True, color_system="standard"))
    assert re.findall(r"\x1b\[92m([\d.]+)", colored) == ["0.8750"]


def test_metrics_that_do_not_fit_are_left_out(panel_of):
    """At 60 columns both metrics are there with fewer digits; at 40 the accuracy loses its best value."""
    panel = trained(panel_of())
    assert re.search(r"training +\d\.\d+ +\d\.\d+ @30 +0\.\d+ +0\.\d+ @\d0", "\n".join(frame(panel, 60)))
    assert re.search(r"training +\d\.\d+ +\d\.\d+ @30 +0\.\d+ +│", "\n".join(frame(panel, 46)))


def test_metrics_keep_their_columns(panel_of):
    """There is room for the longest epoch from the first frame on."""
    panel, headings = panel_of("training.epochs=10000"), set()
    for number in (0, 900, 10000):
        panel.show(Epoch(number, validated(METRICS | {"loss": 0.5 - number / 1e5})))
        headings |= {line for width in (60, 80) for line in frame(panel, width) if "loss ↓" in line}
    assert len(headings) == 2


@pytest.mark.parametrize("is_colored", [False, True])
def test_both_losses_are_curves(panel_of, is_colored):
    """Each ends beside its name."""
    options = {"force_terminal": True, "color_system": "truecolor"} if is_colored else {}
    text = "\n".join(frame(trained(panel_of()), **options))
    for split in ("training", "validation"):
        assert re.search(rf"\S+(\x1b\[[\d;]*m)* {split}", text)
    assert bool(re.search("[\u2801-\u28ff]", text)) == is_colored


def test_early_stopping_shows_how_long_it_has_waited(panel_of):
    """The epochs since the best one of early stopping, of its patience; the time left is an upper bound."""
    panel = panel_of("training.epochs=200", "training.log_every=1", EARLY_STOPPING)
    rows = panel.trainer.epochs()
    panel.show(next(rows))
    panel.trainer.stopping.observe(0, {"validation_loss": 1e-6}, panel.trainer.network.parameters.values)
    for epoch in rows:
        panel.show(epoch)
        if epoch.number >= 7:
            break
    text = "\n".join(frame(panel))
    assert f"patience {panel.history.epoch}/50 · validation_loss best at epoch 0" in text
    assert re.search(r"· ≤ \d:\d\d:\d\d left", text)


def test_rising_validation_loss_is_reported(panel_of):
    """With the epoch of its lowest value."""
    panel = panel_of()
    for number, loss in enumerate([3.0, 1.0, *[2.0] * 5]):
        panel.show(Epoch(number, METRICS | {"validation_loss": loss, "validation_accuracy": 0.5}))
    text = "\n".join(frame(panel, force_terminal=True, color_system="standard"))
    assert "\x1b[33mvalidation_loss has risen since epoch 1\x1b[0m" in text


def test_rate_of_a_resumed_training_counts_its_own_epochs(panel_of, monkeypatch):
    """Five epochs in a second, whatever was trained before, and the remaining time that follows."""
    now = 10.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    panel = panel_of("training.epochs=40")
    trainer = panel.trainer
    trainer.epoch = 20
    panel = TrainingPanel(trainer, "run", panel.history)
    trainer.epoch, now = 25, 11.0
    panel.show(Epoch(25, None))
    text = "\n".join(frame(panel))
    assert "epoch 25/40" in text
    done, left = text.count("━"), text.count("╌")
    assert done == int((done + left) * 25 / 40)
    assert "5.0 epochs/s" in text
    assert "0:00:01 · 0:00:03 left" in text


def test_slow_epoch_shows_its_batches(panel_of, monkeypatch):
    """Within an epoch the bar, the batches and both times move on."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    panel = panel_of("training.batch_size=6")
    now, panel.trainer.batch = 5.0, 5
    panel.show(Epoch(0, None))
    now = 7.0
    text = "\n".join(frame(panel))
    assert "10.0 s per epoch · batch  5/10" in text
    assert "0:00:07 · 0:04:53 left" in text


def test_last_frame_has_neither_a_remaining_time_nor_a_hint(panel_of):
    """What is over cannot be stopped."""
    panel = panel_of()
    assert "Ctrl-C stops and saves" in frame(panel)[-1]
    text = "\n".join(frame(trained(panel)))
    assert "epoch 30/30" in text
    assert "left" not in text
    assert "Ctrl-C" not in text


def test_watched_panel_has_the_boundary_or_larger_curves(workdir, panel_of):
    """The boundary of the final weights beside the curves, if there are two inputs; else taller curves."""
    panel = trained(panel_of(is_watched=True))
    lines = frame(panel)
    assert len(lines) == 22
    assert any(re.search(r" epoch 30 .* epoch 30 ", line) for line in lines)
    config = workdir / "config.yaml"
    text = config.read_text(encoding="utf-8")
    text = text.replace("{type: spiral, samples: 20, classes: 3}", "{type: sine, samples: 20}")
    text = text.replace("{type: spiral, samples: 20}", "{type: sine, samples: 19}")
    text = text.replace("units: 3", "units: 1").replace("  - softmax\n", "").replace("accuracy", "r2")
    config.write_text(text.replace("categorical_crossentropy", "mean_squared_error"), encoding="utf-8")
    watched, usual = (frame(trained(panel_of(is_watched=is_watched))) for is_watched in (True, False))
    assert len(watched) == 22
    assert len(usual) < len(watched)


def test_clock_counts_hours():
    """More than a day is hours too."""
    assert clock(90_061) == "25:01:01"
