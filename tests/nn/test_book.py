"""Training compared with the book: the figures of chapter 10, and plain programs of later chapters.

All in float64, with the random numbers of the book. Only the first hundred epochs are compared: training on the spiral
is chaotic, and rounding errors of sums in another order are amplified.
"""

import json
from itertools import islice
from pathlib import Path

import pytest

from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.nn.schedules import inverse_time
from nncli.training.loop import Trainer
from tests.conftest import ROOT
from tests.nn import book_programs

pytestmark = pytest.mark.slow

BOOK = ROOT / "configs" / "book"
RUNS = json.loads(Path(__file__).with_name("book_chapter10.json").read_text(encoding="utf-8"))["runs"]
CONFIGS = {  # by the settings of the optimizer
    tuple(sorted(load(config).document.root.plain()["optimizer"].items())): config
    for config in sorted(BOOK.glob("chapter10_*.yaml"))
}
CHAPTERS = {
    14: book_programs.chapter_14,
    15: book_programs.chapter_15,
    16: book_programs.chapter_16,
    17: book_programs.chapter_17,
}
EPOCHS = 100


def experiment(config, *overrides):
    return assemble(load(config, ("dtype=float64", *overrides)).config)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: "-".join(map(str, run["optimizer"].values())))
def test_chapter_10(run):
    """Loss and accuracy agree to 1e-9 at every listed epoch up to 100, the learning rate in every bit."""
    config = CONFIGS[tuple(sorted(run["optimizer"].items()))]
    listed = {row[0]: row[1:] for row in run["rows"] if row[1] is not None}
    assert set(range(11)) | {50, EPOCHS} <= set(listed)
    for epoch in Trainer(experiment(config, "training.log_every=1")).epochs():
        if epoch.number in listed:
            loss, accuracy, rate = listed.pop(epoch.number)
            assert epoch.metrics["loss"] == pytest.approx(loss, rel=1e-9), epoch.number
            assert epoch.metrics["accuracy"] == accuracy
            assert epoch.metrics["learning_rate"] == rate
        if not listed:
            break
    assert not listed


@pytest.mark.parametrize("run", RUNS, ids=lambda run: "-".join(map(str, run["optimizer"].values())))
def test_learning_rates_are_bit_identical(run):
    """The learning rate is that of the book at every listed epoch, up to the last."""
    settings = run["optimizer"]
    for epoch, *_, rate in run["rows"]:
        assert inverse_time(settings["learning_rate"], settings.get("decay", 0.0), max(epoch - 1, 0)) == rate


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_later_chapters(chapter):
    """Data loss, penalties and accuracy agree to 1e-9 at every epoch up to 100, the learning rate in every bit."""
    config, accuracy = BOOK / f"chapter{chapter}.yaml", "regression_accuracy" if chapter == 17 else "accuracy"
    training = Trainer(experiment(config, f"training.epochs={EPOCHS}", "training.log_every=1"))
    for epoch, expected in zip(training.epochs(), CHAPTERS[chapter](), strict=False):
        for name in ("loss", "data_loss", "regularization_loss"):
            assert epoch.metrics[name] == pytest.approx(expected[name], rel=1e-9), (epoch.number, name)
        assert epoch.metrics[accuracy] == expected["accuracy"]
        assert epoch.metrics["learning_rate"] == expected["learning_rate"]
    assert epoch.number == EPOCHS


def test_dropout_masks_are_those_of_the_book():
    """The loss with the mask of each epoch, which the book prints in chapter 15, agrees to 1e-9 up to epoch 100."""
    made = experiment(BOOK / "chapter15.yaml", f"training.epochs={EPOCHS}", f"training.log_every={EPOCHS}")
    made.network.micro_batch_rows = len(made.data["training"])  # one pass of all rows, whose outputs are compared
    training, book = Trainer(made), book_programs.chapter_15()
    targets = made.network.loss.encode(made.data["training"].targets, 3)
    training._span, epochs = 1, training.epochs()  # a look at every epoch
    next(epochs)  # the first yield is before anything was trained; at each later one the outputs are the last pass's
    for _, expected in zip(islice(epochs, EPOCHS - 1), book, strict=False):
        masked = made.network.data_loss(made.network.outputs, targets)
        assert masked == pytest.approx(expected["loss_in_training"] - expected["regularization_loss"], rel=1e-9)


@pytest.mark.parametrize("chapter", [14, 15, 16])
def test_test_set_is_drawn_after_training(chapter):
    """Loss and accuracy on the points drawn after a hundred epochs agree to 1e-9."""
    made = experiment(BOOK / f"chapter{chapter}.yaml", f"training.epochs={EPOCHS}")
    training = Trainer(made)
    for _ in training.epochs():
        pass
    made.sample_test_set()
    expected = next(islice(CHAPTERS[chapter](), EPOCHS, None))
    found = training.measured("test")
    assert found["loss"] == pytest.approx(expected["test_loss"], rel=1e-9)
    assert found["accuracy"] == expected["test_accuracy"]
