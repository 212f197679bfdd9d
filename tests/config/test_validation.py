"""A document held against the sections: every mistake at once, each with its place, its value and its cure."""

import json

import pytest

import nncli.data
import nncli.nn  # noqa: F401 with the import above, every component is registered
from nncli.config.diagnostics import SourceText, path_text
from nncli.config.document import read
from nncli.config.model import Config, Fraction
from nncli.config.validation import validate

GOOD = """\
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
    return validate(read(SourceText("spec.yaml", text)))


def mistakes(text):
    """Line, column, path and message of every diagnostic, but for sections that a short text leaves out."""
    found = [diagnostic for diagnostic in validated(text)[1] if not diagnostic.message.startswith("section ")]
    return [(each.place.line, each.place.column, path_text(each.path), each.message) for each in found]


def test_a_good_spec_is_accepted():
    """Nothing is wrong, every section is there, and what was left out has its default."""
    sections, diagnostics = validated(GOOD)
    assert diagnostics == []
    assert sections.has(Config.model_fields)
    spec = sections.config()
    assert (spec.seed, spec.rng, spec.dtype, spec.test) == (7, "derived", "float32", None)
    assert spec.validation == Fraction(fraction=0.25)
    assert [layer.type for layer in spec.layers] == ["dense", "relu", "dropout", "dense", "softmax"]
    assert (spec.layers[0].initializer.type, spec.layers[0].initializer.scale) == ("normal", 0.1)
    assert (spec.optimizer.learning_rate, spec.optimizer.momentum) == (1.0, 0.9)
    assert (spec.regularization.l1, spec.regularization.l2) == (0.0, 5e-4)
    assert (spec.training.batch_size, spec.training.early_stopping.metric) == (None, "validation_loss")


def test_the_mistakes_of_all_sections_are_told_at_once():
    """A mistake in one section hides none in another, nor in another item of a list."""
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
seeds: 1
"""
    found = sorted(mistakes(text))
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


def test_a_wrong_section_is_left_out_and_the_others_are_kept():
    """Checks across sections may use the ones that are right."""
    sections, _ = validated(GOOD.replace("units: 8", "units: no").replace("epochs: 30", "epochs: 0"))
    assert not sections.has(["layers"])
    assert not sections.has(["training"])
    assert sections.has(["seed", "data", "validation", "loss", "optimizer", "regularization"])


def test_sections_that_are_required_are_missed():
    """An empty mapping lacks five sections; what has a default is not missed."""
    _, diagnostics = validated("{}")
    assert [diagnostic.message for diagnostic in diagnostics] == [
        f"section '{name}' is missing" for name in ("data", "layers", "loss", "optimizer", "training")
    ]


@pytest.mark.parametrize("text", ["[]", "word", "5", "null", "- seed: 1"])
def test_a_spec_is_a_mapping(text):
    """Anything else is one diagnostic at its beginning."""
    sections, diagnostics = validated(text)
    assert vars(sections) == {}
    (diagnostic,) = diagnostics
    assert (diagnostic.place.line, diagnostic.place.column) == (1, 1)
    assert diagnostic.message.startswith("a config is a mapping of sections: ")


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
            (1, 24, "optimizer", "unknown key 'beta_1'; known: decay, learning_rate, momentum, type"),
        ),
        ("training: {epochs: 1, epoch: 2}", (1, 23, "training", "unknown key 'epoch'; did you mean 'epochs'?")),
        (
            "training: {epochs: 1, early_stopping: {pacience: 2}}",
            (1, 40, "training.early_stopping", "unknown key 'pacience'; did you mean 'patience'?"),
        ),
        ("regularization: {L2: 0}", (1, 18, "regularization", "unknown key 'L2'; did you mean 'l2'?")),
        ("validation: {fraction: 0.1, type: spiral}", (1, 29, "validation", "unknown key 'type'; known: fraction")),
        (
            'regularization: {"<a b>": 0}',
            (1, 18, "regularization", "unknown key '<a b>'; known: bias_l1, bias_l2, l1, l2"),
        ),
    ],
)
def test_an_unknown_key_is_told_with_a_suggestion(text, expected):
    """At the key's place, with what is near in spelling, else with all keys there are."""
    assert mistakes(text) == [expected]


