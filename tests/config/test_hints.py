"""Names of other libraries, and keys without their section: the suggestion is what they are called in a config."""

import re

import pytest

from nncli.config.hints import hints_of_keys, hints_of_types, key_hint, suggestion, translations
from nncli.config.model import Config
from nncli.config.synonyms import accepted_type, spelling, type_pattern
from nncli.experiment import loading  # noqa: F401 (registers the components)
from nncli.registry import kinds, names


@pytest.mark.parametrize(
    ("override", "meant"),
    [
        ("training.early_stopping={metric: val_loss, patience: 30}", "'validation_loss'"),
        ("training.early_stopping={metric: val_acc, patience: 30}", "'validation_accuracy'"),
        ("metrics=[acc]", "'accuracy'"),
        ("loss=mse", "'mean_squared_error'"),
        ("optimizer={type: adam, lr: 0.1}", "'learning_rate'"),
        ("layers[0]={type: dense, neurons: 3}", "'units'"),
        ("epochs=100", "'training.epochs=100'"),
        ("lr=0.1", "'optimizer.learning_rate=0.1'"),
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
        ("MSE", ["root_mean_squared_error", "mean_squared_error"]),
        ("rmse", ["root_mean_squared_error", "mean_squared_error"]),
        ("val-RMSE", ["validation_root_mean_squared_error", "validation_mean_squared_error"]),
        ("val_r2", ["validation_r2"]),
        ("val_crossentropy", ["validation_categorical_crossentropy", "validation_binary_crossentropy"]),
        ("train_acc", ["accuracy"]),
        ("adam", []),
    ],
)
def test_spelling_with_capitals_and_dashes_is_understood(word, meant):
    """With the prefix of a validation metric too."""
    assert translations(word) == meant


@pytest.mark.parametrize(
    ("option", "override"),
    [
        ("--lr", "optimizer.learning_rate=0.1"),
        ("--epochs=3", "training.epochs=3"),
        ("--seed", "seed=0.1"),
        ("--optimizer.decay", "optimizer.decay=0.1"),
        ("--a.b=3", None),
    ],
)
def test_synonyms_as_options_are_explained(workdir, run_cli, option, override):
    """Values of the config are set without dashes; an option that is none of its keys is only refused."""
    result = run_cli("train", "config.yaml", option, "0.1")
    assert result.code == 2
    assert (f"Values of the config are set without dashes: {override}\n" in result.err) == (override is not None)


def test_hints_name_what_exists():
    """Each name of a hint is a type of the kind, a key of a component, or the path of a key; each scope exists."""
    models = {f"{kind} {name}": entry.model for kind in kinds() for name, entry in names(kind).items()}
    keys = {key for model in models.values() for key in model.model_fields} | {"metric", "l1", "l2"}
    for kind, hints in hints_of_types().items():
        assert {name for hint in hints for name in hint.names} <= names(kind).keys()
    sections = {"anywhere", "config", "training", "early_stopping", "regularization", "fraction", "seeds"}
    for scope, hints in hints_of_keys().items():
        assert scope in {*sections, *kinds(), *models}
        assert {name.split(".")[0] for hint in hints for name in hint.names} <= {*Config.model_fields, *keys}


def test_words_of_the_table_are_no_names_here():
    """A word of the table is neither a spelling of a type of its kind nor a key of its component."""
    for kind, hints in hints_of_types().items():
        words = {word for hint in hints for word in hint.words}
        assert {word for word in words if accepted_type(kind, word, names(kind))} == set()
    for scope, hints in hints_of_keys().items():
        kind, _, name = scope.partition(" ")
        if name:
            model = names(kind)[name].model
            assert not {word for hint in hints for word in hint.words} & {*model.model_fields}


def test_narrower_scope_decides():
    """What a key of a component is called there, before what it is called elsewhere."""
    assert key_hint(["layer dense", "layer"], "n_outputs").names == ("units",)
    assert key_hint(["layer"], "n_outputs").names == ()


def test_no_word_has_two_hints():
    """Within a scope each word occurs once, in any spelling."""
    for hints in (*hints_of_types().values(), *hints_of_keys().values()):
        words = [spelling(word) for hint in hints for word in hint.words]
        assert sorted(words) == sorted(set(words))


@pytest.mark.parametrize("kind", kinds())
def test_pattern_matches_what_is_accepted(kind):
    """The pattern of a type for editors and the acceptance of a spelling agree, on spellings and on other words."""
    known = names(kind)
    words = {case(name) for name in known for case in (str, str.upper, str.title, str.swapcase, str.capitalize)}
    words |= {name.replace("_", "-") for name in known} | {name.replace("_", "") for name in known} | {"Linear", "x"}
    for word in words:
        accepted = accepted_type(kind, word, known)
        assert {name for name in known if re.search(type_pattern(kind, name), word)} == ({accepted} - {None})


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("adm", ["sgd", "adam"], "; did you mean 'adam'?"),
        ("ADAM", ["sgd", "adam"], "; did you mean 'adam'?"),
        ("ReLU", ["softmax", "relu"], "; did you mean 'relu'?"),
        ("Layer_Dens", ["dense", "Layer_Dense"], "; did you mean 'Layer_Dense'?"),
        ("xyzzy", ["sgd", "adam"], "; known: adam, sgd"),
        ("", ["sgd", "adam"], "; known: adam, sgd"),
        ("adam", [], ""),
        ("optimizer_sgd", ["Optimizer_SGD", "Optimizer_Adam"], "; did you mean 'Optimizer_SGD'?"),
        ("normalization", ["Layer_Normalization", "batch_normalization"], "; did you mean 'batch_normalization'?"),
        ("mse", ["sgd", "adam"], "; known: adam, sgd"),
    ],
)
def test_suggestion_is_similar_or_lists_known_names(word, known, expected):
    """A similar name is suggested, ignoring case; if there is none, all known names are listed in order."""
    assert suggestion(word, known) == expected


def test_fewer_names_may_be_listed_than_are_known():
    """A similar name is searched among all of them."""
    known, listed = ["accuracy", "test_accuracy", "validation_accuracy"], ["accuracy"]
    assert suggestion("xyzzy", known, listed) == "; known: accuracy"
    assert suggestion("tst_accuracy", known, listed) == "; did you mean 'test_accuracy'?"
