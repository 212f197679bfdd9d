"""The explanation of a training step: its arrays are those of training, compared with NumPy by hand and with a run."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from nncli.analysis.explanation import explain
from nncli.errors import ConfigError, DivergedError
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.experiment.rng import Purpose
from nncli.nn.optimizers.adagrad import AdaGrad
from nncli.registry import components, names
from nncli.training.evaluate import examples
from nncli.training.loop import Trainer
from tests.examples import BINARY, DENSE_8, LATE_TEST, NORMALIZED, SINE, WARM_COSINE
from tests.nn.reference_implementations import REFERENCES

DOUBLE = "dtype=float64"
SOFTMAX = "{type: dense, units: 3}, softmax]"
PENALTIES = "regularization={l1: 0.01, l2: 0.02, bias_l1: 0.03, bias_l2: 0.04}"
SPECS = {
    "small": (),
    "one layer": (f"layers=[{SOFTMAX}",),
    "sine": SINE,
    "absolute": (*SINE, "loss=mean_absolute_error"),
    "binary": BINARY,
    "batch normalization": NORMALIZED[:1],
    "dropout": (f"layers=[{DENSE_8}, relu, {{type: dropout, rate: 0.4}}, {SOFTMAX}",),
    "book rng": LATE_TEST,
    "penalties": (PENALTIES,),
    "clipping": ("clipping={type: norm, limit: 0.01}", PENALTIES),
    "schedule": (WARM_COSINE, "optimizer={type: sgd, learning_rate: 0.3, momentum: 0.9, decay: 0.5}"),
    "squares on classes": ("layers=[{type: dense, units: 3}, linear]", "loss=mean_squared_error"),
    "lowest trains nothing": (f"layers=[tanh, {DENSE_8}, leaky_relu, {SOFTMAX}",),
    "every activation": (
        f"layers=[{DENSE_8}, gelu, {DENSE_8}, elu, {DENSE_8}, tanh, {DENSE_8}, sigmoid, linear, {SOFTMAX}",
    ),
}
CASES = pytest.mark.parametrize("overrides", SPECS.values(), ids=SPECS)


def explained(*overrides, rows=2):
    return explain(Path("config.yaml"), overrides, rows)


def arrays(explanation, heading):
    """The arrays of the step whose heading starts with this text."""
    (step,) = [step for step in explanation.steps if step.heading.startswith(heading)]
    return step.arrays


def has(explanation, heading):
    return any(step.heading.startswith(heading) for step in explanation.steps)


def experiment_of(*overrides):
    """The experiment of the config, assembled again in float64."""
    loaded = load(Path("config.yaml"), overrides)
    return assemble(loaded.config.model_copy(update={"dtype": "float64"}))


def picked(experiment, rows):
    """The rows in the middle of as many equal parts of the training set: inputs, encoded targets and indices."""
    part = examples(experiment.data["training"], experiment.network)
    count = len(part.inputs)
    rows = min(rows, count)
    chosen = [(2 * k + 1) * count // (2 * rows) for k in range(rows)]
    return part.inputs[chosen], part.encoded[chosen], chosen


def after_backward(*overrides, rows=2):
    """The experiment and its gradients after a forward and a backward pass of its network over the same rows."""
    experiment = experiment_of(*overrides)
    inputs, encoded, _ = picked(experiment, rows)
    network = experiment.network
    network.set_rng(experiment.rngs.of(Purpose.DROPOUT))
    network.forward(inputs, training=True)
    network.backward(encoded)
    return experiment, network.parameters.views(network.parameters.gradients)


def total_gradients(explanation):
    """The gradient of each trainable array: the one of its layer, plus the one of the penalties."""
    found = {}
    for step in explanation.steps:
        if step.heading.startswith("back through layer"):
            index = step.heading.removeprefix("back through layer ").partition(":")[0]
            gradients = {
                name.removeprefix("dL/d "): array for name, array in step.arrays.items() if name != "dL/d inputs"
            }
            found |= {f"layers.{index}.{name}": array for name, array in gradients.items()}
    if has(explanation, "penalties"):
        for name, array in arrays(explanation, "penalties").items():
            if name.startswith("dR/d "):
                full = name.removeprefix("dR/d ")
                found[full] = found[full] + array
    return found


def test_explanation_equals_a_hand_written_network(workdir):
    """Rows, weights, outputs, losses and every gradient of the small config equal those of a few lines of NumPy."""
    explanation = explained(DOUBLE, rows=3)
    data = experiment_of(DOUBLE).data["training"]
    x, labels = data.inputs[[10, 30, 50]].astype(float), data.targets[[10, 30, 50]]
    np.testing.assert_array_equal(arrays(explanation, "data: spiral")["inputs"], x)
    np.testing.assert_array_equal(arrays(explanation, "data: spiral")["targets"], labels)

    lower, upper = arrays(explanation, "layer 0: dense"), arrays(explanation, "layer 2: dense")
    z = x @ lower["weights"] + lower["biases"]
    y = np.where(z > 0, z, 0)
    logits = y @ upper["weights"] + upper["biases"]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    losses = -np.log(p[np.arange(3), labels])
    d_logits = (p - np.eye(3)[labels]) / 3
    d_z = d_logits @ upper["weights"].T * (z > 0)

    for heading, name, expected in [
        ("layer 0: dense", "outputs", z),
        ("layer 1: relu", "outputs", y),
        ("layer 2: dense", "outputs", logits),
        ("layer 3: softmax", "outputs", p),
        ("loss: categorical_crossentropy", "of each row", losses),
        ("loss: categorical_crossentropy", "mean", losses.mean()),
        ("back through the loss", "dL/d outputs", -np.eye(3)[labels] / p / 3),
        ("back through layer 3", "dL/d inputs", d_logits),
        ("loss and ", "dL/d inputs", d_logits),
        ("back through layer 2", "dL/d weights", y.T @ d_logits),
        ("back through layer 2", "dL/d biases", d_logits.sum(axis=0)),
        ("back through layer 2", "dL/d inputs", d_logits @ upper["weights"].T),
        ("back through layer 1", "dL/d inputs", d_z),
        ("back through layer 0", "dL/d weights", x.T @ d_z),
        ("back through layer 0", "dL/d biases", d_z.sum(axis=0)),
        ("back through layer 0", "dL/d inputs", d_z @ lower["weights"].T),
    ]:
        found = arrays(explanation, heading)[name]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15, err_msg=f"{heading}: {name}")


@CASES
def test_gradients_are_those_of_the_network(workdir, overrides):
    """The gradients of all layers equal those of the network's backward for the same rows, including penalties."""
    explanation = explained(*overrides, DOUBLE, rows=5)
    _, expected = after_backward(*overrides, DOUBLE, rows=5)
    found = total_gradients(explanation)
    assert set(found) == set(expected)
    for name, gradient in expected.items():
        np.testing.assert_allclose(found[name], gradient, rtol=1e-9, atol=1e-13, err_msg=name)


