"""What completes a command line: every position of the table, the status of runs, and what is imported for it."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from nncli.analysis import run_filter
from nncli.cli import completion
from nncli.cli.main import COMPLETE_ENV
from nncli.cli.main import nncli as group
from nncli.cli.shells import SHELLS
from nncli.export import export
from nncli.registry import components, kinds
from nncli.store.lock import Lock
from nncli.store.run_reader import Run
from tests.cli.completion_positions import POSITIONS, write_workdir

SLOW = ("numpy", "pydantic_core", "pydantic", "rich", "plotext", "nnfs")
ALL_POSITIONS = """
import os, sys
from nncli.cli.main import COMPLETE_ENV, nncli
from nncli.cli.shells import SHELLS
for line in sys.argv[2:]:
    os.environ["COMP_LINE"] = "nncli " + line
    assert SHELLS["fish"](nncli, {}, "nncli", COMPLETE_ENV).complete(), line
print(*(name for name in sys.argv[1].split() if name in sys.modules))
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A directory with configs and runs, which no test changes."""
    path = tmp_path_factory.mktemp("completion")
    write_workdir(path)
    return path


@pytest.fixture
def complete(directory, monkeypatch):
    """The words that complete a line, each with its description."""
    monkeypatch.chdir(directory)

    def words(line):
        monkeypatch.setenv("COMP_LINE", f"nncli {line}")
        shell = SHELLS["fish"](group, {}, "nncli", COMPLETE_ENV)
        return {item.value: item.help for item in shell.get_completions(*shell.get_completion_args())}

    return words


@pytest.mark.parametrize("line", POSITIONS)
def test_words_of_each_position(complete, line):
    """Exactly the words of the table, in its order."""
    assert list(complete(line)) == POSITIONS[line]


@pytest.mark.slow
def test_nothing_slow_is_imported(directory):
    """No position imports NumPy or pydantic-core, which take longer than all the rest."""
    command = [sys.executable, "-c", ALL_POSITIONS, " ".join(SLOW), *POSITIONS]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, cwd=directory)
    assert done.stdout == "\n"


def test_reader_of_yaml_is_imported_for_overrides_only(directory):
    """Where no override is completed, PyYAML is not imported either."""
    lines = [line for line in POSITIONS if "net.yaml " not in line and "--resume stopped" not in line]
    command = [sys.executable, "-c", ALL_POSITIONS, "yaml", *lines]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, cwd=directory)
    assert (len(lines) > 20, done.stdout) == (True, "\n")


@pytest.mark.parametrize("name", ["done", "early", "exploded", "stopped", "raised"])
def test_status_of_a_run_is_its_description(complete, directory, name):
    """It is the status that ``runs`` prints, although no file is validated."""
    status = str(Run(directory / "runs" / name).status)
    assert complete(f"evaluate {name}") == {name: status}
    assert (status == "finished") == (name in {"done", "early"})


def test_status_of_a_run_that_trains_is_running(complete, directory, tmp_path):
    """The lock says so, as for ``runs``."""
    shutil.copytree(directory / "runs" / "stopped", tmp_path / "runs" / "busy")
    lock = Lock(tmp_path / "runs" / "busy" / "lock")
    try:
        assert complete(f"train --runs-dir {tmp_path}/runs --resume b") == {"busy": "running"}
    finally:
        lock.release()


@pytest.mark.parametrize("content", ["", "[]", '{"spec": 3}', '{"spec": {"training": []}}', '{"spec": {}}'])
def test_damaged_run_is_described_as_damaged(complete, directory, tmp_path, content):
    """It is no obstacle to any other completion."""
    run = tmp_path / "runs" / "broken"
    shutil.copytree(directory / "runs" / "done", run)
    (run / "run.json").write_text(content, encoding="utf-8")
    assert complete(f"train --runs-dir {tmp_path}/runs --resume b") == {"broken": "damaged"}
    assert "training" in complete(f"evaluate {run} --split ")
    assert list(complete(f"evaluate {run} --fail-below accuracy")) == ["accuracy="]
    assert set(complete(f"train --resume {run} training.ep")) <= {"training.epochs="}


def test_directory_that_is_no_run_is_called_so(complete, tmp_path):
    """A directory without the files of a run."""
    (tmp_path / "notes").mkdir()
    assert complete(f"train --runs-dir {tmp_path} --resume n") == {"notes": "not a run"}


def test_words_of_a_config_that_cannot_be_read(complete, tmp_path):
    """Keys that every config has are completed if its YAML is invalid, and none if there is no config."""
    (tmp_path / "bad.yaml").write_text("layers: [", encoding="utf-8")
    assert list(complete(f"train {tmp_path}/bad.yaml lo")) == ["loss.", "loss="]
    assert complete(f"train {tmp_path}/missing.yaml lo") == {}
    assert complete(f"train {tmp_path} lo") == {}


def test_words_of_components_in_their_short_form(complete, tmp_path):
    """Keys and types of ``dense: 16`` are those of ``{type: dense, units: 16}``, also after an override of a key."""
    config = tmp_path / "short.yaml"
    config.write_text("layers: [dense: 16, Dropout: {rate: 0.1}, relu]\noptimizer: {sgd: {}}\n", encoding="utf-8")
    assert complete(f"train {config} layers[") == {"layers[0].": "dense", "layers[1].": "Dropout", "layers[2].": "relu"}
    assert list(complete(f"train {config} layers.0.u")) == ["layers.0.units="]
    assert list(complete(f"train {config} layers.0.units=8 layers.0.u")) == ["layers.0.units="]
    assert list(complete(f"train {config} layers[1].")) == ["layers[1].type=", "layers[1].rate="]
    assert list(complete(f"train {config} optimizer.mo")) == ["optimizer.momentum="]


def test_number_of_a_gate_is_not_completed(complete):
    """A word that is typed already would be followed by a space."""
    assert complete("evaluate done --fail-below accuracy=") == {}
    assert complete("evaluate done --fail-above=accuracy=") == {}


def test_names_are_sorted_without_their_slash(complete, tmp_path):
    """A directory comes before those whose names begin with its name."""
    for name in ("c-2", "c", "c.d"):
        (tmp_path / name).mkdir()
    assert list(complete(f"train --runs-dir {tmp_path} --resume c")) == ["c", "c-2", "c.d"]
    assert list(complete(f"runs {tmp_path}/c")) == [f"{tmp_path}/c/", f"{tmp_path}/c-2/", f"{tmp_path}/c.d/"]


def test_invalid_override_before_the_cursor_is_ignored(complete):
    """Keys after it are completed with what the config says."""
    for word in ("optimizer={type:", "momentum", "layers[9].units=3"):
        assert list(complete(f"train net.yaml {word} optimizer.eps")) == ["optimizer.epsilon="]


def test_metrics_of_any_run_without_runs(complete, tmp_path):
    """Where no run says which metrics there are, all of the registry are completed, each with its split."""
    every = list(complete(f"runs {tmp_path} --sort "))
    for metric in (each.name for each in components("metric")):
        assert {metric, f"validation_{metric}", f"test_{metric}"} <= set(every)


def test_components_are_those_of_the_registry(complete):
    """Each kind and each component, with its summary."""
    registered = [component for kind in kinds() for component in components(kind)]
    assert set(complete("components ")) == {*kinds(), *(component.name for component in registered)}
    explained = complete("explain ")
    for name in {each.name for each in registered}:
        summaries = [each.documentation.summary for each in registered if each.name == name]
        assert any(summary.startswith(explained[name]) for summary in summaries)


def test_options_after_a_word_that_is_complete(complete):
    """An option is completed after arguments and flags, and not offered twice."""
    assert list(complete("evaluate done --json --s")) == ["--split"]
    assert list(complete("evaluate --runs-dir=runs d")) == ["done"]
    assert list(complete("train net.yaml --name=a optimizer=nad")) == ["optimizer=nadam"]
    assert "--sort" not in complete("runs --sort loss --s")


def test_names_with_control_characters_are_not_completed(complete, tmp_path):
    """They would end the line of the answer, or control the terminal."""
    (tmp_path / "a\nb.yaml").touch()
    (tmp_path / "a\x1bc.yaml").touch()
    (tmp_path / "ad.yaml").touch()
    assert list(complete(f"train {tmp_path}/a")) == [f"{tmp_path}/ad.yaml"]


def test_hidden_files_are_completed_if_a_dot_is_typed(complete, tmp_path):
    """As in a shell."""
    for name in ("net.yaml", ".net.yaml"):
        (tmp_path / name).touch()
    assert list(complete(f"train {tmp_path}/")) == [f"{tmp_path}/net.yaml"]
    assert list(complete(f"train {tmp_path}/.")) == [f"{tmp_path}/.net.yaml"]


def test_run_that_was_finished_before_its_epochs_were_raised_is_interrupted(complete, directory, tmp_path):
    """Early stopping that did not end the training then does not make it finished now."""
    run = tmp_path / "more"
    shutil.copytree(directory / "runs" / "done", run)
    record = json.loads((run / "run.json").read_bytes())
    record["spec"]["training"] |= {"epochs": 100, "early_stopping": {"patience": 90}}
    (run / "run.json").write_text(json.dumps(record), encoding="utf-8")
    assert complete(f"train --runs-dir {tmp_path} --resume m") == {"more": "interrupted"}


def test_files_without_end_or_of_any_size_do_not_block(complete, tmp_path):
    """A pipe in place of a file of a run or of a config is not opened."""
    run = tmp_path / "pipes"
    run.mkdir()
    for name in ("run.json", "metrics.csv", "evaluation.json", "net.yaml"):
        os.mkfifo(run / name)
    assert complete(f"train --runs-dir {tmp_path} --resume p") == {"pipes": "damaged"}
    assert complete(f"train {run}/net.yaml op") == {}


@pytest.mark.parametrize("line", ["evaluate --runs-dir exp b", "train --resume b", "show b", "runs exp --sort x"])
def test_directory_of_runs_is_that_of_the_option_or_the_variable(complete, directory, tmp_path, monkeypatch, line):
    """A name, the splits of a run and the columns are looked up there."""
    shutil.copytree(directory / "runs" / "done", tmp_path / "exp" / "best")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NNCLI_RUNS", str(tmp_path / "exp"))
    assert complete(line) == ({"best": "finished"} if line.endswith(" b") else {})
    assert "--split=validation" in complete("evaluate best --split=v")
    assert "validation_accuracy" in complete("runs --sort validation_")


def test_keys_of_conditions_and_kinds_of_export_are_all_of_them():
    """Completion has lists of its own, so that the tab key does not import what reads runs."""
    assert set(completion.OWN_KEYS) == set(run_filter.OWN_KEYS)
    assert tuple(completion.EXPORTS) == export.KINDS
