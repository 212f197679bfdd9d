"""Mistakes of users who know Keras, PyTorch, scikit-learn or Ludwig: what is accepted, and what each message says."""

import itertools
import json
import random
import re

import pytest

from nncli.config.diagnostics import SourceText
from nncli.config.document import read
from nncli.config.normalization import normalized
from nncli.config.yaml_output import to_yaml
from nncli.experiment.loading import load, load_mapping
from nncli.registry import components
from tests.conftest import CONFIGS
from tests.conftest import SPEC as CONFIG
from tests.test_configs import stand_ins

VALID = CONFIG.replace("epochs: 30, log_every: 10", "epochs: 3, log_every: 1").replace("metrics: [accuracy]\n", "")
BLOCK = VALID.replace("training: {epochs: 3, log_every: 1}", "training:\n  epochs: 3\n  log_every: 1")
SEED, DATA, VALIDATION = "seed: 0", "{type: spiral, samples: 20, classes: 3}", "validation: {type: spiral, samples: 20}"
LAYERS = VALID[VALID.index("layers:") : VALID.index("loss:")]
LAYER, RELU, SOFTMAX, LOSS = "{type: dense, units: 8}", "- relu", "- softmax", "categorical_crossentropy"
OPTIMIZER, TRAINING = "optimizer: {type: adam, learning_rate: 0.05}", "training: {epochs: 3, log_every: 1}"
BINARY = ("classes: 3", "classes: 2", VALIDATION, "validation: {fraction: 0.2}")


def changed(text, *changes):
    """The text with each old part replaced by the new one; each old part occurs once in it."""
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def reported(old, new, *expected):
    """A part of the config, what was written instead, and line, column and words of each message."""
    return pytest.param(old, new, expected, id=new.strip()[:60] or f"without {old.strip()}")


def override(words, *expected):
    """Overrides, and line, column and words of each message; exit code 3."""
    return pytest.param(words, expected, id=" ".join(words))


def refused(words, fragment):
    """Words of the command line, and words of the message; exit code 2."""
    return pytest.param(words, fragment, id=" ".join(words))


