"""Contracts of every registered component; a component without a reference implementation fails by name."""

import inspect

import numpy as np
import pytest
from pydantic_core import ValidationError

import nncli.experiment.loading  # noqa: F401 (registers all components)
from nncli import registry
from nncli.nn.metrics.metric import Task
from nncli.nn.parameters import Parameters
from tests.nn.differences import central_differences, relative_error
from tests.nn.passes import backward, forward, loss_gradient, parameter_gradients
from tests.nn.reference_implementations import REFERENCES

OF_TABLES = {"column", "encoding", "imputation", "transform"}  # tests/data/columns and tests/data/transforms have them
EVERY = [entry for kind in registry.kinds() for entry in registry.components(kind)]
OF_FILES = {"arrays", "idx", "images", "table"}  # sources that tests/experiment tests with files
ALL = [each for each in EVERY if each.kind not in OF_TABLES and not (each.kind == "dataset" and each.name in OF_FILES)]
ROWS, COLUMNS = 5, 3


def named(kind):
    return [pytest.param(entry, id=entry.name) for entry in ALL if entry.kind == kind]


def built(entry):
    missing = f"{entry.kind} {entry.name} has no reference in tests/nn/reference_implementations.py"
    assert (entry.kind, entry.name) in REFERENCES, missing
    return entry.target(**REFERENCES[entry.kind, entry.name][1])


def layer_of(entry, columns=COLUMNS):
    """A layer with random weights, and a seeded generator."""
    layer = built(entry)
    parameters = Parameters(layer.shapes(columns), np.dtype("float64"), layer.statistics(columns))
    layer.attach(parameters.views(parameters.values), parameters.views(parameters.gradients))
    rng = np.random.default_rng(1)
    parameters.values[:] = rng.uniform(0.5, 1.5, size=parameters.values.shape)  # a variance is positive
    parameters.trainable[:] = rng.normal(size=parameters.trainable.shape)
    layer.set_rng(np.random.default_rng(2))
    return layer, parameters


def data(columns=COLUMNS, seed=3):
    return np.random.default_rng(seed).normal(size=(ROWS, columns))


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_component_has_a_reference_implementation(entry):
    """Every formula is implemented twice."""
    built(entry)


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_component_is_documented(entry):
    """The docstring has a summary sentence, a source, and a meaning for each argument."""
    text = inspect.cleandoc(entry.target.__doc__)
    assert entry.documentation.summary.endswith(".")
    assert "Source: " in text
    assert all(parameter.meaning for parameter in entry.parameters), [p.name for p in entry.parameters if not p.meaning]


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_defaults_are_in_range(entry):
    """A config with all defaults written out is valid, and equal to one without them."""
    required = REFERENCES[entry.kind, entry.name][1]
    first = entry.model.model_validate({"type": entry.name, **required})
    assert entry.model.model_validate(first.model_dump()) == first


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_parameters_are_stored_unchanged(entry):
    """No valid value of a parameter is replaced by another, which reference implementations would not notice."""
    arguments = REFERENCES[entry.kind, entry.name][1]
    for parameter in entry.parameters:
        for value in (1e-12, 1e-6, 0.5, 0.99995, 1 - 1e-9, 1.0, 1e6, 0, 1, 2, 17, 250, 65_536, 1_000_000):
            if not accepts(entry, parameter.name, value):
                continue
            component = entry.target(**{**arguments, parameter.name: value})
            stored = vars(component).get(parameter.name, vars(component).get(f"_{parameter.name}"))
            assert (type(stored), stored) == (type(value), value)


def accepts(entry, name, value):
    """Whether the value, of exactly this type, is valid for a parameter of a component."""
    try:
        entry.model.model_validate({"type": entry.name, **REFERENCES[entry.kind, entry.name][1], name: value})
    except ValidationError:
        return False
    return isinstance(value, float) == (float in parameter_types(entry, name))


def parameter_types(entry, name):
    """The numeric types in the annotation of a parameter."""
    annotation = next(parameter.annotation for parameter in entry.parameters if parameter.name == name)
    return {each for each in (float, int) if each.__name__ in str(annotation)}


