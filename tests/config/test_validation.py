"""Validation: all errors at once, each with its location, its value and its fix."""

import json

import pytest

import nncli.data
import nncli.nn  # noqa: F401 with the import above, every component is registered
from nncli.config.diagnostics import SourceText, path_text
from nncli.config.document import read
from nncli.config.model import Config, Fraction
from nncli.config.normalization import normalized
from nncli.config.validation import validate

DATASETS = "arrays, circles, gaussians, idx, images, moons, sine, spiral, table, vertical, xor"
VALID = """\
seed: 7
data: {type: spiral, samples: 20}
validation: {fraction: 0.25}
layers:
  - {type: dense, units: 8, initializer: {type: normal, scale: 0.1}}
  - relu
  - {type: dropout, rate: 0.1}
  - {type: dense, units: 3}
  - softmax
loss: categorical_crossentropy
optimizer: {type: sgd, momentum: 0.9}
regularization: {l2: 5e-4}
training: {epochs: 30, early_stopping: {patience: 5}}
"""


def validated(text):
    document = read(SourceText("config.yaml", text))
    document.root = normalized(document.root)
    return validate(document)


def errors(text):
    """Line, column, path and message of every diagnostic, but for sections that a short text leaves out."""
    found = [diagnostic for diagnostic in validated(text)[1] if not diagnostic.message.startswith("section ")]
    return [(each.location.line, each.location.column, path_text(each.path), each.message) for each in found]


def test_valid_config_is_accepted():
    """There is no diagnostic, every section is present, and omitted values have their defaults."""
    sections, diagnostics = validated(VALID)
    assert diagnostics == []
    assert set(vars(sections)) == set(Config.model_fields)
    config = sections.complete()
    assert (config.seed, config.rng, config.dtype, config.test) == (7, "derived", "float32", None)
    assert config.validation == Fraction(fraction=0.25)
    assert [layer.type for layer in config.layers] == ["dense", "relu", "dropout", "dense", "softmax"]
    assert (config.layers[0].initializer.type, config.layers[0].initializer.scale) == ("normal", 0.1)
    assert (config.optimizer.learning_rate, config.optimizer.momentum) == (1.0, 0.9)
    assert (config.regularization.l1, config.regularization.l2) == (0.0, 5e-4)
    assert (config.training.batch_size, config.training.early_stopping.metric) == (None, "validation_loss")


def test_errors_of_all_sections_are_reported_at_once():
    """An error in one section hides none in another, nor in another item of a list."""
    text = """\
seed: -1
data: {type: spiral, samples: 0, class: 3}
layers:
  - {type: dense, units: 0}
  - rellu
  - {type: dropout, rate: 1}
loss: mse
optimizer: {type: adam, beta_1: 1.5}
regularization: {l2: x}
training: {epochs: 0, batch_size: 0.5}
seedd: 1
"""
    found = sorted(errors(text))
    assert [(line, column, path) for line, column, path, _ in found] == [
        (1, 7, "seed"),
        (2, 31, "data.samples"),
        (2, 34, "data"),
        (4, 26, "layers[0].units"),
        (5, 5, "layers[1]"),
        (6, 27, "layers[2].rate"),
        (7, 7, "loss"),
        (8, 33, "optimizer.beta_1"),
        (9, 22, "regularization.l2"),
        (10, 20, "training.epochs"),
        (10, 35, "training.batch_size"),
        (11, 1, ""),
    ]


def test_partial_config_has_only_valid_sections():
    """Checks across sections may use the valid ones."""
    sections, _ = validated(VALID.replace("units: 8", "units: no").replace("epochs: 30", "epochs: 0"))
    valid = {"seed", "data", "validation", "loss", "optimizer", "regularization"}
    assert vars(sections).keys() & {*valid, "layers", "training"} == valid