CONFIG_FILE = [
    reported("optimizer:", "optimiser:", (10, 1, "did you mean 'optimizer'?")),
    reported(TRAINING, "training: {epoch: 3}", (11, 12, "did you mean 'epochs'?")),
    reported(OPTIMIZER, "optimizer: {type: adm, learning_rate: 0.05}", (10, 19, "did you mean 'adam'?")),
    reported(RELU, "- Dense", (6, 5, "write {type: dense, units: 64}")),
    reported(RELU, "- dense", (6, 5, "write {type: dense, units: 64}")),
    reported("  - softmax\n", "", (8, 7, "for 3 classes add '- softmax' to layers")),
    reported(SOFTMAX, "- sigmoid", (9, 7, "for 3 classes write softmax instead of sigmoid")),
    reported(
        LOSS,
        "sparse_categorical_crossentropy",
        (9, 7, "write categorical_crossentropy, which takes class labels (integers) as they are"),
    ),
    reported(LOSS, "mse", (9, 7, "did you mean 'mean_squared_error'?")),
    reported(LOSS, "mae", (9, 7, "did you mean 'mean_absolute_error'?")),
    reported(
        LOSS, "cross_entropy", (9, 7, "write categorical_crossentropy, with softmax of 3 outputs as the last layer")
    ),
    reported(
        LOSS, "CrossEntropyLoss", (9, 7, "write categorical_crossentropy, with softmax of 3 outputs as the last layer")
    ),
    reported(LOSS, "BCELoss", (9, 7, "write categorical_crossentropy, with softmax of 3 outputs as the last layer")),
    reported(LOSS, "binary_crossentropy", (9, 7, "for 3 classes write loss: categorical_crossentropy")),
    reported(OPTIMIZER, "optimizer: {type: adam, lr: 0.02}", (10, 25, "did you mean 'learning_rate'?")),
    reported(OPTIMIZER, "optimizer: {type: adam, learning-rate: 0.02}", (10, 25, "did you mean 'learning_rate'?")),
    reported(TRAINING, "training: {epochs: 3, batch-size: 8}", (11, 23, "did you mean 'batch_size'?")),
    reported("samples: 20, classes", "n_samples: 20, classes", (2, 22, "did you mean 'samples'?")),
    reported(
        LAYER,
        "{type: dense, units: 8, activation: relu}",
        (5, 29, "an activation is a layer of its own: write '- relu' on the next line"),
    ),
    reported(
        LAYERS,
        "hidden_layers: [64, 64]\n",
        (4, 1, "a network is a list of layers: write layers: [{type: dense, units: 64}, relu,"),
    ),
    reported(
        LAYERS,
        "hidden_layer_sizes: [64, 64]\n",
        (4, 1, "a network is a list of layers: write layers: [{type: dense, units: 64}, relu,"),
    ),
    reported(
        LAYERS,
        "layers: [64,64,3]\n",
        (4, 10, "write layers: [{type: dense, units: 64}, relu, {type: dense, units: 64}, relu,"),
    ),
    reported(
        SEED,
        "batch_size: 8",
        (1, 1, "it belongs in training; write training: {epochs: 3, log_every: 1, batch_size: 8}"),
    ),
    reported(TRAINING, "epochs: 100", (11, 1, "it belongs in training; write training: {epochs: 100}")),
    reported(
        OPTIMIZER,
        "learning_rate: 0.1",
        (10, 1, "it belongs in optimizer; write optimizer: {type: adam, learning_rate: 0.1}"),
    ),
    reported(SEED, "epochs: 100", (1, 1, "it belongs in training; write training: {epochs: 100, log_every: 1}")),
    reported(
        SEED, "learning_rate: 0.1", (1, 1, "it belongs in optimizer; write optimizer: {type: adam, learning_rate: 0.1}")
    ),
    reported(LAYER, '{type: dense, units: "3"}', (5, 26, "write 3 without quotes")),
    reported("units: 3", "units: 4", (7, 26, "write units: 3")),
    reported(OPTIMIZER, "optimizer: {type: adam, learning_rate: -0.02}", (10, 40, "must be greater than 0, got -0.02")),
    reported(SEED, "dtype: float16", (1, 8, "must be 'float32' or 'float64', got 'float16'")),
    reported(RELU, "- {type: dropout, rate: 50}", (6, 27, "write 0.5 for 50 %")),
    reported(RELU, "- {type: dropout, p: 0.5}", (6, 21, "did you mean 'rate'?")),
    reported(LAYER, "{type: dense, neurons: 16}", (5, 19, "did you mean 'units'?")),
    reported(
        LAYER, "{type: dense, n_inputs: 3, n_neurons: 16, weight_regularizer_l2: 1e-4}", (5, 29, "write 2 or omit it")
    ),
    reported(LAYER, "dense(16)", (5, 5, "write {type: dense, units: 16}")),
    reported(
        LAYER, "Dense(16, activation='relu')", (5, 5, "write {type: dense, units: 16} and on the next line '- relu'")
    ),
    reported(LAYER, "nn.Linear(2, 16)", (5, 5, "write {type: dense, units: 16}")),
    reported(LAYER, "dense", (5, 5, "write {type: dense, units: 64}")),
    reported(
        LAYER, "torch.nn.Linear", (5, 5, "write {type: dense, units: 64}; linear, in lower case, is the identity")
    ),
    reported(
        LAYER,
        "{type: Linear, in_features: 2, out_features: 16}",
        (5, 12, "write {type: dense, units: 16}; linear, in lower case, is the identity"),
    ),
    reported(LAYER, "{dense: 16, activation: relu}", (5, 5, "write {type: dense, units: 16}")),
    reported(
        TRAINING,
        "training: {epochs: 3, log_every: 1, early_stopping: true}",
        (11, 53, "must be a mapping, e.g. {patience: 50}, got true"),
    ),
    reported(
        TRAINING, "training: {epochs: 3, log_every: 1, early_stopping: false}", (11, 53, "write null, or omit it")
    ),
    reported(TRAINING, "training: {epochs: 3, log_every: 1, early_stopping: 50}", (11, 53, "write {patience: 50}")),
    reported(
        TRAINING,
        "training: {epochs: 3, log_every: 1, early_stopping: {monitor: val_loss}}",
        (11, 54, "the key is metric: write metric: validation_loss"),
    ),
    reported(
        TRAINING,
        "training: {epochs: 3, log_every: 1, early_stopping: {metric: val_loss}}",
        (11, 62, "did you mean 'validation_loss'?"),
    ),
    reported(
        TRAINING,
        "training: {epochs: 3, log_every: 1, early_stopping: {metric: val_acc, patience: 3}}",
        (11, 62, "did you mean 'validation_accuracy'?"),
    ),
    reported(
        "log_every: 1}",
        "log_every: 1, early_stopping: {monitor: val_accuracy, mode: max, restore_best_weights: true}}",
        (11, 54, "the key is metric: write metric: validation_accuracy"),
        (11, 77, "remove it: nncli knows for each metric whether higher is better"),
        (11, 88, "remove it: the best weights are always restored"),
    ),
    reported(VALIDATION, "validation: 20", (3, 13, "write 0.2 for 20 %")),
    reported(VALIDATION, "validation: {split: 0.2}", (3, 13, "write {fraction: 0.2}")),
    reported(VALIDATION, "validation: 20%", (3, 13, "write {fraction: 0.2}")),
    reported(SEED, "validation_split: 0.2", (1, 1, "write validation: {fraction: 0.2}")),
    reported(SEED, "metrics: [acc]", (1, 11, "did you mean 'accuracy'?")),
    reported(SEED, "metrics: [val_accuracy]", (1, 11, "write accuracy, which is measured on every split")),
    reported(SEED, "metrics: acc", (1, 10, "write [accuracy]")),
    reported(
        SEED,
        "metrics: [mse]",
        (1, 11, "it is a loss, which is always measured; the metric is root_mean_squared_error, its"),
    ),
    reported(SEED, "metrics: accuracy, f1", (1, 10, "write [accuracy, f1]")),
    reported(SEED, "metrics: {accuracy: {}}", (1, 10, "write '- ' before each item, which is metrics: [accuracy]")),
    reported(SEED, "regularization: l2", (1, 17, "write {l2: 1e-4}")),
    reported(SEED, "regularization: [l2]", (1, 17, "must be a mapping, e.g. {l2: 1e-4}, got ['l2']")),
    reported(SEED, "regularization: 0.01", (1, 17, "write {l2: 0.01}")),
    reported(SEED, "regularization: {lambda: 0.01}", (1, 18, "did you mean 'l2'?")),
    reported(
        SEED,
        "regularization: {kernel_regularizer: 0.1}",
        (1, 18, "write l1 or l2 in the dense layer, such as l2: 1e-4, or for all: regularization:"),
    ),
    reported(
        LAYER,
        "{type: dense, units: 8, kernel_regularizer: l2}",
        (5, 29, "write l1 or l2 in the dense layer, such as l2: 1e-4, or for all: regularization:"),
    ),
    reported(
        LAYER,
        "{type: dense, units: 8, input_shape: 2}",
        (5, 29, "remove it: the number of inputs follows from the data"),
    ),
    reported(
        LOSS,
        "{type: categorical_crossentropy, from_logits: true}",
        (9, 40, "remove it: softmax or sigmoid is the last layer, written in layers"),
    ),
    reported(
        OPTIMIZER,
        "optimizer: {type: adam, weight_decay: 0.01}",
        (10, 25, "adam has no weight decay, adamw has: write type: adamw, weight_decay: 0.01"),
    ),
    reported(
        OPTIMIZER,
        "optimizer: {type: adam, momentum: 0.9}",
        (10, 25, "the momentum of adam is beta_1: write beta_1: 0.9"),
    ),
    reported(
        OPTIMIZER,
        "optimizer: {type: sgd, beta_1: 0.9}",
        (10, 24, "it is a key of adam, adamw and nadam; keys of sgd: learning_rate, decay, momentum"),
    ),
    reported(SEED, "schedule: cosine_annealing", (1, 11, "did you mean 'cosine'?")),
    reported(SEED, "schedule: StepLR", (1, 11, "write {type: step, every: 1000, gamma: 0.1}")),
    reported(SEED, "schedule: {type: cosine, T_max: 100}", (1, 26, "the key is updates, the number of training steps")),
    reported(
        "type: spiral, samples: 20, classes: 3",
        "type: two_moons",
        (2, 14, "write moons; samples counts the points of each class"),
    ),
    reported(DATA, "iris.csv", (2, 7, "write {type: table, path: iris.csv, target: COLUMN}")),
    reported(SEED, "seed: random", (1, 7, "write an integer such as 0 or 1: each gives different random numbers")),
    reported(SEED, "device: cuda", (1, 1, "remove it: nncli computes on the CPU")),
    reported(
        SEED,
        "defaults: &d {a: 1}",
        (1, 1, "known: clipping, data, dtype, layers, loss, metrics, optimizer, regularization,"),
    ),
    reported(
        SEED,
        "<<: {a: 1}",
        (1, 1, "merge keys are not part of YAML 1.2; write the keys, or the alias as the whole value"),
    ),
    reported(SEED, "seed: null", (1, 7, "write an integer such as 0 or 1: each gives different random numbers")),
]
OVERRIDES = [
    override(["epochs=100"], (1, 1, "did you mean 'training.epochs=100'?")),
    override(["lr=0.1"], (1, 1, "did you mean 'optimizer.learning_rate=0.1'?")),
    override(["learning_rate=0.1"], (1, 1, "did you mean 'optimizer.learning_rate=0.1'?")),
    override(["layers[9].units=4"], (1, 1, "layers has 4 items ([0]-[3]); those with units: [0], [2]")),
    override(
        ["layers[1].units=4"], (1, 1, "it is a key of dense: did you mean 'layers[0].units=4' or 'layers[2].units=4'?")
    ),
    override(["seed="], (1, 6, "write one, as in seed=VALUE")),
    override(["optimizer.lr=0.1"], (1, 1, "did you mean 'optimizer.learning_rate=0.1'?")),
    override(["training.epoch=3"], (1, 1, "did you mean 'training.epochs=3'?")),
    override(
        ["layers.0.activation=relu"], (1, 1, "an activation is a layer of its own: did you mean 'layers[1]=relu'?")
    ),
    override(
        ["layers=[64,64]"], (1, 9, "write layers: [{type: dense, units: 64}, relu, {type: dense, units: 64}, relu,")
    ),
    override(
        ["batch_size=8", "epochs=5"],
        (1, 1, "did you mean 'training.batch_size=8'?"),
        (2, 1, "did you mean 'training.epochs=5'?"),
    ),
    override(["patience=5"], (1, 1, "did you mean 'training.early_stopping.patience=5'?")),
    override(["units=5"], (1, 1, "did you mean 'layers[0].units=5' or 'layers[2].units=5'?")),
    override(["dropout=0.5"], (1, 1, "it is a layer: write {type: dropout, rate: 0.5} in layers")),
    override(
        ["training.early_stopping.monitor=val_loss"],
        (1, 1, "the key is metric: did you mean 'training.early_stopping.metric=validation_loss'?"),
    ),
    override(["monitor=val_loss"], (1, 1, "did you mean 'training.early_stopping.metric=validation_loss'?")),
    override(["layers[0].neurons=5"], (1, 1, "did you mean 'layers[0].units=5'?")),
    override(["layers[0]=dense"], (1, 11, "write {type: dense, units: 64}")),
    override(
        ["loss=cross_entropy"], (1, 6, "write categorical_crossentropy, with softmax of 3 outputs as the last layer")
    ),
    override(["layers=[dense,relu]"], (1, 9, "write {type: dense, units: 64}")),
    override(["l2=0.1"], (1, 1, "did you mean 'regularization.l2=0.1'?")),
    override(["optimizer.name=adam"], (1, 1, "did you mean 'optimizer.type=adam'?")),
    override(["optimizer.class_path=torch.optim.SGD"], (1, 1, "did you mean 'optimizer.type=sgd'?")),
    override(["optimizer.rho=0.9"], (1, 1, "it is beta_2 in adam: did you mean 'optimizer.beta_2=0.9'?")),
    override(["optimizer.Type=sgd"], (1, 1, "did you mean 'optimizer.type=sgd'?")),
    override(["optimizer=[adam, 0.02]"], (1, 11, "write {type: adam, learning_rate: 0.02}")),
    override(["seed=0,1,2"], (1, 6, "one value per run: for x in 0 1 2; do nncli train bad.yaml seed=$x; done")),
    override(
        ["optimizer.learning_rate=0.1,0.01"],
        (1, 25, "for x in 0.1 0.01; do nncli train bad.yaml optimizer.learning_rate=$x; done"),
    ),
    override(["seed=1,"], (1, 6, "write 1, without the ','")),
    override(["validation=None"], (1, 12, "write validation=null")),
    override(["validation=false"], (1, 12, "write validation=null")),
    override(["Training.epochs=4"], (1, 1, "did you mean 'training'?")),
]
REFUSED = [
    refused(["optimizer.learning_rate", "=", "0.1"], "write it without spaces around '=': optimizer.learning_rate=0.1"),
    refused(["optimizer.learning_rate=", "0.1"], "write it without spaces around '=': optimizer.learning_rate=0.1"),
    refused(["optimizer.learning_rate", "=0.1"], "write it without spaces around '=': optimizer.learning_rate=0.1"),
    refused(
        ["--optimizer.learning_rate=0.1"], "Values of the config are set without dashes: optimizer.learning_rate=0.1"
    ),
    refused(["--epochs", "100"], "Values of the config are set without dashes: training.epochs=100"),
    refused(["--lr", "0.1"], "Values of the config are set without dashes: optimizer.learning_rate=0.1"),
    refused(["--batch-size=8"], "Values of the config are set without dashes: training.batch_size=8"),
    refused(
        ["optimizer={type:", "sgd,", "learning_rate:", "0.1}"],
        "the value has spaces; quote it: 'optimizer={type: sgd, learning_rate: 0.1}'",
    ),
    refused(["layers+=relu"], "write the index after the last one, such as layers[4]=relu, to add an item"),
    refused(["seed:3"], "write seed=3"),
    refused(["~validation"], "write validation=null"),
    refused(["layers[-1]=tanh"], "items are counted from the first one, such as layers[0]"),
    refused(["o.1"], "expected KEY=VALUE, e.g. optimizer.learning_rate=0.1 or layers[0].units=128"),
    refused(["epochs", "100"], "write it without spaces around '=': epochs=100"),
    refused(["epochs:100"], "write epochs=100"),
    refused(["seed==3"], "write seed=3"),
    refused(["optimizer: sgd"], "sgd': write optimizer=sgd"),
    refused(["training/epochs=4"], "write training.epochs=4"),
    refused(["training.epochs = 4"], "write training.epochs=4"),
    refused(["+training.epochs=4"], "write training.epochs=4"),
]
KERAS = [
    reported(LAYER, "{type: dense, units: 8, kernel_initializer: he_normal}", (5, 29, "write initializer: he")),
    reported(LAYER, "{type: dense, units: 8, use_bias: false}", (5, 29, "remove it: every dense layer has biases")),
    reported(
        LAYER, "{type: dense, units: 8, input_dim: 2}", (5, 29, "remove it: the number of inputs follows from the data")
    ),
    reported(
        LAYER,
        "{type: Dense, units: 8, activation: ReLU, name: hidden}",
        (5, 29, "an activation is a layer of its own: write '- relu' on the next line"),
        (5, 47, "layers have no such key; remove it"),
    ),
    reported(
        LAYER, "{type: dense, units: 8, initializer: glorot_normal}", (5, 42, "write glorot, which is uniform here")
    ),
    reported(
        LAYER,
        "{type: dense, units: 8, initializer: zeros}",
        (5, 42, "equal weights would stay equal; omit it for the default"),
    ),
    reported(LAYER, "{type: dense, units: 8, initializer: HeNormal}", (5, 42, "did you mean 'he'?")),
    reported(LAYER, "{type: dense, units: 8, kernel_constraint: max_norm}", (5, 29, "not available; remove it")),
    reported(RELU, "- Flatten", (6, 5, "remove it: the number of inputs follows from the data")),
    reported(RELU, "- {type: Activation, activation: relu}", (6, 12, "write the activation by its name, such as relu")),
    reported(RELU, "- {type: LeakyReLU, alpha: 0.1}", (6, 23, "did you mean 'slope'?")),
    reported(RELU, "- {type: LeakyReLU, negative_slope: 0.1}", (6, 23, "did you mean 'slope'?")),
    reported(RELU, "- Conv2D", (6, 5, "not available: networks consist of dense layers and activations")),
    reported(SOFTMAX, "- {type: softmax, axis: -1}", (8, 21, "remove it: softmax is taken over the outputs of a row")),
    reported(RELU, "- {type: BatchNormalization, axis: 1}", (6, 32, "not available; remove it")),
    reported(RELU, "- swish", (6, 5, "not available; similar is gelu")),
    reported(
        RELU,
        "- {type: Dropout, rate: 0.5, seed: 1}",
        (6, 32, "remove it: all random numbers follow from the seed at the top level"),
    ),
    reported(RELU, "- Input", (6, 5, "remove it: the number of inputs follows from the data")),
    reported(RELU, "- {type: Input, shape: 2}", (6, 12, "remove it: the number of inputs follows from the data")),
    reported(LOSS, "{type: CategoricalCrossentropy, label_smoothing: 0.1}", (9, 39, "not available; remove it")),
    reported(LOSS, "huber", (9, 7, "not available; for real values write mean_squared_error or mean_absolute_error")),
    reported(
        LOSS, "kl_divergence", (9, 7, "not available; write categorical_crossentropy, with softmax of 3 outputs as the")
    ),
    reported(
        LOSS, "softmax", (9, 7, "it is a layer; write categorical_crossentropy, with softmax of 3 outputs as the")
    ),
    reported(OPTIMIZER, "optimizer: {type: adam, amsgrad: true}", (10, 25, "not available; remove it")),
    reported(OPTIMIZER, "optimizer: {type: adam, learning_rate: 0.1, beta1: 0.9}", (10, 45, "did you mean 'beta_1'?")),
    reported(OPTIMIZER, "optimizer: {type: adam, epsilon: 0}", (10, 34, "must be greater than 0, got 0")),
    reported(OPTIMIZER, "optimizer: {type: SGD, nesterov: true}", (10, 24, "write type: nesterov, with momentum: 0.9")),
    reported(
        OPTIMIZER,
        "optimizer: {type: adam, clipnorm: 1.0}",
        (10, 25, "write clipping: {type: norm, limit: 1.0} at the top level"),
    ),
    reported(
        OPTIMIZER,
        "optimizer: {type: adam, learning_rate: {type: cosine}}",
        (10, 40, "a schedule is a section of its own, such as schedule: cosine at the top level"),
    ),
    reported(OPTIMIZER, "optimizer: Adam(learning_rate=0.01)", (10, 12, "write {type: adam, learning_rate: 0.01}")),
    reported(OPTIMIZER, "optimizer: tf.keras.optimizers.Adam", (10, 12, "write adam")),
    reported(
        OPTIMIZER,
        "optimizer: adamax",
        (10, 12, "not available; adam is the usual choice: {type: adam, learning_rate: 0.001}"),
    ),
    reported(
        OPTIMIZER, "optimizer: {name: adam, learning_rate: 0.1}", (10, 12, "write {type: adam, learning_rate: 0.1}")
    ),
    reported(TRAINING, "training: {epochs: 3, validation_split: 0.2}", (11, 23, "write validation: {fraction: 0.2}")),
    reported(TRAINING, "training: {epochs: 3, verbose: 0}", (11, 23, "remove it: the option is --quiet")),
    reported(
        TRAINING,
        "training: {epochs: 3, shuffle: true}",
        (11, 23, "remove it: mini-batches are shuffled in every epoch"),
    ),
    reported(
        TRAINING,
        "training: {epochs: 3, callbacks: [EarlyStopping]}",
        (11, 23, "write early_stopping: {patience: 50} in training"),
    ),
    reported(
        TRAINING,
        "training: {epochs: 3, steps_per_epoch: 10}",
        (11, 23, "remove it: an epoch is one pass; its steps follow from batch_size"),
    ),
    reported(SEED, "callbacks: [early_stopping]", (1, 1, "write early_stopping: {patience: 50} in training")),
    reported(SEED, "compile: {loss: mse}", (1, 1, "write its keys at the top level: loss: mse")),
    reported(SEED, "class_weight: balanced", (1, 1, "write class_weights or sample_weight in data, for a table")),
    reported(SEED, "metrics: [AUC]", (1, 11, "applicable: accuracy")),
    reported(SEED, "metrics: [Precision, Recall, F1Score]", (1, 30, "did you mean 'f1'?")),
    reported(SEED, "metrics: [categorical_accuracy]", (1, 11, "did you mean 'accuracy'?")),
    reported(SEED, "metrics: [precision]", (1, 11, "applicable: accuracy")),
]
PYTORCH_LIGHTNING = [
    reported(TRAINING, "training: {max_epochs: 100}", (11, 12, "did you mean 'epochs'?")),
    reported(SEED, "trainer: {max_epochs: 10}", (1, 1, "the section is called training: write training: {epochs: 10}")),
    reported(SEED, "accelerator: gpu", (1, 1, "remove it: nncli computes on the CPU")),
    reported(SEED, "precision: 16", (1, 1, "write dtype: float32 or float64")),
    reported(SEED, "gradient_clip_val: 0.5", (1, 1, "write clipping: {type: norm, limit: 0.5} at the top level")),
    reported(
        TRAINING,
        "training: {epochs: 3, gradient_clip_val: 0.5}",
        (11, 23, "write clipping: {type: norm, limit: 0.5} at the top level"),
    ),
    reported(TRAINING, "training: {epochs: 3, log_every_n_steps: 5}", (11, 23, "did you mean 'log_every'?")),
    reported(SEED, "max_epochs: 3", (1, 1, "it belongs in training; write training: {epochs: 3, log_every: 1}")),
    reported(SEED, "lr: 0.1", (1, 1, "it belongs in optimizer; write optimizer: {type: adam, learning_rate: 0.1}")),
    reported(
        OPTIMIZER,
        "optimizer: {type: adam, betas: [0.9, 0.999]}",
        (10, 25, "write the two values as beta_1: 0.9, beta_2: 0.999"),
    ),
    reported(OPTIMIZER, "optimizer: {type: adam, eps: 1e-8}", (10, 25, "did you mean 'epsilon'?")),
    reported(
        OPTIMIZER,
        "optimizer: {type: sgd, weight_decay: 0.1}",
        (10, 24, "sgd has no weight decay: write regularization: {l2: 0.1} at the top level"),
    ),
    reported(
        OPTIMIZER, "optimizer: {type: torch.optim.SGD, lr: 0.1}", (10, 19, "write {type: sgd, learning_rate: 0.1}")
    ),
    reported(SEED, "lr_scheduler: cosine", (1, 1, "write schedule: cosine")),
    reported(
        SEED,
        "schedule: ReduceLROnPlateau",
        (1, 11, "not available; cosine and step lower the learning rate as training goes on"),
    ),
    reported(SEED, "schedule: CosineAnnealingLR", (1, 11, "did you mean 'cosine'?")),
    reported(SEED, "schedule: {type: step, step_size: 100, gamma: 0.5}", (1, 24, "did you mean 'every'?")),
    reported(SEED, "schedule: {type: exponential, decay_rate: 0.9}", (1, 31, "did you mean 'gamma'?")),
    reported(
        RELU,
        "- {type: BatchNorm1d, num_features: 8}",
        (6, 12, "write batch_normalization; its momentum 0.9 is 0.1 in PyTorch"),
    ),
    reported(RELU, "- {type: Dropout, p: 0.5}", (6, 21, "did you mean 'rate'?")),
    reported(RELU, "- nn.ReLU()", (6, 5, "write relu")),
    reported(RELU, "- {type: relu, inplace: true}", (6, 18, "layers have no such key; remove it")),
    reported(
        LAYER,
        "{type: Linear, in_features: 2, out_features: 8}",
        (5, 12, "write {type: dense, units: 8}; linear, in lower case, is the identity"),
    ),
    reported(
        LAYER,
        "{type: dense, in_features: 2, out_features: 8}",
        (5, 19, "remove it: the number of inputs follows from the data"),
        (5, 35, "did you mean 'units'?"),
    ),
    reported(LOSS, "NLLLoss", (9, 7, "write categorical_crossentropy after softmax (no log_softmax)")),
    reported(
        LOSS,
        "BCEWithLogitsLoss",
        (9, 7, "softmax and sigmoid are layers here; write categorical_crossentropy, with softmax"),
    ),
    reported(
        LOSS,
        "nn.CrossEntropyLoss()",
        (9, 7, "write categorical_crossentropy, with softmax of 3 outputs as the last layer"),
    ),
    reported(LOSS, "MSELoss", (9, 7, "did you mean 'mean_squared_error'?")),
    reported(SEED, "seed_everything: 42", (1, 1, "did you mean 'seed'?")),
    reported(SEED, "dtype: float", (1, 8, "must be 'float32' or 'float64', got 'float'")),
    reported(SEED, "dtype: torch.float32", (1, 8, "must be 'float32' or 'float64', got 'torch.float32'")),
    reported(SEED, "deterministic: true", (1, 1, "remove it: a run is always reproducible")),
    reported(
        "samples: 20, classes: 3",
        "samples: 20, classes: 3, batch_size: 32",
        (2, 47, "it belongs in training; write training: {epochs: 3, log_every: 1, batch_size: 32}"),
    ),
    reported(
        "samples: 20, classes: 3",
        "samples: 20, classes: 3, shuffle: true",
        (2, 47, "remove it: mini-batches are shuffled in every epoch"),
    ),
    reported(
        TRAINING,
        "training: {epochs: 3, early_stopping: {monitor: val_loss, patience: 3, mode: min}}",
        (11, 40, "the key is metric: write metric: validation_loss"),
        (11, 72, "remove it: nncli knows for each metric whether higher is better"),
    ),
    reported(
        TRAINING,
        "training: {epochs: 3, early_stopping: {patience: 3, restore_best_weights: true, min_delta: 0}}",
        (11, 53, "remove it: the best weights are always restored"),
    ),
    reported(
        TRAINING,
        "training: {epochs: 3, early_stopping: {metric: validation_acc}}",
        (11, 48, "did you mean 'validation_accuracy'?"),
    ),
    reported(
        TRAINING,
        "training: {epochs: 3, early_stopping: {metric: val/loss}}",
        (11, 48, "did you mean 'validation_loss'?"),
    ),
]
SKLEARN = [
    reported(SEED, "solver: adam", (1, 1, "did you mean 'optimizer'?")),
    reported(
        SEED,
        "alpha: 0.0001",
        (1, 1, "write regularization: {l2: 2.5e-07}, which is scikit-learn's alpha / (2 x 200 rows)"),
    ),
    reported(SEED, "max_iter: 200", (1, 1, "it belongs in training; write training: {epochs: 200, log_every: 1}")),
    reported(SEED, "random_state: 1", (1, 1, "did you mean 'seed'?")),
    reported(
        SEED,
        "learning_rate_init: 0.01",
        (1, 1, "it belongs in optimizer; write optimizer: {type: adam, learning_rate: 0.01}"),
    ),
    reported(
        SEED, "activation: relu", (1, 1, "an activation is a layer of its own: write '- relu' after each dense layer")
    ),
    reported(SEED, "early_stopping: true", (1, 1, "write early_stopping: {patience: 50} in training")),
    reported(
        SEED, "tol: 1e-4", (1, 1, "it belongs in training.early_stopping; write training: {epochs: 3, log_every: 1,")
    ),
    reported(
        SEED,
        "n_iter_no_change: 10",
        (1, 1, "it belongs in training.early_stopping; write training: {epochs: 3, log_every: 1,"),
    ),
    reported(SEED, "validation_fraction: 0.1", (1, 1, "write validation: {fraction: 0.1}")),
    reported(
        SEED,
        "hidden_layer_sizes: 100",
        (1, 1, "a network is a list of layers: write layers: [{type: dense, units: 100}, relu,"),
    ),
    reported(
        SEED,
        "hidden_layer_sizes: (100, 50)",
        (1, 1, "a network is a list of layers: write layers: [{type: dense, units: 100}, relu,"),
    ),
    reported(
        SEED,
        "batch_size: auto",
        (1, 1, "it belongs in training"),
    ),
    reported(
        TRAINING,
        "training: {epochs: 3, batch_size: auto}",
        (11, 35, "omit it for the whole training set, or write a number such as 32"),
    ),
    reported(
        OPTIMIZER,
        "optimizer: lbfgs",
        (10, 12, "not available; adam is the usual choice: {type: adam, learning_rate: 0.001}"),
    ),
    reported(LOSS, "log_loss", (9, 7, "write categorical_crossentropy, with softmax of 3 outputs as the last layer")),
    reported(RELU, "- logistic", (6, 5, "did you mean 'sigmoid'?")),
    reported(RELU, "- identity", (6, 5, "did you mean 'linear'?")),
    reported(DATA, "make_moons", (2, 7, "write moons; samples counts the points of each class")),
    reported(DATA, "make_circles", (2, 7, "write circles; samples counts the points of each class")),
    reported(
        DATA,
        "{type: make_blobs, n_samples: 50, centers: 3, cluster_std: 0.3}",
        (2, 14, "write {type: gaussians, samples: 50, classes: 3, noise: 0.3}; samples counts the points of each"),
    ),
    reported(DATA, "exclusive_or", (2, 7, "did you mean 'xor'?")),
    reported(DATA, "make_classification", (2, 7, "not built in; similar is {type: gaussians, classes: 2}")),
    reported(DATA, "{type: gaussians, classes: 3, cluster_std: 0.2}", (2, 37, "did you mean 'noise'?")),
    reported(
        DATA,
        "{type: spiral, n_samples: 20, noise: 0.1, random_state: 0}",
        (2, 22, "did you mean 'samples'?"),
        (2, 37, "the noise is fixed; remove it"),
        (2, 49, "did you mean 'seed'?"),
    ),
    reported(SEED, "test_size: 0.2", (1, 1, "write test: {fraction: 0.2}")),
    reported(SEED, "shuffle: true", (1, 1, "remove it: mini-batches are shuffled in every epoch")),
    reported(
        SEED, "momentum: 0.9", (1, 1, "it is a key of the optimizers sgd and nesterov: write optimizer: {type: sgd,")
    ),
    reported(SEED, "nesterovs_momentum: true", (1, 1, "write optimizer: {type: nesterov, momentum: 0.9}")),
    reported(
        SEED,
        "beta_1: 0.9",
        (1, 1, "it belongs in optimizer; write optimizer: {type: adam, learning_rate: 0.05, beta_1:"),
    ),
    reported(SEED, "power_t: 0.5", (1, 1, "not available; remove it")),
    reported(SEED, "warm_start: true", (1, 1, "remove it: the option is --resume")),
    reported(SEED, "metrics: [f1_score]", (1, 11, "did you mean 'f1'?")),
    reported(
        SEED,
        "metrics: [neg_mean_squared_error]",
        (1, 11, "it is a loss, which is always measured; the metric is root_mean_squared_error, its"),
    ),
    reported(SEED, "schedule: invscaling", (1, 11, "it is a key of the optimizer: write decay: 1e-3 there")),
    reported(SEED, "penalty: l2", (1, 1, "write regularization: {l2: 1e-4}")),
    reported(SEED, "verbose: true", (1, 1, "remove it: the option is --quiet")),
]
LUDWIG = [
    reported(
        SEED,
        "input_features: [{name: x, type: number}]",
        (1, 1, "remove it: the number of inputs follows from the data"),
    ),
    reported(
        SEED,
        "output_features: [{name: y, type: category}]",
        (1, 1, "remove it: the targets follow from the data"),
        (1, 26, "write true or 'y'"),
    ),
    reported(
        SEED,
        "combiner: {type: concat, num_fc_layers: 2}",
        (1, 1, "a config has the sections data, layers, loss, optimizer and training"),
    ),
    reported(
        SEED,
        "trainer: {epochs: 10, optimizer: {type: adam}}",
        (1, 1, "the section is called training: write training: {epochs: 10}"),
    ),
    reported(
        SEED,
        "preprocessing: {split: {type: random}}",
        (1, 1, "not available; remove it"),
    ),
    reported(
        TRAINING, "training: {epochs: 3, early_stop: 5}", (11, 23, "write early_stopping: {patience: 5} in training")
    ),
    reported(
        TRAINING, "training: {epochs: 3, train_steps: 100}", (11, 23, "write epochs: passes over the training set")
    ),
    reported(
        TRAINING,
        "training: {epochs: 3, learning_rate: 0.1}",
        (11, 23, "it belongs in optimizer; write optimizer: {type: adam, learning_rate: 0.1}"),
    ),
    reported(
        TRAINING,
        "training: {epochs: 3, optimizer: {type: adam}}",
        (11, 23, "it belongs at the top level; write optimizer: {type: adam}"),
    ),
    reported(
        TRAINING,
        "training: {epochs: 3, learning_rate_scheduler: {decay: linear}}",
        (11, 23, "write schedule: cosine"),
    ),
    reported(
        SEED,
        "fc_layers: [{output_size: 64}]",
        (1, 1, "a network is a list of layers: write layers: [{type: dense, units: 64}, relu,"),
    ),
    reported(LAYER, "{type: dense, output_size: 64}", (5, 19, "did you mean 'units'?")),
    reported(LAYER, "{type: fc, fc_size: 8}", (5, 12, "write {type: dense, units: 8}")),
    reported(
        TRAINING,
        "training: {epochs: 3, regularization_lambda: 0.1}",
        (11, 23, "write l1 or l2 in the dense layer, such as l2: 1e-4, or for all: regularization:"),
    ),
    reported(
        TRAINING,
        "training: {epochs: 3, regularization_type: l2}",
        (11, 23, "write regularization: {l2: 1e-4} at the top level"),
    ),
    reported(SEED, "backend: local", (1, 1, "remove it: nncli computes on the CPU")),
    reported(SEED, "model_type: ecd", (1, 1, "remove it: the task follows from the data and the last layer")),
    reported(
        TRAINING,
        "training: {epochs: 3, dropout: 0.1}",
        (11, 23, "dropout is a layer: write '- {type: dropout, rate: 0.1}' in layers"),
    ),
    reported(SEED, "dropout: 0.2", (1, 1, "it is a layer: write {type: dropout, rate: 0.2} in layers")),
    reported(
        TRAINING,
        "training: {epochs: 3, batch_size: 8, gradient_clipping: {clipglobalnorm: 0.5}}",
        (11, 38, "write clipping: {type: norm, limit: 0.5} at the top level"),
    ),
    reported(
        TRAINING,
        "training: {epochs: 3, validation_metric: accuracy}",
        (11, 23, "write early_stopping: {metric: validation_accuracy}"),
    ),
    reported(SEED, "hyperopt: {}", (1, 1, "not available; remove it")),
]
YAML = [
    reported("  - relu", " - relu", (6, 2, "indent them equally")),
    reported("  - relu", "   - relu", (6, 4, "indent them equally")),
    reported("  - relu", "  -relu", (6, 3, "write a space after '-': - relu")),
    reported("  - softmax", "   - softmax", (8, 4, "indent them equally")),
    reported("  - softmax", " - softmax", (8, 2, "indent them equally")),
    reported("  - softmax", "  -softmax", (8, 3, "write a space after '-': - softmax")),
    reported("  - softmax", "  softmax", (8, 3, "write '- ' before an item of a list: - softmax")),
    reported("  - {type: dense, units: 3}", "   - {type: dense, units: 3}", (7, 4, "indent them equally")),
    reported("- {type: dense, units: 8}", "- type: dense, units: 8", (5, 5, "write {type: dense, units: 8}")),
    reported("epochs: 3\n  log_every: 1", "{epochs: 3; log_every: 1}", (12, 13, "write a ',' instead of ';'")),
    reported("  epochs: 3", "  epochs: 3,", (12, 11, "write 3, without the ','")),
    reported(f"loss: {LOSS}", f"loss: '{LOSS}',", (9, 33, "remove it")),
    reported("  log_every", "   log_every", (13, 4, "indent them equally")),
    reported("  log_every", " log_every", (13, 2, "indent them equally")),
    reported("  epochs", "   epochs", (13, 3, "indent them equally")),
    reported(
        "  epochs: 3\n  log_every: 1",
        "epochs: 3\nlog_every: 1",
        (12, 1, "it belongs in training: indent it by 2 spaces"),
        (13, 1, "it belongs in training: indent it by 2 spaces"),
    ),
    reported(SEED, "seed:0", (1, 5, "write a space after ':': seed: 0")),
    reported(SEED, " seed: 0", (2, 1, "indent them equally")),
    reported(SEED, "seed 0", (1, 5, "write ':' after 'seed': seed: 0")),
    reported(SEED, "seed=0", (1, 5, "write ': ' instead of '=': seed: 0")),
    reported(SEED, "seed = 0", (1, 5, "write ': ' instead of '=': seed: 0")),
    reported("  epochs: 3", "  epochs:3", (12, 9, "write a space after ':': epochs: 3")),
    reported("  epochs: 3", "  epochs=3", (12, 9, "write ': ' instead of '=': epochs: 3")),
    reported("  log_every: 1", "  log_every:1", (13, 12, "write a space after ':': log_every: 1")),
    reported("  log_every: 1", "  log_every=1", (13, 12, "write ': ' instead of '=': log_every: 1")),
    reported("training:", "training", (11, 9, "write ':' after 'training'")),
    reported("layers:", "layers", (4, 7, "write ':' after 'layers'")),
    reported("learning_rate: 0.05}", "learning_rate: 0.05", (10, 12, "write '}' at the end of its line")),
    reported("learning_rate: 0.05}", "learning_rate=0.05}", (10, 25, "write ': ' instead of '=': learning_rate: 0.05")),
    reported("learning_rate: 0.05}", "learning_rate: 0,05}", (10, 42, "write a decimal point: learning_rate: 0.05")),
    reported("adam, learning_rate: 0.05}", "adam learning_rate: 0.05}", (10, 24, "write a ',' before 'learning_rate'")),
    reported("learning_rate: 0.05}", "learning_rate: 0.05}}", (10, 45, "remove it")),
    reported("type: adam", "type:adam", (10, 12, "write {type: adam}, with a space after ':'")),
    reported("{type: adam", "type: adam", (10, 16, "write optimizer: {type: adam, learning_rate: 0.05}")),
    reported(LAYER, "{type: dense, units: 8", (5, 5, "write '}' at the end of its line")),
    reported("{type: dense, units: 3}", "{type: dense, units: 3]", (7, 27, "write '}'")),
    reported("{type: dense, units: 3}", "{type: dense,, units: 3}", (7, 18, "write one, or remove a ','")),
    reported(
        "loss: categorical_crossentropy", 'loss: "categorical_crossentropy', (9, 7, "write another one at the end")
    ),
    reported("loss: categorical_crossentropy", "loss: @x", (9, 7, "put it in quotes")),
    reported(
        "loss: categorical_crossentropy",
        "loss: type: categorical_crossentropy",
        (9, 11, "write loss: {type: categorical_crossentropy}"),
    ),
    reported(
        "layers:\n  - {type: dense, units: 8}",
        "layers: - relu\n  - {type: dense, units: 8}",
        (4, 9, "write each item of the list on a line of its own, below the key"),
    ),
    reported("  - relu", "	- relu", (6, 1, "indent and separate with spaces")),
    reported("- {type: dense, units: 8}", "- type: dense\n   units: 8", (6, 4, "indent them equally")),
    reported("- {type: dense, units: 8}", "- type: dense\n  units: 8", (6, 3, "indent them equally")),
    reported(
        "- {type: dense, units: 8}",
        "- dense\n    units: 8",
        (6, 5, "a layer with keys needs 'type': write '- type: dense' in the line above"),
    ),
    reported("- {type: dense, units: 8}", "- dense:\n    units: 8", (5, 5, "write {type: dense, units: 8}")),
    reported(
        "  - {type: dense, units: 8}\n  - relu\n  - {type: dense, units: 3}\n  - softmax",
        "  -relu\n  -softmax",
        (5, 3, "write a space after each '-'"),
    ),
    reported("epochs: 3", "epochs: 1_000", (12, 11, "write 1000")),
    reported(
        "loss: categorical_crossentropy\n",
        "loss: categorical_crossentropy\nloss: categorical_crossentropy\n",
        (10, 1, "remove one"),
    ),
    reported(
        "  log_every: 1",
        "  log_every: 1\n  lr: 0,1",
        (14, 3, "it belongs in optimizer"),
    ),
    reported("learning_rate: 0.05", "learning_rate: '0,05'", (10, 40, "write a decimal point: 0.05")),
]

