"""Invalid configs: every error is reported once, at its location, and no run directory is created."""

import re

import pytest

from tests.conftest import SPEC as CONFIG

VALID = CONFIG.replace("epochs: 30, log_every: 10", "epochs: 3, log_every: 1").replace("metrics: [accuracy]\n", "")
LAYERS = VALID[VALID.index("layers:") : VALID.index("loss:")]
VALIDATION = "validation: {type: spiral, samples: 20}\n"
REGRESSION = (
    "{type: spiral, samples: 20, classes: 3}",
    "{type: sine, samples: 20}",
    VALIDATION,
    "validation: {type: sine, samples: 19}\n",
    "units: 3",
    "units: 1",
    "- softmax",
    "- linear",
    "categorical_crossentropy",
    "mean_squared_error",
)
BINARY_DATA = ("classes: 3", "classes: 2", VALIDATION, "validation: {type: spiral, samples: 20, classes: 2}\n")
BINARY = (
    *BINARY_DATA,
    "units: 3",
    "units: 1",
    "- softmax",
    "- sigmoid",
    "categorical_crossentropy",
    "binary_crossentropy",
)
BOMB = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{of}'] * 10)}]\n" for of, name in zip("abcdefgh", "bcdefghi", strict=True)
)

MERGE = "unknown key '<<'; merge keys are not part of YAML 1.2; write the keys, or the alias as the whole value"


def valid_but(*changes):
    """The valid config with each old text replaced by the new one; each old text occurs once in it."""
    text = VALID
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def invalid(name, text, *expected, overrides=()):
    """A test case: the file, the overrides, and line, column and fragment of each message."""
    return pytest.param(text, overrides, expected, id=name)


UNKNOWN_KEYS = [
    invalid("section", valid_but("seed: 0", "seedd: 0"), (1, 1, "unknown key 'seedd'; did you mean 'seed'?")),
    invalid(
        "section_without_suggestion",
        valid_but("seed: 0", "color: 0"),
        (1, 1, "unknown key 'color'; known: clipping, data, "),
    ),
    invalid("of_data", valid_but("classes: 3", "clases: 3"), (2, 35, "unknown key 'clases'; did you mean 'classes'?")),
    invalid(
        "of_layer", valid_but("units: 8", "units: 8, unit: 9"), (5, 29, "unknown key 'unit'; did you mean 'units'?")
    ),
    invalid(
        "of_optimizer", valid_but("learning_rate", "lr"), (10, 25, "unknown key 'lr'; did you mean 'learning_rate'?")
    ),
    invalid(
        "of_training", valid_but("log_every", "log_evry"), (11, 23, "unknown key 'log_evry'; did you mean 'log_every'")
    ),
    invalid("merge_key", valid_but("seed: 0", "<<: {seed: 0}"), (1, 1, MERGE)),
    invalid(
        "merge_key_without_type",
        valid_but("{type: adam, learning_rate: 0.05}", "{<<: {type: adam}, decay: 0.1}"),
        (10, 13, MERGE),
    ),
    invalid("merge_keys_without_type", valid_but("- relu", "- {<<: [{type: relu}]}"), (6, 6, MERGE)),
    invalid("merge_key_with_type", valid_but("type: adam, learning_rate: 0.05", "type: adam, <<: {}"), (10, 25, MERGE)),
    invalid("merge_key_of_units", valid_but("dense, units: 8", "dense, <<: {units: 8}"), (5, 19, MERGE)),
    invalid("merge_keys_of_units", valid_but("dense, units: 8", "dense, <<: [{units: 8}]"), (5, 19, MERGE)),
    invalid("merge_key_of_epochs", valid_but("{epochs: 3, log_every: 1}", "{<<: {epochs: 3}}"), (11, 12, MERGE)),
    invalid(
        "merge_key_of_other_keys",
        valid_but("dense, units: 8", "dense, <<: {l2: 0.1}"),
        (5, 5, "key 'units' is missing"),
        (5, 19, MERGE),
    ),
    invalid("long", valid_but("seed: 0", "k" * 1000 + ": 0"), (1, 1, "unknown key 'kkk")),
]

MISSING = [
    invalid(
        "data", valid_but("data: {type: spiral, samples: 20, classes: 3}\n", ""), (1, 1, "section 'data' is missing")
    ),
    invalid("layers", valid_but(LAYERS, ""), (1, 1, "section 'layers' is missing")),
    invalid("loss", valid_but("loss: categorical_crossentropy\n", ""), (1, 1, "section 'loss' is missing")),
    invalid(
        "optimizer",
        valid_but("optimizer: {type: adam, learning_rate: 0.05}\n", ""),
        (1, 1, "section 'optimizer' is missing"),
    ),
    invalid(
        "training", valid_but("training: {epochs: 3, log_every: 1}\n", ""), (1, 1, "section 'training' is missing")
    ),
    invalid("type", valid_but("type: adam, ", ""), (10, 12, "key 'type' is missing; known: ")),
    invalid("units", valid_but("dense, units: 8", "dense"), (5, 5, "key 'units' is missing")),
    invalid("rate_of_a_bare_name", valid_but("- relu", "- dropout"), (6, 5, "key 'rate' is missing")),
    invalid("epochs", valid_but("epochs: 3, ", ""), (11, 11, "key 'epochs' is missing")),
]

