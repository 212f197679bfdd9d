"""What names of Keras, PyTorch and scikit-learn, and keys without their section, are called in a config."""

CROSS_ENTROPIES = ("categorical_crossentropy", "binary_crossentropy")
SYNONYMS: dict[str, tuple[str, ...]] = {
    "acc": ("accuracy",),
    "batch_size": ("training.batch_size",),
    "cosine_annealing": ("cosine",),
    "cross_entropy": CROSS_ENTROPIES,
    "crossentropy": CROSS_ENTROPIES,
    "crossentropyloss": CROSS_ENTROPIES,
    "early_stopping": ("training.early_stopping",),
    "epochs": ("training.epochs",),
    "hidden_layer_sizes": ("layers",),
    "hidden_layers": ("layers",),
    "learning_rate": ("optimizer.learning_rate",),
    "lr": ("learning_rate", "optimizer.learning_rate"),
    "mae": ("mean_absolute_error",),
    "momentum": ("beta_1", "optimizer.momentum"),
    "monitor": ("metric",),
    "mse": ("mean_squared_error",),
    "n_neurons": ("units",),
    "neurons": ("units",),
    "p": ("rate",),
    "rmse": ("root_mean_squared_error",),
    "sparse_categorical_crossentropy": ("categorical_crossentropy",),
}


def translations(word: str) -> list[str]:
    """The names that a word may stand for, with a dotted path for keys of a section.

    >>> translations("val_acc"), translations("lr"), translations("adam")
    (['validation_accuracy'], ['learning_rate', 'optimizer.learning_rate'], [])
    """
    name = word.lower().replace("-", "_")
    if name.startswith("val_"):
        rest = name.removeprefix("val_")
        return [f"validation_{metric}" for metric in SYNONYMS.get(rest, (rest,))]
    return list(SYNONYMS.get(name, ()))