# What other libraries' users write, whose own values are in the advice.
OWN_VALUES = [
    reported(TRAINING, "training: {epochs: 5, patience: 3}", (11, 23, "{epochs: 5, early_stopping: {patience: 3}}")),
    reported(
        LAYERS,
        "layers:\n  dense: 16\n  relu:\n  output: 3\n  softmax:\n",
        (5, 3, "before each item, which is layers: [{type: dense, units: 16}, relu, {type: dense, units: 3}, softmax]"),
    ),
    reported(LAYERS, "layers:\n  dense: 16\n  mine: {a: 1}\n", (5, 3, "write '- ' before each item")),
    reported(
        SEED,
        "preprocessing: {split: {probabilities: [0.7, 0.1, 0.2]}}",
        (1, 1, "write validation: {fraction: 0.1} and test: {fraction: 0.2}"),
    ),
    reported(DATA, "{path: train.csv, target: label}", (2, 7, "write {type: table, path: train.csv, target: COLUMN}")),
    reported(DATA, "{type: csv, path: train.csv}", (2, 14, "write {type: table, path: train.csv")),
    reported(
        DATA,
        "{train: {type: spiral, samples: 9}, val: {type: spiral}}",
        (2, 7, "write data: {type: spiral, samples: 9} and validation: {type: spiral} at the top level"),
    ),
    reported(
        OPTIMIZER,
        "optimizer: {class_path: torch.optim.Adam, init_args: {lr: 0.02}}",
        (10, 12, "write {type: adam, learning_rate: 0.02}"),
    ),
    reported(OPTIMIZER, "optimizer: [adam, 0.02]", (10, 12, "write {type: adam, learning_rate: 0.02}")),
    reported(OPTIMIZER, "optimizer: Adam(lr=0.02)", (10, 12, "write {type: adam, learning_rate: 0.02}")),
    reported(
        OPTIMIZER,
        "optimizer: {type: momentum, learning_rate: 0.2}",
        (10, 19, "write {type: sgd, momentum: 0.9, learning_rate: 0.2}"),
    ),
    reported(
        OPTIMIZER,
        "optimizer: {type: adam, learning_rate: [0.1, 0.01]}",
        (10, 40, "for x in 0.1 0.01; do nncli train bad.yaml optimizer.learning_rate=$x; done"),
    ),
    reported(LAYER, "[dense, 16]", (5, 5, "write {type: dense, units: 16}")),
    reported(LAYER, "dense 16", (5, 5, "write {type: dense, units: 16}")),
    reported(LAYER, "hidden: {type: dense, units: 16}", (5, 5, "write {type: dense, units: 16} without 'hidden'")),
    reported(
        LAYER,
        "{type: dense, units: [16, 8]}",
        (5, 26, "write a layer for each: {type: dense, units: 16}, {type: dense, units: 8}"),
    ),
    reported(
        LAYERS,
        "layers: dense, relu, dense, softmax\n",
        (4, 9, "write [{type: dense, units: 64}, relu, {type: dense, units: 3}, softmax]"),
    ),
    reported(
        SEED,
        "schedule: {type: exponential_decay, decay_rate: 0.96, decay_steps: 100}",
        (1, 18, "write {type: exponential, gamma: 0.999592}; gamma is the factor per update"),
    ),
    reported(
        SEED,
        "scheduler: {type: StepLR, step_size: 30, gamma: 0.1}",
        (1, 1, "write schedule: {type: step, every: 30, gamma: 0.1}; a schedule counts updates, not epochs"),
    ),
    reported(TRAINING, "trainer: {max_epochs: 5}", (11, 1, "write training: {epochs: 5}")),
    reported(
        TRAINING,
        "training: {epochs: 3, class_weight: balanced}",
        (11, 23, "write class_weights or sample_weight in data"),
    ),
    reported(
        f"loss: {LOSS}\n{OPTIMIZER}",
        "compile: {loss: mean_squared_error, optimizer: adam}",
        (9, 1, "write its keys at the top level: loss: mean_squared_error, optimizer: adam"),
    ),
    reported(
        OPTIMIZER,
        "optimizer: {type: adam, clipnorm: 1.0}",
        (10, 25, "the norm of all gradients together (global_clipnorm of Keras"),
    ),
    reported(VALIDATION, "val: 0.3", (3, 1, "write validation: {fraction: 0.3}")),
    reported(VALIDATION, "validation: None", (3, 13, "write null, or omit it")),
    reported(VALIDATION, "validation: false", (3, 13, "write null, or omit it")),
    reported(SEED, "seed: 0 // text", (1, 7, "a comment begins with '#'")),
    reported(VALID, "config = {'seed': 0}\n", (1, 1, "this is Python; 'nncli init' writes a config to start from")),
    reported(
        VALID,
        "input_features: [{name: x, type: number}]\noutput_features: [{name: c}]\ntrainer: {epochs: 5}\n",
        (1, 1, "this is a config of Ludwig; 'nncli init' writes one of nncli"),
    ),
]

