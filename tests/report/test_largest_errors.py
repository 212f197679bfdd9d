"""The rows with the largest losses."""

import csv

import numpy as np
import pytest

import nncli
from nncli.report.largest_errors import largest_errors
from tests.examples import BINARY, SINE
from tests.report.conftest import PRODUCT, TABLE


def file_rows(workdir):
    with (workdir / "table.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_rows_of_a_classifier_have_the_smallest_probabilities(trained):
    """Cross-entropy is largest where the probability of the row's class is smallest."""
    run = trained()
    rows, found = run.predicted(), largest_errors(run, count=4)
    of_class = rows.probabilities[np.arange(60), rows.targets]
    assert [each.row for each in found] == np.argsort(of_class, kind="stable")[:4].tolist()
    for each in found:
        assert each.loss == pytest.approx(-np.log(of_class[each.row]), rel=1e-5)
        assert each.target == str(rows.targets[each.row])
        assert each.prediction == str(np.argmax(rows.probabilities[each.row]))
        assert each.target_probability == of_class[each.row]
        assert list(each.inputs.values()) == run.experiment.data["validation"].inputs[each.row].tolist()


@pytest.mark.parametrize("changes", [TABLE, PRODUCT], ids=["classes", "values"])
def test_rows_of_a_table_are_those_of_the_file(trained, workdir, changes):
    """Line, target and values by column, as the file has them."""
    run = trained(*changes)
    (name,) = run.targets
    for each in largest_errors(run, count=5):
        row = file_rows(workdir)[each.line - 2]
        assert {column: float(row[column]) for column in ("length", "depth")} == each.inputs
        assert each.target == (row[name] if name == "kind" else [float(row[name])])
        predicted = nncli.load(run.run.path).predict({column: [value] for column, value in each.inputs.items()})
        assert each.prediction == (predicted[0] if name == "kind" else predicted.ravel().tolist())


def test_rows_of_a_regression_have_the_largest_errors(trained):
    """In the unit of the target."""
    run = trained(*SINE)
    rows, (worst, *_) = run.predicted(), largest_errors(run)
    errors = np.abs(rows.outputs - rows.targets)[:, 0]
    assert worst.row == np.argmax(errors)
    assert abs(worst.target[0] - worst.prediction[0]) == errors.max()


def test_threshold_decides_the_prediction_of_a_single_output(trained):
    """Class 1 if its probability is above the threshold of the config."""
    run = trained(*BINARY, "metrics=[{type: accuracy, threshold: 0.7}]")
    ones = run.predicted().encoded_outputs[:, 0]
    found = largest_errors(run, count=len(ones))
    assert [each.prediction for each in found] == [str(int(ones[each.row] > 0.7)) for each in found]
    assert any(0.5 < ones[each.row] <= 0.7 for each in found)


def test_categories_are_texts_and_missing_values_none(trained, workdir):
    """As the file has them."""
    lines = [
        "size,color,kind",
        *(f"{index % 7 or ''},{'red' if index % 2 else 'blue'},k{index % 3}" for index in range(60)),
    ]
    (workdir / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    columns = "columns: {size: {type: number, missing: mean}, color: category}"
    run = trained(f"data={{type: table, path: table.csv, target: kind, {columns}}}", "validation={fraction: 0.5}")
    for each in largest_errors(run, count=30):
        row = file_rows(workdir)[each.line - 2]
        assert each.inputs == {"size": float(row["size"]) if row["size"] else None, "color": row["color"]}


def test_images_are_arrays_of_their_shape(trained, workdir):
    """Of the dtype of the file."""
    pixels = np.random.default_rng(0).integers(0, 256, (60, 3, 4), np.uint8)
    np.savez(workdir / "pixels.npz", inputs=pixels, targets=np.arange(60) % 3)
    run = trained("data={type: arrays, path: pixels.npz}", "validation={fraction: 0.5}")
    for each in largest_errors(run, count=3):
        assert (each.inputs.shape, each.inputs.dtype) == ((3, 4), np.uint8)
        assert any(np.array_equal(each.inputs, image) for image in pixels)
