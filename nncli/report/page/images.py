"""Networks with images as inputs: the weights of the first layer, and the rows with the largest loss."""

from collections.abc import Sequence

import numpy as np

from nncli.data.array_preprocessing import ArrayPreprocessing
from nncli.nn.layers.dense import Dense
from nncli.nn.parameters import Array
from nncli.report.largest_errors import ErrorRow, largest_errors
from nncli.report.page.blocks import Block, Column, Image, Images, base64
from nncli.report.page.results import errors_table
from nncli.report.page.words import percent
from nncli.report.trained_run import TrainedRun

WEIGHTS = 64  # units whose weights are shown, those with the largest norms
MISTAKES = 24
MAX_SIDE = 64  # pixels; larger images are shown with fewer


def images(trained: TrainedRun) -> list[Block]:
    """The weights of the first layer and the rows with the largest loss as images; none if rows are not images."""
    preprocessing = trained.predictor.predictor.preprocessing
    shape = preprocessing.shape if isinstance(preprocessing, ArrayPreprocessing) else ()
    if len(shape) not in {2, 3} or (len(shape) == 3 and shape[2] not in {1, 3}):
        return []
    return [*_weights(trained, shape), mistakes(largest_errors(trained, None, MISTAKES), trained.held_out)]


def _weights(trained: TrainedRun, shape: tuple[int, ...]) -> list[Block]:
    """The weights of each unit of the first layer, as an image."""
    first = trained.network.layers[0]
    if not isinstance(first, Dense):
        return []
    weights = np.asarray(first.weights, np.float64)  # (D, M)
    norms = np.linalg.norm(weights, axis=0)
    order = np.argsort(-norms, kind="stable")[:WEIGHTS]
    shown = [_weight_image(weights[:, unit], shape, f"unit {unit}") for unit in order.tolist()]
    message = (
        f"The weights of {len(shown)} of {weights.shape[1]} units, those with the largest norm first: "
        "vermilion pixels raise the output of the unit, blue ones lower it."
    )
    columns = [Column("unit"), *(Column(name, "number") for name in ("norm", "smallest weight", "largest weight"))]
    rows = [[str(unit), norms[unit], weights[:, unit].min(), weights[:, unit].max()] for unit in order.tolist()]
    return [Images("Weights of the first layer", message, shown, columns, rows)]


def _weight_image(weights: Array, shape: tuple[int, ...], caption: str) -> Image:
    """Weights (D,) as an image around 0; those of several channels as their mean."""
    values = weights.reshape(shape)
    values = values.mean(axis=2) if values.ndim == 3 else values
    values = _smaller(values)
    scaled = values / (np.abs(values).max() or 1.0)
    return Image(values.shape[1], values.shape[0], "diverging", base64(np.rint(127.5 + 127.5 * scaled)), caption)


def mistakes(errors: Sequence[ErrorRow], split: str) -> Images:
    """The rows with the largest losses as images."""
    shown = [_mistake(each) for each in errors]
    worst = f" The worst: {shown[0].caption}." if shown else ""
    table = errors_table(errors, split)
    message = f"The rows of the {split} set with the largest loss.{worst}"
    return Images("Images with the largest loss", message, shown, table.columns, table.rows)


def _mistake(error: ErrorRow) -> Image:
    values = np.asarray(error.inputs, np.float64)
    low, high = float(values.min()), float(values.max())
    is_bytes = np.asarray(error.inputs).dtype == np.uint8
    pixels = values if is_bytes else (values - low) / ((high - low) or 1.0) * 255
    pixels = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    pixels = _smaller(pixels)
    form = "rgb" if pixels.ndim == 3 else "gray"
    return Image(pixels.shape[1], pixels.shape[0], form, base64(np.rint(pixels)), _caption(error))


def _caption(error: ErrorRow) -> str:
    if error.probability is None:
        return f"row {error.row}: actual {error.target}, predicted {error.prediction}"
    return f"{error.target}, predicted as {error.prediction} ({percent(error.probability)}), row {error.row}"


def _smaller(pixels: Array) -> Array:
    """An image with every n-th row and column, if it is large."""
    step = max(1, -(-max(pixels.shape[:2]) // MAX_SIDE))
    return pixels[::step, ::step]
