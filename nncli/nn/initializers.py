"""How weights begin."""

from math import sqrt

from nncli.nn.kernels.dropout_mask import Random
from nncli.nn.parameters import Array
from nncli.registry import NonNegative, kind, register


@kind("initializer")
class Initializer:
    """A rule for the first values of a weight array."""

    def draw(self, rng: Random, inputs: int, units: int) -> Array:
        """Values (inputs, units) in double precision, whatever the network's number format."""
        raise NotImplementedError(f"{type(self).__name__} has no draw")


@register("normal")
class Normal(Initializer):
    """Normal numbers of one standard deviation, whatever the layer's size.

        W = s n                n standard normal, W (D, M)

    The book's choice, with s = 0.01 in most chapters and 0.1 in chapter 17.

    Args:
        scale (s): the standard deviation.

    Source: Kinsley and Kukieła 2020, chapter 3.
    """

    def __init__(self, scale: NonNegative = 0.01) -> None:
        self.scale = scale

    def draw(self, rng: Random, inputs: int, units: int) -> Array:
        """W = s n."""
        return self.scale * rng.standard_normal((inputs, units))


@register("he")
class He(Initializer):
    """Normal numbers that keep the size of a signal through layers of ReLU.

        W = √(2 / D) n         n standard normal, W (D, M)

    A ReLU halves the mean square; the 2 makes up for it.

    Source: He et al. 2015, arXiv:1502.01852, equation 10 (the forward case).
    """

    def draw(self, rng: Random, inputs: int, units: int) -> Array:
        """W = √(2 / D) n."""
        return sqrt(2 / inputs) * rng.standard_normal((inputs, units))


@register("glorot")
class Glorot(Initializer):
    """Uniform numbers that keep the size of a signal forward and of a gradient backward, as far as both go.

        W uniform in [−a, a),  a = √(6 / (D + M))       W (D, M)

    Source: Glorot and Bengio 2010, equation 16, the "normalized initialization"; Keras' glorot_uniform.
    """

    def draw(self, rng: Random, inputs: int, units: int) -> Array:
        """W uniform in [−a, a)."""
        bound = sqrt(6 / (inputs + units))
        return rng.uniform(-bound, bound, (inputs, units))
