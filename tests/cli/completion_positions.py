"""Positions on a command line with the words that complete them, and a directory in which they do.

The tests compare these words with those of the program, and with what real shells insert and list. The benchmark
measures the time that they take.
"""

import nncli
from nncli.cli.main import main
from tests.conftest import SPEC

OPTIMIZERS = ["adagrad", "adam", "adamw", "nadam", "sgd", "nesterov", "rmsprop"]
ADAM = ["type=", "learning_rate=", "decay=", "beta_1=", "beta_2=", "epsilon="]
DENSE = ["type=", "units=", "l1=", "l2=", "bias_l1=", "bias_l2=", "initializer.", "initializer="]
METRICS = ["loss", "data_loss", "regularization_loss", "accuracy", "validation_loss", "validation_accuracy"]
POSITIONS = {
    "tr": ["train"],
    "n": ["note"],
    "rm e": ["early", "exploded"],
    "note do": ["done"],
    "runs --where st": ["status="],
    "runs --where status=f": ["status=finished", "status=failed"],
    "runs --export ml": ["mlflow"],
    "c": ["check", "cache", "compare", "components", "completion"],
    "train --res": ["--resume"],
    "evaluate a --fail-": ["--fail-below", "--fail-above"],
    "train n": ["net.yaml", "nets/"],
    "train d": ["done"],
    "show e": ["early", "exploded"],
    "check net.yaml ne": ["net.yaml", "nets/"],
    "gradcheck o": ["other.yml"],
    "show nets/": ["nets/deep.json", "nets/wide.yaml"],
    "profile my": ["my net.yaml"],
    "runs r": ["runs/"],
    "train net.yaml --runs-dir ru": ["runs/"],
    "verify --runs-dir . n": ["nets"],
    "help p": ["plot", "predict", "profile"],
    "evaluate ": ["done", "early", "exploded", "raised", "stopped"],
    "verify e": ["early", "exploded"],
    "compare done st": ["stopped"],
    "compare early e": ["exploded"],
    "compare runs/early e": ["exploded"],
    "evaluate --runs-dir=runs do": ["done"],
    "train --resume st": ["stopped"],
    "verify runs/do": ["runs/done/"],
    "evaluate done --split ": ["training", "validation"],
    "plot e": ["early", "exploded"],
    "rep": ["report"],
    "report early e": ["exploded"],
    "report done --diff": ["--different-data"],
    "plot done --split ": ["training", "validation"],
    "plot done --conf": ["--confusion"],
    "evaluate done --split=v": ["--split=validation"],
    "evaluate done --fail-below acc": ["accuracy="],
    "evaluate done --fail-above=validation_": [
        "--fail-above=validation_loss=",
        "--fail-above=validation_accuracy=",
    ],
    "evaluate done --fail-above training_r": ["training_regularization_loss="],
    "compare done early --sort ": METRICS,
    "runs --sort=valid": ["--sort=validation_loss", "--sort=validation_accuracy"],
    "compare done early --curve le": ["learning_rate"],
    "compare done early --columns accuracy,le": ["accuracy,learning_rate"],
    "compare done early --by optimizer.t": ["optimizer.type"],
    "compare done early --by regu": ["regularization"],
    "compare done --metric validation_l": ["validation_loss"],
    "compare done --base": ["--baseline"],
    "components in": ["initializer"],
    "components l": ["layer", "loss", "linear", "leaky_relu", "log"],
    "components ada": ["adagrad", "adam", "adamw"],
    "explain ada": ["adagrad", "adam", "adamw"],
    "explain ne": ["nesterov", "net.yaml", "nets/"],
    "explain mo": ["moons", "mode", "momentum"],
    "explain momentum n": ["net.yaml", "nets/"],
    "explain momentum net.yaml optimizer=sgd optimizer.m": ["optimizer.momentum="],
    "explain dense un": ["units="],
    "explain dense --we": ["--weights"],
    "completion ": ["bash", "zsh", "fish"],
    "train net.yaml opt": ["optimizer.", "optimizer="],
    "train net.yaml optimizer.": [f"optimizer.{key}" for key in ADAM],
    "train net.yaml optimizer=sgd optimizer.m": ["optimizer.momentum="],
    "sw": ["sweep"],
    "sweep net.yaml --max": ["--max-failures"],
    "sweep net.yaml --method ": ["grid", "random", "halving", "tpe"],
    "sweep net.yaml --metric validation_l": ["validation_loss"],
    "sweep net.yaml optimizer.type=ad": ["optimizer.type=adagrad", "optimizer.type=adam", "optimizer.type=adamw"],
    "worker do": ["done"],
    "worker done --en": ["--engine"],
    "train net.yaml --fo": ["--folds"],
    "show net.yaml optimizer=": [f"optimizer={name}" for name in OPTIMIZERS],
    "show net.yaml optimizer.type=ad": ["optimizer.type=adagrad", "optimizer.type=adam", "optimizer.type=adamw"],
    "gradcheck net.yaml layers[": ["layers[0].", "layers[1].", "layers[2].", "layers[3]."],
    "profile net.yaml layers[0].": [f"layers[0].{key}" for key in DENSE],
    "train net.yaml layers[0].initializer=h": ["layers[0].initializer=he"],
    "train net.yaml training.early_stopping.pat": ["training.early_stopping.patience="],
    "explain net.yaml dtype=": ["dtype=float32", "dtype=float64"],
    "train net.yaml training.early_stopping.metric=validation_acc": [
        "training.early_stopping.metric=validation_accuracy"
    ],
    "train --resume stopped training.ep": ["training.epochs="],
}


CONFIGS = ("net.yaml", "other.yml", "my net.yaml", "nets/wide.yaml", "nets/deep.json", "notes.txt", ".hidden.yaml")
RUNS = {
    "done": [],
    "raised": [],
    "early": ["training.early_stopping={metric: loss, patience: 10, min_delta: 100}"],
    "exploded": ["optimizer={type: sgd, learning_rate: 1e38}"],
}


def write_workdir(directory):
    """Write configs, and runs of each status; more epochs were given to the run ``raised`` after it had finished."""
    (directory / "nets").mkdir()
    for name in CONFIGS:
        (directory / name).write_text(SPEC, encoding="utf-8")
    runs = directory / "runs"
    for name, overrides in RUNS.items():
        main(["train", str(directory / "net.yaml"), "-q", "--runs-dir", str(runs), "--name", name, *overrides])
    nncli.train(directory / "net.yaml", runs=runs, name="stopped", stop=lambda: True)
    nncli.resume("raised", ["training.epochs=100"], runs=runs, stop=lambda: True)
