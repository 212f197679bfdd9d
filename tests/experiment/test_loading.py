"""Loading: each source is opened once, and defaults that depend on other values are filled in."""

import subprocess
import sys
from math import ceil

import pytest

from nncli.config.validation import PartialConfig
from nncli.data.dataset import DataSchema
from nncli.data.source import SourceError
from nncli.data.sources.nnfs import ClassificationToy, Sine, Spiral
from nncli.errors import ConfigError
from nncli.experiment import checks
from nncli.experiment.assembly import assemble
from nncli.experiment.data_plan import DataPlan, open_data
from nncli.experiment.defaults import resolve
from nncli.experiment.loading import load, parse, with_overrides
from nncli.experiment.sections import with_recorded_columns
from nncli.registry import ComponentConfig, names
from tests.examples import BINARY, DENSE_8, SINE, WARM_COSINE

FORM = {"features": ["x", "y"], "targets": ["class"], "class_names": ["a", "b"]}
MODELS = """
from pathlib import Path
from nncli.registry import components, kinds
from nncli.experiment.loading import load, parse, with_overrides
load(Path("config.yaml"), ("metrics=null",))
print(*(entry.name for kind in kinds() for entry in components(kind) if "model" in vars(entry)))
"""


@pytest.fixture
def resolved(workdir):
    """Load the small config with overrides, resolved."""
    return lambda *overrides: load(workdir / "config.yaml", overrides).config


@pytest.mark.parametrize(
    ("changes", "rows"),
    [
        ((), 60),
        (("training.batch_size=16",), 60),
        (("training.batch_size=60",), 60),
        (("validation={fraction: 0.25}", "training.batch_size=7"), 45),
        (("training.epochs=1",), 60),
    ],
)
def test_cosine_without_length_lasts_for_the_training(resolved, changes, rows):
    """Its length is the number of updates of the training, remainder batches included."""
    config = resolved("schedule=cosine", *changes)
    updates = config.training.epochs * ceil(rows / (config.training.batch_size or rows))
    assert config.schedule.updates == updates
    both = resolved(WARM_COSINE, *changes).schedule
    assert (both.updates, both.then.updates, both.then.lowest) == (5, max(1, updates - 5), 0.1)


def test_unequal_classes_are_counted_for_schedules_and_batches(resolved, monkeypatch):
    """Of 51 and 52 rows a fraction of 0.2233 leaves 80: two batches of 40, or one of 79 and one of 1."""
    monkeypatch.setattr(Spiral, "open", lambda source: DataSchema(**FORM, class_counts=[51, 52]))
    uneven = (*BINARY, "validation={fraction: 0.2233}")
    assert resolved(*uneven, "schedule=cosine", "training.batch_size=40").schedule.updates == 30 * 2
    normalized = f"layers=[{DENSE_8}, batch_normalization, relu, {{type: dense, units: 1}}, sigmoid]"
    resolved(*uneven, normalized, "training.batch_size=80")
    with pytest.raises(ConfigError, match="the last batch of an epoch has 1 of the 80 rows"):
        resolved(*uneven, normalized, "training.batch_size=79")
    monkeypatch.setattr(Spiral, "open", lambda source: DataSchema(**FORM, class_counts=[51, 2]))
    with pytest.raises(ConfigError, match=r"leave none of the 2 rows of a class"):
        resolved(*uneven, "test={fraction: 0.2}")


def test_given_length_of_a_schedule_is_kept(resolved):
    """A value of the config is not replaced by a default."""
    assert resolved("schedule={type: cosine, updates: 7}").schedule.updates == 7
    then = "schedule={type: warmup, updates: 4, then: {type: cosine, updates: 9}}"
    assert resolved(then).schedule.then.updates == 9


def test_schedule_after_two_others_gets_the_remaining_updates(resolved):
    """Each warm-up takes its updates off."""
    inner = "{type: warmup, updates: 5, then: cosine}"
    config = resolved(f"schedule={{type: warmup, updates: 10, then: {inner}}}")
    assert config.schedule.then.then.updates == 15


def test_warmup_longer_than_the_training_is_valid(resolved):
    """The following schedule is never reached, and still has a length."""
    config = resolved("schedule={type: warmup, updates: 500, then: cosine}")
    assert config.schedule.then.updates == 1


@pytest.mark.parametrize("schedule", ["{type: step, every: 3}", "{type: exponential, gamma: 0.9}"])
def test_schedule_without_length_is_unchanged(resolved, schedule):
    """No key is added to it."""
    assert set(resolved(f"schedule={schedule}").schedule.model_dump()) <= {"type", "every", "gamma"}


def test_schedule_and_clipping_are_optional(resolved):
    """Without their sections there is neither a schedule nor clipping."""
    config = resolved()
    assert config.schedule is None
    assert config.clipping is None


def test_resolving_twice_changes_nothing(workdir):
    """A resolved config is its own resolution, as readers of a run rely on."""
    loaded = load(workdir / "config.yaml", (WARM_COSINE, "training.batch_size=16", "metrics=[accuracy]"))
    assert resolve(loaded.config, loaded.plan) == loaded.config


@pytest.mark.slow
def test_models_are_created_for_used_components_only(workdir):
    """Only components that a config or its defaults name have their signatures read."""
    done = subprocess.run([sys.executable, "-c", MODELS], capture_output=True, encoding="utf-8", check=True)
    used = {"spiral", "dense", "relu", "softmax", "categorical_crossentropy", "adam", "accuracy", "he", "glorot"}
    assert set(done.stdout.split()) == used


