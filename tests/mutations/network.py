"""Mutations of the network: wrong formulas in layers, losses, optimizers and what belongs to them."""

from math import exp, pi, sqrt

import numpy as np

from nncli.nn.kernels.dense_products import RowMajorProducts
from nncli.nn.optimizers.optimizer import FLUSH_INTERVAL
from tests.mutations.patching import MutationSet, Patch

MUTATIONS = MutationSet()
DENSE = "nncli.nn.layers.dense:Dense"
ADAM = "nncli.nn.optimizers.adam:Adam"


def is_row_major(layer):
    """Whether a dense layer multiplies row-major inputs."""
    return isinstance(layer.products, RowMajorProducts)


@MUTATIONS.add
def dense_backward_is_off_by_a_thousandth(patch: Patch) -> None:
    """dL/dX is multiplied by 1.001."""
    patch.after(f"{DENSE}.backward", lambda d_inputs, *_: np.multiply(d_inputs, 1.001, out=d_inputs))


@MUTATIONS.add
def bias_gradient_is_not_computed(patch: Patch) -> None:
    """dL/db stays as it was when the inputs are column-major."""

    def make(original):
        def parameter_gradients(self):
            before = self.d_biases.copy()
            original(self)
            if not is_row_major(self):
                self.d_biases[...] = before

        return parameter_gradients

    patch.replace(f"{DENSE}.parameter_gradients", make)


@MUTATIONS.add
def bias_gradient_of_row_major_inputs_is_zero(patch: Patch) -> None:
    """dL/db = 0 when the inputs are row-major."""

    def disturb(_, layer):
        if is_row_major(layer):
            layer.d_biases[...] = 0

    patch.after(f"{DENSE}.parameter_gradients", disturb)


@MUTATIONS.add
def biases_are_not_added_to_row_major_inputs(patch: Patch) -> None:
    """Y = X W when the inputs are row-major."""

    def disturb(outputs, layer):
        if is_row_major(layer):
            np.subtract(outputs, layer.biases, out=outputs)

    patch.after(f"{DENSE}.forward", disturb)


@MUTATIONS.add
def inputs_are_loaded_once(patch: Patch) -> None:
    """Inputs of another batch are not copied by the next pass of the same kind."""

    def make(original):
        def load(self, inputs):
            if getattr(self, "loaded", None) is not self.inputs:
                original(self, inputs)
                self.loaded = self.inputs

        return load

    patch.replace("nncli.nn.layers.layer:Layer.load", make)


@MUTATIONS.add
def ones_do_not_follow_an_identity(patch: Patch) -> None:
    """The bias of a dense layer after dropout or linear is not added at inference."""

    def make(original):
        def bind(self, spec, arrays):
            original(self, spec, arrays)
            if not (spec.row_major or spec.training):
                self.inputs_and_ones[:, -1] = 0

        return bind

    patch.replace(f"{DENSE}.bind", make)


@MUTATIONS.add
def micro_batches_have_equal_weights(patch: Patch) -> None:
    """The remainder micro-batch counts as much as a full one."""

    def make(original):
        def forward_backward(self, inputs, targets, losses=None, weights=None):
            slices = self.micro_batches(len(inputs))
            if len(slices) == 1:
                return original(self, inputs, targets, losses, weights)
            gradients, weight = self.parameters.gradients, slices[0].stop / len(inputs)
            total, (penalties, self.penalties) = np.zeros_like(gradients), (self.penalties, [])
            for rows in slices:
                given = (each if each is None else each[rows] for each in (losses, weights))
                original(self, inputs[rows], targets[rows], *given)
                total += gradients * weight
            gradients[...], self.penalties = total, penalties
            return self.penalize()

        return forward_backward

    patch.replace("nncli.nn.network:Network.forward_backward", make)


@MUTATIONS.add
def softmax_gradient_lacks_the_factor_p(patch: Patch) -> None:
    """dL/dZ = dL/dP − Σ dL/dP P."""

    def backward(self):
        grad = self.d_outputs
        self.d_inputs[...] = grad - np.sum(grad * self.outputs, axis=1, keepdims=True)
        return self.d_inputs

    patch.function("nncli.nn.activations.softmax:Softmax.backward", backward)


@MUTATIONS.add
def relu_gradient_ignores_the_kink(patch: Patch) -> None:
    """dL/dX = dL/dY everywhere."""

    def backward(self):
        self.d_inputs[...] = self.d_outputs
        return self.d_inputs

    patch.function("nncli.nn.activations.rectifiers:ReLU.backward", backward)


@MUTATIONS.add
def gelu_gradient_lacks_the_density(patch: Patch) -> None:
    """dL/dX = dL/dY Φ(X), without the term X φ(X)."""

    def disturb(d_inputs, layer):
        if layer.approximate == "none":
            density = np.vectorize(lambda x: exp(-x * x / 2) / sqrt(2 * pi))(layer.inputs)
            np.subtract(d_inputs, layer.d_outputs * layer.inputs * density, out=d_inputs)

    patch.after("nncli.nn.activations.rectifiers:GELU.backward", disturb)


@MUTATIONS.add
def dropout_gradient_ignores_the_mask(patch: Patch) -> None:
    """dL/dX = dL/dY."""

    def backward(self):
        self.d_inputs[...] = self.d_outputs
        return self.d_inputs

    patch.function("nncli.nn.layers.dropout:Dropout.backward", backward)


@MUTATIONS.add
def batch_variance_is_taken_as_constant(patch: Patch) -> None:
    """dL/dX lacks the term X̂ dL/dγ."""

    def disturb(d_inputs, layer):
        if layer.training:
            term = layer.normalized * layer.d_scale / len(d_inputs)
            np.add(d_inputs, term * layer.scale / layer.deviation, out=d_inputs)

    patch.after("nncli.nn.layers.batch_normalization:BatchNormalization.backward", disturb)


