"""Every file in configs/ trains, and their reference tells the truth.

``python -m tests.test_configs`` writes the generated part of the reference anew.
"""

import json
import re
from math import prod

import pytest

import nncli.experiment.loading  # noqa: F401 (registers all components)
from nncli import registry
from nncli.cli.render.component_reference import components_as_markdown
from nncli.config import model as sections
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))
PAGE = ROOT / "configs" / "README.md"
REFERENCE = PAGE.read_text(encoding="utf-8")
GENERATED = "\n## Components\n\nWritten by `python -m tests.test_configs` from the signatures and docstrings.\n\n"


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_trains_shortened(config, workdir, run_cli):
    """Every config trains for a few epochs and leaves a finished run whose loss has become smaller."""
    short = ("training.epochs=60", "training.log_every=20", "training.early_stopping=null")
    short += ("data.samples=100",) if "samples: 1000, classes" in config.read_text(encoding="utf-8") else ()
    result = run_cli("train", config, *short, "--json")
    assert result.code == 0, result.err
    rows = (workdir / json.loads(result.out)["run"] / "metrics.csv").read_text(encoding="utf-8").splitlines()
    losses = [float(row.split(",")[2]) for row in rows[1:]]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_gradients_are_the_slopes_of_the_loss(config, run_cli):
    """In every config's own network, on its own data, backward agrees with central differences; nothing is left out."""
    result = run_cli("gradcheck", config, "--entries", 40, "--rows", 100, "--json")
    assert result.code == 0, result.err
    check = json.loads(result.out)
    assert max(array["error"] for array in check["arrays"]) < 1e-6
    assert all(array["compared"] == min(40, prod(array["shape"])) for array in check["arrays"])
    assert check["rows"] + check["rows_near_kinks"] + check["rows_clipped"] == 100
    assert check["rows"] > 50


def test_overfitting_set_differs_only_in_regularization(run_cli, workdir):
    """The three demonstrations have the same data and the same first weights, so that their gaps compare."""
    names = ["overfit", "overfit_l2", "overfit_dropout"]
    for name in names:
        run_cli("train", ROOT / "configs" / f"{name}.yaml", "training.epochs=1", "--name", name, "-q")
    compared = json.loads(run_cli("compare", *names, "--json").out)
    assert set(compared["differences"]) == {"regularization.l2", "layers", "layers.dropout[0].rate"}


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_is_explained(config):
    """A config begins with a sentence, and the reference names it."""
    assert config.read_text(encoding="utf-8").startswith("# ")
    page = config.parent / "README.md"
    assert f"`{config.name}`" in page.read_text(encoding="utf-8")


def test_component_reference_is_that_of_the_signatures():
    """The reference ends with the component tables as the signatures have them."""
    assert written_anew() == REFERENCE, "run python -m tests.test_configs"


def written_anew():
    """The reference with its generated part made again."""
    every = [entry for kind in registry.kinds() for entry in registry.components(kind)]
    return REFERENCE.partition(GENERATED)[0] + GENERATED + components_as_markdown(every)


@pytest.mark.parametrize(
    "model",
    [sections.Config, sections.Training, sections.EarlyStopping, sections.Regularization, sections.Fraction],
    ids=lambda model: model.__name__,
)
def test_section_reference_names_every_key(model):
    """Every key of every section has a row with its default, and a meaning in the section's docstring."""
    meanings = registry.meanings(model.__doc__)
    for name, field in model.model_fields.items():
        assert re.search(rf"^\| `{name}` \|", REFERENCE, re.MULTILINE), name
        assert meanings.get(name), name
        if isinstance(field.default, int | float | str):
            assert re.search(rf"^\| `{name}` \|.*\| {re.escape(str(field.default))} \|", REFERENCE, re.MULTILINE), name


if __name__ == "__main__":
    PAGE.write_text(written_anew(), encoding="utf-8")