@pytest.fixture
def opened(monkeypatch):
    """The data sources that are opened from now on."""
    sources = []

    def recorded(cls):
        measure = cls.open

        def open_source(source):
            sources.append(source)
            return measure(source)

        return open_source

    for cls in (ClassificationToy, Sine):
        monkeypatch.setattr(cls, "open", recorded(cls))
    return sources


@pytest.mark.parametrize(
    ("overrides", "count"),
    [
        ((), 2),
        (("validation={fraction: 0.2}",), 1),
        (("test={type: spiral, samples: 10}", "schedule=cosine", "metrics=null"), 3),
        (("rng=nnfs", "test={type: spiral, samples: 10}"), 3),
        ((*SINE, "test={type: sine, samples: 31}"), 3),
    ],
)
def test_each_source_is_built_and_opened_once(workdir, monkeypatch, opened, overrides, count):
    """Checks, defaults, summary, task and assembly use the sources that loading has opened."""
    built, build = [], ComponentConfig.build
    monkeypatch.setattr(ComponentConfig, "build", lambda section: built.append(section.component) or build(section))
    loaded = load(workdir / "config.yaml", overrides)
    experiment = assemble(loaded.config, loaded.plan)
    experiment.sample_test_set()
    assert len(opened) == len([each for each in built if each.kind == "dataset"]) == count
    assert list(loaded.plan.sources.values()) == opened


def test_assembly_opens_the_sources_if_they_are_not_given(workdir, opened):
    """A recorded plan has schemas without sources."""
    loaded = load(workdir / "config.yaml")
    assemble(loaded.config, DataPlan(loaded.plan.schemas))
    assemble(loaded.config)
    assert len(opened) == 3 * 2


@pytest.mark.parametrize(("key", "location"), [("samples", "2:31: data.samples"), (None, "2:7: data")])
def test_source_that_cannot_be_opened_is_reported_with_its_location(workdir, monkeypatch, key, location):
    """The error is a diagnostic among others; checks that need the schema are skipped, all others are made."""

    def fail(source):
        raise SourceError("no such file", key)

    monkeypatch.setattr(Spiral, "open", fail)
    with pytest.raises(ConfigError) as caught:
        load(workdir / "config.yaml", ("validation=null", "loss=mean_squared_error", "layers=[softmax]"))
    lines = [line for line in str(caught.value).splitlines() if not line.startswith(" ")]
    assert f"{workdir / 'config.yaml'}:{location}: no such file" in lines
    assert "command line:3:8: layers: no trainable layer; add a dense layer" in lines
    with pytest.raises(ConfigError, match=location.partition(": ")[2] + ": no such file"):
        open_data(PartialConfig(data=names("dataset")["spiral"].model.model_validate({"type": "spiral"})))


def test_checks_read_only_the_sections_that_they_declare(workdir):
    """Each check works on a config that has its sections alone; access to another one would raise."""
    loaded = load(workdir / "config.yaml", ("validation={fraction: 0.2}", "test={type: spiral, samples: 10, seed: 3}"))
    assert len(checks._checks) > 10
    for check in checks._checks:
        sections = {name: getattr(loaded.config, name) for name in check.sections}
        plan = DataPlan(*({name: each[name] for name in each if name in sections} for each in loaded.plan[:2]))
        assert list(check.function(PartialConfig(**sections), plan)) == []


def test_override_changes_no_other_spelling():
    """A short or foreign form stays as it is written, and the override may have one too."""
    content = b"layers:\n- dense: 16  # first\noptimizer: Adam\n"
    assert with_overrides(content, ("seed=3",)) == content + b"seed: 3\n"
    assert parse("", content, ("optimizer=SGD",)).root.plain()["optimizer"] == "sgd"


def test_text_is_written_anew_if_an_override_would_make_it_invalid():
    """The anchor is gone to which the other value refers."""
    content = b"data: {type: spiral, samples: &rows 20}  # a\nvalidation: {type: spiral, samples: *rows}\n"
    text = with_overrides(content, ("data=moons",))
    assert parse("", text).root.plain() == {"data": "moons", "validation": {"type": "spiral", "samples": 20}}


TABLE = """\
data: {type: table, path: data.csv, target: kind, columns: {x: number}}
validation: {path: valid.csv}
test: {path: test.csv}
layers: [{type: dense, units: 2}, softmax]
loss: categorical_crossentropy
optimizer: adam
training: {epochs: 1}
"""


@pytest.fixture
def table_config(tmp_path, monkeypatch):
    """A config on three tables, in another directory than the working directory."""
    for name in ("config", "elsewhere"):
        (tmp_path / name).mkdir()
    for name in ("data", "valid", "test"):
        (tmp_path / "config" / f"{name}.csv").write_text("x,color,kind\n1,r,a\n2,g,b\n3,r,a\n", encoding="utf-8")
    (tmp_path / "config" / "config.yaml").write_text(TABLE, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "config" / "config.yaml"


def test_paths_start_at_the_directory_of_the_config(table_config):
    """Those of all sections, also in the overrides with which the config can be used elsewhere."""
    loaded = load(table_config)
    for section, name in (("data", "data.csv"), ("validation", "valid.csv"), ("test", "test.csv")):
        path = table_config.parent / name
        assert vars(loaded.config)[section].path == path
        assert f"{section}.path={path}" in loaded.overrides


def test_types_of_columns_in_the_config_come_before_recorded_ones(table_config):
    """Only those that it does not state are taken from the run."""
    recorded = load(table_config, ("data.columns={x: category, color: category}",)).config
    columns = with_recorded_columns(load(table_config).config, recorded).data.columns
    assert {name: column.type for name, column in columns.items()} == {
        "x": "number",
        "color": "category",
        "kind": "category",
    }