@pytest.mark.parametrize("entry", named("layer"))
def test_forward_matches_the_reference(entry):
    """The outputs of a layer are those of the reference implementation, row by row."""
    layer, _ = layer_of(entry)
    inputs = data()
    naive = [REFERENCES["layer", entry.name][0](layer, row) for row in inputs]
    np.testing.assert_allclose(forward(layer, inputs), naive, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("entry", named("layer"))
def test_backward_matches_central_differences(entry):
    """The gradients of inputs and parameters agree with central differences to 1e-6."""
    layer, parameters = layer_of(entry)
    inputs, weights = data(), data(layer.width(COLUMNS), seed=4)

    def total():
        layer.set_rng(np.random.default_rng(2))
        return float(np.sum(forward(layer, inputs, training=True) * weights))

    total()
    d_inputs = backward(layer, weights).copy()
    gradients = parameters.gradients.copy()
    assert relative_error(d_inputs, central_differences(total, inputs)) < 1e-6
    if len(gradients):
        assert relative_error(gradients, central_differences(total, parameters.trainable)) < 1e-6


@pytest.mark.parametrize("entry", named("layer"))
def test_parameter_gradients_are_those_of_backward(entry):
    """The first trainable layer, which skips the gradient of its inputs, has the same gradients of parameters."""
    layer, parameters = layer_of(entry)
    grad = data(layer.width(COLUMNS), seed=4)
    forward(layer, data(), training=True)
    backward(layer, grad)
    expected = parameters.gradients.copy()
    parameters.gradients[:] = np.nan
    parameter_gradients(layer, grad)
    np.testing.assert_array_equal(parameters.gradients, expected)


@pytest.mark.parametrize("entry", named("layer"))
def test_arguments_are_not_written_to(entry):
    """Neither forward nor backward changes its arguments."""
    layer, _ = layer_of(entry)
    inputs, grad = data(), data(layer.width(COLUMNS), seed=4)
    before = inputs.copy(), grad.copy()
    inputs.flags.writeable = grad.flags.writeable = False
    forward(layer, inputs, training=True)
    backward(layer, grad)
    np.testing.assert_array_equal(inputs, before[0])
    np.testing.assert_array_equal(grad, before[1])


@pytest.mark.parametrize("entry", named("layer"))
def test_results_stay_until_the_next_call(entry):
    """A backward pass leaves the outputs, and a forward pass the gradient, unchanged."""
    layer, _ = layer_of(entry)
    grad = data(layer.width(COLUMNS), seed=4)
    outputs = forward(layer, data(), training=True)
    before = outputs.copy()
    d_inputs = backward(layer, grad)
    np.testing.assert_array_equal(outputs, before)
    before = d_inputs.copy()
    forward(layer, data(seed=5), training=True)
    np.testing.assert_array_equal(d_inputs, before)


@pytest.mark.parametrize("entry", named("layer"))
def test_row_counts_may_change_from_call_to_call(entry):
    """The outputs of a row are the same in a smaller last batch."""
    layer, _ = layer_of(entry)
    inputs = data()
    outputs = forward(layer, inputs).copy()
    np.testing.assert_allclose(forward(layer, inputs[:2]), outputs[:2], rtol=1e-14)
    np.testing.assert_allclose(forward(layer, inputs), outputs, rtol=1e-14)


@pytest.mark.parametrize("entry", named("layer"))
def test_inputs_may_be_refilled(entry):
    """A layer caches a reference to the input array, never its values."""
    found, grad = [], data(built(entry).width(COLUMNS), seed=4)
    for refilled in (True, False):
        layer, _ = layer_of(entry)
        inputs = data()
        if refilled:
            forward(layer, inputs)
            inputs[...] = data(seed=5)
        else:
            inputs = data(seed=5)
        outputs = forward(layer, inputs, training=True)
        found.append((outputs.tobytes(), backward(layer, grad).tobytes()))
    assert found[0] == found[1]


@pytest.mark.parametrize("entry", named("layer"))
def test_layer_is_deterministic(entry):
    """Two layers with the same seed have bit-identical initial weights and outputs."""
    found = []
    for _ in range(2):
        layer, parameters = layer_of(entry)
        if getattr(layer, "initializer", ...) is None:
            layer.initializer = registry.names("initializer")["he"].target()
        layer.initialize(np.random.default_rng(7))
        outputs = forward(layer, data(), training=True)
        found.append((parameters.values.tobytes(), outputs.tobytes()))
    assert found[0] == found[1]


def rows_for(loss):
    """Outputs (6, 4) and targets for a loss: probabilities and class labels, or real values."""
    rng = np.random.default_rng(1)
    if loss.needs_classes:
        return rng.dirichlet(np.ones(4), size=6), np.array([0, 1, 2, 3, 0, 1])
    return rng.normal(size=(6, 4)), rng.normal(size=(6, 4))


@pytest.mark.parametrize("entry", named("loss"))
def test_loss_matches_the_reference(entry):
    """The loss of each row is that of the reference implementation, also for clipped probabilities."""
    loss = built(entry)
    loss.attach(np.dtype("float64"))
    outputs, targets = rows_for(loss)
    outputs[:2] = [1, 0, 0, 0]
    encoded = loss.encode(targets, 4)
    naive = [REFERENCES["loss", entry.name][0](row, target) for row, target in zip(outputs, encoded, strict=True)]
    np.testing.assert_allclose(loss.forward(outputs, encoded), naive, rtol=1e-14)


@pytest.mark.parametrize("entry", named("loss"))
def test_loss_gradient_matches_central_differences(entry):
    """The gradient of the mean loss agrees with central differences, and arguments are not written to."""
    loss = built(entry)
    loss.attach(np.dtype("float64"))
    outputs, targets = rows_for(loss)
    targets = loss.encode(targets, 4)
    expected = central_differences(lambda: float(np.mean(loss.forward(outputs, targets))), outputs)
    outputs.flags.writeable = targets.flags.writeable = False
    assert relative_error(loss_gradient(loss, outputs, targets), expected) < 1e-6


@pytest.mark.parametrize("entry", named("loss"))
def test_outputs_and_targets_may_be_refilled(entry):
    """A loss caches no values of its last call, and returns the losses of the rows in a new array."""
    found = []
    for refilled in (True, False):
        loss = built(entry)
        loss.attach(np.dtype("float64"))
        outputs, targets = rows_for(loss)
        encoded = loss.encode(targets, 4)
        if refilled:
            reused_outputs, reused_targets = outputs[::-1].copy(), encoded[::-1].copy()
            first = loss.forward(reused_outputs, reused_targets)
            before = first.copy()
            reused_outputs[...], reused_targets[...] = outputs, encoded
            outputs, encoded = reused_outputs, reused_targets
        losses = loss.forward(outputs, encoded)
        found.append((losses.tobytes(), loss_gradient(loss, outputs, encoded).tobytes()))
    np.testing.assert_array_equal(first, before)
    assert found[0] == found[1]


@pytest.mark.parametrize("entry", named("loss"))
def test_targets_are_encoded(entry):
    """Class labels are one-hot encoded, or a column if there is one output; real-valued targets are unchanged."""
    loss = built(entry)
    loss.attach(np.dtype("float32"))
    labels = np.array([1, 0, 1], np.uint8)
    np.testing.assert_array_equal(loss.encode(labels, 2), [[0, 1], [1, 0], [0, 1]])
    np.testing.assert_array_equal(loss.encode(labels, 1), [[1], [0], [1]])
    values = np.array([[0.5, 2.0], [1.5, -1.0]])
    np.testing.assert_array_equal(loss.encode(values, 2), values)
    assert loss.encode(labels, 2).dtype == loss.encode(values, 2).dtype == np.float32


def set_for(task, rng):
    """Outputs with ties and targets (50 rows) of a task."""
    if task is Task.REGRESSION:
        return rng.normal(size=(2, 50, 2))
    width, classes = (1, 2) if task is Task.BINARY else (4, 4)
    return rng.integers(0, 5, size=(50, width)) / 5, rng.integers(0, classes, size=50)


@pytest.mark.parametrize("entry", named("metric"))
def test_metric_matches_the_reference(entry):
    """For each of its tasks a metric is that of the reference implementation, and within its bounds."""
    assert entry.target.tasks
    for task in entry.target.tasks:
        outputs, targets = set_for(task, np.random.default_rng(1))
        _, training = set_for(task, np.random.default_rng(2))
        metric = built(entry)
        metric.attach(training)
        value = metric.measure(outputs, targets)
        assert value == pytest.approx(
            REFERENCES["metric", entry.name][0](metric, outputs, targets, training), rel=1e-12
        )
        assert metric.lowest <= value <= metric.highest


@pytest.mark.parametrize("entry", named("metric"))
def test_metric_declares_its_direction(entry):
    """Perfect outputs have a better score than others, in the direction that the metric declares."""
    for task in entry.target.tasks:
        outputs, targets = set_for(task, np.random.default_rng(3))
        perfect = targets if task is Task.REGRESSION else np.eye(4)[targets]
        perfect = targets[:, None] if task is Task.BINARY else perfect
        metric = built(entry)
        metric.attach(targets)
        gain = metric.measure(perfect.astype(float), targets) - metric.measure(outputs, targets)
        assert gain > 0 if metric.higher_is_better else gain < 0


@pytest.mark.parametrize("entry", named("schedule"))
def test_schedule_matches_the_reference(entry):
    """At each of the first forty updates the factor is that of the reference implementation, and in [0, 1]."""
    schedule = built(entry)
    factors = [schedule.factor(t) for t in range(40)]
    assert factors == pytest.approx([REFERENCES["schedule", entry.name][0](schedule, t) for t in range(40)], rel=1e-12)
    assert all(0 <= factor <= 1 for factor in factors)


@pytest.mark.parametrize("entry", named("clipping"))
@pytest.mark.parametrize("size", [1e-3, 1e3], ids=["small", "large"])
def test_clipping_matches_the_reference(entry, size):
    """A small gradient is unchanged; a large one is clipped in place as in the reference implementation."""
    clipping, gradients = built(entry), np.random.default_rng(1).normal(size=9) * size
    before = gradients.copy()
    clipping.clip(gradients)
    expected = REFERENCES["clipping", entry.name][0](clipping, before)
    np.testing.assert_allclose(gradients, expected, rtol=1e-14)
    assert (gradients.tobytes() == before.tobytes()) == (size == 1e-3)


@pytest.mark.parametrize("entry", named("clipping"))
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_clipping_hides_no_divergence(entry, value):
    """A non-finite gradient stays non-finite, so that training stops."""
    clipping, gradients = built(entry), np.array([1.0, value, -3.0])
    clipping.clip(gradients)
    assert not np.isfinite(gradients).all()


@pytest.mark.parametrize("entry", named("initializer"))
def test_initializer_has_its_moments(entry):
    """Mean and standard deviation of many weights are those of the formula, for two shapes."""
    for inputs, units in ((400, 100), (50, 800)):
        drawn = built(entry).draw(np.random.default_rng(5), inputs, units)
        mean, deviation = REFERENCES["initializer", entry.name][0](inputs, units)
        assert drawn.shape == (inputs, units)
        assert abs(drawn.mean() - mean) < 4 * deviation / np.sqrt(drawn.size)
        assert abs(drawn.std() / deviation - 1) < 4 / np.sqrt(2 * drawn.size)


@pytest.mark.parametrize("entry", named("initializer"))
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 3), (3, 2), (9, 1), (16, 10)])
def test_initializer_has_its_moments_in_small_layers(entry, shape):
    """Mean and standard deviation over many draws are those of the formula, also with few inputs or units."""
    initializer, rng = built(entry), np.random.default_rng(6)
    drawn = np.concatenate([initializer.draw(rng, *shape).ravel() for _ in range(10_000 // np.prod(shape))])
    mean, deviation = REFERENCES["initializer", entry.name][0](*shape)
    assert abs(drawn.mean() - mean) < 4 * deviation / np.sqrt(drawn.size)
    assert abs(drawn.std() / deviation - 1) < 4 / np.sqrt(2 * drawn.size)


@pytest.mark.parametrize("entry", named("initializer"))
def test_initializer_is_deterministic(entry):
    """Initial weights depend on the generator only; NumPy's and the legacy one are accepted."""
    for generator in (np.random.default_rng, np.random.RandomState):
        draws = [built(entry).draw(generator(5), 4, 3).tobytes() for _ in range(2)]
        assert draws[0] == draws[1]


@pytest.mark.parametrize("entry", named("dataset"))
def test_dataset_has_the_declared_shape(entry):
    """Rows, features and classes are as declared, and equal seeds give equal points."""
    source = built(entry)
    schema = source.open()
    first, second = (source.draw(np.random.default_rng(6)) for _ in range(2))
    assert (len(first), first.inputs.shape[1], first.classes) == (schema.rows, schema.columns, schema.classes)
    if schema.classes is None:
        assert first.targets.shape == (schema.rows, schema.target_columns)
    else:
        assert (set(first.targets), schema.target_columns) == (set(range(schema.classes)), 1)
    counted = [len(first)] if schema.classes is None else np.bincount(first.targets).tolist()
    assert schema.class_counts == counted
    assert first.fingerprint() == second.fingerprint()
    assert (first.fingerprint() != source.draw(np.random.default_rng(7)).fingerprint()) == source.is_random


@pytest.mark.parametrize("entry", named("dataset"))
def test_dataset_does_not_change_the_global_generator(entry):
    """NumPy's global random state is the same before and after a draw."""
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    source = built(entry)
    source.open()
    source.draw(np.random.default_rng(6))
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002