def test_missing_sections_are_reported():
    """An empty mapping lacks five sections; those with a default are optional."""
    _, diagnostics = validated("{}")
    assert [diagnostic.message for diagnostic in diagnostics] == [
        f"section '{name}' is missing" for name in ("data", "layers", "loss", "optimizer", "training")
    ]


@pytest.mark.parametrize("text", ["[]", "word", "5", "null", "- seed: 1"])
def test_config_must_be_a_mapping(text):
    """Anything else is one diagnostic at its start."""
    sections, diagnostics = validated(text)
    assert vars(sections) == {}
    (diagnostic,) = diagnostics
    assert (diagnostic.location.line, diagnostic.location.column) == (1, 1)
    assert diagnostic.message.startswith("a config is a mapping with the sections data, ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("optimiser: adam", (1, 1, "", "unknown key 'optimiser'; did you mean 'optimizer'?")),
        ("Data: spiral", (1, 1, "", "unknown key 'Data'; did you mean 'data'?")),
        ("data: {type: spiral, clases: 3}", (1, 22, "data", "unknown key 'clases'; did you mean 'classes'?")),
        (
            "layers: [{type: dense, units: 3, unit: 3}]",
            (1, 34, "layers[0]", "unknown key 'unit'; did you mean 'units'?"),
        ),
        ("layers: [{type: dropout, rate: 0, rat: 0}]", (1, 35, "layers[0]", "unknown key 'rat'; did you mean 'rate'?")),
        (
            "layers: [{type: dense, units: 3, initializer: {type: normal, scal: 1}}]",
            (1, 62, "layers[0].initializer", "unknown key 'scal'; did you mean 'scale'?"),
        ),
        (
            "optimizer: {type: sgd, momentom: 0}",
            (1, 24, "optimizer", "unknown key 'momentom'; did you mean 'momentum'?"),
        ),
        (
            "optimizer: {type: sgd, beta_1: 0}",
            (
                1,
                24,
                "optimizer",
                "unknown key 'beta_1'; it is a key of adam, adamw and nadam; "
                "keys of sgd: learning_rate, decay, momentum",
            ),
        ),
        ("training: {epochs: 1, epoch: 2}", (1, 23, "training", "unknown key 'epoch'; did you mean 'epochs'?")),
        (
            "training: {epochs: 1, early_stopping: {pacience: 2}}",
            (1, 40, "training.early_stopping", "unknown key 'pacience'; did you mean 'patience'?"),
        ),
        ("regularization: {L2: 0}", (1, 18, "regularization", "unknown key 'L2'; did you mean 'l2'?")),
        (
            "validation: {fraction: 0.1, type: spiral}",
            (1, 29, "validation", "unknown key 'type'; known: fraction, group, last"),
        ),
        (
            'regularization: {"<a b>": 0}',
            (1, 18, "regularization", "unknown key '<a b>'; known: bias_l1, bias_l2, l1, l2"),
        ),
    ],
)
def test_unknown_key_is_reported_with_a_suggestion(text, expected):
    """The location is that of the key; the suggestion is a similar key, or a list of all keys."""
    assert errors(text) == [expected]


