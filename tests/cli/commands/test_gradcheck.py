"""``nncli gradcheck``: the verdict on the gradients, as text, as JSON and as an exit code."""

import json
import re

import numpy as np
import pytest

from nncli.nn.activations import ReLU
from nncli.nn.kernels.dense_products import RowMajorProducts
from nncli.nn.layers.dense import Dense

ARRAYS = ["layers.0.weights", "layers.0.biases", "layers.2.weights", "layers.2.biases"]


def strict(text):
    """The JSON document in a text, without NaN and infinity."""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.fixture
def faulty(monkeypatch):
    """The gradient of every dense layer's biases is 1.001 times what it should be."""
    original = Dense.parameter_gradients

    def parameter_gradients(layer):
        original(layer)
        layer.d_biases *= 1.001

    monkeypatch.setattr(Dense, "parameter_gradients", parameter_gradients)


def test_config_of_init_passes(workdir, run_cli):
    """The config that ``init`` writes has correct gradients: one row per array, the worst entry, the verdict."""
    assert run_cli("init", "new.yaml").code == 0
    result = run_cli("gradcheck", "new.yaml", "--entries", 40)
    assert (result.code, result.err) == (0, "")
    assert [line.split()[0] for line in result.out.splitlines() if line.startswith("layers.")][:4] == ARRAYS
    assert re.search(r"\nlayers\S+ at \d.*: analytic -?\d\.\d{8}e[-+]\d\d, numerical -?\d", result.out)
    assert re.search(
        r"\nPASSED: largest error \S+, relative to the largest entry of the array \(tolerance 1e-06\)\n$", result.out
    )
    assert "40 of 128" in result.out


def test_counts_of_rows_and_entries_are_shown(workdir, run_cli):
    """The number of rows compared and skipped, and how many entries of each array were compared."""
    result = run_cli("gradcheck", "config.yaml", "--entries", 5)
    assert "57 rows compared, 3 skipped (near a kink, where the loss is not differentiable)" in result.out
    for size in (16, 8, 24):
        assert f"5 of {size}" in result.out
    assert (
        "9 rows compared"
        in run_cli("gradcheck", "config.yaml", "layers=[{type: dense, units: 3}, softmax]", "--rows", 9).out
    )


def test_clipped_rows_are_counted(workdir, run_cli):
    """Rows whose loss is clipped are skipped and counted."""
    result = run_cli("gradcheck", "config.yaml", "layers[0].initializer={type: normal, scale: 100}")
    assert result.code == 0
    assert "skipped (clipped by the loss)" in result.out


def test_json_document(workdir, run_cli):
    """Every array with shape, counts and worst entry, and the verdict; nothing on standard error."""
    result = run_cli("gradcheck", "config.yaml", "--rows", 30, "--json")
    document = strict(result.out)
    assert (result.code, result.err) == (0, "")
    assert [each["name"] for each in document["arrays"]] == ARRAYS
    assert [each["shape"] for each in document["arrays"]] == [[2, 8], [8], [8, 3], [3]]
    assert document["rows"] + document["rows_near_kinks"] + document["rows_clipped"] == 30
    assert (document["config"], document["passed"]) == ("config.yaml", True)
    for each in document["arrays"]:
        assert each["error"] < document["tolerance"]
        assert each["backward"] == pytest.approx(each["difference"], rel=1e-4, abs=1e-9)


@pytest.mark.slow
def test_wrong_gradient_exits_with_8(workdir, run_cli, faulty):
    """The table is printed; standard error names the array, the error and the index."""
    result = run_cli("gradcheck", "config.yaml")
    assert result.code == 8
    assert all(name in result.out for name in ARRAYS)
    assert "PASSED" not in result.out
    assert re.match(
        r"config\.yaml: the gradient of layers\.[02]\.biases has a relative error of 0\.001 at \[", result.err
    )
    assert result.err.count("\n") == 1