WRONG_TYPES = [
    invalid("quoted_integer", valid_but("epochs: 3", "epochs: '3'"), (11, 20, "must be an integer, got '3'")),
    invalid("boolean_for_integer", valid_but("units: 8", "units: true"), (5, 26, "must be an integer, got true")),
    invalid("float_for_integer", valid_but("20, classes", "20.5, classes"), (2, 31, "must be an integer, got 20.5")),
    invalid("text_for_number", valid_but("0.05", "fast"), (10, 40, "must be a number, got 'fast'")),
    invalid("null_for_integer", valid_but("epochs: 3", "epochs: null"), (11, 20, "must be an integer, got null")),
    invalid("list_for_integer", valid_but("seed: 0", "seed: [0]"), (1, 7, "must be an integer, got [0]")),
    invalid("number_for_name", valid_but("seed: 0", "dtype: 32"), (1, 8, "must be 'float32' or 'float64', got 32")),
    invalid(
        "list_for_mapping",
        valid_but("{epochs: 3, log_every: 1}", "[3]"),
        (11, 11, "must be a mapping, e.g. {epochs: 100}, got [3]"),
    ),
    invalid(
        "mapping_for_list",
        valid_but(LAYERS, "layers: {type: dense}\n"),
        (4, 9, "must be a list, got {'type': 'dense'}"),
    ),
    invalid("name_for_list", valid_but(LAYERS, "layers: rellu\n"), (4, 9, "must be a list, got 'rellu'")),
    invalid("list_for_name", valid_but("categorical_crossentropy", "[a]"), (9, 7, "must be the name of a loss")),
    invalid("number_as_layer", valid_but("- relu", "- 5"), (6, 5, "must be the name of a layer or a mapping")),
    invalid("null_as_layer", valid_but("- relu", "- null"), (6, 5, "with 'type', got null")),
    invalid("empty_layer", valid_but("- relu", "-"), (6, 4, "with 'type', got null")),
    invalid("null_as_seed", valid_but("seed: 0", "seed: null"), (1, 7, "must be an integer, got null")),
    invalid(
        "null_as_data", valid_but("{type: spiral, samples: 20, classes: 3}", "null"), (2, 7, "with 'type', got null")
    ),
    invalid("null_as_layers", valid_but(LAYERS, "layers: ~\n"), (4, 9, "must be a list, got null")),
    invalid("null_as_loss", valid_but("categorical_crossentropy", "null"), (9, 7, "with 'type', got null")),
    invalid(
        "null_as_optimizer", valid_but("{type: adam, learning_rate: 0.05}", "null"), (10, 12, "with 'type', got null")
    ),
    invalid(
        "null_as_training",
        valid_but("{epochs: 3, log_every: 1}", "null"),
        (11, 11, "must be a mapping, e.g. {epochs: 100}, got null"),
    ),
    invalid(
        "null_as_regularization",
        valid_but("seed: 0", "regularization: null"),
        (1, 17, "must be a mapping, e.g. {l2: 1e-4}, got null"),
    ),
    invalid("long_value", valid_but("seed: 0", f"seed: {'x' * 5000}"), (1, 7, "must be an integer, got 'xxx")),
]

UNKNOWN_TYPES = [
    invalid("similar", valid_but("type: adam", "type: adm"), (10, 19, "unknown type 'adm'; did you mean 'adam'?")),
    invalid("similar_bare_name", valid_but("- relu", "- rellu"), (6, 5, "unknown type 'rellu'; did you mean 'relu'?")),
    invalid("without_suggestion", valid_but("type: adam", "type: xyzzy"), (10, 19, "unknown type 'xyzzy'; known: ")),
    invalid("of_loss", valid_but("categorical_crossentropy", "mse"), (9, 7, "unknown type 'mse'")),
    invalid("number", valid_but("type: adam", "type: 5"), (10, 19, "unknown type 5; known: ")),
    invalid(
        "of_initializer",
        valid_but("units: 8", "units: 8, initializer: {type: norml}"),
        (5, 49, "layers[0].initializer: unknown type 'norml'; did you mean 'normal'?"),
    ),
    invalid(
        "of_bare_initializer",
        valid_but("units: 8", "units: 8, initializer: hee"),
        (5, 42, "unknown type 'hee'; did you mean 'he'?"),
    ),
]