def test_an_unknown_key_of_a_split_is_told_as_such():
    """A misspelt fraction is no data set without a type."""
    ((line, column, _, message),) = mistakes("validation: {fractoin: 0.1}")
    assert (line, column) == (1, 13)
    assert message == "key 'type' is missing; known: sine, spiral, vertical, or {fraction: 0.2}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("layers: [{type: dense}]", (1, 10, "layers[0]", "key 'units' is missing")),
        ("layers: [dense]", (1, 10, "layers[0]", "key 'units' is missing")),
        ("layers: [relu, dropout]", (1, 16, "layers[1]", "key 'rate' is missing")),
        ("training: {}", (1, 11, "training", "key 'epochs' is missing")),
        ("data: {samples: 3}", (1, 7, "data", "key 'type' is missing; known: sine, spiral, vertical")),
    ],
)
def test_a_missing_key_is_told_where_it_is_missed(text, expected):
    """At the place of the value around it."""
    assert mistakes(text) == [expected]


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("seed: true", 7, "must be a whole number, got true"),
        ("seed: 1.0", 7, "must be a whole number, got 1.0; write 1"),
        ("seed: '3'", 7, "must be a whole number, got '3'"),
        ("seed: null", 7, "must be a whole number, got null"),
        ("seed: [1]", 7, "must be a whole number, got [1]"),
        ("seed: 1e2", 7, "must be a whole number, got 100.0; write 100"),
        ("regularization: {l1: '0.1'}", 22, "must be a number, got '0.1'"),
        ("regularization: {l1: false}", 22, "must be a number, got false"),
        ("regularization: {l1: null}", 22, "must be a number, got null"),
        ("regularization: 0.1", 17, "must be a mapping of keys to values, got 0.1"),
        ("regularization: null", 17, "must be a mapping of keys to values, got null"),
        ("rng: 5", 6, "must be 'derived' or 'nnfs', got 5"),
        ("dtype: float16", 8, "must be 'float32' or 'float64', got 'float16'"),
        ("layers: relu", 9, "must be a list, got 'relu'"),
        ("layers: {type: relu}", 9, "must be a list, got {'type': 'relu'}"),
        ("layers: null", 9, "must be a list, got null"),
        ("layers: [null]", 10, "must be the name of one layer or a mapping with 'type', got null"),
        ("layers: [[relu]]", 10, "must be the name of one layer or a mapping with 'type', got ['relu']"),
        ("loss: 5", 7, "must be the name of one loss or a mapping with 'type', got 5"),
        ("training: 5", 11, "must be a mapping of keys to values, got 5"),
        ("training: {epochs: 1, early_stopping: true}", 39, "must be a mapping of keys to values, got true"),
        ("training: {epochs: 1, early_stopping: {metric: 5}}", 48, "must be text, got 5"),
        ("data: {type: 5}", 14, "unknown type 5; known: sine, spiral, vertical"),
    ],
)
def test_types_are_strict(text, column, message):
    """Nothing is converted; the message says what must stand there and what does, as YAML writes it."""
    ((line, at, _, said),) = mistakes(text)
    assert (line, at, said) == (1, column, message)


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
def test_a_number_out_of_range_is_told_with_the_bound(text, message):
    """The bound and the value are both in the message."""
    ((_, _, _, said),) = mistakes(text)
    assert said == message


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
def test_bounds_themselves_are_right_where_they_belong_to_the_range(text):
    """The smallest and the greatest value, a whole number for a number, and null where a default is null."""
    assert mistakes(text) == []


def test_a_list_of_layers_is_bounded():
    """A thousand layers are enough; the message does not show them."""
    assert mistakes(f"layers: [{'relu, ' * 1000}]") == []
    ((_, _, _, message),) = mistakes(f"layers: [{'relu, ' * 1001}]")
    assert message.startswith("must have at most 1000 items, got ['relu', ")
    assert len(message) < 120