# What is written, instead of a part of the config, and the same in canonical form.
ACCEPTED = [
    (OPTIMIZER, "optimizer: {type: Adam, learning_rate: 0.05}", OPTIMIZER),
    (OPTIMIZER, "optimizer: {type: RMSProp}", "optimizer: {type: rmsprop}"),
    (OPTIMIZER, "optimizer: SGD", "optimizer: sgd"),
    (OPTIMIZER, "optimizer: {AdamW: {learning_rate: 0.1}}", "optimizer: {type: adamw, learning_rate: 0.1}"),
    (OPTIMIZER, "optimizer: {nadam: }", "optimizer: nadam"),
    (OPTIMIZER, "optimizer: {type: optimizer_adam}", "optimizer: adam"),
    (RELU, "- ReLU", RELU),
    (RELU, "- LeakyReLU", "- leaky_relu"),
    (RELU, "- BatchNormalization", "- batch_normalization"),
    (RELU, "- {type: Leaky-ReLU, slope: 0.1}", "- {type: leaky_relu, slope: 0.1}"),
    (RELU, "- Dropout: 0.5", "- {type: dropout, rate: 0.5}"),
    (RELU, "- relu:", RELU),
    (LAYER, "{type: dense, units: 3.0}", "{type: dense, units: 3}"),
    (LAYER, "dense: 16", "{type: dense, units: 16}"),
    (LAYER, "{Dense: {units: 16, l2: 0.1}}", "{type: dense, units: 16, l2: 0.1}"),
    (LAYER, "dense:\n      units: 16", "{type: dense, units: 16}"),
    (LAYER, "{type: Layer_Dense, n_inputs: 2, n_neurons: 16}", "{type: dense, units: 16}"),
    (
        LAYER,
        "{type: dense, n_neurons: 9, weight_regularizer_l1: 0.1, weight_regularizer_l2: 0.2, bias_regularizer_l1: 0.3}",
        "{type: dense, units: 9, l1: 0.1, l2: 0.2, bias_l1: 0.3}",
    ),
    (LAYER, "{type: dense, units: 8, initializer: He}", LAYER[:-1] + ", initializer: he}"),
    (LOSS, "CategoricalCrossentropy", LOSS),
    (LOSS, "categorical_cross_entropy", LOSS),
    (LOSS, "Loss_CategoricalCrossentropy", LOSS),
    (VALIDATION, "validation: 0.2", "validation: {fraction: 0.2}"),
    (VALIDATION, "validation: Spiral", "validation: spiral"),
    (SEED, "metrics: accuracy", "metrics: [accuracy]"),
    (SEED, "metrics: [Accuracy]", "metrics: [accuracy]"),
    (SEED, "schedule: Cosine", "schedule: cosine"),
    (SEED, "schedule: {warmup: 10}", "schedule: {type: warmup, updates: 10}"),
    (SEED, "clipping: {norm: 1}", "clipping: {type: norm, limit: 1}"),
    (SEED, "seed: 0.0", SEED),
    (SEED, "x-anything: {epochs: 1}", SEED),
    (SEED, "x-base: &base {type: adam}\nseed: 0", SEED),
    (DATA, "{spiral_data: {samples: 20}}", "{type: spiral, samples: 20}"),
    (TRAINING, "training: {epochs: 1e1, batch_size: 3e1}", "training: {epochs: 10, batch_size: 30}"),
    (
        TRAINING,
        TRAINING[:-1] + ", early_stopping: {patience: 5.0}}",
        TRAINING[:-1] + ", early_stopping: {patience: 5}}",
    ),
]