OUT_OF_RANGE = [
    invalid("seed_negative", valid_but("seed: 0", "seed: -1"), (1, 7, "must be at least 0, got -1")),
    invalid("seed_too_big", valid_but("seed: 0", "seed: 4294967296"), (1, 7, "got 4294967296")),
    invalid("samples_0", valid_but("20, classes", "0, classes"), (2, 31, "must be at least 1, got 0")),
    invalid("samples_too_many", valid_but("20, classes", "1000001, classes"), (2, 31, "got 1000001")),
    invalid("classes_1", valid_but("classes: 3", "classes: 1"), (2, 44, "must be at least 2, got 1")),
    invalid("classes_256", valid_but("classes: 3", "classes: 256"), (2, 44, "must be at most 255, got 256")),
    invalid("units_0", valid_but("units: 8", "units: 0"), (5, 26, "must be at least 1, got 0")),
    invalid("units_negative", valid_but("units: 8", "units: -8"), (5, 26, "must be at least 1, got -8")),
    invalid("no_layers", valid_but(LAYERS, "layers: []\n"), (4, 9, "must have at least 1 item, got []")),
    invalid("rate_1", valid_but("- relu", "- {type: dropout, rate: 1.0}"), (6, 27, "must be less than 1, got 1.0")),
    invalid("rate_1.5", valid_but("- relu", "- {type: dropout, rate: 1.5}"), (6, 27, "must be less than 1, got 1.5")),
    invalid(
        "rate_negative", valid_but("- relu", "- {type: dropout, rate: -0.1}"), (6, 27, "must be at least 0, got -0.1")
    ),
    invalid("learning_rate_0", valid_but("0.05", "0"), (10, 40, "must be greater than 0, got 0")),
    invalid("learning_rate_negative", valid_but("0.05", "-0.05"), (10, 40, "must be greater than 0, got -0.05")),
    invalid("decay_negative", valid_but("0.05}", "0.05, decay: -1}"), (10, 53, "must be at least 0, got -1")),
    invalid(
        "momentum_1",
        valid_but("{type: adam, learning_rate: 0.05}", "{type: sgd, momentum: 1}"),
        (10, 34, "must be less than 1, got 1"),
    ),
    invalid("l2_negative", valid_but("units: 8", "units: 8, l2: -1e-4"), (5, 33, "must be at least 0, got -0.0001")),
    invalid(
        "regularization_negative",
        valid_but("seed: 0", "regularization: {l1: -1}"),
        (1, 22, "regularization.l1: must be at least 0, got -1"),
    ),
    invalid(
        "scale_negative",
        valid_but("units: 8", "units: 8, initializer: {type: normal, scale: -1}"),
        (5, 64, "layers[0].initializer.scale: must be at least 0, got -1"),
    ),
    invalid("epochs_0", valid_but("epochs: 3", "epochs: 0"), (11, 20, "must be at least 1, got 0")),
    invalid("epochs_negative", valid_but("epochs: 3", "epochs: -3"), (11, 20, "must be at least 1, got -3")),
    invalid("batch_size_0", valid_but("log_every: 1", "batch_size: 0"), (11, 35, "must be at least 1, got 0")),
    invalid(
        "fraction_0",
        valid_but(VALIDATION, "validation: {fraction: 0}\n"),
        (3, 24, "validation.fraction: must be greater than 0, got 0"),
    ),
    invalid("fraction_1", valid_but(VALIDATION, "validation: {fraction: 1}\n"), (3, 24, "must be less than 1, got 1")),
]

NUMBERS = [
    invalid("off", valid_but("seed: 0", "seed: off"), (1, 7, "write false or 'off'")),
    invalid("octal", valid_but("units: 8", "units: 010"), (5, 26, "write 10 or 8")),
    invalid("base_60", valid_but("epochs: 3", "epochs: 1:30"), (11, 20, "write a decimal number or '1:30'")),
    invalid("nan", valid_but("0.05", ".nan"), (10, 40, ".nan is not finite")),
    invalid("infinity", valid_but("0.05", ".inf"), (10, 40, ".inf is not finite")),
    invalid("underscore", valid_but("epochs: 3", "epochs: 1_000"), (11, 20, "write 1000")),
    invalid("too_large", valid_but("0.05", "1e400"), (10, 40, "1e400 is too large")),
    invalid(
        "too_long",
        valid_but("epochs: 3", f"epochs: {'9' * 100}"),
        (11, 20, "number too long (100 characters, limit: 40)"),
    ),
]

