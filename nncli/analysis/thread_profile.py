"""The time of a training step by the number of threads, which shows what another number would gain."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from nncli.analysis.profiling import Steps
from nncli.experiment.numerics import allow_non_finite
from nncli.nn.kernels.blas import kernels
from nncli.nn.replicas import divides_products, divides_rows
from nncli.threads import ThreadPool
from nncli.training.loop import Trainer

ROUNDS = 5  # in each of which every number of threads is measured


@dataclass(frozen=True)
class ThreadProfile:
    """The time of a step by the number of threads.

    Args:
        products_divided: whether BLAS divides the matrix products of a step if there are several threads.
        rows_divided: whether the rows of a step are.
        seconds: the median time of a step by the number of threads.
        kernels: the processor architectures for which BLAS has chosen its kernels.
    """

    products_divided: bool
    rows_divided: bool
    seconds: dict[int, float]
    kernels: list[str] = field(default_factory=list)


@allow_non_finite
def thread_profile(trainer: Trainer, counts: Iterable[int], seconds: float) -> ThreadProfile:
    """Measure training steps on each number of threads, in turns; nothing is written.

    Args:
        trainer: its network and optimizer change; it ends with its own number of threads.
        counts: the numbers of threads.
        seconds: the approximate duration of all measurements.

    Raises:
        DivergedError: a value became NaN or infinite.
    """
    network, before, steps = trainer.network, trainer.network.pool, Steps(trainer)
    pools = [ThreadPool(count) for count in sorted(set(counts))]
    times: dict[int, list[float]] = {pool.count: [] for pool in pools}
    for _ in range(ROUNDS):
        for pool in pools:
            network.use_threads(pool)
            steps.rewind()
            one_step = steps.seconds(1)
            steps.rewind()
            times[pool.count].append(steps.seconds(max(1, int(seconds / ROUNDS / len(pools) / one_step))))
    network.use_threads(before)
    return ThreadProfile(
        products_divided=divides_products(network.layers, network.widths, trainer.batch_size),
        rows_divided=divides_rows(network.layers, network.widths, trainer.batch_size),
        seconds={count: median(each) for count, each in times.items()},
        kernels=list(kernels()),
    )
