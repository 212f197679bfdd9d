"""The time of a training step by the number of threads, which shows what another number would gain."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from nncli.analysis.profiling import Steps
from nncli.experiment.numerics import allow_non_finite
from nncli.nn.kernels.blas import kernels
from nncli.nn.tensor_parallel import divides
from nncli.training.loop import Trainer

ROUNDS = 5  # in each of which every number of threads is measured


@dataclass(frozen=True)
class ThreadProfile:
    """The time of a step by the number of threads.

    Args:
        divided: the numbers of threads among which a step is divided; on others it is not.
        seconds: the median time of a step by the number of threads.
        kernels: the processor architectures for which BLAS has chosen its kernels.
    """

    divided: list[int]
    seconds: dict[int, float]
    kernels: list[str] = field(default_factory=list)


@allow_non_finite
def thread_profile(trainer: Trainer, counts: Iterable[int], seconds: float) -> ThreadProfile:
    """Measure training steps on each number of threads, in turns; nothing is written.

    Args:
        trainer: its network and optimizer change.
        counts: the numbers of threads.
        seconds: the approximate duration of all measurements.

    Raises:
        DivergedError: a value became NaN or infinite.
        WorkerError: a process among which steps are divided has ended, such as by a signal.
    """
    steps, network, numbers = Steps(trainer), trainer.network, sorted(set(counts))
    times: dict[int, list[float]] = {number: [] for number in numbers}
    for _ in range(ROUNDS):
        for number in numbers:
            steps.rewind()
            with trainer.divided(number):
                one_step = max(steps.seconds(1), steps.seconds(1))
                times[number].append(steps.seconds(max(1, int(seconds / ROUNDS / len(numbers) / one_step))))
    return ThreadProfile(
        divided=[number for number in numbers if divides(network.layers, network.widths, trainer.batch_size, number)],
        seconds={number: median(each) for number, each in times.items()},
        kernels=list(kernels()),
    )
