"""Runs as event files, read back by TensorBoard: scalars by epoch, and the parameters of the HParams page."""

import os
from dataclasses import replace

import numpy as np
import pytest

from nncli.export.change import Change
from nncli.export.exported_run import exported_run
from nncli.export.tensorboard import FILE, write_events
from nncli.store.run_reader import Run
from nncli.store.run_status import RunStatus


def scalars(directory):
    """The scalars of a directory by name: steps, values and times (N,)."""
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    read = events.EventAccumulator(str(directory), size_guidance={"scalars": 0})
    read.Reload()
    found = {tag: read.Scalars(tag) for tag in read.Tags()["scalars"]}
    return {
        tag: tuple(np.array([(each.step, each.value, each.wall_time) for each in values]).T)
        for tag, values in found.items()
    }


def test_scalars_are_the_columns_of_metrics_csv(runs, listed, tmp_path):
    """In float32, at each logged epoch; the test metrics at the epoch of the final weights."""
    write_events(tmp_path / "events", exported_run(listed["tested"]))
    read, run = scalars(tmp_path / "events" / "tested"), Run(runs / "tested")
    assert set(read) == {*run.metrics.names[1:], "test_loss", "test_accuracy"}
    for name in run.metrics.names[1:]:
        steps, values, _ = read[name]
        np.testing.assert_array_equal(steps, run.metrics.column("epoch"))
        np.testing.assert_array_equal(values, run.metrics.column(name).astype(np.float32))
    steps, values, _ = read["test_accuracy"]
    assert (steps.tolist(), values.tolist()) == ([30], [np.float32(run.evaluation.splits["test"]["accuracy"])])


def test_times_lie_between_those_of_the_files(runs, listed, tmp_path):
    """Evenly by epoch, so that they do not depend on when the run is exported."""
    for name, time in {"config.original.yaml": 1000, "run.json": 1000, "metrics.csv": 1300}.items():
        os.utime(runs / "tested" / name, (time, time))
    write_events(tmp_path / "events", exported_run(listed["tested"]))
    steps, _, times = scalars(tmp_path / "events" / "tested")["loss"]
    assert (steps.tolist(), times.tolist()) == ([0, 10, 20, 30], [1000, 1100, 1200, 1300])


def test_parameters_are_read_by_the_plugin(listed, tmp_path):
    """By its own parser: numbers, strings, the group, and that the run is finished."""
    metadata = pytest.importorskip("tensorboard.plugins.hparams.metadata")
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = exported_run(listed["seeds/0001"])
    run = replace(run, parameters={**run.parameters, "yes": True, "no": False})
    write_events(tmp_path / "events", run)
    read = events.EventAccumulator(str(tmp_path / "events" / "seeds" / "0001"))
    read.Reload()
    content = read.PluginTagToContent("hparams")
    started = metadata.parse_session_start_info_plugin_data(content[metadata.SESSION_START_INFO_TAG])
    ended = metadata.parse_session_end_info_plugin_data(content[metadata.SESSION_END_INFO_TAG])
    values = {name: getattr(value, value.WhichOneof("kind")) for name, value in started.hparams.items()}
    assert values == {**run.parameters, "training.epochs": 30}
    assert started.start_time_secs == run.started
    assert (values["yes"], values["no"]) == (True, False)
    assert isinstance(values["yes"], bool)
    assert (values["optimizer.type"], values["layers.0.units"], values["seed"]) == ("adam", 8, 1)
    assert (started.group_name, ended.status) == ("seeds/0001", 1)


@pytest.mark.parametrize(
    ("status", "name"),
    [("finished", "SUCCESS"), ("running", "RUNNING"), ("diverged", "FAILURE"), ("interrupted", "FAILURE")],
)
def test_the_status_is_one_of_the_plugin(listed, tmp_path, status, name):
    """By its own numbers."""
    metadata = pytest.importorskip("tensorboard.plugins.hparams.metadata")
    numbers = pytest.importorskip("tensorboard.plugins.hparams.api_pb2")
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    write_events(tmp_path, replace(exported_run(listed["tested"]), status=RunStatus(status)))
    read = events.EventAccumulator(str(tmp_path / "tested"))
    read.Reload()
    content = read.PluginTagToContent("hparams")[metadata.SESSION_END_INFO_TAG]
    ended = metadata.parse_session_end_info_plugin_data(content)
    assert ended.status == numbers.Status.Value(f"STATUS_{name}")


def test_second_export_writes_the_same_bytes(listed, tmp_path):
    """It leaves the file alone; a file with other content is replaced."""
    run = exported_run(listed["seeds/0000"])
    path = tmp_path / "events" / "seeds" / "0000" / FILE
    assert write_events(tmp_path / "events", run) is Change.CREATED
    content, inode = path.read_bytes(), path.stat().st_ino
    (path.parent / "link").hardlink_to(path)  # so that its number is not used again
    assert write_events(tmp_path / "events", run) is Change.UNCHANGED
    assert path.stat().st_ino == inode
    path.write_bytes(content[:-1])
    assert write_events(tmp_path / "events", run) is Change.UPDATED
    assert path.read_bytes() == content
    assert path.stat().st_ino != inode  # a reader never sees half of it
    (path.parent / "link").unlink()
    assert [each.name for each in path.parent.iterdir()] == [FILE]