@CASES
def test_fused_gradient_is_shown_if_training_uses_it(workdir, overrides):
    """With softmax or sigmoid and its cross-entropy, the fused gradient is shown and equals the one in two steps."""
    explanation = explained(*overrides, DOUBLE)
    layers = load(Path("config.yaml"), overrides).config.layers
    short = layers[-1].type in {"softmax", "sigmoid"}
    assert has(explanation, "loss and ") == short
    if short:
        fused = arrays(explanation, "loss and ")["dL/d inputs"]
        unfused = arrays(explanation, f"back through layer {len(layers) - 1}")["dL/d inputs"]
        np.testing.assert_allclose(fused, unfused, rtol=1e-12, atol=1e-15)


@pytest.mark.slow
@CASES
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_update_of_the_config_is_that_of_training(workdir, overrides, dtype):
    """If all rows of a small data set are shown, the first entries change as in the first epoch of training."""
    small = (*overrides, "data.samples=6", f"dtype={dtype}", "training={epochs: 1}")
    explanation = explained(*small, rows=20)
    experiment = experiment_of(*small)
    assert explanation.rows == explanation.of == len(experiment.data["training"])
    parameters = experiment.network.parameters
    before = parameters.trainable.copy()
    list(Trainer(experiment).epochs())
    moved = {name: view.flat[0] for name, view in parameters.views(parameters.trainable - before).items()}
    first = explanation.updates[0]
    assert (first.optimizer, first.rate) == (experiment.config.optimizer.type, experiment.optimizer.rate)
    found = dict(zip(explanation.parameters, first.changes, strict=True))
    flat = {name for name, gradient in zip(moved, explanation.gradients, strict=True) if abs(gradient) < 1e-5}
    assert set(moved) - flat
    for name in set(moved) - flat:  # if the gradient consists of rounding errors, so does its sign
        assert found[name] == pytest.approx(moved[name], rel=2e-5 if dtype == "float32" else 1e-7, abs=1e-7), name


