"""Times to an accuracy: nncli and its baselines train the same, until the accuracy is reached."""

import gzip
from importlib import import_module

import numpy as np
import pytest

from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from tests.benchmarks.baselines import BASELINES, textbook
from tests.benchmarks.problems import FASHION_FILES, FASHION_MNIST, PROBLEMS, SPIRAL
from tests.benchmarks.shapes import Shape
from tests.benchmarks.time_to_accuracy import NAMES, reach, table
from tests.benchmarks.workloads import BETA_1, BETA_2, EPSILON, draw

EASY = SPIRAL._replace(accuracy=0.4, interval=10, limit=200)
SHAPE = Shape((5, 8, 3), 20)


@pytest.fixture
def fashion(tmp_path):
    """Create a directory with the four files, of 200 images each."""
    rng = np.random.default_rng(0)
    for images, labels in FASHION_FILES.values():
        pixels = rng.integers(0, 256, (200, 28, 28), np.uint8)
        header = np.array([0x803, 200, 28, 28], ">u4").tobytes()
        (tmp_path / images).write_bytes(gzip.compress(header + pixels.tobytes()))
        header = np.array([0x801, 200], ">u4").tobytes()
        (tmp_path / labels).write_bytes(gzip.compress(header + (np.arange(200, dtype=np.uint8) % 10).tobytes()))
    return tmp_path


@pytest.fixture(params=NAMES)
def baseline(request):
    """The module of a baseline whose library is installed."""
    pytest.importorskip(BASELINES[request.param].module)
    return import_module(f"tests.benchmarks.baselines.{request.param}")


def probabilities(outputs):
    """Softmax, if the outputs are logits."""
    if np.allclose(outputs.sum(axis=1), 1):
        return outputs
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def expected_outputs(workload, steps):
    """The probabilities of the textbook's program after some full-batch steps."""
    run, outputs = textbook.prepare(workload, 1)
    run(steps)
    return probabilities(outputs())


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_nncli_trains_the_same_problem(problem, fashion):
    """Network, data, batch size, initial distribution and Adam of nncli's config are those of the baselines."""
    config = load(problem.config, problem.overrides(3, fashion)).config
    experiment, (workload, (inputs, targets)) = assemble(config), problem.workload(3, fashion)
    checked = experiment.data["validation" if problem.has_images else "training"]
    dense = [layer for layer in experiment.network.layers if hasattr(layer, "weights")]
    assert [layer.weights.shape for layer in dense] == [weights.shape for weights in workload.weights]
    np.testing.assert_allclose(np.asarray(experiment.data["training"].inputs), workload.inputs, rtol=1e-6)
    np.testing.assert_array_equal(experiment.data["training"].targets, workload.targets)
    np.testing.assert_allclose(np.asarray(checked.inputs), inputs, rtol=1e-6)
    np.testing.assert_array_equal(checked.targets, targets)
    assert config.training.batch_size == problem.batch_size
    adam = experiment.optimizer
    assert (adam.learning_rate, adam.decay) == (workload.learning_rate, workload.decay)
    assert (adam.beta_1, adam.beta_2, adam.epsilon, adam.decay) == (BETA_1, BETA_2, EPSILON, 0)
    for layer, weights in zip(dense, workload.weights, strict=True):
        for values in (layer.weights, weights):
            assert values.std() == pytest.approx(problem.deviation, rel=0.3)


def test_full_batch_epochs_are_steps(baseline):
    """Six full-batch epochs, in two calls, are six steps of the textbook's program."""
    workload = draw(SHAPE)
    train, outputs = baseline.prepare_epochs(workload, SHAPE.rows, 0)
    train(4)
    train(2)
    found = probabilities(outputs(workload.inputs))
    np.testing.assert_allclose(found, expected_outputs(workload, 6), atol=2e-4)


def test_mini_batches_contain_every_row(baseline):
    """With equal rows an epoch of 20 rows in batches of 8 is three steps, the last one with four rows."""
    workload = draw(SHAPE)
    equal = workload._replace(inputs=np.tile(workload.inputs[:1], (20, 1)), targets=np.zeros(20, np.int64))
    train, outputs = baseline.prepare_epochs(equal, 8, 0)
    train(2)
    np.testing.assert_allclose(probabilities(outputs(equal.inputs)), expected_outputs(equal, 6), atol=2e-4)


@pytest.mark.parametrize("name", ["nncli", "scikit_learn"])
def test_training_ends_with_the_accuracy(name):
    """A training ends at the first check with the accuracy, or at its limit without it."""
    pytest.importorskip(BASELINES[name].module)
    epochs, accuracy = reach(EASY, name, 0, None)
    assert accuracy >= 0.4
    assert epochs % 10 == 0
    assert epochs < 200
    epochs, accuracy = reach(EASY._replace(accuracy=1.0, limit=20), name, 0, None)
    assert (epochs, accuracy < 1) == (20, True)


def test_nncli_reads_fashion_mnist(fashion):
    """nncli trains on the files in the directory, and its accuracy is that of the test files."""
    epochs, accuracy = reach(FASHION_MNIST._replace(accuracy=1.0, limit=2), "nncli", 0, fashion)
    assert epochs == 2
    assert accuracy in {each / 200 for each in range(200)}


def measurement(seconds, epochs, reached):
    """A measurement as ``measured`` returns it."""
    return {"seconds": seconds, "memory": 50.0, "epochs": epochs, "reached": reached}


def test_trainings_without_the_accuracy_are_counted():
    """Figures are of the trainings that reached the accuracy, ratios of the rounds in which both did."""
    rounds = [
        {"nncli": measurement(1.0, 100, True), "pytorch": measurement(4.0, 100, True)},
        {"nncli": measurement(3.0, 300, True), "pytorch": measurement(9.0, 900, False)},
    ]
    *_, nncli, pytorch = table(rounds).splitlines()
    assert nncli == "| nncli | 2 of 2 | 2.00 (1.00–3.00) | 200 (100–300) | 50.0 (50.0–50.0) |  |"
    assert pytorch.startswith("| PyTorch, eager | 1 of 2 | 4.00 (4.00–4.00) | 100 (100–100) |")
    assert pytorch.endswith("| 0.250 (0.250–0.250) |")
    rounds = [{name: each | {"reached": False} for name, each in rounds[0].items()}]
    assert table(rounds).splitlines()[-1] == "| PyTorch, eager | 0 of 1 | – | – | – |  |"
