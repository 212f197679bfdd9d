"""Runs on images: weights and largest losses as images."""

from base64 import b64decode

import numpy as np
import pytest

from nncli.cli.main import main
from nncli.report.largest_errors import ErrorRow
from nncli.report.page.images import images, mistakes
from nncli.report.trained_run import TrainedRun
from nncli.store.run_reader import Run

CONFIG = """\
seed: 0
data: {type: arrays, path: data.npz}
validation: {fraction: 0.5}
layers: [{type: dense, units: 4}, relu, {type: dense, units: 2}, softmax]
loss: categorical_crossentropy
optimizer: {type: adam, learning_rate: 0.01}
training: {epochs: 3}
"""


@pytest.fixture
def trained(workdir):
    """A run on gray images of 5 × 4 pixels."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (40, 5, 4)).astype(np.uint8)
    np.savez(workdir / "data.npz", inputs=pixels, targets=np.arange(40) % 2)
    (workdir / "config.yaml").write_text(CONFIG, encoding="utf-8")
    assert main(["train", "config.yaml", "-q"]) == 0
    return TrainedRun(Run(workdir / "runs" / "config"))


def test_weights_are_images_around_the_middle(trained):
    """Each unit of the first layer, largest norm first; 0 is in the middle of the bytes."""
    shown = images(trained)[0]
    weights = trained.network.layers[0].weights
    order = np.argsort(-np.linalg.norm(weights, axis=0), kind="stable")
    assert [each.caption for each in shown.images] == [f"unit {unit}" for unit in order]
    first = weights[:, order[0]].reshape(5, 4)
    found = np.frombuffer(b64decode(shown.images[0].pixels), np.uint8).reshape(5, 4)
    assert (shown.images[0].width, shown.images[0].height) == (4, 5)
    np.testing.assert_allclose(found, 127.5 + 127.5 * first / np.abs(first).max(), atol=0.51)


def test_images_have_their_data_as_a_table(trained):
    """Norm and range of the weights of each unit; row, classes and probability of each mistake, in the same order."""
    of_weights, mistakes = images(trained)
    weights = trained.network.layers[0].weights
    assert [f"unit {row[0]}" for row in of_weights.rows] == [each.caption for each in of_weights.images]
    for unit, *found in of_weights.rows:
        column = weights[:, int(unit)]
        np.testing.assert_allclose(found, [np.sqrt((column**2).sum()), column.min(), column.max()], rtol=1e-6)
    names = ["row", "loss", "actual", "predicted", "probability", "probability of actual class"]
    assert [column.name for column in mistakes.columns] == names
    for (row, _, actual, predicted, probability, _), each in zip(mistakes.rows, mistakes.images, strict=True):
        assert each.caption == f"{actual}, predicted as {predicted} ({probability:.1%}), row {row}"


def test_mistakes_are_the_images_of_the_data(trained):
    """The bytes of the rows with the largest losses, with actual and predicted class."""
    shown = images(trained)[1].images
    assert len(shown) == 20
    raw = trained.raw("validation")
    for each in shown:
        index = int(each.caption.rpartition("row ")[2])
        found = np.frombuffer(b64decode(each.pixels), np.uint8).reshape(5, 4)
        np.testing.assert_array_equal(found, raw.read([index])[0].reshape(5, 4))


def test_image_that_is_not_square_keeps_its_sides():
    """Three columns and two rows, RGB or gray, of bytes as they are; others from the lowest to the highest value."""
    pixels = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    (found,) = mistakes([ErrorRow(4, None, 1.0, "cat", "dog", 0.75, 0.25, pixels)], "test").images
    assert (found.width, found.height, found.form) == (3, 2, "rgb")
    assert list(b64decode(found.pixels)) == list(range(18))
    assert found.caption == "cat, predicted as dog (75.0%), row 4"
    values = np.array([[[-1.0], [0.0], [1.0]], [[1.0], [0.0], [-1.0]]])
    (found,) = mistakes([ErrorRow(4, None, 1.0, [1.5], [2.5], None, None, values)], "test").images
    assert (found.width, found.height, found.form) == (3, 2, "gray")
    assert list(b64decode(found.pixels)) == [0, 128, 255, 255, 128, 0]
    assert found.caption == "row 4: actual [1.5], predicted [2.5]"


def test_large_image_has_every_second_row_and_column():
    """With its proportions."""
    pixels = np.zeros((100, 66), np.uint8)
    pixels[::2, ::2] = 7
    (found,) = mistakes([ErrorRow(0, None, 1.0, "a", "b", 0.5, 0.5, pixels)], "test").images
    assert (found.width, found.height) == (33, 50)
    assert set(b64decode(found.pixels)) == {7}


@pytest.mark.parametrize(("channels", "count"), [((3,), 2), ((1,), 2), ((2,), 0)])
def test_images_have_one_channel_or_three(workdir, channels, count):
    """Other arrays of three dimensions are no images."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 5, 4, *channels)).astype(np.uint8)
    np.savez(workdir / "data.npz", inputs=pixels, targets=np.arange(40) % 2)
    (workdir / "config.yaml").write_text(CONFIG, encoding="utf-8")
    assert main(["train", "config.yaml", "-q"]) == 0
    assert len(images(TrainedRun(Run(workdir / "runs" / "config")))) == count
