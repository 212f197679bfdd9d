"""Components on given values: every registered one agrees with an independent implementation of its formula."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

import nncli.experiment.loading  # noqa: F401 (registers all components)
from nncli.analysis.component_computation import Request, compute, options_of, penalties
from nncli.errors import CommandLineError
from nncli.experiment.component_loading import load_section
from nncli.nn.metrics.metric import Task
from nncli.registry import components, names
from tests.nn.differences import central_differences
from tests.nn.reference_implementations import REFERENCES

RNG = np.random.default_rng(0)
INPUTS, GRAD = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
PROBABILITIES = np.abs(INPUTS) / np.abs(INPUTS).sum(axis=1, keepdims=True)
LAYER_VALUES = {
    "weights": RNG.normal(size=(3, 3)),
    **{name: RNG.uniform(0.5, 1.5, 3) for name in ("biases", "scale", "shift", "running_mean", "running_variance")},
}


def named(kind):
    return [pytest.param(entry, id=entry.name) for entry in components(kind)]


def reference(entry):
    """The second implementation of a component, and the overrides that give its arguments."""
    function, arguments = REFERENCES[entry.kind, entry.name]
    kept = {name: value for name, value in arguments.items() if name != "units"}
    return function, tuple(f"{name}={value}" for name, value in kept.items()), entry.target(**arguments)


def arrays(steps):
    """The arrays of all steps; a later one of the same name replaces an earlier one."""
    return {name: array for step in steps for name, array in step.arrays.items()}


def layer_request(entry, inputs, overrides, **changes):
    known = {name: LAYER_VALUES[name] for name in options_of(entry) if name in LAYER_VALUES}
    return Request({"inputs": inputs, **known, **changes}, overrides)


@pytest.mark.parametrize("entry", named("layer"))
def test_layer_passes_rows_forward(entry):
    """At inference each row has the outputs of the formula."""
    function, overrides, layer = reference(entry)
    request = layer_request(entry, INPUTS, overrides)._replace(inference=True)
    values = SimpleNamespace(**{**vars(layer), **LAYER_VALUES})
    expected = [function(values, row) for row in INPUTS]
    np.testing.assert_allclose(arrays(compute(entry, request))["outputs"], expected, rtol=1e-12)


@pytest.mark.parametrize("entry", named("layer"))
def test_layer_passes_gradients_back(entry):
    """In training, with the same random numbers, the gradients are differences of the sum of grad times outputs."""
    _, overrides, _ = reference(entry)
    values = dict(layer_request(entry, INPUTS.copy(), overrides).values)
    found = arrays(compute(entry, Request({**values, "grad": GRAD}, overrides, seed=3)))

    def total():
        return float(np.sum(arrays(compute(entry, Request(values, overrides, seed=3)))["outputs"] * GRAD))

    for name in {"inputs", "weights", "biases", "scale", "shift"} & values.keys():
        values[name] = values[name].copy()
        expected = central_differences(total, values[name])
        np.testing.assert_allclose(found[f"dL/d {name}"], expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("entry", named("loss"))
def test_loss_compares_outputs_with_targets(entry):
    """The loss of each row is that of the formula, its gradient the difference; class labels mean one-hot targets."""
    function, overrides, _ = reference(entry)
    targets, outputs = np.eye(3)[[0, 2, 1, 1]], PROBABILITIES.copy()
    steps = arrays(compute(entry, Request({"outputs": outputs, "targets": targets}, overrides)))
    expected = [function(row, target) for row, target in zip(outputs, targets, strict=True)]
    np.testing.assert_allclose(steps["of each row"], expected, rtol=1e-12)
    assert steps["mean"] == pytest.approx(np.mean(expected))

    def mean():
        return float(arrays(compute(entry, Request({"outputs": outputs, "targets": targets})))["mean"])

    np.testing.assert_allclose(steps["dL/d outputs"], central_differences(mean, outputs), rtol=1e-5, atol=1e-7)
    if entry.target.needs_classes:
        labels = arrays(compute(entry, Request({"outputs": outputs, "targets": np.array([0.0, 2, 1, 1])})))
        np.testing.assert_array_equal(labels["of each row"], steps["of each row"])


@pytest.mark.parametrize("name", ["categorical_crossentropy", "binary_crossentropy"])
def test_fused_gradient_is_that_of_loss_and_layer(name):
    """The gradient of the loss, passed back through softmax or sigmoid, is the fused one."""
    entry, layer = names("loss")[name], "softmax" if name.startswith("categorical") else "sigmoid"
    forward = arrays(compute(names("layer")[layer], Request({"inputs": INPUTS})))
    loss = arrays(compute(entry, Request({"outputs": forward["outputs"], "targets": np.eye(3)[[0, 2, 1, 1]]})))
    back = arrays(compute(names("layer")[layer], Request({"inputs": INPUTS, "grad": loss["dL/d outputs"]})))
    np.testing.assert_allclose(loss["dL/d inputs"], back["dL/d inputs"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("entry", named("metric"))
def test_metric_measures_outputs(entry):
    """For each of its tasks the value is that of the formula."""
    function, overrides, metric = reference(entry)
    for task in entry.target.tasks:
        outputs = PROBABILITIES[:, :1] if task is Task.BINARY else PROBABILITIES
        targets = GRAD if task is Task.REGRESSION else np.array([1.0, 0, 1, 1])
        found = arrays(compute(entry, Request({"outputs": outputs, "targets": targets}, overrides)))["value"]
        assert found == pytest.approx(function(metric, outputs, targets, targets))


def test_list_of_outputs_is_one_row_unless_targets_are_as_many():
    """Two outputs and one class are a row of two classes; two of each are two rows of a binary model."""
    accuracy = names("metric")["accuracy"]
    row = compute(accuracy, Request({"outputs": np.array([0.2, 0.8]), "targets": np.array([1.0])}))
    rows = compute(accuracy, Request({"outputs": np.array([0.2, 0.8]), "targets": np.array([1.0, 1.0])}))
    assert (arrays(row)["value"], arrays(rows)["value"]) == (1, 0.5)


@pytest.mark.parametrize("entry", named("optimizer"))
def test_optimizer_updates_parameters(entry):
    """Three updates with a decaying rate are those of the formula, in any shape, with the averages that it names."""
    function, overrides, optimizer = reference(entry)
    params, grad = RNG.normal(size=(2, 2)), RNG.normal(size=(2, 2))
    request = Request({"params": params, "grad": grad}, (*overrides, "learning_rate=0.3", "decay=0.5"), steps=3)
    states, expected = [[{} for _ in range(2)] for _ in range(2)], params.copy()
    for t, step in enumerate(compute(entry, request)):
        rate = 0.3 / (1 + 0.5 * t)
        assert step.arrays["rate"] == pytest.approx(rate)
        for i, j in np.ndindex(2, 2):
            expected[i, j] = function(optimizer, states[i][j], expected[i, j], grad[i, j], rate, t)
        np.testing.assert_allclose(step.arrays["params after"], expected, rtol=1e-12)
        for symbol in states[0][0]:
            naive = [[state[symbol] for state in row] for row in states]
            np.testing.assert_allclose(step.arrays[symbol], naive, rtol=1e-12)
        if "m̂" in step.arrays:
            naive = step.arrays["m"] / (1 - 0.9 ** (t + 1)), step.arrays["v"] / (1 - 0.999 ** (t + 1))
            np.testing.assert_allclose([step.arrays["m̂"], step.arrays["v̂"]], naive, rtol=1e-12)


@pytest.mark.parametrize("entry", named("clipping"))
def test_clipping_limits_gradients(entry):
    """The gradient keeps its shape, and is clipped as the formula says."""
    function, overrides, clipping = reference(entry)
    found = arrays(compute(entry, Request({"grad": 9 * GRAD}, overrides)))["clipped"]
    np.testing.assert_allclose(found.ravel(), function(clipping, (9 * GRAD).ravel()), rtol=1e-12)


@pytest.mark.parametrize("entry", named("schedule"))
def test_schedule_gives_factors(entry):
    """One for each update."""
    function, overrides, schedule = reference(entry)
    if entry.name == "warmup":
        overrides, schedule = ("updates=3",), entry.target(3)
    found = arrays(compute(entry, Request({}, overrides, steps=6)))["f"]
    np.testing.assert_allclose(found, [function(schedule, t) for t in range(6)], rtol=1e-12)


def test_penalties_are_those_of_the_formula():
    """λ₁ Σ|w| + λ₂ Σ w² with its gradient, of weights and biases; a dense layer has the same."""
    weights, biases = np.array([[1.0, -2], [0, 3]]), np.array([4.0, -5])
    strengths = ("l1=0.1", "l2=0.2", "bias_l1=0.3", "bias_l2=0.4")
    found = arrays(penalties(load_section("regularization", strengths), {"weights": weights, "biases": biases}))
    assert found["R"] == pytest.approx(0.1 * 6 + 0.2 * 14 + 0.3 * 9 + 0.4 * 41)
    signs = np.array([[1, -1], [1, 1]])
    np.testing.assert_allclose(found["dR/d weights"], 0.1 * signs + 0.4 * weights)
    np.testing.assert_allclose(found["dR/d biases"], 0.3 * np.sign(biases) + 0.8 * biases)
    values = {"inputs": np.array([1.0, 2]), "weights": weights, "biases": biases, "grad": np.array([3.0, 4])}
    layer = arrays(compute(names("layer")["dense"], Request(values, strengths)))
    for name in ("R", "dR/d weights", "dR/d biases"):
        np.testing.assert_array_equal(layer[name], found[name])


def test_weights_are_drawn_by_an_initializer():
    """With units and an initializer, from the seed; biases are 0."""
    dense, given = names("layer")["dense"], {"inputs": np.ones(400)}
    first, again, other = (
        arrays(compute(dense, Request(given, ("units=50", "initializer=he"), seed=seed))) for seed in (0, 0, 1)
    )
    assert first["weights"].std() == pytest.approx(np.sqrt(2 / 400), rel=0.05)
    np.testing.assert_array_equal(first["weights"], again["weights"])
    assert not np.array_equal(first["weights"], other["weights"])
    assert not first["biases"].any()


def test_values_keep_their_arrays():
    """Nothing that is given is written to, and no two arrays of the steps share memory."""
    values = {"inputs": INPUTS.copy(), "weights": LAYER_VALUES["weights"].copy(), "grad": GRAD.copy()}
    before = {name: array.copy() for name, array in values.items()}
    steps = compute(names("layer")["dense"], Request(values))
    for name, array in before.items():
        np.testing.assert_array_equal(values[name], array)
    shown = [array for step in steps for array in step.arrays.values()]
    assert not any(np.shares_memory(first, second) for first, second in pairwise(shown))


def test_targets_are_classes_from_0_to_the_last_output():
    """One more is an error; a metric takes them one-hot too."""
    with pytest.raises(CommandLineError, match="3 is no class; with 3 outputs they are 0 to 2"):
        compute(
            names("loss")["categorical_crossentropy"], Request({"outputs": PROBABILITIES, "targets": np.arange(4.0)})
        )
    classes = np.array([0.0, 2, 1, 1])
    found = [
        arrays(compute(names("metric")["accuracy"], Request({"outputs": PROBABILITIES, "targets": targets})))["value"]
        for targets in (classes, np.eye(3)[classes.astype(int)])
    ]
    assert found[0] == found[1] == np.mean(PROBABILITIES.argmax(axis=1) == classes)


def test_result_that_is_not_finite_is_an_error():
    """It names the step and the array."""
    values = {"inputs": np.array([[1e200]]), "weights": np.array([[1e200]])}
    with pytest.raises(CommandLineError, match="outputs: a value is not finite; write smaller numbers"):
        compute(names("layer")["dense"], Request(values))


def test_schedule_ends_with_the_steps():
    """A cosine over as many updates as are asked for, unless its parameter says how many."""
    found = arrays(compute(names("schedule")["cosine"], Request({}, steps=5)))["f"]
    np.testing.assert_allclose(found, (1 + np.cos(np.pi * np.arange(5) / 5)) / 2, rtol=1e-12)


def test_seed_and_inference_are_those_of_the_request():
    """Another seed drops other units; a single row is enough at inference."""
    masks = [
        arrays(compute(names("layer")["dropout"], Request({"inputs": np.ones((4, 50))}, ("rate=0.5",), seed=seed)))[
            "outputs"
        ]
        for seed in (0, 0, 1)
    ]
    assert np.array_equal(masks[0], masks[1])
    assert not np.array_equal(masks[0], masks[2])
    normalization, row = names("layer")["batch_normalization"], {"inputs": np.array([[3.0, 4.0]])}
    with pytest.raises(CommandLineError, match="needs 2 rows in training; add --inference"):
        compute(normalization, Request(row))
    found = arrays(compute(normalization, Request(row, inference=True)))
    np.testing.assert_allclose(found["outputs"], [[3, 4]], rtol=1e-4)