def test_misspelt_fraction_is_reported_with_a_suggestion():
    """A misspelt fraction is a data set without a type; the message mentions the fraction."""
    ((line, column, _, message),) = errors("validation: {fractoin: 0.1}")
    assert (line, column) == (1, 13)
    assert message == f"key 'type' is missing; known: {DATASETS}, or {{fraction: 0.2}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("layers: [{type: dense}]", (1, 10, "layers[0]", "key 'units' is missing; write {type: dense, units: 64}")),
        ("layers: [dense]", (1, 10, "layers[0]", "key 'units' is missing; write {type: dense, units: 64}")),
        ("layers: [relu, dropout]", (1, 16, "layers[1]", "key 'rate' is missing; write {type: dropout, rate: 0.1}")),
        ("training: {}", (1, 11, "training", "key 'epochs' is missing; write training: {epochs: 100}")),
        (
            "data: {samples: 3}",
            (
                1,
                7,
                "data",
                f"key 'type' is missing; known: {DATASETS}",
            ),
        ),
        ("optimizer: {adam: 1}", (1, 12, "optimizer", "key 'type' is missing; write {type: adam, learning_rate: 1}")),
    ],
)
def test_missing_key_is_reported_at_its_parent(text, expected):
    """The location is that of the enclosing value."""
    assert errors(text) == [expected]


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("seed: true", 7, "must be an integer, got true"),
        ("seed: '3'", 7, "must be an integer, got '3'; write 3 without quotes"),
        (
            "seed: null",
            7,
            "must be an integer, got null; write an integer such as 0 or 1: each gives different random numbers",
        ),
        ("seed: [1]", 7, "must be an integer, got [1]"),
        ("regularization: {l1: '0.1'}", 22, "must be a number, got '0.1'; write 0.1 without quotes"),
        ("regularization: {l1: false}", 22, "must be a number, got false"),
        ("regularization: {l1: null}", 22, "must be a number, got null"),
        ("regularization: 0.1", 17, "must be a mapping, got 0.1; write {l2: 0.1}"),
        ("regularization: null", 17, "must be a mapping, e.g. {l2: 1e-4}, got null"),
        ("rng: 5", 6, "must be 'derived' or 'nnfs', got 5"),
        ("dtype: float16", 8, "must be 'float32' or 'float64', got 'float16'"),
        ("layers: rellu", 9, "must be a list, got 'rellu'; write [rellu]"),
        (
            "layers: {typ: relu}",
            9,
            "must be a list, got {'typ': 'relu'}; write '- ' before each item, which is layers: [relu]",
        ),
        ("layers: null", 9, "must be a list, got null"),
        ("layers: [null]", 10, "must be the name of a layer or a mapping with 'type', got null"),
        ("layers: [[relu]]", 10, "must be the name of a layer or a mapping with 'type', got ['relu']"),
        ("loss: 5", 7, "must be the name of a loss or a mapping with 'type', got 5"),
        ("training: 5", 11, "must be a mapping, got 5; write {epochs: 5}"),
        ("training: {epochs: 1, early_stopping: true}", 39, "must be a mapping, e.g. {patience: 50}, got true"),
        ("training: {epochs: 1, early_stopping: {metric: 5}}", 48, "must be a string, got 5"),
        (
            "data: {type: 5}",
            14,
            f"unknown type 5; known: {DATASETS}",
        ),
    ],
)
def test_types_are_strict(text, column, message):
    """Nothing is converted; the message states the expected type and the value, as YAML writes it."""
    ((line, at, _, found),) = errors(text)
    assert (line, at, found) == (1, column, message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: -1", "must be at least 0, got -1"),
        ("seed: 4294967296", "must be at most 4294967295, got 4294967296"),
        ("data: {type: spiral, samples: 0}", "must be at least 1, got 0"),
        ("data: {type: spiral, samples: 1000001}", "must be at most 1000000, got 1000001"),
        ("data: {type: spiral, classes: 1}", "must be at least 2, got 1"),
        ("data: {type: spiral, classes: 256}", "must be at most 255, got 256"),
        ("validation: {fraction: 0}", "must be greater than 0, got 0"),
        ("validation: {fraction: 1.0}", "must be less than 1, got 1.0"),
        ("layers: []", "must have at least 1 item, got []"),
        ("layers: [{type: dense, units: 0}]", "must be at least 1, got 0"),
        ("layers: [{type: dense, units: 1, l1: -0.5}]", "must be at least 0, got -0.5"),
        ("layers: [{type: dropout, rate: 1}]", "must be less than 1, got 1"),
        ("layers: [{type: dropout, rate: -0.1}]", "must be at least 0, got -0.1"),
        ("optimizer: {type: adam, learning_rate: 0}", "must be greater than 0, got 0"),
        ("optimizer: {type: adam, epsilon: 0.0}", "must be greater than 0, got 0.0"),
        ("optimizer: {type: adam, beta_2: 1}", "must be less than 1, got 1"),
        ("optimizer: {type: rmsprop, rho: 1}", "must be less than 1, got 1"),
        ("optimizer: {type: sgd, momentum: 1.5}", "must be less than 1, got 1.5"),
        ("optimizer: {type: adagrad, decay: -1e-3}", "must be at least 0, got -0.001"),
        ("data: {type: sine, samples: 0}", "must be at least 1, got 0"),
        ("data: {type: vertical, classes: 1}", "must be at least 2, got 1"),
        ("layers: [{type: batch_normalization, momentum: 1}]", "must be less than 1, got 1"),
        ("layers: [{type: batch_normalization, epsilon: 0}]", "must be greater than 0, got 0"),
        ("layers: [{type: leaky_relu, slope: 1}]", "must be less than 1, got 1"),
        ("metrics: [{type: f1, threshold: -0.1}]", "must be at least 0, got -0.1"),
        ("metrics: [{type: regression_accuracy, parts: 0}]", "must be greater than 0, got 0"),
        ("schedule: {type: step, every: 0}", "must be at least 1, got 0"),
        ("schedule: {type: cosine, lowest: 1.5}", "must be at most 1, got 1.5"),
        ("schedule: {type: warmup, updates: 1, then: {type: cosine, updates: 0}}", "must be at least 1, got 0"),
        ("clipping: {type: norm, limit: -1}", "must be greater than 0, got -1"),
        ("training: {epochs: 0}", "must be at least 1, got 0"),
        ("training: {epochs: 1, batch_size: 0}", "must be at least 1, got 0"),
        ("training: {epochs: 1, log_every: 0}", "must be at least 1, got 0"),
        ("training: {epochs: 1, checkpoint_seconds: -1}", "must be at least 0, got -1"),
        ("training: {epochs: 1, early_stopping: {patience: 0}}", "must be at least 1, got 0"),
        ("training: {epochs: 1, early_stopping: {min_delta: -1}}", "must be at least 0, got -1"),
    ],
)
def test_value_out_of_range_is_reported_with_the_limit(text, message):
    """The limit and the value are both in the message."""
    ((_, _, _, found),) = errors(text)
    assert found == message