@pytest.mark.slow
def test_wrong_gradient_in_json(workdir, run_cli, faulty):
    """The document is complete and says that the check failed, and the exit code is 8."""
    result = run_cli("gradcheck", "config.yaml", "--json")
    document = strict(result.out)
    assert (result.code, document["passed"]) == (8, False)
    errors = {each["name"]: each["error"] for each in document["arrays"]}
    assert errors["layers.0.biases"] == pytest.approx(1e-3, rel=0.01)
    assert errors["layers.0.weights"] < document["tolerance"]


@pytest.mark.slow
def test_wrong_activation_affects_the_layers_below(workdir, run_cli, monkeypatch):
    """An error in a layer without parameters affects the arrays of the layers below it, and no others."""
    original = ReLU.backward
    monkeypatch.setattr(ReLU, "backward", lambda layer: np.multiply(original(layer), 1.001, out=layer.d_inputs))
    result = run_cli("gradcheck", "config.yaml", "--json")
    document = strict(result.out)
    assert result.code == 8
    assert "layers.0." in result.err
    wrong = [each["name"] for each in document["arrays"] if each["error"] > document["tolerance"]]
    assert wrong == ["layers.0.weights", "layers.0.biases"]


def test_no_row_left_exits_with_8(workdir, run_cli):
    """If nothing can be compared there is no verdict, only a message on standard error."""
    result = run_cli("gradcheck", "config.yaml", "layers[0].initializer={type: normal, scale: 1e-12}")
    assert (result.code, result.out) == (8, "")
    assert "config.yaml: the gradients cannot be compared: no row is left" in result.err


def test_overrides_are_checked(workdir, run_cli):
    """The network of the config with its overrides is checked."""
    document = strict(run_cli("gradcheck", "config.yaml", "layers[0].units=5", "--json").out)
    assert [each["shape"] for each in document["arrays"]] == [[2, 5], [5], [5, 3], [3]]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["config.yaml", "layers[0].units=0"], 3, "layers[0].units: must be at least 1, got 0"),
        (["config.yaml", "layers[0].unit=4"], 3, "unit"),
        (["missing.yaml"], 2, "missing.yaml: no such file"),
        (["."], 2, ".: is a directory"),
        (["config.yaml", "--rows", "0"], 2, "'--rows': expected an integer of at least 1, got '0'"),
        (["config.yaml", "--entries", "0"], 2, "'--entries'"),
        (["config.yaml", "word"], 2, "invalid override 'word'"),
        ([], 2, "CONFIG"),
    ],
)
def test_wrong_requests(workdir, run_cli, arguments, code, said):
    """A wrong config and a wrong command line have their messages and exit codes; nothing is printed."""
    result = run_cli("gradcheck", *arguments)
    assert (result.code, result.out) == (code, "")
    assert said in result.err


def test_gradcheck_writes_no_run(workdir, run_cli):
    """The check writes nothing."""
    assert run_cli("gradcheck", "config.yaml").code == 0
    assert [path.name for path in workdir.iterdir()] == ["config.yaml"]


@pytest.mark.slow
def test_error_in_a_training_step_exits_with_8(workdir, run_cli, monkeypatch):
    """An error that only the row-major branch of a mini-batch has is reported with dtype, batch and rows."""
    original = Dense.parameter_gradients

    def faulty(layer):
        original(layer)
        if isinstance(layer.products, RowMajorProducts):
            layer.d_weights *= -1

    overrides = ("layers[0].units=1", "training.batch_size=16")
    assert "float32 step on batch 3, 12 rows: largest error" in run_cli("gradcheck", "config.yaml", *overrides).out
    monkeypatch.setattr(Dense, "parameter_gradients", faulty)
    result = run_cli("gradcheck", "config.yaml", *overrides)
    assert result.code == 8
    where = r"in the float32 training step on batch 0, 16 rows; rounding explains \d"
    assert re.match(
        rf"config\.yaml: the gradient of layers\.0\.weights has a relative error of 2 at \[\d, 0\] {where}", result.err
    )
    document = strict(run_cli("gradcheck", "config.yaml", *overrides, "--json").out)
    assert [(step["batch"], step["rows"], step["dtype"]) for step in document["steps"]][:1] == [(0, 16, "float32")]