@MUTATIONS.add
def running_variance_is_biased(patch: Patch) -> None:
    """The running variance takes the batch's variance over N instead of N − 1."""

    def make(original):
        def forward(self):
            before = self.running_variance.copy()
            outputs = original(self)
            if self.training:
                self.running_variance[...] = before + (1 - self.momentum) * (self.variance - before)
            return outputs

        return forward

    patch.replace("nncli.nn.layers.batch_normalization:BatchNormalization.forward", make)


@MUTATIONS.add
def cross_entropy_gradient_is_not_averaged(patch: Patch) -> None:
    """dL/dZ = P − T instead of (P − T) / N."""
    patch.after(
        "nncli.nn.losses.cross_entropy:CategoricalCrossentropy.backward_fused",
        lambda grad, *_: np.multiply(grad, len(grad), out=grad),
    )


@MUTATIONS.add
def binary_cross_entropy_gradient_is_not_divided_by_the_outputs(patch: Patch) -> None:
    """dL/dZ = (P − T) / N instead of (P − T) / (M N)."""
    patch.after(
        "nncli.nn.losses.cross_entropy:BinaryCrossentropy.backward_fused",
        lambda grad, *_: np.multiply(grad, grad.shape[1], out=grad),
    )


@MUTATIONS.add
def mean_absolute_error_gradient_has_the_wrong_sign(patch: Patch) -> None:
    """dL/dP = sign(T − P) / (M N)."""
    patch.after("nncli.nn.losses.regression:MeanAbsoluteError.backward", lambda grad, *_: np.negative(grad, out=grad))


@MUTATIONS.add
def l2_gradient_is_halved(patch: Patch) -> None:
    """λ w instead of 2 λ w."""

    def disturb(_, penalty):
        if penalty.l2:
            np.subtract(penalty.gradient, penalty.l2 * penalty.values, out=penalty.gradient)

    patch.after("nncli.nn.penalties:Penalty.backward", disturb)


@MUTATIONS.add
def bias_correction_of_the_mean_is_missing(patch: Patch) -> None:
    """m̂ = m in Adam."""

    def disturb(coefficients, optimizer, rate):
        *others, factor = coefficients
        return (*others, factor * (1 - optimizer.beta_1 ** (optimizer.updates + 1)))

    patch.after(f"{ADAM}.coefficients", disturb)


@MUTATIONS.add
def bias_correction_of_the_squares_is_missing(patch: Patch) -> None:
    """v̂ = v in Adam."""

    def disturb(coefficients, optimizer, rate):
        *others, epsilon, factor = coefficients
        root = sqrt(1 - optimizer.beta_2 ** (optimizer.updates + 1))
        return (*others, epsilon / root, factor / root)

    patch.after(f"{ADAM}.coefficients", disturb)


@MUTATIONS.add
def weight_decay_ignores_the_learning_rate(patch: Patch) -> None:
    """w ← (1 − λ) w in AdamW."""
    patch.after(
        "nncli.nn.optimizers.adamw:AdamW.coefficients",
        lambda coefficients, optimizer, rate: (1 - optimizer.weight_decay, *coefficients[1:]),
    )


@MUTATIONS.add
def nesterov_does_not_look_ahead(patch: Patch) -> None:
    """w ← w + v − η g."""

    def disturb(_, optimizer, coefficients, values, grad, scratch, velocity):
        np.add(values, (1 - coefficients[1]) * velocity, out=values)

    patch.after("nncli.nn.optimizers.nesterov:Nesterov.update", disturb)


@MUTATIONS.add
def subnormals_are_flushed_by_a_separate_counter(patch: Patch) -> None:
    """The optimizer counts the updates of this process, so that a resumed run flushes at other updates."""

    def make(original):
        def step(self):
            self.flush_subnormals = lambda: None
            original(self)
            del self.flush_subnormals
            self.count = getattr(self, "count", 0) + 1
            if self.count % FLUSH_INTERVAL == 0:
                self.flush_subnormals()

        return step

    patch.replace("nncli.nn.optimizers.optimizer:Optimizer.step", make)


@MUTATIONS.add
def learning_rate_decays_one_update_too_early(patch: Patch) -> None:
    """η / (1 + decay · (t + 1))."""
    patch.replace(
        "nncli.nn.schedules:inverse_time",
        lambda original: lambda learning_rate, decay, updates: original(learning_rate, decay, updates + 1),
    )


@MUTATIONS.add
def warmup_begins_at_zero(patch: Patch) -> None:
    """f = t / W."""

    def disturb(_, schedule, updates):
        return updates / schedule.updates if updates < schedule.updates else None

    patch.after("nncli.nn.schedules:Warmup.factor", disturb)


@MUTATIONS.add
def clipped_gradient_has_norm_one(patch: Patch) -> None:
    """g ← g / ‖g‖ whatever the limit is."""

    def make(original):
        def clip(self, gradients, *squares):
            before = gradients.copy()
            original(self, gradients, *squares)
            if np.any(gradients != before):
                np.divide(gradients, self.limit, out=gradients)

        return clip

    patch.replace("nncli.nn.clipping:ClipNorm.clip", make)


@MUTATIONS.add
def gradient_check_compares_at_the_kinks_of_l1(patch: Patch) -> None:
    """No parameter counts as near 0."""
    patch.after("nncli.nn.frozen_loss:FrozenLoss.near_l1", lambda near, *_: np.zeros_like(near))