UNREADABLE = [
    invalid("empty", "", (1, 1, "empty; 'nncli init' writes a config")),
    invalid("comments_only", "# nothing\n# here\n", (1, 1, "empty")),
    invalid(
        "list", "- seed: 0\n", (1, 1, "a config is a mapping with the sections data, layers, loss, optimizer, training")
    ),
    invalid("scalar", "hello\n", (1, 1, "a config is a mapping with the sections")),
    invalid("null", "null\n", (1, 1, "a config is a mapping with the sections")),
    invalid(
        "png_file", b"\x89PNG\r\n\x1a\n\x00", (1, 1, "byte 0x89 is not valid UTF-8; save the config as UTF-8 text")
    ),
    invalid(
        "control_characters", b"seed: 0\n\x00\x01\x02", (2, 1, "not a text file: control character or binary data")
    ),
    invalid("latin_1", b"seed: 0\nloss: caf\xe9\n", (2, 10, "byte 0xe9 is not valid UTF-8")),
    invalid(
        "utf_16", VALID.encode("utf-16-le").join([b"\xff\xfe", b""]), (1, 1, "the file is UTF-16, not UTF-8; save")
    ),
    invalid(
        "duplicate_key", valid_but("seed: 0", "seed: 0\nseed: 1"), (2, 1, "duplicate key 'seed' (first on line 1)")
    ),
    invalid(
        "duplicate_inner_key", valid_but("units: 8", "units: 8, units: 9"), (5, 29, "layers[0]: duplicate key 'units'")
    ),
    invalid(
        "tab",
        valid_but("  - relu", "\t- relu"),
        (6, 1, "a tab is not allowed here; indent and separate with spaces"),
    ),
    invalid("tag", valid_but("loss: c", "loss: !!str c"), (9, 7, "unsupported tag '!!str'; remove it")),
    invalid(
        "tag_on_a_number",
        valid_but("seed: 0", "seed: !!int 0"),
        (1, 7, "unsupported tag '!!int'; remove it"),
    ),
    invalid("second_document", VALID + "---\nseed: 1\n", (12, 1, "a second YAML document starts here")),
    invalid("unknown_alias", valid_but("seed: 0", "seed: *x"), (1, 7, "undefined alias *x; define &x before it")),
    invalid("open_bracket", valid_but("categorical_crossentropy", "[a"), (9, 7, "this '[' is not closed; write ']'")),
    invalid("list_as_key", "? [a, b]\n: 1\n", (1, 3, "a key must be a string")),
    invalid("anchor_bomb", BOMB, (5, 4, "too many values (limit: 100,000, aliases expanded)")),
    invalid("brackets", "[" * 100_000, (1, 22, "nested too deeply (limit: 20 levels)")),
    invalid("many_values", "- 1\n" * 110_000, (100_001, 3, "too many values (limit: 100,000")),
    invalid("huge", "#" * 2_000_000, (1, 1, "config too large (limit: 1,000,000 characters)")),
    invalid(
        "huge_beyond_ascii",
        "é" * 3_000_000,
        (1, 1, "config too large (limit: 1,000,000 characters)"),
    ),
]

CHECKS = [
    invalid(
        "loss_without_softmax",
        valid_but("  - softmax\n", ""),
        (
            8,
            7,
            "loss: categorical_crossentropy needs softmax as the last layer, got dense; for 3 classes add '- softmax'",
        ),
    ),
    invalid(
        "units_differ_from_classes",
        valid_but("units: 3", "units: 4"),
        (7, 26, "layers[2].units: the network has 4 outputs, but the data has 3 classes; write units: 3"),
    ),
    invalid(
        "dropout_last",
        valid_but("- softmax", "- {type: dropout, rate: 0.5}"),
        (8, 5, "dropout as the last layer drops outputs at random; move it before a dense layer"),
        (9, 7, "needs softmax as the last layer, got dense"),
    ),
    invalid(
        "dropout_after_softmax",
        valid_but("- softmax", "- softmax\n  - {type: dropout, rate: 0.5}"),
        (9, 5, "dropout as the last layer drops outputs at random"),
    ),
    invalid(
        "no_trainable_layer", valid_but(LAYERS, "layers: [softmax]\n"), (4, 9, "no trainable layer; add a dense layer")
    ),
    invalid(
        "batch_larger_than_data",
        valid_but("log_every: 1", "batch_size: 61"),
        (11, 35, "61 is more than the 60 rows of the training set; write 60 or less, or omit it"),
    ),
    invalid(
        "batch_larger_than_remaining_rows",
        valid_but("log_every: 1", "batch_size: 46", VALIDATION, "validation: {fraction: 0.25}\n"),
        (11, 35, "46 is more than the 45 rows of the training set"),
    ),
    invalid(
        "batch_of_a_trillion",
        valid_but("log_every: 1", f"batch_size: {10**12}"),
        (11, 35, "1000000000000 is more than the 60 rows of the training set"),
    ),
    invalid(
        "fractions_take_all",
        valid_but(VALIDATION, "validation: {fraction: 0.5}\ntest: {fraction: 0.5}\n"),
        (3, 24, "the fractions (validation 0.5 and test 0.5) leave none of the 20 rows of a class for training"),
    ),
    invalid(
        "fraction_takes_a_class",
        valid_but(VALIDATION, "validation: {fraction: 0.99}\n"),
        (3, 24, "(validation 0.99) leave none of the 20 rows of a class"),
    ),
    invalid(
        "validation_of_other_classes",
        valid_but(VALIDATION, "validation: {type: spiral, samples: 20, classes: 4}\n"),
        (3, 13, "validation: has 2 features and 4 classes, but data has 2 features and 3 classes"),
    ),
    invalid(
        "validation_loss_without_validation",
        valid_but("log_every: 1", "early_stopping: {}", VALIDATION, ""),
        (
            10,
            39,
            "'validation_loss' needs a validation set; "
            "write a line such as validation: {fraction: 0.2}, or metric: loss",
        ),
    ),
    invalid(
        "unknown_metric",
        valid_but("log_every: 1", "early_stopping: {metric: acuracy}"),
        (11, 48, "unknown metric 'acuracy'; did you mean 'accuracy'?"),
    ),
    invalid(
        "long_metric",
        valid_but("log_every: 1", f"early_stopping: {{metric: {'m' * 3000}}}"),
        (11, 48, "unknown metric 'mmm"),
    ),
    invalid(
        "patience_below_log_every",
        valid_but("log_every: 1", "log_every: 5, early_stopping: {patience: 4}"),
        (11, 64, "4 epochs, but metrics are measured only every 5 epochs; write at least 5, or a smaller log_every"),
    ),
    invalid(
        "memory",
        valid_but("units: 8", "units: 10000000", "- relu", "- {type: dense, units: 10000000}"),
        (5, 3, "GiB of memory, but this machine has"),
    ),
]

