"""The network held against figures of the book's own program."""

import json
from pathlib import Path

import pytest

from nncli.run.assembly import assemble
from nncli.run.loading import load
from nncli.run.training import Training

RUNS = json.loads(Path(__file__).with_name("book_chapter10.json").read_text(encoding="utf-8"))["runs"]

SPEC = """\
rng: nnfs
dtype: float64
data: spiral
layers:
  - {type: dense, units: 64, initializer: normal}
  - relu
  - {type: dense, units: 3, initializer: normal}
  - softmax
loss: categorical_crossentropy
optimizer: OPTIMIZER
training: {epochs: 10000, log_every: 1}
"""


@pytest.mark.parametrize("run", RUNS, ids=lambda run: "-".join(map(str, run["optimizer"].values())))
def test_chapter_10(run, tmp_path):
    """In float64 loss and accuracy agree to 1e-9 at every listed epoch up to 100."""
    config = tmp_path / "book.yaml"
    config.write_text(SPEC.replace("OPTIMIZER", json.dumps(run["optimizer"])), encoding="utf-8")
    listed = {row[0]: row[1:] for row in run["rows"] if row[1] is not None}
    assert set(range(11)) | {50, 100} <= set(listed)
    for epoch in Training(assemble(load(config).spec)).epochs():
        if epoch.number in listed:
            loss, accuracy, rate = listed.pop(epoch.number)
            assert epoch.metrics["loss"] == pytest.approx(loss, rel=1e-9), epoch.number
            assert epoch.metrics["accuracy"] == accuracy
            assert epoch.metrics["learning_rate"] == rate
        if not listed:
            break
    assert not listed


@pytest.mark.parametrize("run", RUNS, ids=lambda run: "-".join(map(str, run["optimizer"].values())))
def test_learning_rates_to_the_last_bit(run):
    """The learning rate is the book's at every listed epoch, up to the last."""
    from nncli.nn.schedules import inverse_time

    settings = run["optimizer"]
    for epoch, *_, rate in run["rows"]:
        assert inverse_time(settings["learning_rate"], settings.get("decay", 0.0), max(epoch - 1, 0)) == rate
