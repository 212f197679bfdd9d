"""Weight initialization: the distribution from which initial weights are drawn."""

from math import sqrt

from nncli.data.dataset import Random
from nncli.nn.parameters import Array
from nncli.registry import NonNegative, kind, register


@kind("initializer")
class Initializer:
    """A distribution of initial weights."""

    def draw(self, rng: Random, inputs: int, units: int) -> Array:
        """Initial weights (inputs, units) in float64, whatever the dtype of the network."""
        raise NotImplementedError(f"{type(self).__name__} has no draw")


@register("normal")
class Normal(Initializer):
    """Normal distribution with a fixed standard deviation.

        W = s n                n standard normal, W (D, M)

    The book uses s = 0.01 in most chapters and 0.1 in chapter 17.

    Args:
        scale (s): standard deviation.

    Source: Kinsley and Kukieła 2020, chapter 3.
    """

    def __init__(self, scale: NonNegative = 0.01) -> None:
        self.scale = scale

    def draw(self, rng: Random, inputs: int, units: int) -> Array:
        """W = s n."""
        return self.scale * rng.standard_normal((inputs, units))


@register("he")
class He(Initializer):
    """He normal: keeps the variance of activations constant through ReLU layers.

        W = √(2 / D) n         n standard normal, W (D, M)

    A ReLU halves the mean square; the factor 2 compensates.

    Source: He et al. 2015, arXiv:1502.01852, equation 10 (the forward case).
    """

    def draw(self, rng: Random, inputs: int, units: int) -> Array:
        """W = √(2 / D) n."""
        return sqrt(2 / inputs) * rng.standard_normal((inputs, units))


@register("glorot")
class Glorot(Initializer):
    """Glorot (Xavier) uniform: balances the variance of activations and of gradients across layers.

        W uniform in [−a, a),  a = √(6 / (D + M))       W (D, M)

    Source: Glorot and Bengio 2010, equation 16, the "normalized initialization"; Keras' glorot_uniform.
    """

    def draw(self, rng: Random, inputs: int, units: int) -> Array:
        """W uniform in [−a, a)."""
        bound = sqrt(6 / (inputs + units))
        return rng.uniform(-bound, bound, (inputs, units))