TASK_MISMATCHES = [
    invalid(
        "loss_for_classes_on_regression",
        valid_but(*REGRESSION[:6]),
        (8, 5, "softmax of a single output is always 1, so nothing can be learned; write linear"),
        (
            9,
            7,
            "categorical_crossentropy needs class labels, but the targets of sine are real values; use mean_",
        ),
    ),
    invalid(
        "binary_loss_on_regression",
        valid_but(*REGRESSION[:6], "- softmax", "- sigmoid", "categorical_", "binary_"),
        (9, 7, "binary_crossentropy needs class labels, but the targets of sine are real values"),
    ),
    invalid(
        "binary_loss_after_softmax",
        valid_but("categorical_", "binary_"),
        (9, 7, "binary_crossentropy needs sigmoid as the last layer, got softmax"),
    ),
    invalid(
        "categorical_loss_after_sigmoid",
        valid_but("- softmax", "- sigmoid"),
        (9, 7, "categorical_crossentropy needs softmax as the last layer, got sigmoid"),
    ),
    invalid(
        "one_output_for_three_classes",
        valid_but("units: 3", "units: 1", "- softmax", "- sigmoid", "categorical_", "binary_"),
        (7, 26, "the network has 1 output, but the data has 3 classes; write units: 3"),
    ),
    invalid(
        "one_output_of_a_softmax",
        valid_but(*BINARY_DATA, "units: 3", "units: 1"),
        (7, 26, "the network has 1 output, but the data has 2 classes; write units: 2"),
    ),
    invalid(
        "three_outputs_for_two_classes",
        valid_but(*BINARY_DATA, "- softmax", "- sigmoid", "categorical_", "binary_"),
        (7, 26, "the network has 3 outputs, but the data has 2 classes; write units: 2 or 1"),
    ),
    invalid(
        "two_outputs_for_one_target",
        valid_but(*REGRESSION[:5], "units: 2", *REGRESSION[6:]),
        (7, 26, "the network has 2 outputs, but the data has 1 real-valued target; write units: 1"),
    ),
    invalid(
        "validation_for_regression",
        valid_but(VALIDATION, "validation: {type: sine}\n"),
        (3, 13, "validation: has 1 feature and 1 real-valued target, but data has 2 features and 3 classes"),
    ),
    invalid(
        "test_set_for_classification",
        valid_but(*REGRESSION, "seed: 0", "test: {type: vertical, samples: 5}"),
        (1, 7, "test: has 2 features and 3 classes, but data has 1 feature and 1 real-valued target"),
    ),
    invalid(
        "fractions_take_all_regression_rows",
        valid_but(*REGRESSION[:3], "validation: {fraction: 0.99}\n", *REGRESSION[4:]),
        (3, 24, "the fractions (validation 0.99) leave none of the 20 rows for training"),
    ),
    invalid(
        "batches_of_one_row_to_normalize",
        valid_but("- relu", "- batch_normalization", "log_every: 1", "batch_size: 1"),
        (
            6,
            5,
            "batch_normalization needs at least 2 rows per batch, but the last batch of an epoch has 1 of the 60 rows",
        ),
    ),
    invalid(
        "last_batch_of_one_row_to_normalize",
        valid_but("- relu", "- batch_normalization", "log_every: 1", "batch_size: 59"),
        (6, 5, "the last batch of an epoch has 1 of the 60 rows; change batch_size"),
    ),
    invalid(
        "last_batch_of_one_remaining_row",
        valid_but(
            "- relu", "- batch_normalization", "log_every: 1", "batch_size: 4", VALIDATION, "test: {fraction: 0.25}\n"
        ),
        (6, 5, "the last batch of an epoch has 1 of the 45 rows"),
    ),
]

