"""Problems that are trained until an accuracy is reached: nncli's configs, and the same for its baselines."""

import gzip
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.machine import ROOT

FASHION_FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "t10k": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
IDX_HEADERS = (16, 8)  # bytes before the values, of images and of labels


class Problem(NamedTuple):
    """A config, and the accuracy at which its training ends.

    Args:
        name: that of the problem in tables.
        config: the path of nncli's config.
        widths: of the network.
        batch_size: rows per step; None for full batch.
        learning_rate: of Adam; it does not decay.
        deviation: the standard deviation of the initial weights.
        metric: the column of nncli's metrics that has the accuracy.
        accuracy: the accuracy to reach.
        interval: epochs between two checks of it.
        limit: the epochs after which a training ends without it.
    """

    name: str
    config: Path
    widths: tuple[int, ...]
    batch_size: int | None
    learning_rate: float
    deviation: float
    metric: str
    accuracy: float
    interval: int
    limit: int

    @property
    def has_images(self):
        """Whether it is Fashion-MNIST, whose files are in a directory that the user names."""
        return self.name == FASHION_MNIST.name

    def overrides(self, seed, fashion):
        """What nncli trains differently from its config: a seed varies the initial weights and the order of the rows.

        ``fashion`` is the directory of Fashion-MNIST.
        """
        found = [
            f"seeds={{weights: {seed}, order: {seed}, dropout: {seed}}}",
            "optimizer.decay=0",
            f"training.epochs={self.limit}",
            f"training.log_every={self.interval}",
        ]
        if not self.has_images:
            return [*found, "validation=null"]
        images, labels = (Path(fashion, name) for name in FASHION_FILES["train"])
        test_images, test_labels = (Path(fashion, name) for name in FASHION_FILES["t10k"])
        checked = f"validation={{type: idx, images: {test_images}, labels: {test_labels}}}"
        return [*found, "test=null", f"data.images={images}", f"data.labels={labels}", checked]

    def workload(self, seed, fashion):
        """The start of the baselines' training, and the inputs and classes on which the accuracy is measured."""
        from tests.benchmarks.workloads import spiral

        if not self.has_images:
            start = spiral(seed)
            return start._replace(decay=0.0), (start.inputs, start.targets)
        return fashion_workload(seed, fashion), fashion_mnist(fashion, "t10k")


SPIRAL = Problem(
    name="spiral",
    config=ROOT / "configs" / "adam.yaml",
    widths=(2, 64, 3),
    batch_size=None,
    learning_rate=0.05,
    deviation=0.01,
    metric="accuracy",
    accuracy=0.95,
    interval=100,
    limit=20_000,
)
FASHION_MNIST = Problem(
    name="Fashion-MNIST",
    config=ROOT / "configs" / "book" / "chapter19.yaml",
    widths=(784, 128, 128, 10),
    batch_size=128,
    learning_rate=0.001,
    deviation=0.01,
    metric="validation_accuracy",
    accuracy=0.87,
    interval=1,
    limit=30,
)
PROBLEMS = {problem.name: problem for problem in (SPIRAL, FASHION_MNIST)}


def fashion_workload(seed, directory):
    """The network of Fashion-MNIST with normal initial weights, and its training rows."""
    import numpy as np

    from tests.benchmarks.workloads import F, Workload

    rng, widths = np.random.default_rng(seed), FASHION_MNIST.widths
    deviation = F(FASHION_MNIST.deviation)
    weights = [deviation * rng.standard_normal(pair, F) for pair in pairwise(widths)]
    return Workload(widths, *fashion_mnist(directory, "train"), weights, FASHION_MNIST.learning_rate)


def fashion_mnist(directory, part):
    """Inputs (N, 784), scaled to −1 … 1, and classes (N,) of ``train`` or ``t10k``."""
    import numpy as np

    images, labels = (
        np.frombuffer(gzip.decompress(Path(directory, name).read_bytes()), np.uint8, offset=header)
        for name, header in zip(FASHION_FILES[part], IDX_HEADERS, strict=True)
    )
    inputs = images.reshape(len(labels), -1).astype(np.float32)
    return (inputs - np.float32(127.5)) / np.float32(127.5), labels.astype(np.int64)