def write(workdir, text):
    (workdir / "bad.yaml").write_text(text, encoding="utf-8")


def assert_told(result, source, expected):
    """Assert exit code 3, and exactly the expected messages, each with its location and words."""
    lines = [line for line in result.err.splitlines() if re.match(r"(bad\.yaml|command line):\d+:\d+: ", line)]
    assert result.code == 3, result.err
    assert [line.split(": ")[0] for line in lines] == [f"{source}:{line}:{column}" for line, column, _ in expected]
    for line, (_, _, words) in zip(lines, expected, strict=True):
        assert words in line
        assert len(line) < 300


@pytest.mark.parametrize(
    ("old", "new", "expected"), [*CONFIG_FILE, *KERAS, *PYTORCH_LIGHTNING, *SKLEARN, *LUDWIG, *OWN_VALUES]
)
def test_mistake_is_told_with_its_fix(workdir, run_cli, old, new, expected):
    """One message for each mistake, at its place, says what to write."""
    write(workdir, changed(VALID, old, new))
    assert_told(run_cli("check", "bad.yaml"), "bad.yaml", expected)


@pytest.mark.parametrize(("old", "new", "expected"), YAML)
def test_mistake_in_yaml_is_told_in_plain_words(workdir, run_cli, old, new, expected):
    """The place is that of the mistake, not where the parser gave up."""
    write(workdir, changed(BLOCK, old, new))
    assert_told(run_cli("check", "bad.yaml"), "bad.yaml", expected)