METRICS = [
    invalid(
        "metrics_not_a_list",
        valid_but("seed: 0", "metrics: acuracy"),
        (1, 10, "metrics: must be a list, got 'acuracy'"),
    ),
    invalid(
        "metric_unknown",
        valid_but("seed: 0", "metrics: [acuracy]"),
        (1, 11, "metrics[0]: unknown type 'acuracy'; did you mean 'accuracy'?"),
    ),
    invalid(
        "metric_key_unknown",
        valid_but("seed: 0", "metrics: [{type: accuracy, treshold: 0.5}]"),
        (1, 28, "metrics[0]: unknown key 'treshold'; did you mean 'threshold'?"),
    ),
    invalid(
        "metric_threshold_over_1",
        valid_but("seed: 0", "metrics: [{type: accuracy, threshold: 2}]"),
        (1, 39, "metrics[0].threshold: must be at most 1, got 2"),
    ),
    invalid(
        "metric_twice",
        valid_but("seed: 0", "metrics: [accuracy, Accuracy_Categorical]"),
        (1, 21, "metrics[1]: duplicate metric accuracy; remove one"),
    ),
    invalid(
        "regression_metric_for_classes",
        valid_but("seed: 0", "metrics: [accuracy, r2]"),
        (1, 21, "metrics[1]: r2 is not applicable to a network with one output per class; applicable: accuracy"),
    ),
    invalid(
        "binary_metric_for_two_outputs",
        valid_but(*BINARY_DATA, "units: 3", "units: 2", "seed: 0", "metrics: [auc]"),
        (1, 11, "metrics[0]: auc is not applicable to a network with one output per class; applicable: accuracy"),
    ),
    invalid(
        "classification_metric_for_regression",
        valid_but(*REGRESSION, "seed: 0", "metrics: [accuracy]"),
        (1, 11, "metrics[0]: accuracy is not applicable to real-valued targets; applicable: r2, "),
    ),
    invalid(
        "regression_metric_for_one_output",
        valid_but(*BINARY, "seed: 0", "metrics: [mean_absolute_error]"),
        (
            1,
            11,
            "is not applicable to a network with one output for two classes; applicable: accuracy, ",
        ),
    ),
    invalid(
        "monitored_metric_of_another_task",
        valid_but(*REGRESSION, "log_every: 1", "early_stopping: {metric: validation_accuracy}"),
        (11, 48, "accuracy is not measured; measured: loss, r2, "),
    ),
    invalid(
        "monitored_metric_not_measured",
        valid_but(*BINARY, "log_every: 1", "early_stopping: {metric: validation_auc}", "seed: 0", "metrics: [f1]"),
        (11, 48, "auc is not measured; measured: loss, f1"),
    ),
]

SCHEDULES = [
    invalid(
        "clipping_without_limit", valid_but("seed: 0", "clipping: norm"), (1, 11, "clipping: key 'limit' is missing")
    ),
    invalid(
        "clipping_at_0",
        valid_but("seed: 0", "clipping: {type: value, limit: 0}"),
        (1, 32, "clipping.limit: must be greater than 0, got 0"),
    ),
    invalid("clipping_number", valid_but("seed: 0", "clipping: 5"), (1, 11, "must be the name of a clipping")),
    invalid(
        "schedule_unknown",
        valid_but("seed: 0", "schedule: cosin"),
        (1, 11, "schedule: unknown type 'cosin'; did you mean 'cosine'?"),
    ),
    invalid(
        "schedule_key_unknown",
        valid_but("seed: 0", "schedule: {type: step, every: 3, gama: 1}"),
        (1, 34, "schedule: unknown key 'gama'; did you mean 'gamma'?"),
    ),
    invalid("schedule_without_updates", valid_but("seed: 0", "schedule: warmup"), (1, 11, "key 'updates' is missing")),
    invalid(
        "schedule_gamma_over_1",
        valid_but("seed: 0", "schedule: {type: exponential, gamma: 1.5}"),
        (1, 38, "schedule.gamma: must be at most 1, got 1.5"),
    ),
    invalid(
        "following_schedule_unknown",
        valid_but("seed: 0", "schedule: {type: warmup, updates: 3, then: stepp}"),
        (1, 44, "schedule.then: unknown type 'stepp'; did you mean 'step'?"),
    ),
    invalid(
        "following_schedule_incomplete",
        valid_but("seed: 0", "schedule: {type: warmup, updates: 3, then: step}"),
        (1, 44, "schedule.then: key 'every' is missing"),
    ),
    invalid(
        "following_schedule_key_unknown",
        valid_but("seed: 0", "schedule: {type: warmup, updates: 3, then: {type: cosine, low: 0}}"),
        (1, 59, "schedule.then: unknown key 'low'; "),
    ),
]

SEVERAL = [
    invalid(
        "three_in_one_file",
        valid_but("seed: 0", "seed: -1", "units: 8", "units: 0", "epochs: 3", "epoch: 3", "log_every: 1", "epochs: 1"),
        (1, 7, "must be at least 0, got -1"),
        (5, 26, "must be at least 1, got 0"),
        (11, 12, "unknown key 'epoch'; did you mean 'epochs'?"),
    ),
    invalid(
        "of_all_stages",
        valid_but("seed: 0", "seed: off", "classes: 3", "classes: 3, classes: 4", "units: 3", "units: 2", "0.05", "0"),
        (1, 7, "write false or 'off'"),
        (2, 47, "duplicate key 'classes'"),
        (10, 40, "must be greater than 0, got 0"),
    ),
    invalid(
        "of_checks",
        valid_but("units: 3", "units: 4", "log_every: 1", "batch_size: 61"),
        (7, 26, "write units: 3"),
        (11, 35, "write 60 or less"),
    ),
]