@pytest.mark.parametrize(
    "text",
    [
        "seed: 4294967295",
        "data: {type: spiral, samples: 1000000, classes: 255, seed: 0}",
        "data: {type: spiral, samples: 1, classes: 2, seed: null}",
        "validation: {fraction: 1e-9}",
        "validation: null",
        "layers: [{type: dropout, rate: 0}, {type: dropout, rate: 0.999}]",
        "layers: [{type: dense, units: 1, l1: 0, bias_l2: null, initializer: null}]",
        "optimizer: {type: sgd, learning_rate: 1e-300, momentum: 0}",
        "training: {epochs: 1, batch_size: null, early_stopping: null, checkpoint_seconds: 0}",
        "training: {epochs: 0x10, log_every: 1000000}",
        "regularization: {l1: 1, l2: 2.5}",
        "data: {type: sine, samples: 1}",
        "metrics: []",
        "metrics: null",
        "metrics: [{type: accuracy, threshold: 0}, {type: recall, threshold: 1}]",
        "schedule: null",
        "schedule: {type: step, every: 1, gamma: 0}",
        "schedule: {type: cosine, updates: null, lowest: 1}",
        "schedule: {type: warmup, updates: 1, then: null}",
        "schedule: {type: warmup, updates: 1, then: {type: warmup, updates: 2, then: exponential}}",
        "clipping: null",
        "clipping: {type: value, limit: 1e-300}",
        "regularization: {}",
    ],
)
def test_inclusive_limits_are_accepted(text):
    """The smallest and the largest value, an integer for a float, and null if the default is null."""
    assert errors(text) == []


