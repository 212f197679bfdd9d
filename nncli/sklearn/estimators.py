"""The estimators: parameters named as in a config, data validated as in scikit-learn."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import cleandoc
from numbers import Real
from typing import Any, Literal, Self, TypeVar

import numpy as np

from nncli.data.dataset import Dataset
from nncli.errors import ConfigError, MissingExtraError
from nncli.nn.parameters import Array
from nncli.sklearn.sections import sections_of
from nncli.sklearn.training import train
from nncli.sklearn.weights import class_weights, weighted_rows

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError:
    raise MissingExtraError("the estimators", "sklearn") from None

Class = TypeVar("Class", bound=type)
Layer = int | str | Mapping[str, Any]


class NetworkEstimator(BaseEstimator):
    """Base class of both estimators: the parameters, and training.

    Parameters are named as in a config. Inputs (N, D) are not scaled: put a ``StandardScaler`` in front.

    Args:
        hidden: the hidden layers, or a single one: a number of units is a dense layer with the activation and the
            dropout after it; anything else is a layer as in a config, such as ``"batch_normalization"`` or
            ``{"type": "dense", "units": 8, "l2": 0.01}``.
        activation: the activation after each number of units.
        dropout: the fraction of outputs that is set to 0 after each activation during training.
        optimizer: the optimizer: its name, or a mapping such as ``{"type": "sgd", "momentum": 0.9}``.
        learning_rate: the learning rate, unless ``optimizer`` states one.
        l1: λ of λ Σ|w| over the weights.
        l2: λ of λ Σ w² over the weights.
        epochs: the largest number of passes over the training set.
        batch_size: rows per training step, at most all; None for all.
        validation_fraction: the fraction of the rows, stratified by class, that is held out to decide when training
            ends and which weights are kept; None to decide both by the loss on the training set.
        patience: training ends after this number of epochs without an improvement of that loss by more than 0.0001.
        dtype: the precision of the network: ``float64``, in which rows that are predicted one by one or all at once
            agree to 15 digits, or ``float32``, which is faster and agrees to 6.
        threads: the number of threads among which long steps and predictions are divided.
        random_state: the seed, or a random state to draw one from; None for another one in each call of ``fit``.
    """

    def __init__(
        self,
        hidden: Layer | Sequence[Layer] = (100,),
        activation: str | Mapping[str, Any] = "relu",
        *,
        dropout: float = 0.0,
        optimizer: str | Mapping[str, Any] = "adam",
        learning_rate: float = 0.001,
        l1: float = 0.0,
        l2: float = 0.0001,
        epochs: int = 200,
        batch_size: int | None = 64,
        validation_fraction: float | None = None,
        patience: int = 10,
        dtype: str = "float64",
        threads: int = 1,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.l1 = l1
        self.l2 = l2
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.dtype = dtype
        self.threads = threads
        self.random_state = random_state

    def _train(self, dataset: Dataset, last: Sequence[Any], loss: str) -> Self:
        """Train a network, and set the fitted attributes.

        Args:
            dataset: the rows.
            last: the layers after the hidden ones.
            loss: the loss.
        """
        fraction = self.validation_fraction
        if fraction is not None and not _is_fraction(fraction):
            raise ValueError(f"validation_fraction must be between 0 and 1, got {fraction}")
        seed = int(check_random_state(self.random_state).randint(2**31))
        with _value_errors():
            training = train(sections_of(self.get_params(deep=False), seed, last, loss), dataset, fraction)
        self.network_, self.n_iter_ = training.network, training.epochs
        self.loss_curve_, self.validation_loss_curve_ = training.losses, training.validation_losses
        return self

    def _outputs(self, X: Any) -> Array:  # noqa: N803 (the name in scikit-learn)
        """The outputs (N, M) of rows (N, D).

        Raises:
            NotFittedError: ``fit`` was not called.
            ValueError: the rows are not finite numbers, or have other columns than in ``fit``.
        """
        check_is_fitted(self)
        outputs: Array = self.network_.predict(validate_data(self, X, reset=False, dtype=self.dtype))
        return outputs


def _with_parameters(estimator: Class) -> Class:
    """Add the documentation of the common parameters to that of an estimator, before its own ones."""
    summary, _, own = cleandoc(estimator.__doc__ or "").partition("\n\nArgs:\n")
    estimator.__doc__ = "\n".join([summary, "", cleandoc(NetworkEstimator.__doc__ or ""), own]).rstrip()
    return estimator


@_with_parameters
class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    """A network with one output per class, trained on the categorical cross-entropy.

    Args:
        class_weight: the weight of each class in the training loss: ``{class: weight}``, 1 for others; ``"balanced"``
            for weights in inverse proportion to the number of rows, or the sum of their weights; None for 1.
    """

    def __init__(
        self,
        hidden: Layer | Sequence[Layer] = (100,),
        activation: str | Mapping[str, Any] = "relu",
        *,
        dropout: float = 0.0,
        optimizer: str | Mapping[str, Any] = "adam",
        learning_rate: float = 0.001,
        l1: float = 0.0,
        l2: float = 0.0001,
        epochs: int = 200,
        batch_size: int | None = 64,
        validation_fraction: float | None = None,
        patience: int = 10,
        dtype: str = "float64",
        threads: int = 1,
        class_weight: Literal["balanced"] | Mapping[Any, Any] | None = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            hidden,
            activation,
            dropout=dropout,
            optimizer=optimizer,
            learning_rate=learning_rate,
            l1=l1,
            l2=l2,
            epochs=epochs,
            batch_size=batch_size,
            validation_fraction=validation_fraction,
            patience=patience,
            dtype=dtype,
            threads=threads,
            random_state=random_state,
        )
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Train on rows (N, D) of numbers and their classes (N,), of any type.

        ``sample_weight`` (N,) weights the rows in the loss; only the ratios of weights matter. Rows of weight 0 are
        removed before training, so that a class without other rows is removed, too. In a single batch, a row of weight
        2 is equivalent to two rows; in mini-batches on average.

        Sets ``classes_`` (C,), ``n_iter_`` (the number of epochs), ``loss_curve_`` and ``validation_loss_curve_`` (one
        value per epoch; the latter is None without a validation set), ``n_features_in_`` and ``feature_names_in_``.

        Raises:
            ValueError: the rows are not finite numbers, there is one class only, or a weight or a parameter is wrong.
            DivergedError: training met a value that is NaN or infinite.
            WorkerError: a process among which steps are divided has ended, such as by a signal.
        """
        X, y = validate_data(self, X, y, dtype=self.dtype)  # noqa: N806
        check_classification_targets(y)
        X, y, weights = weighted_rows(X, y, sample_weight)  # noqa: N806
        self.classes_, labels = np.unique(y, return_inverse=True)
        classes = len(self.classes_)
        if classes < 2:
            raise ValueError(f"a classifier needs two classes or more, got one class: {self.classes_.tolist()[0]!r}")
        of_class = class_weights(self.class_weight, self.classes_, labels, weights)
        dataset = Dataset(X, labels, classes, weights=weights, class_weights=of_class)
        return self._train(dataset, [{"type": "dense", "units": classes}, "softmax"], "categorical_crossentropy")

    def predict_proba(self, X: Any) -> Array:  # noqa: N803
        """The probability (N, C) of each class, in the order of ``classes_``, of rows (N, D).

        Raises:
            ValueError: the rows are not finite numbers, or have other columns than in ``fit``.
        """
        outputs = self._outputs(X)
        normalized: Array = outputs / outputs.sum(axis=1, keepdims=True)  # a sum of float32 is rounded
        return normalized

    def predict(self, X: Any) -> Array:  # noqa: N803
        """The most probable class (N,) of rows (N, D).

        Raises:
            ValueError: the rows are not finite numbers, or have other columns than in ``fit``.
        """
        outputs = self._outputs(X)
        predicted: Array = self.classes_[np.argmax(outputs, axis=1)]
        return predicted


