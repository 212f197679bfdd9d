"""Names of other libraries, and keys without their section: the suggestion is what they are called in a config."""

import pytest

from nncli.config.model import Config
from nncli.config.synonyms import SYNONYMS, translations
from nncli.experiment import loading  # noqa: F401 (registers the components)
from nncli.registry import kinds, names


@pytest.mark.parametrize(
    ("override", "meant"),
    [
        ("training.early_stopping={metric: val_loss, patience: 30}", "'validation_loss'"),
        ("training.early_stopping={metric: val_acc, patience: 30}", "'validation_accuracy'"),
        ("metrics=[acc]", "'accuracy'"),
        ("loss=mse", "'mean_squared_error'"),
        ("loss=CrossEntropyLoss", "'categorical_crossentropy' or 'binary_crossentropy'"),
        ("optimizer={type: adam, lr: 0.1}", "'learning_rate'"),
        ("layers[0]={type: dense, neurons: 3}", "'units'"),
        ("epochs=100", "'training.epochs'"),
        ("lr=0.1", "'optimizer.learning_rate'"),
    ],
)
def test_synonyms_are_suggested(workdir, run_cli, override, meant):
    """Whatever is similar in spelling, the suggestion is what the word means."""
    result = run_cli("show", "config.yaml", override)
    assert f"did you mean {meant}?" in result.err


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("Cosine-Annealing", ["cosine"]),
        ("MSE", ["mean_squared_error"]),
        ("rmse", ["root_mean_squared_error"]),
        ("val-RMSE", ["validation_root_mean_squared_error"]),
        ("val_r2", ["validation_r2"]),
        ("val_crossentropy", ["validation_categorical_crossentropy", "validation_binary_crossentropy"]),
        ("adam", []),
    ],
)
def test_spelling_with_capitals_and_dashes_is_understood(word, meant):
    """With the prefix of a validation metric too."""
    assert translations(word) == meant


@pytest.mark.parametrize(
    ("option", "path"),
    [("--lr", "optimizer.learning_rate"), ("--epochs=3", "training.epochs"), ("--seed", "seed"), ("--a.b=3", None)],
)
def test_synonyms_as_options_are_explained(workdir, run_cli, option, path):
    """Values of the config are set without dashes; an option that is none of its keys is only refused."""
    result = run_cli("train", "config.yaml", option, "0.1")
    assert result.code == 2
    assert (f"Set values of the config without dashes: {path}=VALUE" in result.err) == (path is not None)


def test_synonyms_mean_existing_names():
    """Each target is a component, a key of a component, or the path of a key."""
    models = [entry.model for kind in kinds() for entry in names(kind).values()]
    known = {name for kind in kinds() for name in names(kind)} | {key for model in models for key in model.model_fields}
    known |= {*Config.model_fields, "metric"}
    for target in (target for targets in SYNONYMS.values() for target in targets):
        assert target.partition(".")[0] in known, target