def test_number_of_layers_is_limited():
    """A config has at most a thousand layers; the message truncates longer lists."""
    assert errors(f"layers: [{'relu, ' * 1000}]") == []
    ((_, _, _, message),) = errors(f"layers: [{'relu, ' * 1001}]")
    assert message.startswith("must have at most 1000 items, got ['relu', ")
    assert len(message) < 160


@pytest.mark.parametrize(
    ("initializer", "column", "path", "fragment"),
    [
        ("{type: normal, scale: -1}", 59, "layers[0].initializer.scale", "must be at least 0, got -1"),
        ("{type: normal, scale: big}", 59, "layers[0].initializer.scale", "must be a number, got 'big'"),
        ("{type: norml}", 44, "layers[0].initializer", "unknown type 'norml'; did you mean 'normal'?"),
        ("hee", 37, "layers[0].initializer", "unknown type 'hee'; did you mean 'he'?"),
        ("relu", 37, "layers[0].initializer", "unknown type 'relu'; relu is a layer; known: normal, he, glorot"),
        ("{scale: 1}", 37, "layers[0].initializer", "key 'type' is missing; known: glorot, he, normal"),
        ("3", 37, "layers[0].initializer", "must be the name of an initializer or a mapping with 'type', got 3"),
        ("[he]", 37, "layers[0].initializer", "must be the name of an initializer"),
        ("{type: he, scale: 1}", 48, "layers[0].initializer", "it is a key of normal; keys of he: none"),
    ],
)
def test_nested_component_is_validated(initializer, column, path, fragment):
    """The path leads into the inner component, and suggestions are of its type."""
    ((_, at, found_path, message),) = errors(f"layers: [{{type: dense, initializer: {initializer}, units: 1}}]")
    assert (at, found_path) == (column, path)
    assert fragment in message


BOOK = [
    ("layer", "Layer_Dense", "dense", {"units": 2}),
    ("layer", "Layer_Dropout", "dropout", {"rate": 0.5}),
    ("layer", "Activation_ReLU", "relu", {}),
    ("layer", "Activation_Softmax", "softmax", {}),
    ("loss", "Loss_CategoricalCrossentropy", "categorical_crossentropy", {}),
    ("optimizer", "Optimizer_SGD", "sgd", {"momentum": 0.5}),
    ("optimizer", "Optimizer_Adagrad", "adagrad", {}),
    ("optimizer", "Optimizer_RMSprop", "rmsprop", {"rho": 0.5}),
    ("optimizer", "Optimizer_Adam", "adam", {"learning_rate": 0.5}),
    ("data", "spiral_data", "spiral", {"samples": 5}),
    ("data", "vertical_data", "vertical", {"samples": 5}),
    ("data", "sine_data", "sine", {"samples": 5}),
    ("layer", "Activation_Sigmoid", "sigmoid", {}),
    ("layer", "Activation_Linear", "linear", {}),
    ("loss", "Loss_BinaryCrossentropy", "binary_crossentropy", {}),
    ("loss", "Loss_MeanSquaredError", "mean_squared_error", {}),
    ("loss", "Loss_MeanAbsoluteError", "mean_absolute_error", {}),
]


def component(section, written):
    """The validated component of a section, or of the first layer."""
    key, value = ("layers", [written]) if section == "layer" else (section, written)
    sections, _ = validated(json.dumps({key: value}))
    found = getattr(sections, key)
    return found[0] if section == "layer" else found


@pytest.mark.parametrize(("section", "alias", "name", "parameters"), BOOK)
def test_book_aliases_are_accepted(section, alias, name, parameters):
    """A class name of the book is an alias of the component."""
    by_alias, by_name = (component(section, {"type": word, **parameters}) for word in (alias, name))
    assert by_alias == by_name
    assert by_alias.type == name