@pytest.mark.parametrize("first", [entry.name for entry in components("optimizer")])
def test_updates_equal_the_naive_formulas(workdir, first):
    """The config's optimizer comes first, every other one follows once with its defaults."""
    explanation = explained(DOUBLE, f"optimizer={{type: {first}, learning_rate: 0.02}}", PENALTIES)
    others = [entry.name for entry in components("optimizer") if entry.name != first]
    assert [update.optimizer for update in explanation.updates] == [first, *others]
    for update in explanation.updates:
        given = {"learning_rate": 0.02} if update.optimizer == first else {}
        optimizer = names("optimizer")[update.optimizer].model.model_validate(given).build()
        assert update.rate == optimizer.learning_rate
        formula, _ = REFERENCES["optimizer", update.optimizer]
        pairs = zip(explanation.parameters.values(), explanation.gradients, strict=True)
        expected = [formula(optimizer, {}, w, g, update.rate, 0) - w for w, g in pairs]
        assert update.changes == pytest.approx(expected, rel=1e-9, abs=1e-15)
    assert explanation.formulas == names("optimizer")[first].documentation.formulas


@pytest.mark.parametrize("optimizer", [entry.name for entry in components("optimizer")])
def test_schedule_applies_to_the_config_s_optimizer_only(workdir, optimizer):
    """The warm-up divides the first rate of the config's optimizer by five; the others have their default rates."""
    explanation = explained(WARM_COSINE, f"optimizer={{type: {optimizer}, learning_rate: 0.5}}")
    first, *others = explanation.updates
    assert first.rate == pytest.approx(0.1)
    defaults = {entry.name: entry.model.model_validate({}).learning_rate for entry in components("optimizer")}
    assert all(update.rate == defaults[update.optimizer] for update in others)


def test_penalties_add_their_gradients(workdir):
    """The gradient of the penalties is λ₁ sign(w) + 2 λ₂ w with sign(0) = 1, and R sums the penalties of all arrays."""
    explanation = explained(DOUBLE, PENALTIES)
    added = arrays(explanation, "penalties")
    penalty = 0.0
    for index in (0, 2):
        forward = arrays(explanation, f"layer {index}: dense")
        for name, l1, l2 in (("weights", 0.01, 0.02), ("biases", 0.03, 0.04)):
            slope = l1 * np.where(forward[name] >= 0, 1, -1) + 2 * l2 * forward[name]
            np.testing.assert_allclose(added[f"dR/d layers.{index}.{name}"], slope, rtol=1e-9)
            penalty += l1 * np.abs(forward[name]).sum() + l2 * np.square(forward[name]).sum()
    assert added["R"] == pytest.approx(penalty)
    assert added["L + R"] == pytest.approx(penalty + arrays(explanation, "loss: ")["mean"])
    for name in explanation.parameters:
        layer, array = name.removeprefix("layers.").split(".")
        data = arrays(explanation, f"back through layer {layer}")[f"dL/d {array}"]
        np.testing.assert_allclose(added[f"d(L + R)/d {name}"], data + added[f"dR/d {name}"], rtol=1e-9)


