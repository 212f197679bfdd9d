"""The estimators: parameters in the words of the config, data checked as scikit-learn does."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import cleandoc
from numbers import Integral
from typing import Any, Self, TypeVar

import numpy as np

from nncli.data.dataset import Dataset
from nncli.errors import ConfigError, MissingExtraError
from nncli.nn.parameters import Array
from nncli.sklearn.training import train

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError:
    raise MissingExtraError("the estimators", "sklearn") from None

MIN_DELTA = 1e-4  # a smaller improvement of the loss does not count
Class = TypeVar("Class", bound=type)
Layer = int | str | Mapping[str, Any]


class NetworkEstimator(BaseEstimator):
    """What both estimators have in common: the parameters, and training.

    The words are those of a config. Inputs (N, D) are used as they are: put a ``StandardScaler`` in front.

    Args:
        hidden: the hidden layers: a number of units is a dense layer with the activation and the dropout after it;
            anything else is a layer as in a config, such as ``"batch_normalization"`` or
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
        threads: the number of threads of a matrix product.
        random_state: the seed, or a random state to draw one from; None for another one in each call of ``fit``.
    """

    def __init__(
        self,
        hidden: Sequence[Layer] = (100,),
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
        if fraction is not None and not 0 < fraction < 1:
            raise ValueError(f"validation_fraction must be between 0 and 1, got {fraction!r}")
        with _value_errors():
            training = train(self._sections(last, loss), dataset, fraction)
        self.network_, self.n_iter_ = training.network, training.epochs
        self.loss_curve_, self.validation_loss_curve_ = training.losses, training.validation_losses
        return self

    def _sections(self, last: Sequence[Any], loss: str) -> dict[str, Any]:
        """The sections of a config."""
        metric = "loss" if self.validation_fraction is None else "validation_loss"
        return {
            "seed": int(check_random_state(self.random_state).randint(2**31)),
            "dtype": self.dtype,
            "layers": [*self._hidden_layers(), *last],
            "loss": loss,
            "optimizer": {"learning_rate": self.learning_rate, **_as_mapping(self.optimizer)},
            "metrics": [],
            "regularization": {"l1": self.l1, "l2": self.l2},
            "training": {
                "epochs": self.epochs,
                "batch_size": self.batch_size,
                "log_every": 1,
                "early_stopping": {"metric": metric, "patience": self.patience, "min_delta": MIN_DELTA},
                "threads": self.threads,
            },
        }

    def _hidden_layers(self) -> Iterator[Any]:
        """The hidden layers as in a config."""
        for layer in self.hidden:
            if not isinstance(layer, Integral):
                yield layer
                continue
            yield {"type": "dense", "units": int(layer)}
            yield self.activation
            if self.dropout:
                yield {"type": "dropout", "rate": self.dropout}

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
    """Add the documentation of the parameters to that of an estimator."""
    estimator.__doc__ = "\n\n".join(cleandoc(each.__doc__ or "") for each in (estimator, NetworkEstimator))
    return estimator


@_with_parameters
class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    """A network with one output per class, trained on the categorical cross-entropy."""

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803
        """Train on rows (N, D) of numbers and their classes (N,), of any type.

        Sets ``classes_`` (C,), ``n_iter_`` (the number of epochs), ``loss_curve_`` and ``validation_loss_curve_`` (one
        value per epoch; the latter is None without a validation set), ``n_features_in_`` and ``feature_names_in_``.

        Raises:
            ValueError: the rows are not finite numbers, there is one class only, or a parameter is wrong.
            DivergedError: training met a value that is NaN or infinite.
        """
        X, y = validate_data(self, X, y, dtype=self.dtype)  # noqa: N806
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        classes = len(self.classes_)
        if classes < 2:
            raise ValueError(f"a classifier needs two classes or more, got one class: {self.classes_[0]!r}")
        return self._train(
            Dataset(X, labels, classes), [{"type": "dense", "units": classes}, "softmax"], "categorical_crossentropy"
        )

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

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803
        """Train on rows (N, D) of numbers and their targets, (N,) or (N, M).

        Sets ``n_iter_`` (the number of epochs), ``loss_curve_`` and ``validation_loss_curve_`` (one value per epoch;
        the latter is None without a validation set), ``n_features_in_`` and ``feature_names_in_``.

        Raises:
            ValueError: the rows are not finite numbers, or a parameter is wrong.
            DivergedError: training met a value that is NaN or infinite.
        """
        X, y = validate_data(self, X, y, dtype=self.dtype, multi_output=True, y_numeric=True)  # noqa: N806
        targets = np.asarray(y, np.float64).reshape(len(X), -1)
        self._is_vector = np.ndim(y) == 1
        return self._train(
            Dataset(X, targets, None), [{"type": "dense", "units": targets.shape[1]}], "mean_squared_error"
        )

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


def _as_mapping(component: Any) -> Mapping[str, Any]:
    """A component as a mapping with ``type``."""
    return component if isinstance(component, Mapping) else {"type": component}


@contextmanager
def _value_errors() -> Iterator[None]:
    """Raise errors of the parameters or the data as scikit-learn does."""
    try:
        yield
    except ConfigError as error:
        raise ValueError(str(error)) from error
