"""The sections of a config as models; the keys of a component come from its constructor's signature."""

from typing import Annotated, Any, Literal

from pydantic_core import CoreSchema, core_schema

from nncli.registry import Bounds, ComponentConfig, ComponentOf, Count, Model, NonNegative, Seed, core_of, union_tag

Dataset = Annotated[ComponentConfig, ComponentOf("dataset")]


class Fraction(Model):
    """Rows taken out of ``data``, the same share of each class where there are classes.

    Args:
        fraction: the share of the rows.
    """

    fraction: Annotated[float, Bounds(gt=0, lt=1)]


class Regularization(Model):
    """Penalties of every dense layer that says nothing itself.

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
    """When training ends before its last epoch; the best weights are the ones that are kept.

    Args:
        metric: the column of metrics.csv to watch.
        patience: how many epochs may pass without a better value.
        min_delta: by how much a value has to be better to count.
    """

    metric: str = "validation_loss"
    patience: Count = 1000
    min_delta: NonNegative = 0.0


class TrainingConfig(Model):
    """The loop.

    Args:
        epochs: how often training passes over all rows.
        batch_size: rows per step; all of them where it is not given.
        log_every: epochs between two rows of metrics; a hundredth of all epochs where it is not given.
        early_stopping: when to end before the last epoch; never where it is not given.
        checkpoint_seconds: seconds between two checkpoints, which are also written within an epoch.
        threads: how many threads compute a matrix product; other numbers of them may give other last bits.
    """

    epochs: Count
    batch_size: Count | None = None
    log_every: Count | None = None
    early_stopping: EarlyStoppingConfig | None = None
    checkpoint_seconds: NonNegative = 10.0
    threads: Annotated[int, Bounds(1, ge=1, le=1024)] = 1

    @property
    def log_interval(self) -> int:
        """Epochs between two rows of metrics: as given, else a hundredth of all."""
        return self.log_every or max(1, self.epochs // 100)


_FRACTION, _DATASET = union_tag("split", "fraction"), union_tag("split", "dataset")


def _kind_of_split(value: Any) -> str:
    return _FRACTION if isinstance(value, dict) and "fraction" in value else _DATASET


class FractionOrDataset:
    """The annotation of a split."""

    def core(self, _: Any) -> CoreSchema:
        """The schema of either; its keys tell which of the two it is."""
        either = {_FRACTION: core_of(Fraction), _DATASET: core_of(Dataset)}
        return core_schema.tagged_union_schema(either, _kind_of_split)


Split = Annotated[Fraction | ComponentConfig, FractionOrDataset()]


class Config(Model):
    """Everything that a run depends on.

    Args:
        seed: where all random numbers begin.
        rng: where they come from: derived, a stream of its own for each purpose, or nnfs, one legacy stream for all
            in the book's order: training data, validation data, weights layer by layer, dropout masks epoch by epoch,
            test data.
        dtype: the number format of the network.
        data: the training set.
        validation: a set to watch while training, a fresh draw or a fraction of ``data``.
        test: a set that is looked at once, after training; written like ``validation``.
        split_method: how fractions are taken out of a permutation of each class. independent: validation rows from the
            start, test rows from the end, so that neither depends on the other; the default of a new run. consecutive:
            test rows follow the validation rows, as nncli 0.4 took them.
        layers: the network, from the data to the output.
        loss: what training makes small.
        optimizer: how a gradient becomes an update.
        schedule: a factor of the learning rate that changes with the number of updates; none where it is not given.
        clipping: a bound to hold gradients to; none where it is not given.
        metrics: what is measured besides the loss; all that suit the task where it is not given.
        regularization: the penalties of every dense layer that says nothing itself.
        training: the loop.
    """

    seed: Seed = 0
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
        """Whether the test set comes out of the book's one stream, whose next numbers it is after training."""
        return self.rng == "nnfs" and getattr(self.test, "seed", 0) is None