@pytest.mark.parametrize(
    ("initializer", "column", "path", "fragment"),
    [
        ("{type: normal, scale: -1}", 59, "layers[0].initializer.scale", "must be at least 0, got -1"),
        ("{type: normal, scale: big}", 59, "layers[0].initializer.scale", "must be a number, got 'big'"),
        ("{type: norml}", 44, "layers[0].initializer", "unknown type 'norml'; did you mean 'normal'?"),
        ("hee", 37, "layers[0].initializer", "unknown type 'hee'; did you mean 'he'?"),
        ("relu", 37, "layers[0].initializer", "unknown type 'relu'; known: glorot, he, normal"),
        ("{scale: 1}", 37, "layers[0].initializer", "key 'type' is missing; known: glorot, he, normal"),
        ("3", 37, "layers[0].initializer", "must be the name of one initializer or a mapping with 'type', got 3"),
        ("[he]", 37, "layers[0].initializer", "must be the name of one initializer"),
        ("{type: he, scale: 1}", 48, "layers[0].initializer", "unknown key 'scale'; known: type"),
    ],
)
def test_a_component_inside_a_component_is_checked_like_others(initializer, column, path, fragment):
    """The path leads into the inner one, and the names are those of its kind."""
    ((_, at, where, message),) = mistakes(f"layers: [{{type: dense, initializer: {initializer}, units: 1}}]")
    assert (at, where) == (column, path)
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
def test_the_names_of_the_book_are_understood(section, alias, name, parameters):
    """A class name of the book is the same as our name for it."""
    by_alias, by_name = (component(section, {"type": word, **parameters}) for word in (alias, name))
    assert by_alias == by_name
    assert by_alias.type == name


@pytest.mark.parametrize(("section", "name"), [(section, name) for section, _, name, needs in BOOK if not needs])
def test_a_bare_name_is_short_for_a_mapping(section, name):
    """Where nothing is to be said, the name alone is enough, and so is the book's."""
    (alias,) = (word for of, word, known, _ in BOOK if (of, known) == (section, name))
    assert component(section, name) == component(section, {"type": name}) == component(section, alias)


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("layers: [ReLu]", "'relu'"),
        ("layers: [Layer_Dens]", "'Layer_Dense'"),
        ("loss: categoricalcrossentropy", "'categorical_crossentropy'"),
        ("loss: binary_crossentrpy", "'binary_crossentropy'"),
        ("data: spirals", "'spiral'"),
        ("optimizer: adm", "'adam'"),
        ("optimizer: {type: adm}", "'adam'"),
    ],
)
def test_an_unknown_type_is_told_with_a_suggestion(text, suggestion):
    """A name that is near is offered, in our spelling or in the book's."""
    ((_, _, _, message),) = mistakes(text)
    assert message.endswith(f"; did you mean {suggestion}?")


@pytest.mark.parametrize(
    "text", ["seed: off", "data: {type: no}", "training: {epochs: 010}", "layers: [y]", "rng: .nan", "loss: {type: on}"]
)
def test_what_the_reader_has_refused_is_told_once(text):
    """A scalar that is ambiguous is not wrong a second time for its type, nor does its section count as right."""
    assert len(mistakes(text)) == 1
    assert not hasattr(validated(text)[0], text.partition(":")[0])


@pytest.mark.parametrize(
    "value", ["'" + "x" * 5000 + "'", "[" + "1, " * 2000 + "]", "{" + "a: {" * 15 + "}" * 15 + "}"]
)
def test_a_long_value_is_cut_in_a_message(value):
    """However long the value, the message stays short."""
    ((_, _, _, message),) = mistakes(f"seed: {value}")
    assert message.startswith("must be a whole number, got ")
    assert len(message) < 120


@pytest.mark.parametrize("text", ["k" * 1000 + ": 1", "seed: !" + "t" * 1000 + " 1", "seed: 1" + ":30" * 1000])
def test_whatever_is_long_is_cut_in_a_message(text):
    """A key, a tag or a scalar that is quoted in a message is cut as a value is."""
    ((_, _, _, message),) = mistakes(text)
    assert len(message) < 300


@pytest.mark.parametrize(
    ("written", "cure"), [("1e3", "; write 1000"), ("64.0", "; write 64"), ("1.5", ""), ("1e99", "")]
)
def test_a_whole_number_in_other_clothes_is_told_how_to_be_written(written, cure):
    """``1e3`` is a number with a point to YAML; the message says the whole number that was meant."""
    ((_, _, path, message),) = mistakes(f"training: {{epochs: {written}}}")
    assert path == "training.epochs"
    assert message == f"must be a whole number, got {float(written)!r}{cure}"