@pytest.mark.parametrize(("section", "name"), [(section, name) for section, _, name, needs in BOOK if not needs])
def test_bare_name_is_short_for_a_mapping(section, name):
    """A component without parameters can be given by its name or alias alone."""
    (alias,) = (word for of, word, known, _ in BOOK if (of, known) == (section, name))
    assert component(section, name) == component(section, {"type": name}) == component(section, alias)


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("layers: [ReLuu]", "'relu'"),
        ("layers: [Layer_Dens]", "'Layer_Dense'"),
        ("loss: categoricalcrossentrop", "'categorical_crossentropy'"),
        ("loss: binary_crossentrpy", "'binary_crossentropy'"),
        ("data: spirral", "'spiral'"),
        ("optimizer: adm", "'adam'"),
        ("optimizer: {type: adm}", "'adam'"),
    ],
)
def test_unknown_type_is_reported_with_a_suggestion(text, suggestion):
    """A similar name or alias is suggested."""
    ((_, _, _, message),) = errors(text)
    assert message.endswith(f"; did you mean {suggestion}?")


@pytest.mark.parametrize(
    "text", ["seed: off", "data: {type: no}", "training: {epochs: 010}", "layers: [y]", "rng: .nan", "loss: {type: on}"]
)
def test_rejected_scalar_is_reported_once(text):
    """An ambiguous scalar has no second diagnostic for its type, and its section is not valid."""
    assert len(errors(text)) == 1
    assert not hasattr(validated(text)[0], text.partition(":")[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    "value", ["'" + "x" * 5000 + "'", "[" + "1, " * 2000 + "]", "{" + "a: {" * 15 + "}" * 15 + "}"]
)
def test_long_value_is_truncated_in_a_message(value):
    """However long the value, the message stays short."""
    ((_, _, _, message),) = errors(f"seed: {value}")
    assert message.startswith("must be an integer, got ")
    assert len(message) < 160


@pytest.mark.parametrize("text", ["k" * 1000 + ": 1", "seed: !" + "t" * 1000 + " 1", "seed: 1" + ":30" * 1000])
def test_long_text_is_truncated_in_a_message(text):
    """A key, a tag or a scalar that is quoted in a message is truncated."""
    ((_, _, _, message),) = errors(text)
    assert len(message) < 300


@pytest.mark.parametrize(("written", "meant"), [("1e3", 1000), ("64.0", 64), ("3E0", 3)])
def test_float_without_fraction_is_an_integer(written, meant):
    """``1e3`` is a float in YAML; it is taken as the integer."""
    sections, _ = validated(f"training: {{epochs: {written}}}")
    assert type(sections.training.epochs) is int
    assert sections.training.epochs == meant


@pytest.mark.parametrize("written", ["1.5", "1e99"])
def test_float_with_a_fraction_is_no_integer(written):
    """Other floats, and those beyond any count, are reported."""
    ((_, _, path, message),) = errors(f"training: {{epochs: {written}}}")
    assert path == "training.epochs"
    assert message == f"must be an integer, got {float(written)!r}"


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("test: {where: {color: null}}", "test.where.color", "a string, a number, true or false or a list, got null"),
        ("test: {where: {color: [{}]}}", "test.where.color[0]", "a string, a number or true or false, got {}"),
        ("test: {where: {color: {a: b}}}", "test.where.color", "a string, a number, true or false or a list, got {'a'"),
        ("data: {type: table, path: a.csv, target: 3}", "data.target", "a string or a list, got 3"),
        ("data: {type: table, path: a, target: b, class_weights: 3}", "data.class_weights", "'balanced' or a mapping"),
        (
            "data: {type: table, path: a, target: b, ignore: {c: d}}",
            "data.ignore",
            "a list, got {'c': 'd'}; write '- '",
        ),
    ],
)
def test_value_of_several_types_is_one_error(text, path, message):
    """It names all types that the value may have."""
    ((_, _, found, text),) = errors(text)
    assert (found, text.startswith(f"must be {message}")) == (path, True), text