@pytest.mark.parametrize(("words", "expected"), OVERRIDES)
def test_mistake_in_an_override_is_told_with_its_fix(workdir, run_cli, words, expected):
    """A short key is suggested with its full path."""
    write(workdir, VALID)
    assert_told(run_cli("show", "bad.yaml", *words), "command line", expected)


@pytest.mark.parametrize(("words", "fragment"), REFUSED)
def test_words_that_are_no_override_are_rejected_with_what_to_write(workdir, run_cli, words, fragment):
    """Exit code 2."""
    write(workdir, VALID)
    result = run_cli("show", "bad.yaml", *words)
    assert (result.code, result.out) == (2, "")
    assert fragment in result.err


@pytest.mark.parametrize(("encoding", "words"), [("utf-16", "UTF-16"), ("latin-1", "(in Latin-1 it is 'é')")])
def test_encoding_is_named(workdir, run_cli, encoding, words):
    """The message says what the file is, and to save it as UTF-8."""
    (workdir / "bad.yaml").write_bytes(f"# Café\n{VALID}".encode(encoding))
    result = run_cli("check", "bad.yaml")
    assert result.code == 3
    assert words in result.err
    assert "save the config as UTF-8 text" in result.err


@pytest.mark.parametrize(("old", "new", "canonical"), ACCEPTED)
def test_other_spelling_is_the_same_config(workdir, old, new, canonical):
    """What is certain is accepted; the resolved config has the canonical names."""
    write(workdir, changed(VALID, old, new))
    found = load(workdir / "bad.yaml").config
    write(workdir, changed(VALID, old, canonical))
    expected = load(workdir / "bad.yaml").config.model_dump()
    assert found.model_dump() == expected