@_with_parameters
class NetworkRegressor(RegressorMixin, NetworkEstimator):
    """A network with one output per target, trained on the mean squared error.

    Targets are standardized for training, by mean and standard deviation of the training rows; predictions are in their
    own unit, losses in standardized ones.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Train on rows (N, D) of numbers and their targets, (N,) or (N, M).

        ``sample_weight`` (N,) weights the rows in the loss and in the scaling of the targets; only the ratios of
        weights matter. Rows of weight 0 are removed before training. In a single batch, a row of weight 2 is equivalent
        to two rows; in mini-batches on average.

        Sets ``n_iter_`` (the number of epochs), ``loss_curve_`` and ``validation_loss_curve_`` (one value per epoch;
        the latter is None without a validation set), ``n_features_in_`` and ``feature_names_in_``.

        Raises:
            ValueError: the rows are not finite numbers, or a weight or a parameter is wrong.
            DivergedError: training met a value that is NaN or infinite.
            WorkerError: a process among which steps are divided has ended, such as by a signal.
        """
        X, y = validate_data(self, X, y, dtype=self.dtype, multi_output=True, y_numeric=True)  # noqa: N806
        X, y, weights = weighted_rows(X, y, sample_weight)  # noqa: N806
        targets = np.asarray(y, np.float64).reshape(len(X), -1)
        self._is_vector = np.ndim(y) == 1
        dataset = Dataset(X, targets, None, weights=weights)
        return self._train(dataset, [{"type": "dense", "units": targets.shape[1]}], "mean_squared_error")

    def predict(self, X: Any) -> Array:  # noqa: N803
        """The targets of rows (N, D), in the shape that ``y`` had in ``fit``: (N,) or (N, M).

        Raises:
            ValueError: the rows are not finite numbers, or have other columns than in ``fit``.
        """
        outputs = self._outputs(X)
        return outputs[:, 0] if self._is_vector else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _is_fraction(value: Any) -> bool:
    return isinstance(value, Real) and 0 < float(value) < 1


@contextmanager
def _value_errors() -> Iterator[None]:
    """Raise errors of the parameters or the data as scikit-learn does."""
    try:
        yield
    except ConfigError as error:
        raise ValueError(str(error)) from error
