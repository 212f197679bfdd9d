"""Learning rate schedules: the learning rate as a function of the number of updates."""

from math import cos, pi

from nncli.registry import Count, Probability, kind, register


def inverse_time(learning_rate: float, decay: float, updates: int) -> float:
    """Inverse time decay: η / (1 + decay · t), where t = ``updates`` is 0 at the first update.

    η is multiplied by the reciprocal, as in the book, so that the rates equal those of its program in every bit.

    Source: Kinsley and Kukieła 2020, chapter 10.
    """
    return learning_rate * (1 / (1 + decay * updates))


@kind("schedule")
class Schedule:
    """A factor of the learning rate by number of updates; the ``decay`` of the optimizer applies as well."""

    def factor(self, updates: int) -> float:
        """The factor at update t = ``updates`` = 0, 1, ..., from 0 to 1."""
        raise NotImplementedError(f"{type(self).__name__} has no factor")


@register("step")
class Step(Schedule):
    """Multiplies the learning rate by gamma every N updates.

        f = γ ^ ⌊t / N⌋           t = 0, 1, … counts the updates

    Args:
        every (N): number of updates between two multiplications.
        gamma (γ): factor of each multiplication.

    Source: Krizhevsky, Sutskever and Hinton 2012, section 5, by hand; PyTorch's StepLR counts epochs.
    """

    def __init__(self, every: Count, gamma: Probability = 0.1) -> None:
        self.every, self.gamma = every, gamma

    def factor(self, updates: int) -> float:
        """γ ^ ⌊t / N⌋."""
        return float(self.gamma ** (updates // self.every))


@register("exponential")
class Exponential(Schedule):
    """Exponential decay: multiplies the learning rate by gamma at every update.

        f = γ ^ t                 t = 0, 1, … counts the updates

    Args:
        gamma (γ): factor per update.

    Source: Senior et al. 2013, "An empirical study of learning rates"; PyTorch's ExponentialLR counts epochs.
    """

    def __init__(self, gamma: Probability = 0.999) -> None:
        self.gamma = gamma

    def factor(self, updates: int) -> float:
        """γ ^ t."""
        return float(self.gamma**updates)


@register("cosine")
class Cosine(Schedule):
    """Cosine annealing: the learning rate decreases along half a period of a cosine.

        f = l + (1 − l) ½ (1 + cos(π t / T))      t = 0, 1, … T counts the updates; l after T

    Args:
        updates (T): number of updates until the lowest factor; default: all updates of the training.
        lowest (l): factor at the end.

    Source: Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5, without restarts.
    """

    def __init__(self, updates: Count | None = None, lowest: Probability = 0.0) -> None:
        self.updates, self.lowest = updates, lowest

    def factor(self, updates: int) -> float:
        """l + (1 − l) ½ (1 + cos(π t / T))."""
        if self.updates is None:
            raise ValueError("a cosine schedule needs updates, the number of updates until its end")
        progress = min(updates / self.updates, 1.0)  # t / T
        return self.lowest + (1 - self.lowest) * 0.5 * (1 + cos(pi * progress))


@register("warmup")
class Warmup(Schedule):
    """Linear warm-up: the learning rate increases linearly; afterwards another schedule applies, if given.

        f = (t + 1) / W           t = 0, 1, … W − 1 counts the updates
        f = then(t − W)           afterwards; 1 without then

    Args:
        updates (W): number of updates of the warm-up.
        then: schedule after the warm-up, with updates counted from its end.

    Source: Goyal et al. 2017, arXiv:1706.02677, section 2.2, gradual warm-up.
    """

    def __init__(self, updates: Count, then: Schedule | None = None) -> None:
        self.updates, self.then = updates, then

    def factor(self, updates: int) -> float:
        """(t + 1) / W, then the factor of ``then``."""
        if updates < self.updates:
            return (updates + 1) / self.updates
        return self.then.factor(updates - self.updates) if self.then else 1.0