def test_other_spelling_has_the_same_results(workdir, run_cli):
    """Weights and metrics have the same bytes, and run.json the same config."""
    changes = (RELU, "- ReLU", LAYER, "dense: 8", OPTIMIZER, "optimizer: {type: Adam, learning_rate: 0.05}")
    changes += (SEED, "metrics: accuracy", "epochs: 3,", "epochs: 3e0,", "units: 3", "n_neurons: 3")
    for name, text in (("other", changed(VALID, *changes)), ("same", VALID)):
        write(workdir, text)
        assert run_cli("train", "bad.yaml", "--name", name, "--quiet", "layers[0].units=9").code == 0
    for file in ("weights.npz", "metrics.csv"):
        assert (workdir / "runs/other" / file).read_bytes() == (workdir / "runs/same" / file).read_bytes()
    records = [
        json.loads((workdir / "runs" / name / "run.json").read_text(encoding="utf-8")) for name in ("other", "same")
    ]
    assert records[0]["spec"]["optimizer"]["type"] == "adam"
    assert records[0]["spec"] == records[1]["spec"]


def test_number_of_inputs_is_compared_with_the_network(workdir, run_cli):
    """The book's n_inputs is accepted if it is right, at every layer."""
    write(workdir, changed(VALID, LAYER, "{type: dense, n_inputs: 3, units: 8}", "units: 3", "units: 3, n_inputs: 9"))
    expected = [
        (5, 29, "n_inputs is 3, but the layer has 2 inputs"),
        (7, 39, "n_inputs is 9, but the layer has 8 inputs"),
    ]
    assert_told(run_cli("check", "bad.yaml"), "bad.yaml", expected)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((LOSS, "cross_entropy"), "write categorical_crossentropy"),
        ((LOSS, "binary_crossentropy"), "write loss: categorical_crossentropy"),
        ((SOFTMAX, "- sigmoid"), "write softmax instead of sigmoid"),
        (
            (LOSS, "binary_crossentropy", "units: 3", "units: 1", SOFTMAX, "- sigmoid"),
            "and loss: categorical_crossentropy",
        ),
        ((LOSS, "BCELoss", "units: 3", "units: 1", SOFTMAX, "- sigmoid"), "write categorical_crossentropy"),
    ],
)
def test_advice_for_three_classes_is_never_binary(workdir, run_cli, changes, words):
    """With three classes, no message leads to sigmoid or binary_crossentropy."""
    write(workdir, changed(VALID, *changes))
    result = run_cli("check", "bad.yaml")
    assert words in result.err
    assert not re.search("(write|use|add) [^;\n]*(binary_crossentropy|'- sigmoid')", result.err)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{type: moons}", "write categorical_crossentropy, with '- softmax' as the last layer"),
        ("{type: sine}", "the targets are real values: write mean_squared_error"),
    ],
)
def test_advice_knows_the_classes_of_data_that_have_no_such_key(workdir, run_cli, data, words):
    """Two moons have two classes, a sine has none."""
    outputs = ("units: 3", "units: 2", "  - softmax\n", "")
    write(workdir, changed(VALID, DATA, data, f"{VALIDATION}\n", "", *outputs, LOSS, "log_loss"))
    assert words in run_cli("check", "bad.yaml").err


