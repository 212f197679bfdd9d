"""Runs that are reported: trained once for all tests."""

import pytest

from nncli.cli.main import main
from tests.conftest import SPEC

CLASSES = SPEC
FIT = """\
seed: 0
data: {type: sine, samples: 60}
validation: {fraction: 0.25}
layers: [{type: dense, units: 8}, tanh, {type: dense, units: 1}, linear]
loss: mean_squared_error
optimizer: {type: adam, learning_rate: 0.01}
training: {epochs: 40, log_every: 10}
"""
TABLE = """\
seed: 0
data: {type: table, path: data.csv, target: kind}
validation: {fraction: 0.3}
layers: [{type: dense, units: 6}, relu, {type: dense, units: 2}, softmax]
loss: categorical_crossentropy
optimizer: {type: adam, learning_rate: 0.05}
training: {epochs: 60, log_every: 20}
"""
TARGETS = """\
seed: 0
data: {type: table, path: data.csv, target: [size, noise], columns: {size: number, noise: number}}
layers: [{type: dense, units: 4}, tanh, {type: dense, units: 2}]
loss: mean_squared_error
optimizer: adam
training: {epochs: 10}
"""
ROWS = ["size,color,noise,kind"] + [
    f"{index % 17},{('red', 'blue')[index % 2]},{(7 * index) % 5},{'large' if index % 17 > 8 else 'small'}"
    for index in range(120)
]


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """A directory with the runs ``classes``, ``other`` on the same data, ``fit``, ``table`` and ``targets``."""
    directory = tmp_path_factory.mktemp("reported")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        (directory / "data.csv").write_text("\n".join(ROWS) + "\n", encoding="utf-8")
        for name, text in {
            "classes": CLASSES,
            "other": CLASSES,
            "fit": FIT,
            "table": TABLE,
            "targets": TARGETS,
        }.items():
            (directory / f"{name}.yaml").write_text(text, encoding="utf-8")
            overrides = ["optimizer.learning_rate=0.01"] if name == "other" else []
            assert main(["train", f"{name}.yaml", *overrides, "-q"]) == 0
    return directory / "runs"