OVERRIDES = [
    invalid("unknown_section", VALID, (1, 1, "unknown key 'foo'; known: "), overrides=["foo=1"]),
    invalid(
        "unknown_key",
        VALID,
        (1, 1, "unknown key 'clases'; did you mean 'data.classes=3'?"),
        overrides=["data.clases=3"],
    ),
    invalid(
        "unknown_parent_key",
        VALID,
        (1, 1, "unknown key 'foo'"),
        overrides=["foo.bar=1"],
    ),
    invalid(
        "index_out_of_range",
        VALID,
        (1, 1, "layers has 4 items ([0]-[3]); to append, write layers[4]=VALUE"),
        overrides=["layers[9]=relu"],
    ),
    invalid(
        "below_missing_item",
        VALID,
        (1, 1, "layers has 4 items ([0]-[3]); those with units: [0], [2]"),
        overrides=["layers[9].units=5"],
    ),
    invalid("key_of_a_list", VALID, (1, 1, "layers is not a mapping"), overrides=["layers.units=5"]),
    invalid("index_of_a_name", VALID, (1, 1, "loss is not a list, so it has no item [0]"), overrides=["loss[0]=a"]),
    invalid("below_a_number", VALID, (1, 1, "training.epochs is not a mapping"), overrides=["training.epochs.x=1"]),
    invalid("wrong_type", VALID, (1, 17, "must be an integer, got 'many'"), overrides=["training.epochs=many"]),
    invalid("out_of_range", VALID, (1, 6, "seed: must be at least 0, got -1"), overrides=["seed=-1"]),
    invalid("no_value", VALID, (1, 6, "no value after '='"), overrides=["seed="]),
    invalid("ambiguous", VALID, (1, 6, "write false or 'off'"), overrides=["seed=off"]),
    invalid("not_yaml", VALID, (1, 6, "this '[' is not closed"), overrides=["seed=[1"]),
    invalid("tag", VALID, (1, 6, "unsupported tag"), overrides=["loss=!!str categorical_crossentropy"]),
    invalid("alias", VALID, (1, 11, "undefined alias *x"), overrides=["optimizer=*x"]),
    invalid("inside_a_value", VALID, (1, 18, "did you mean 'adam'?"), overrides=["optimizer={type: adm}"]),
    invalid("null_for_a_layer", VALID, (1, 11, "with 'type', got null"), overrides=["layers[1]=null"]),
    invalid("violates_a_check", VALID, (1, 17, "the network has 5 outputs"), overrides=["layers[2].units=5"]),
    invalid(
        "two",
        VALID,
        (1, 6, "must be at least 0"),
        (2, 17, "must be at least 1"),
        overrides=["seed=-1", "training.epochs=0"],
    ),
]

INVALID_COMMAND_LINES = [
    (["bad.yaml", "seed"], "invalid override 'seed': expected KEY=VALUE, e.g. optimizer.learning_rate=0.1"),
    (["bad.yaml", "=5"], "invalid override '=5'"),
    (["bad.yaml", "seed=1", "layers[-1].units=4"], "invalid override 'layers[-1].units=4'"),
    (["bad.yaml", "data..samples=4"], "invalid override 'data..samples=4'"),
    (["bad.yaml", "seed =1"], "invalid override 'seed =1'"),
    (["none.yaml"], "none.yaml: no such file; write one to start from with: nncli init none.yaml"),
    (["."], ".: is a directory; name the YAML file in it"),
]

VALID_CONFIGS = [
    pytest.param(VALID, (), id="unchanged"),
    pytest.param(valid_but("0.05", "1e-3"), (), id="exponent_without_a_point"),
    pytest.param(valid_but("units: 8", "units: 0x10"), (), id="hexadecimal"),
    pytest.param(valid_but("- relu", "- {type: dropout, rate: 0}"), (), id="rate_0"),
    pytest.param(valid_but("log_every: 1", "batch_size: 60"), (), id="batch_of_all_rows"),
    pytest.param(valid_but(VALIDATION, "validation: {fraction: 0.5}\ntest: {fraction: 0.45}\n"), (), id="fractions"),
    pytest.param(valid_but(VALIDATION, ""), (), id="no_validation"),
    pytest.param(valid_but("units: 8}", "units: 8}\n  - &relu relu\n  - *relu"), (), id="alias"),
    pytest.param(valid_but("type: adam", "type: Optimizer_Adam"), (), id="book_alias"),
    pytest.param(valid_but("type: adam", "type: 'adam'"), (), id="quoted"),
    pytest.param(valid_but("log_every: 1", "log_every: 5, early_stopping: {patience: 5}"), (), id="patience"),
    pytest.param(VALID.replace("\n", "\r\n"), (), id="windows_line_ends"),
    pytest.param(f"\ufeff{VALID}", (), id="byte_order_mark"),
    pytest.param(VALID, ("seed=1", "layers[1]=relu", "layers[0].l2=1e-4"), id="overrides"),
    pytest.param(valid_but("seed: 0", "seed: -1"), ("seed=1",), id="fixed_by_an_override"),
    pytest.param(valid_but(*REGRESSION), (), id="regression"),
    pytest.param(valid_but(*REGRESSION), ("layers[3]=tanh", "loss=mean_absolute_error"), id="regression_tanh"),
    pytest.param(valid_but(*REGRESSION), ("validation={fraction: 0.5}",), id="fraction_for_regression"),
    pytest.param(valid_but(*BINARY), (), id="one_output"),
    pytest.param(valid_but(*BINARY), ("loss=mean_squared_error",), id="one_output_squared"),
    pytest.param(valid_but(*BINARY), ("layers[2].units=2",), id="two_sigmoid_outputs"),
    pytest.param(valid_but(*BINARY_DATA, "units: 3", "units: 2"), (), id="two_outputs"),
    pytest.param(valid_but("- softmax", "- sigmoid", "categorical_", "binary_"), (), id="three_sigmoid_outputs"),
    pytest.param(VALID, ("data={type: vertical}",), id="vertical"),
    pytest.param(VALID, ("data={type: vertical_data, samples: 5}", "validation=vertical"), id="vertical_book_alias"),
    pytest.param(VALID, ("metrics=[]",), id="no_metrics"),
    pytest.param(VALID, ("metrics=[accuracy]", "training.early_stopping={metric: accuracy}"), id="metrics"),
    pytest.param(valid_but(*REGRESSION), ("training.early_stopping={metric: validation_r2}",), id="monitored_r2"),
    pytest.param(VALID, ("layers[1]=batch_normalization", "training.batch_size=29"), id="last_batch_of_two_rows"),
    pytest.param(VALID, ("schedule=cosine", "clipping={type: norm, limit: 1}"), id="schedule_and_clipping"),
    pytest.param(VALID, ("schedule={type: warmup, updates: 2, then: {type: step, every: 1}}",), id="schedule_of_two"),
]