def test_advice_for_two_classes_offers_both(workdir, run_cli):
    """With two classes, one sigmoid output or two softmax outputs are right."""
    write(workdir, changed(VALID, *BINARY, LOSS, "cross_entropy"))
    result = run_cli("check", "bad.yaml")
    assert "categorical_crossentropy (softmax, one output per class) or" in result.err
    assert "binary_crossentropy (one sigmoid output)" in result.err


def component(kind, name):
    """A component with all of its parameters that have a default or an example."""
    (entry,) = (each for each in components(kind) if each.name == name)
    given = {each.name: each.default for each in entry.parameters if each.default not in {..., None}}
    return {"type": name, **given}


def generated_configs():
    """Valid configs: every optimizer, activation, schedule and form of a section in many combinations."""
    rng = random.Random(0)
    activations = ["relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid", "linear", "batch_normalization"]
    optimizers = [component("optimizer", each.name) for each in components("optimizer")]
    for classes, optimizer in itertools.islice(itertools.cycle(itertools.product((0, 2, 3, 5), optimizers)), 180):
        hidden = [rng.choice(activations) for _ in range(rng.randint(1, 3))]
        layers = [each for name in hidden for each in ({"type": "dense", "units": rng.randint(1, 9)}, name)]
        layers += [{"type": "dropout", "rate": 0.1}] * rng.randint(0, 1) + [{"type": "dense", "units": classes or 1}]
        loss = "categorical_crossentropy" if classes else "mean_squared_error"
        config = {
            "seed": rng.randint(0, 9),
            "data": {"type": "spiral", "samples": 20, "classes": classes}
            if classes
            else {"type": "sine", "samples": 20},
            "layers": [*layers, "softmax" if classes else "linear"],
            "loss": rng.choice([loss, {"type": loss}]),
            "optimizer": rng.choice([optimizer, {"type": optimizer["type"]}]),
            "training": {"epochs": 3, "batch_size": 5, "early_stopping": rng.choice([None, {"patience": 5}])},
            "validation": {"fraction": 0.25},
            "schedule": rng.choice([None, "cosine", {"type": "step", "every": 2}, {"type": "warmup", "updates": 2}]),
            "clipping": rng.choice([None, {"type": "norm", "limit": 1}, {"type": "value", "limit": 0.5}]),
            "regularization": rng.choice([{}, {"l2": 1e-4}, {"l1": 0.1, "bias_l2": 1}]),
            "dtype": rng.choice(["float32", "float64"]),
        }
        yield {key: value for key, value in config.items() if rng.random() < 0.9 or key in REQUIRED}


REQUIRED = {"data", "layers", "loss", "optimizer", "training", "validation"}


@pytest.mark.slow
def test_right_configs_give_no_false_alarm(tmp_path):
    """All configs of the repository and generated ones are accepted, and normalization leaves their values alone."""
    texts = [path.read_text(encoding="utf-8") for path in CONFIGS]
    generated = list(generated_configs())
    assert len(texts) + len(generated) >= 200
    for config in generated:
        load_mapping(config)
    for path in CONFIGS:
        load(path, stand_ins(path, tmp_path))
    for text in (*texts, *(to_yaml(config).decode() for config in generated)):
        root = read(SourceText("config.yaml", text)).root
        assert normalized(root).plain() == root.plain()
