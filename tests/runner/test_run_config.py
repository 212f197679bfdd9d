"""A run is reproducible by its name: its config as it was trained, and training it again."""

import json

import pytest

from nncli.config.in_place import is_same
from nncli.config.yaml_output import to_yaml_value
from nncli.errors import ConfigError, RunError
from nncli.experiment.loading import load, parse
from nncli.runner.run_config import load_any, load_named, load_run, recorded_document, trained_content
from nncli.store.run_reader import Run
from tests.conftest import ROOT
from tests.test_configs import CONFIGS, shortened, stand_ins

OLD_RUNS = ROOT / "tests" / "compatibility" / "runs_0_4_1"
RESULTS = ("weights.npz", "metrics.csv")
RATE = "optimizer.learning_rate=0.03"


@pytest.fixture
def train(workdir, run_cli):
    """Train, and return the run directory."""

    def call(*arguments):
        result = run_cli("train", *arguments, "-q")
        assert result.code == 0, result.err
        return workdir / result.out.strip()

    return call


def same_results(one, other):
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in RESULTS)


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_trained_again_by_its_name_it_has_the_same_bytes(config, train, tmp_path):
    """Every config, with overrides: the run of the run is the same in weights and metrics, comments and order."""
    first = train(config, *shortened(config), *stand_ins(config, tmp_path), "seed=3", RATE, "--name", "first")
    again = train("first")
    assert again.name == "first-2"
    assert same_results(first, again)
    text = (first / "config.yaml").read_bytes()
    assert (again / "config.yaml").read_bytes() == (again / "config.original.yaml").read_bytes() == text
    assert (first / "config.original.yaml").read_bytes() == config.read_bytes()
    comments = [line for line in config.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    assert [line for line in text.decode().splitlines() if line.startswith("#")] == comments
    assert is_same(json.loads((again / "run.json").read_bytes())["spec"], Run(first).config.model_dump())


def test_without_overrides_the_config_is_kept_byte_for_byte(workdir, train):
    """Both files have the bytes that were given."""
    content = b"# caf\xc3\xa9\r\n" + (workdir / "config.yaml").read_bytes() + b"  # end"
    (workdir / "config.yaml").write_bytes(content)
    run = train("config.yaml")
    assert (run / "config.yaml").read_bytes() == (run / "config.original.yaml").read_bytes() == content


@pytest.mark.slow
def test_raised_epochs_are_in_the_config(workdir, train, run_cli):
    """Training it again gives the bytes of the resumed run, with its log interval and schedule."""
    (workdir / "config.yaml").write_text(
        (workdir / "config.yaml").read_text(encoding="utf-8") + "schedule: cosine  # down\n", encoding="utf-8"
    )
    run = train("config.yaml", "training.log_every=null", "training.epochs=40")
    train("--resume", "config", "training.epochs=110")
    assert b"cosine, updates: 40}  # down" in (run / "config.yaml").read_bytes()
    assert same_results(train("config"), run)


def test_config_that_is_behind_run_json_is_that_of_run_json(train):
    """The process ended while epochs were raised: a resume writes the file, and until then readers act as if it had."""
    run = train("config.yaml", "training.epochs=10")
    before = (run / "config.yaml").read_bytes()
    train("--resume", "config", "training.epochs=20")
    after = (run / "config.yaml").read_bytes()
    (run / "config.yaml").write_bytes(before)
    (run / "evaluation.json").unlink()
    assert recorded_document(Run(run)).root.find(("training", "epochs")).value == 20
    assert load_run(Run(run)).config.training.epochs == 20
    train("--resume", "config")
    assert (run / "config.yaml").read_bytes() == after


def test_changed_config_is_rejected(train):
    """The run would not be trained again as it was; the message names the command that takes the file as it is."""
    run = train("config.yaml", RATE)
    path = run / "config.yaml"
    path.write_bytes(path.read_bytes().replace(b"units: 8", b"units: 9"))
    with pytest.raises(RunError, match=r"config\.yaml: layers\[0\]\.units is not what the run was trained with"):
        load_any(run)
    path.write_bytes(b"{")
    with pytest.raises(ConfigError):
        load_any(run)


@pytest.mark.slow
def test_missing_config_is_made_from_the_original(train, run_cli):
    """The original with the recorded overrides is what was trained; verify reports that the file is missing."""
    run = train("config.yaml", RATE)
    content = (run / "config.yaml").read_bytes()
    (run / "config.yaml").unlink()
    assert trained_content(Run(run)) == content
    assert same_results(train("config"), run)
    result = run_cli("verify", "config")
    assert (result.code, "config.yaml: missing" in result.out) == (4, True)
    (run / "config.original.yaml").unlink()
    with pytest.raises(RunError, match=r"config\.original\.yaml: missing"):
        load_any(run)


@pytest.mark.parametrize("name", sorted(path.name for path in OLD_RUNS.iterdir() if path.is_dir()))
def test_older_runs_load_as_they_were_trained(name):
    """Of spec.yaml with the recorded overrides; a default that was another one then is written into the config."""
    run = Run(OLD_RUNS / name)
    loaded = load_run(run)
    assert loaded.config == run.config
    assert loaded.overrides == ()
    assert is_same(parse("", loaded.content).root.plain(), loaded.document.root.plain())


@pytest.mark.slow
def test_older_run_is_trained_again_to_the_same_bytes(train):
    """As a run of this version from the same config, with further overrides if there are any."""
    old = OLD_RUNS / "classification"
    overrides = json.loads((old / "run.json").read_bytes())["overrides"]
    anew = train(old / "spec.yaml", *overrides, "split_method=consecutive", "--name", "anew")
    assert same_results(train(old), anew)
    assert not same_results(train(old, "seed=77"), anew)


def test_default_of_an_earlier_version_is_written_into_the_config(workdir, train):
    """A run whose resolved config has what this version would not choose is loaded as it was trained."""
    run = train("config.yaml")
    text = run / "config.yaml"
    text.write_bytes(text.read_bytes().replace(b", log_every: 10", b""))
    loaded = load_run(Run(run), ("seed=5",))
    assert (loaded.config.training.log_every, loaded.config.seed) == (10, 5)
    assert loaded.content.count(b"log_every: 10") == 1


def test_config_file_wins_over_a_run_of_its_name(workdir, train):
    """A file is a config, even if a run has that name."""
    train("config.yaml", "--name", "same", "seed=9")
    (workdir / "same").write_bytes((workdir / "config.yaml").read_bytes())
    assert load_any(workdir / "same").config == load(workdir / "config.yaml").config
    assert to_yaml_value(load_any(workdir / "runs" / "same").config.seed) == "9"


def test_new_run_has_the_name_of_the_run_or_of_the_config(train, workdir):
    """With its version number: only a config has a suffix."""
    run = train("config.yaml", "--name", "net-1.5")
    assert load_named(run)[1] == "net-1.5"
    assert load_named(workdir / "config.yaml")[1] == "config"


def test_changed_epochs_of_a_finished_run_are_not_hidden(train):
    """Only an unfinished run can be behind run.json."""
    run = train("config.yaml", "--name", "one")
    config = run / "config.yaml"
    text = config.read_text(encoding="utf-8").replace("epochs: 30", "epochs: 20")
    config.write_text(text, encoding="utf-8")
    assert trained_content(Run(run)) == config.read_bytes()
