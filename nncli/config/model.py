"""The config as a validated model; the keys of a component are the parameters of its constructor."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic_core import CoreSchema, core_schema

from nncli.registry import Bounds, ComponentConfig, ComponentOf, Count, Model, NonNegative, Seed, core_of, union_tag

Dataset = Annotated[ComponentConfig, ComponentOf("dataset")]
Scalar = str | int | float | bool


class Fraction(Model):
    """Rows split off from ``data``: random ones, stratified by class if there are classes; or groups, or the last ones.

    Args:
        fraction: the fraction of the rows.
        group: a column of a table, such as the patient; rows with the same value in it stay together.
        last: whether the last rows of the file are taken; or a column of numbers or dates, of which the largest values
            are taken.
    """

    fraction: Annotated[float, Bounds(0.2, gt=0, lt=1)]
    group: str | None = None
    last: bool | str = False

    @property
    def is_random(self) -> bool:
        """Whether single rows are taken at random."""
        return not self.group and not self.last


class Fold(Model):
    """One of several parts of ``data`` of equal size, for cross-validation; stratified by class if there are classes.

    Args:
        folds: the number of parts; with the same seed they are disjoint, and together they have all rows.
        fold: the part that is taken, counted from 0; the other ones are training rows.
        group: a column of a table, such as the patient; rows with the same value in it are in the same part.
    """

    folds: Annotated[int, Bounds(5, ge=2)]
    fold: Annotated[int, Bounds(ge=0)] = 0
    group: str | None = None


class Where(Model):
    """Rows split off from ``data``: those with certain values in columns of a table.

    Args:
        where: the value of each column, or a list of values.
    """

    where: Annotated[dict[str, Scalar | list[Scalar]], Bounds({"split": "test"}, min_length=1)]


class OtherFile(Model):
    """A file in the form of the one in ``data``.

    Args:
        path: the file, or the directory of images.
    """

    path: Path


class Regularization(Model):
    """Default penalties of all dense layers.

    Args:
        l1: λ of λ Σ|w| over the weights.
        l2: λ of λ Σ w² over the weights.
        bias_l1: λ of λ Σ|b| over the biases.
        bias_l2: λ of λ Σ b² over the biases.
    """

    l1: NonNegative = 0.0
    l2: NonNegative = 0.0
    bias_l1: NonNegative = 0.0
    bias_l2: NonNegative = 0.0


class EarlyStoppingConfig(Model):
    """Stop training when a metric no longer improves, and restore the best weights.

    Args:
        metric: the monitored column of metrics.csv.
        patience: the number of epochs without improvement after which training stops.
        min_delta: the smallest change that counts as an improvement.
    """

    metric: str = "validation_loss"
    patience: Count = 1000
    min_delta: NonNegative = 0.0


class TrainingConfig(Model):
    """The training loop.

    Args:
        epochs: the number of passes over the training set.
        batch_size: rows per training step; the whole training set by default.
        log_every: the number of epochs between two rows of metrics; 1 % of all epochs by default.
        snapshots: the largest number of logged epochs whose weights are kept in snapshots.npz, evenly spaced, for
            plots of the training; 0 for none; as many as fit 2 MB by default.
        early_stopping: when to stop before the last epoch; never by default.
        checkpoint_seconds: seconds between two checkpoints, which are written within an epoch too.
        threads: the number of processes that divide long steps (not on macOS), and of threads that divide the rows of
            predictions; changing it may change the last bits of the results.
    """

    epochs: Count
    batch_size: Count | None = None
    log_every: Count | None = None
    snapshots: Annotated[int, Bounds(ge=0)] | None = None
    early_stopping: EarlyStoppingConfig | None = None
    checkpoint_seconds: NonNegative = 10.0
    threads: Annotated[int, Bounds(1, ge=1, le=1024)] = 1

    @property
    def log_interval(self) -> int:
        """The number of epochs between two rows of metrics: ``log_every``, or 1 % of all epochs."""
        return self.log_every or max(1, self.epochs // 100)


class Seeds(Model):
    """Random seeds for single purposes; those that are not given are ``seed``.

    Args:
        data: the seed that samples the training, validation and test set; a data set with a seed of its own keeps it.
        split: the seed that splits validation and test rows off from ``data``.
        weights: the seed of the initial weights.
        order: the seed of the order of the rows in mini-batches.
        dropout: the seed of dropout masks.
    """

    data: Seed | None = None
    split: Seed | None = None
    weights: Seed | None = None
    order: Seed | None = None
    dropout: Seed | None = None


SEED_KEYS = tuple(Seeds.model_fields)

Part = Fraction | Fold | Where  # of ``data``
PARTS: dict[str, type[Model]] = {  # by their distinctive key
    "fraction": Fraction,
    "folds": Fold,
    "where": Where,
    "path": OtherFile,
}
_DATASET_TAG = union_tag("split", "dataset")


def split_tag(keys: Any) -> str:
    """The tag of a validation or test set with these keys, in the union of what it can be."""
    found = (key for key in PARTS if isinstance(keys, dict) and key in keys and not (key == "path" and "type" in keys))
    return next((union_tag("split", key) for key in found), _DATASET_TAG)


class PartOrDataset:
    """The annotation of a validation or test set: a part of ``data``, another file, or a separate data set."""

    def core(self, _: Any) -> CoreSchema:
        """The schema of a union discriminated by the keys."""
        parts = {union_tag("split", key): core_of(model) for key, model in PARTS.items()}
        return core_schema.tagged_union_schema({**parts, _DATASET_TAG: core_of(Dataset)}, split_tag)


Split = Annotated[Part | OtherFile | ComponentConfig, PartOrDataset()]


class Config(Model):
    """Everything that a run depends on.

    Args:
        seed: random seed.
        seeds: seeds for single purposes, such as the initial weights; all are ``seed`` by default.
        rng: the random generators. derived: an independent stream per purpose, derived from the seed. nnfs: one legacy
            generator for everything, used in the book's order: training data, validation data, weights layer by layer,
            dropout masks epoch by epoch, test data.
        dtype: the dtype of the network. float32: 4 bytes per value, precise to about 7 digits. float64: 8 bytes per
            value, precise to about 16 digits.
        data: the training set.
        validation: the validation set, monitored during training: newly sampled, or a fraction or a fold of ``data``.
        test: the held-out test set, evaluated once after training; written like ``validation``, but no fold.
        split_method: which rows of a random permutation of each class a fraction takes. independent: validation rows
            from the start, test rows from the end, so that neither depends on the other; the default of a new run.
            consecutive: test rows follow the validation rows, as in nncli 0.4.
        layers: the layers of the network, from the input to the output.
        loss: the loss function to minimize.
        optimizer: the optimizer.
        schedule: the learning rate schedule, a factor that depends on the number of updates; none by default.
        clipping: gradient clipping; none by default.
        metrics: the metrics measured besides the loss; all that are applicable to the task by default.
        regularization: the default penalties of all dense layers.
        training: the training loop.
    """

    seed: Seed = 0
    seeds: Seeds | None = None
    rng: Literal["derived", "nnfs"] = "derived"
    dtype: Literal["float32", "float64"] = "float32"
    data: Dataset
    validation: Split | None = None
    test: Split | None = None
    split_method: Literal["independent", "consecutive"] | None = None
    layers: Annotated[list[Annotated[ComponentConfig, ComponentOf("layer")]], Bounds(min_length=1, max_length=1000)]
    loss: Annotated[ComponentConfig, ComponentOf("loss")]
    optimizer: Annotated[ComponentConfig, ComponentOf("optimizer")]
    schedule: Annotated[ComponentConfig, ComponentOf("schedule")] | None = None
    clipping: Annotated[ComponentConfig, ComponentOf("clipping")] | None = None
    metrics: list[Annotated[ComponentConfig, ComponentOf("metric")]] | None = None
    regularization: Regularization = Regularization()
    training: TrainingConfig

    @property
    def test_sampled_after_training(self) -> bool:
        """Whether the test set is sampled after training, from where training left the only random generator."""
        is_shared = self.seed_of("data") == self.seed_of("weights")
        return self.rng == "nnfs" and is_shared and getattr(self.test, "seed", 0) is None

    def seed_of(self, purpose: str) -> int:
        """The seed for a purpose, which is a key of the section ``seeds``."""
        given: int | None = getattr(self.seeds, purpose, None)
        return self.seed if given is None else given