def write(workdir, text):
    (workdir / "bad.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())


def diagnostic_lines(text):
    return [line for line in text.splitlines() if re.match(r"(bad\.yaml|command line):\d+:\d+: ", line)]


def assert_reported(result, source, expected):
    """Assert exit code 3, no traceback, and exactly the expected messages, all of them short."""
    lines = diagnostic_lines(result.err)
    assert result.code == 3, result.err
    assert result.out == ""
    assert "Traceback" not in result.err
    assert [re.match(r"[^:]+:\d+:\d+: ", line)[0] for line in lines] == [
        f"{source}:{line}:{column}: " for line, column, _ in expected
    ]
    for line, (_, _, fragment) in zip(lines, expected, strict=True):
        assert fragment in line
        assert len(line) < 250


def assert_no_run(workdir):
    assert sorted(path.name for path in workdir.iterdir() if path.name != "bad.yaml") == ["config.yaml"]


@pytest.mark.parametrize(
    ("text", "overrides", "expected"),
    [
        *UNKNOWN_KEYS,
        *MISSING,
        *WRONG_TYPES,
        *UNKNOWN_TYPES,
        *OUT_OF_RANGE,
        *NUMBERS,
        *UNREADABLE,
        *CHECKS,
        *TASK_MISMATCHES,
        *METRICS,
        *SCHEDULES,
        *SEVERAL,
    ],
)
def test_invalid_file_is_reported_with_locations(workdir, run_cli, text, overrides, expected):
    """Every error is reported once, in line order, with line and column; exit code 3 and no run directory."""
    write(workdir, text)
    result = run_cli("train", "bad.yaml", *overrides)
    assert_reported(result, "bad.yaml", expected)
    assert_no_run(workdir)


@pytest.mark.parametrize(("text", "overrides", "expected"), OVERRIDES)
def test_invalid_override_is_reported_with_its_location(workdir, run_cli, text, overrides, expected):
    """An error on the command line has the index of the override as its line; exit code 3 and no run directory."""
    write(workdir, text)
    assert_reported(run_cli("train", "bad.yaml", *overrides), "command line", expected)
    assert_no_run(workdir)


@pytest.mark.parametrize(("arguments", "message"), INVALID_COMMAND_LINES)
def test_invalid_command_line_is_reported_in_one_line(workdir, run_cli, arguments, message):
    """A missing file or a malformed override is reported without a location; exit code 2 and no run directory."""
    write(workdir, VALID)
    result = run_cli("train", *arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(message)
    assert len(result.err.splitlines()) == 1
    assert_no_run(workdir)


def test_errors_of_file_and_command_line_are_reported_together(workdir, run_cli):
    """Errors in the file do not hide those in the overrides, nor the other way round."""
    write(workdir, valid_but("units: 8", "units: 0"))
    result = run_cli("train", "bad.yaml", "training.epochs=0")
    assert result.code == 3
    assert {line.partition(": ")[0] for line in diagnostic_lines(result.err)} == {"bad.yaml:5:26", "command line:1:17"}
    assert_no_run(workdir)


@pytest.mark.parametrize(("text", "overrides"), VALID_CONFIGS)
def test_valid_config_is_trained(workdir, run_cli, text, overrides):
    """The config from which the invalid ones are derived is valid, and so are some that are similar to invalid ones."""
    write(workdir, text)
    result = run_cli("train", "bad.yaml", *overrides, "--quiet")
    assert result.code == 0, result.err
    assert (workdir / "runs" / "bad" / "evaluation.json").is_file()


@pytest.mark.parametrize("layers", ["[batch_normalization, softmax]", "[batch_normalization, relu, softmax]"])
def test_width_mismatch_without_dense_layer_is_reported(workdir, run_cli, layers):
    """If every layer keeps the width of the data, there are no units to change, but the outputs must match."""
    write(workdir, VALID)
    result = run_cli("train", "bad.yaml", f"layers={layers}")
    assert result.code == 3
    assert "the network has 2 outputs, but the data has 3 classes" in result.err
    assert_no_run(workdir)