@pytest.mark.parametrize("overrides", [(), ("regularization={l2: 0}",)], ids=["none", "of 0"])
def test_steps_without_penalties_and_clipping(workdir, overrides):
    """Without penalties and clipping, neither has a step."""
    explanation = explained(*overrides)
    assert not has(explanation, "penalties")
    assert not has(explanation, "clipping")


@pytest.mark.parametrize("kind", [entry.name for entry in components("clipping")])
@pytest.mark.parametrize("limit", [0.003, 1e6], ids=["short", "wide"])
def test_clipping_is_shown_and_applied(workdir, kind, limit):
    """Its step shows the gradient of the naive formula, which the updates use; earlier steps are not clipped."""
    explanation = explained(DOUBLE, PENALTIES, f"clipping={{type: {kind}, limit: {limit}}}")
    before = total_gradients(explanation)
    clipping = names("clipping")[kind].model.model_validate({"limit": limit}).build()
    flat = np.concatenate([array.ravel() for name in explanation.parameters for array in [before[name]]])
    expected = REFERENCES["clipping", kind][0](clipping, flat)
    after = arrays(explanation, f"clipping: {kind}")
    assert after["‖g‖"] == pytest.approx(np.linalg.norm(flat))
    assert after["largest |g|"] == np.abs(flat).max()
    found = np.concatenate([after[f"g of {name}"].ravel() for name in explanation.parameters])
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-15)
    firsts = [after[f"g of {name}"].flat[0] for name in explanation.parameters]
    assert explanation.gradients == pytest.approx(firsts, rel=1e-12)


@CASES
def test_parameters_are_the_first_of_each_trainable_array(workdir, overrides):
    """The first entry of every trainable array is shown, of running statistics none, with the network's gradients."""
    explanation = explained(*overrides, DOUBLE)
    experiment, gradients = after_backward(*overrides, DOUBLE)
    if experiment.clipping:
        experiment.clipping.clip(experiment.network.parameters.gradients)
    values = experiment.network.parameters.views(experiment.network.parameters.trainable)
    assert explanation.parameters == {name: view.flat[0] for name, view in values.items()}
    firsts = [view.flat[0] for view in gradients.values()]
    assert explanation.gradients == pytest.approx(firsts, rel=1e-9, abs=1e-13)


@CASES
def test_steps_contain_every_layer_in_order(workdir, overrides):
    """From the data to the loss and back, each step with its formulas: gradients in the backward pass only."""
    explanation = explained(*overrides)
    config = load(Path("config.yaml"), overrides).config
    layers = [f"layer {index}: {part.type}," for index, part in enumerate(config.layers)]
    expected = [
        f"data: {config.data.type}",
        *layers,
        f"loss: {config.loss.type}",
        f"back through the loss: {config.loss.type}",
        *(f"back through {layer}" for layer in reversed(layers)),
    ]
    steps = [s for s in explanation.steps if not s.heading.startswith(("loss and", "penalties", "clipping"))]
    for step, heading in zip(steps, expected, strict=True):
        assert step.heading.startswith(heading)
        assert bool(step.formulas) == (heading != expected[0])
        assert all(("dL/" in formula) == heading.startswith("back") for formula in step.formulas)


@pytest.mark.parametrize("rows", range(1, 21))
def test_rows_are_picked_evenly(workdir, rows):
    """The rows are those in the middles of as many equal parts of the training set, none twice."""
    explanation = explained(rows=rows)
    inputs, _, chosen = picked(experiment_of(), rows)
    assert (explanation.rows, explanation.of, len(set(chosen))) == (rows, 60, rows)
    np.testing.assert_array_equal(arrays(explanation, "data")["inputs"], inputs)


def test_rows_include_every_class(workdir):
    """A data set that is sorted by class shows one row per class if there are enough rows."""
    assert list(arrays(explained(rows=3), "data")["targets"]) == [0, 1, 2]


@pytest.mark.parametrize("rows", [3, 4, 20])
def test_rows_are_at_most_those_of_the_data_set(workdir, rows):
    """All rows of a small data set are shown, in their order."""
    explanation = explained("data.samples=1", rows=rows)
    assert (explanation.rows, explanation.of) == (3, 3)
    np.testing.assert_array_equal(arrays(explanation, "data")["targets"], [0, 1, 2])


