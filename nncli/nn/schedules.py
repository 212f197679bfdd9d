"""The learning rate as a function of the number of updates."""

from math import cos, pi

from nncli.registry import Count, Probability, kind, register


def inverse_time(learning_rate: float, decay: float, updates: int) -> float:
    """η / (1 + decay · t), with t = ``updates`` = 0 at the first update.

    Multiplied by the reciprocal, as the book does it, so that rates resolve_config with its program to the last bit.

    Source: Kinsley and Kukieła 2020, chapter 10.
    """
    return learning_rate * (1 / (1 + decay * updates))


@kind("schedule")
class Schedule:
    """A factor of the learning rate that changes with the number of updates; the optimizer's decay comes on top."""

    def factor(self, updates: int) -> float:
        """The factor at update t = ``updates`` = 0, 1, ..., from 0 to 1."""
        raise NotImplementedError(f"{type(self).__name__} has no factor")


@register("step")
class Step(Schedule):
    """The rate stays as it is for a while, then falls at once, again and again.

        f = γ ^ ⌊t / s⌋           t = 0, 1, … counts the updates

    Args:
        every (s): the number of updates between two falls.
        gamma (γ): what the rate is multiplied by at each.

    Source: Krizhevsky, Sutskever and Hinton 2012, section 5, there by hand; PyTorch's StepLR, which counts epochs.
    """

    def __init__(self, every: Count, gamma: Probability = 0.1) -> None:
        self.every, self.gamma = every, gamma

    def factor(self, updates: int) -> float:
        """γ ^ ⌊t / s⌋."""
        return float(self.gamma ** (updates // self.every))


@register("exponential")
class Exponential(Schedule):
    """The rate falls by the same share at every update.

        f = γ ^ t                 t = 0, 1, … counts the updates

    Args:
        gamma (γ): what the rate is multiplied by at each update.

    Source: Senior et al. 2013, "An empirical study of learning rates"; PyTorch's ExponentialLR, which counts epochs.
    """

    def __init__(self, gamma: Probability = 0.999) -> None:
        self.gamma = gamma

    def factor(self, updates: int) -> float:
        """γ ^ t."""
        return float(self.gamma**updates)


@register("cosine")
class Cosine(Schedule):
    """The rate falls along half a cosine: slowly at first, fast in the middle, slowly at the end.

        f = l + (1 − l) ½ (1 + cos(π t / T))      t = 0, 1, … T counts the updates; l behind T

    Args:
        updates (T): the update at which the end is reached; that behind the last of the training where it is not given.
        lowest (l): the factor at the end.

    Source: Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5, without restarts.
    """

    def __init__(self, updates: Count | None = None, lowest: Probability = 0.0) -> None:
        self.updates, self.lowest = updates, lowest

    def factor(self, updates: int) -> float:
        """l + (1 − l) ½ (1 + cos(π t / T))."""
        if self.updates is None:
            raise ValueError("a cosine schedule needs to know when it ends")
        passed = min(updates / self.updates, 1.0)  # t / T
        return self.lowest + (1 - self.lowest) * 0.5 * (1 + cos(pi * passed))


@register("warmup")
class Warmup(Schedule):
    """The rate rises in equal steps from almost nothing; then another schedule begins, where there is one.

        f = (t + 1) / W           t = 0, 1, … W − 1 counts the updates
        f = then(t − W)           afterwards; 1 without another schedule

    Args:
        updates (W): how many updates it takes.
        then: the schedule that follows, its updates counted from there.

    Source: Goyal et al. 2017, arXiv:1706.02677, section 2.2, gradual warm-up.
    """

    def __init__(self, updates: Count, then: Schedule | None = None) -> None:
        self.updates, self.then = updates, then

    def factor(self, updates: int) -> float:
        """(t + 1) / W, then the other schedule's."""
        if updates < self.updates:
            return (updates + 1) / self.updates
        return self.then.factor(updates - self.updates) if self.then else 1.0
