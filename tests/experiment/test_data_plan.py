"""The data plan of a config: schemas are recorded by a run, so that its readers open no source."""

import json
from pathlib import Path

import numpy as np
import pytest

from nncli.data.source import SourceError
from nncli.data.sources.nnfs import ClassificationToy
from nncli.errors import RunError
from nncli.experiment.checks import NEW_RUN
from nncli.experiment.data_plan import CheckedConfig, DataPlan
from nncli.experiment.loading import checked, load, parse
from nncli.store.run_reader import Run
from nncli.store.run_weights import read_weights
from tests.examples import put_record

FRACTION = ("validation={fraction: 0.25}",)
TEST_SET = ("test={type: spiral, samples: 7}",)
SAMPLED_LAST = ("rng=nnfs", *TEST_SET)


@pytest.fixture
def without_data(monkeypatch):
    """Make the data sources unavailable; returns those that are opened nevertheless."""

    def remove():
        opened = []

        def fail(source):
            opened.append(source)
            raise SourceError("no such file", "samples")

        monkeypatch.setattr(ClassificationToy, "open", fail)
        return opened

    return remove


def edit_record(path, change):
    """Change run.json, with a valid checksum."""
    record = json.loads(path.read_text(encoding="utf-8"))
    change(record)
    put_record(path, record)


@pytest.mark.parametrize(
    ("overrides", "sections"),
    [
        (FRACTION, ["data"]),
        (TEST_SET, ["data", "validation", "test"]),
        (SAMPLED_LAST, ["data", "validation", "test"]),
    ],
)
def test_schemas_are_recorded(workdir, run_cli, overrides, sections):
    """run.json has the schema of each section with a source, the one that is sampled last included."""
    assert run_cli("train", "config.yaml", *overrides, "-q").code == 0
    schemas = json.loads((workdir / "runs/config/run.json").read_text(encoding="utf-8"))["schema"]
    assert list(schemas) == sections
    assert schemas["data"] == {
        "features": ["x", "y"],
        "targets": ["class"],
        "class_names": ["0", "1", "2"],
        "class_counts": [20, 20, 20],
    }
    loaded = load(workdir / "config.yaml", overrides)
    assert Run(workdir / "runs/config").plan.schemas == loaded.plan.schemas


@pytest.mark.parametrize("overrides", [FRACTION, TEST_SET, SAMPLED_LAST])
def test_readers_of_a_run_open_no_source(workdir, run_cli, without_data, overrides):
    """Listing runs, and reading config, metrics, weights and the stored config, need no data."""
    assert run_cli("train", "config.yaml", *overrides, "-q").code == 0
    opened = without_data()
    assert run_cli("runs").code == 0
    run = Run(workdir / "runs/config")
    document = parse("config.yaml", run.read("config.yaml"))
    assert checked(document, {NEW_RUN}, run.checked).plan.schemas == run.plan.schemas
    assert (len(run.metrics), run.status) == (4, "finished")
    assert read_weights(run, run.evaluation)
    assert opened == []


@pytest.mark.slow
@pytest.mark.parametrize("overrides", [FRACTION, SAMPLED_LAST])
def test_runs_are_compared_without_data(workdir, run_cli, without_data, overrides):
    """The comparison is then not paired by row; an evaluation reports what is missing."""
    for name in ("one", "two"):
        assert run_cli("train", "config.yaml", *overrides, "--name", name, "-q").code == 0
    without_data()
    assert run_cli("compare", "one", "two").code == 0
    evaluated = run_cli("evaluate", "one")
    assert (evaluated.code, evaluated.out) == (3, "")
    assert "data.samples: no such file" in evaluated.err


def test_recorded_schema_is_reused_for_equal_sections_only(workdir):
    """A section that differs from the run's is opened."""
    loaded = load(workdir / "config.yaml", TEST_SET)
    recorded = CheckedConfig(loaded.config, loaded.plan)
    content = Path("config.yaml").read_bytes()
    plan = checked(parse("config.yaml", content, (*TEST_SET, "data.samples=9")), {NEW_RUN}, recorded).plan
    assert list(plan.sources) == ["data"]
    assert {name: schema.rows for name, schema in plan.schemas.items()} == {"data": 27, "validation": 60, "test": 21}


def test_plan_is_open_if_all_sources_are(workdir):
    """Not if the schemas of some or of all were recorded by a run."""
    plan = load(workdir / "config.yaml", TEST_SET).plan
    partial, recorded = DataPlan(plan.schemas, {"data": plan.sources["data"]}), DataPlan(plan.schemas)
    assert [each.is_open for each in (plan, partial, recorded)] == [True, False, False]


def test_run_without_recorded_schema_is_read(workdir, run_cli):
    """Earlier versions recorded none; the sources of the config are opened instead."""
    assert run_cli("train", "config.yaml", *TEST_SET, "-q").code == 0
    recorded = Run(workdir / "runs/config").plan
    edit_record(workdir / "runs/config/run.json", lambda record: record.pop("schema"))
    run = Run(workdir / "runs/config")
    assert (run.record.schema, run.plan.schemas) == (None, recorded.schemas)
    for command in ("evaluate", "verify"):
        assert run_cli(command, "config").code == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda schemas: schemas.pop("validation"),
        lambda schemas: schemas.update(test=schemas["data"]),
        lambda schemas: schemas["data"].update(class_counts=[20, 20, 21]),
        lambda schemas: schemas["validation"].update(class_counts=[20, 20, 19]),
        lambda schemas: schemas["data"].update(features=["x", "y", "z"]),
        lambda schemas: schemas["data"].update(class_names=["a", "b"]),
        lambda schemas: schemas["data"].update(class_names=None, class_counts=[60]),
        lambda schemas: schemas["data"].pop("targets"),
        lambda schemas: schemas.update(data=None),
        lambda schemas: schemas.clear(),
    ],
)
def test_inconsistent_schema_is_damage(workdir, run_cli, change):
    """A recorded schema has the sections of the config, and the sizes of the recorded data."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    edit_record(workdir / "runs/config/run.json", lambda record: change(record["schema"]))
    with pytest.raises(RunError, match="damaged"):
        _ = Run(workdir / "runs/config").config


def test_sources_can_be_sampled_repeatedly(workdir):
    """An opened source has no state: the same generator gives the same rows."""
    for source in load(workdir / "config.yaml", TEST_SET).plan.sources.values():
        first, second = (source.draw(np.random.default_rng(0)) for _ in range(2))
        assert first.fingerprint() == second.fingerprint()


@pytest.mark.parametrize(
    ("column", "location", "message"),
    [
        ("{type: number, missing: {type: constant, value: abc}}", "2:31: data.columns.x.missing", "holds numbers"),
        ("{type: boolean, missing: {type: constant, value: 3}}", "2:32: data.columns.x.missing", "true and false"),
        ("{type: category, encoding: {type: ordinal, order: [a, a]}}", "2:57: data.columns.x.encoding.order", "twice"),
        ('{type: date, format: "%d.%m"}', "2:28: data.columns.x.format", "has no year"),
    ],
)
def test_column_that_cannot_be_built_has_its_location(tmp_path, monkeypatch, run_cli, column, location, message):
    """That of the key which causes the error, also within a component of the column."""
    monkeypatch.chdir(tmp_path)
    config = f"data: {{type: table, path: data.csv, target: price, columns:\n  {{x: {column}}}}}\n"
    Path("config.yaml").write_text(config, encoding="utf-8")
    result = run_cli("check", "config.yaml")
    assert (result.code, f"config.yaml:{location}: " in result.err, message in result.err) == (3, True, True)
