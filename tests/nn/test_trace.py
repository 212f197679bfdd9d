"""The observation of a training step: every operation in the order of computation, and no trace of it afterwards."""

import numpy as np
import pytest

from nncli.nn.activations import ReLU, Softmax
from nncli.nn.clipping import ClipNorm
from nncli.nn.initializers import Glorot
from nncli.nn.layers.dense import Dense
from nncli.nn.losses.cross_entropy import CategoricalCrossentropy
from nncli.nn.network import Network
from nncli.nn.optimizers.adam import Adam
from nncli.nn.trace import Kind, ObservedMethod, Observer, Operation, forward_methods, observed, step_methods

F, B = Kind.FORWARD, Kind.BACKWARD
FORWARD = [Operation(Kind.INPUTS), *(Operation(F, index) for index in range(4))]


class Recorder(Observer):
    """Records all operations, with a copy of what each returned."""

    def __init__(self):
        self.begun, self.ended, self.results = [], [], []

    def before(self, operation, *arguments):
        self.begun.append(operation)

    def after(self, operation, result):
        self.ended.append(operation)
        self.results.append(None if result is None else result.copy())


class Step:
    """A small network with its optimizer and rows, and the training step on them."""

    def __init__(self, l2=0.1, limit=1.0, **settings):
        layers = [Dense(8, l2=l2, initializer=Glorot()), ReLU(), Dense(3, initializer=Glorot()), Softmax()]
        self.network = Network(layers, CategoricalCrossentropy(), 2, np.dtype("float64"), **settings)
        self.network.initialize(np.random.default_rng(1))
        self.optimizer, self.clipping = Adam(), ClipNorm(limit)
        self.optimizer.attach(self.network.parameters.trainable, self.network.parameters.gradients, None)
        self.inputs = np.random.default_rng(2).normal(size=(30, 2))
        self.targets = self.network.loss.encode(np.arange(30) % 3, 3)

    def run(self):
        self.network.forward_backward(self.inputs, self.targets)
        self.clipping.clip(self.network.parameters.gradients)
        self.optimizer.step()

    def methods(self):
        return list(step_methods(self.network, self.clipping, self.optimizer))


def test_step_is_observed_in_the_order_of_computation():
    """Each operation is reported once before and once after, and backward ends at the first trainable layer."""
    step, recorder = Step(), Recorder()
    with observed(step.methods(), recorder):
        step.run()
    expected = [
        *FORWARD,
        Operation(Kind.LOSS_GRADIENT),
        Operation(B, 2),
        Operation(B, 1),
        Operation(Kind.PARAMETER_GRADIENTS, 0),
        *map(Operation, (Kind.PENALTIES, Kind.CLIPPING, Kind.UPDATE)),
    ]
    assert recorder.begun == recorder.ended == expected


def test_unfused_network_passes_loss_and_last_layer_separately():
    """With the input gradient, backward passes every layer, and the gradients agree with those of training."""
    step, fused, recorder = Step(l2=0, fused=False, input_gradient=True), Step(l2=0), Recorder()
    with observed(step.methods(), recorder):
        step.run()
    assert recorder.ended[5:-2] == [Operation(Kind.LOSS_GRADIENT), *(Operation(B, index) for index in (3, 2, 1, 0))]
    assert recorder.results[9].shape == step.inputs.shape
    fused.run()
    np.testing.assert_allclose(step.network.parameters.gradients, fused.network.parameters.gradients, rtol=1e-9)


def test_micro_batches_are_observed_one_after_another():
    """A step in micro-batches reports the passes of each."""
    step, recorder = Step(), Recorder()
    step.network.micro_batch_rows = 10
    with observed(step.methods(), recorder):
        step.run()
    passes = [result for operation, result in zip(recorder.ended, recorder.results, strict=True) if operation == (F, 0)]
    assert [len(each) for each in passes] == [10, 10, 10]
    assert recorder.ended.count(Operation(Kind.PENALTIES)) == 1


def test_predict_is_observed_as_forward_passes():
    """The operations of a forward pass include those of predict, whose results are the layers' outputs."""
    step, recorder = Step(), Recorder()
    with observed(forward_methods(step.network), recorder):
        outputs = step.network.predict(step.inputs)
    assert recorder.ended == FORWARD
    np.testing.assert_array_equal(recorder.results[-1], outputs)


def test_observed_step_computes_the_same_bits():
    """Observation changes no value of the step that trains."""
    steps = [Step(), Step()]
    with observed(steps[0].methods(), Recorder()):
        steps[0].run()
    steps[1].run()
    values = [step.network.parameters.values.tobytes() for step in steps]
    assert values[0] == values[1]


@pytest.mark.parametrize("replaced", [False, True])
def test_observation_leaves_no_trace(replaced):
    """After an exception too, an object has its previous methods, set on itself or defined by its class."""
    step = Step()
    if replaced:
        step.network.penalize = lambda: None
    before = [dict(vars(method.owner)) for method in step.methods()]
    with pytest.raises(ZeroDivisionError), observed(step.methods(), Recorder()):
        step.clipping.limit = 1 / 0
    assert [list(vars(method.owner)) for method in step.methods()] == [list(each) for each in before]
    assert (step.network.penalize == before[0].get("penalize")) == replaced


def test_observers_can_be_nested():
    """Two observers of the same method both receive its operations, and each can be removed."""
    step, inner, outer = Step(), Recorder(), Recorder()
    method = [ObservedMethod(Operation(Kind.UPDATE), step.optimizer, "step")]
    with observed(method, outer):
        with observed(method, inner):
            step.run()
        step.run()
    step.run()
    assert (len(inner.ended), len(outer.ended)) == (1, 2)