def test_rows_of_the_validation_set_are_not_shown(workdir):
    """If a fraction of the data is held out, only the remaining rows are counted and shown."""
    assert explained("validation={fraction: 0.5}").of == 30


@CASES
def test_arrays_of_steps_are_copies(workdir, overrides):
    """No two arrays share memory: later operations do not change earlier steps."""
    explanation = explained(*overrides, "clipping={type: value, limit: 0.001}")
    shown = [(step.heading, name, array) for step in explanation.steps for name, array in step.arrays.items()]
    for (heading, name, array), (other, second_name, second) in combinations(shown, 2):
        assert not np.shares_memory(array, second), (heading, name, other, second_name)


def test_explanation_is_reproducible(workdir):
    """An explanation writes no file and changes no global random state; a second one has the same values."""
    overrides = SPECS["dropout"]
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    first, second = explained(*overrides), explained(*overrides)
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002
    assert [path.name for path in workdir.iterdir()] == ["config.yaml"]
    assert (first.parameters, first.gradients, first.updates) == (second.parameters, second.gradients, second.updates)
    for step, again in zip(first.steps, second.steps, strict=True):
        for name, array in step.arrays.items():
            np.testing.assert_array_equal(array, again.arrays[name])


def test_wrong_config_is_rejected(workdir):
    """A config that cannot be trained cannot be explained."""
    with pytest.raises(ConfigError, match=r"layers\[0\]\.units"):
        explained("layers[0].units=0")


def test_intermediate_results_of_formulas_are_shown(workdir):
    """The mean and variance of the batch, not the running ones, and the dropout mask precede the outputs."""
    layers = f"layers=[{DENSE_8}, batch_normalization, relu, {{type: dropout, rate: 0.5}}, {SOFTMAX}"
    explanation = explained(layers, rows=4)
    below, normal = arrays(explanation, "layer 0"), arrays(explanation, "layer 1")
    assert set(normal) == {"scale", "shift", "mean", "variance", "normalized", "outputs"}
    np.testing.assert_allclose(normal["mean"], below["outputs"].mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(normal["variance"], below["outputs"].var(axis=0), rtol=1e-12)
    masked = arrays(explanation, "layer 3")
    np.testing.assert_array_equal(masked["outputs"], arrays(explanation, "layer 2")["outputs"] * masked["mask"])
    assert set(np.unique(masked["mask"])) <= {0.0, 2.0}


def test_rows_are_at_least_those_that_a_layer_needs(workdir):
    """Batch normalization is explained on two rows even if one is requested: a single row is normalized to 0."""
    assert explained(*NORMALIZED[:1], rows=1).rows == 2


def test_settings_have_the_symbols_of_the_formulas(workdir):
    """A step has its settings by the symbols of its formulas; those that are 0 or not given are left out."""
    explanation = explained("layers[0].l2=0.5", "optimizer={type: sgd, learning_rate: 0.1, momentum: 0.9}")
    (first,) = [step for step in explanation.steps if step.heading.startswith("layer 0")]
    assert first.settings == {"M": 8, "l2": 0.5, "initializer": "he"}
    assert explanation.settings == {"η": 0.1, "μ": 0.9}


def test_update_of_another_optimizer_that_is_not_finite_is_named(workdir, monkeypatch):
    """Training does not compute it, and would not report it."""
    monkeypatch.setattr(AdaGrad, "update", lambda self, coefficients, values, *_: values.fill(np.nan))
    with pytest.raises(DivergedError, match="the update of adagrad is not finite"):
        explained()


def test_overflow_raises_the_error_of_training(workdir):
    """Values that overflow end the explanation with the location and the suggestion of training."""
    large = "initializer={type: normal, scale: 1e200}"
    with pytest.raises(
        DivergedError, match=r"training diverged at epoch 0: the outputs of layers\[2\] \(dense\) are no"
    ):
        explained("dtype=float64", f"layers[0].{large}", f"layers[2].{large}")
