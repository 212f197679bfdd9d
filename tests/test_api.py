"""The Python API: the same results as the command line, without output and without side effects on the process."""

import inspect
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import yaml
from threadpoolctl import threadpool_info, threadpool_limits

import nncli
from nncli import errors
from nncli.cli.main import SINGLE_THREAD_ENV
from nncli.nn.network import Network
from nncli.runner.train import Trainer
from nncli.store.checkpoint import checkpoints, unpack
from nncli.store.lock import is_locked
from tests.conftest import ROOT, SPEC
from tests.examples import BINARY, LATE_TEST

RESULTS = ("metrics.csv", "weights.npz", "evaluation.json", "snapshots.npz", "health.csv")
DIVERGING = "optimizer={type: sgd, learning_rate: 1e30}"


def contents(path):
    return {name: (Path(path) / name).read_bytes() for name in RESULTS}


def stop_after(polls):
    """A stop callback that returns True from this poll on."""
    remaining = iter(range(polls))
    return lambda: next(remaining, None) is None


def wait_until(condition):
    """Wait, at most 30 seconds, until a condition holds."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_import_loads_no_numpy_and_lists_public_names():
    """``import nncli`` is light; its public names are listed before they are loaded."""
    code = "import nncli, sys; assert 'numpy' not in sys.modules; assert set(nncli.__all__) <= set(dir(nncli))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("name", ["train", "resume", "load", "Run"])
def test_public_names_are_typed_and_documented(name):
    """Each has a docstring and annotations."""
    value = getattr(nncli, name)
    assert inspect.getdoc(value)
    assert name == "Run" or inspect.signature(value).return_annotation is nncli.Run


def test_unknown_attribute_is_an_attribute_error():
    """As of any module."""
    with pytest.raises(AttributeError, match="no attribute 'fit'"):
        _ = nncli.fit


def test_train_equals_the_command_line(workdir, run_cli):
    """Weights, metrics and evaluation are the same bytes."""
    assert run_cli("train", "config.yaml", "seed=3", "--name", "cli", "-q").code == 0
    run = nncli.train("config.yaml", ["seed=3"], name="api")
    assert contents(run.path) == contents("runs/cli")


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["1", "2"])
def test_results_do_not_depend_on_the_threads_of_the_process(workdir, threads):
    """A process whose BLAS runs on more threads trains, predicts and evaluates on one, and keeps its threads."""
    code = (
        "import numpy, nncli, threadpoolctl; run = nncli.train('config.yaml', ['layers[0].units=300']);"
        "run.predict([[0.1, 0.2]]); run.evaluate();"
        "print([each['num_threads'] for each in threadpoolctl.threadpool_info()])"
    )
    environment = {**os.environ, **dict.fromkeys(SINGLE_THREAD_ENV, threads), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, cwd=workdir, env=environment, capture_output=True, encoding="utf-8")
    assert (done.stdout, done.stderr) == (f"[{threads}]\n", "")
    assert contents("runs/config") == contents(nncli.train("config.yaml", ["layers[0].units=300"]).path)


def test_training_uses_one_thread(workdir):
    """Also where training is observed, and after it."""
    threads = []
    nncli.train("config.yaml", on_epoch=lambda _: threads.extend(blas_threads()))
    assert set(threads) == {1}


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_run_computes_on_the_threads_of_its_config(workdir, monkeypatch, threads):
    """Training, resuming, predicting and evaluating, with BLAS on one thread, as networks divide their work."""
    used = set()

    def recorded(original):
        def recording(*arguments):
            used.update(blas_threads())
            return original(*arguments)

        return recording

    monkeypatch.setattr(Trainer, "step", recorded(Trainer.step))
    monkeypatch.setattr(Network, "predict", recorded(Network.predict))
    with threadpool_limits(2):
        run = nncli.train("config.yaml", [f"training.threads={threads}"], stop=stop_after(5))
        for compute in (nncli.resume, lambda run: run.predict([[0.1, 0.2]]), nncli.Run.evaluate):
            assert used == {1}
            used.clear()
            compute(run)
    assert used == {1}


def blas_threads():
    return sorted({each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"})


def test_trainings_that_overlap_keep_their_results_and_the_threads(workdir):
    """Of two threads, the first to begin ends first: both train on one thread, and the process keeps its two."""
    seen, ended = [], Event()

    def observe_second(record):
        assert ended.wait(30)
        seen.append(blas_threads())

    with threadpool_limits(2, user_api="blas"), ThreadPoolExecutor() as pool:
        second = []

        def observe_first(record):
            if not second:
                second.append(pool.submit(nncli.train, "config.yaml", name="second", on_epoch=observe_second))
                wait_until(Path("runs/second").exists)

        nncli.train("config.yaml", name="first", on_epoch=observe_first)
        ended.set()
        second[0].result()
        assert blas_threads() == [2]
    assert seen == [[1]] * 4
    assert contents("runs/first") == contents("runs/second")


def test_trainings_on_other_threads_may_overlap(workdir):
    """Each network has threads of its own, and its results are those of a training alone."""
    wide = ["layers[0].units=600", "data.samples=100", "training.epochs=3"]

    def train_more(record):
        if record["epoch"] == 0:
            nncli.train("config.yaml", [*wide, "training.threads=2"], name="inner")

    nncli.train("config.yaml", wide, name="outer", on_epoch=train_more)
    for name, threads in (("outer", 1), ("inner", 2)):
        nncli.train("config.yaml", [*wide, f"training.threads={threads}"], name="alone")
        assert contents("runs/alone") == contents(f"runs/{name}")
        shutil.rmtree("runs/alone")


@pytest.mark.parametrize("name", ["config", "runs/config"])
def test_config_may_be_a_run(workdir, name):
    """A run is trained again, by its name or its path, to the same predictions."""
    first = nncli.train("config.yaml", ["training.epochs=3"])
    again = nncli.train(name)
    assert again.name == "config-2"
    assert np.array_equal(again.predict([[0.1, 0.2]]), first.predict([[0.1, 0.2]]))


def test_config_may_be_a_mapping(workdir):
    """It trains to the same bytes as the file, and its YAML is the run's config.yaml."""
    config = yaml.safe_load(SPEC)
    run = nncli.train(config, name="mapping")
    assert contents(run.path) == contents(nncli.train("config.yaml").path)
    assert yaml.safe_load((run.path / "config.yaml").read_bytes()) == config
    assert nncli.train(config).name == "run"
    assert nncli.resume("mapping", ["training.epochs=40"]).metrics["epoch"][-1] == 40


def test_mistakes_in_a_mapping_have_a_location(workdir):
    """The file is called <config>; the diagnostics have path and message."""
    config = yaml.safe_load(SPEC.replace("units: 8", "units: 0"))
    with pytest.raises(
        errors.ConfigError, match=r"^<config>:\d+:\d+: layers\[0\]\.units: must be at least 1"
    ) as caught:
        nncli.train(config)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.path == ("layers", 0, "units")


CYCLE = {}
CYCLE["seed"] = CYCLE


@pytest.mark.parametrize(
    ("value", "words"),
    [(1j, "a complex"), (CYCLE, "itself"), (10**5000, "this value")],
    ids=["complex", "cycle", "large integer"],
)
def test_value_without_a_yaml_counterpart_is_rejected(workdir, value, words):
    """It is a mistake in the config, or in the overrides."""
    with pytest.raises(errors.ConfigError, match=f"<config>: a config cannot contain {words}"):
        nncli.train({"seed": value})
    with pytest.raises(errors.CommandLineError, match=f"overrides: a config cannot contain {words}"):
        nncli.train("config.yaml", {"seed": value})


@pytest.mark.parametrize(
    "overrides", [["seed=4", "optimizer.learning_rate=0.01"], {"seed": np.int64(4), "optimizer.learning_rate": 0.01}]
)
def test_overrides_are_strings_or_a_mapping(workdir, overrides):
    """NumPy scalars are values like any other."""
    config = nncli.train("config.yaml", overrides).config
    assert (config["seed"], config["optimizer"]["learning_rate"]) == (4, 0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"overrides": "seed=4"}, r"list of strings or a mapping, got 'seed=4'; write \['seed=4'\]$"),
        ({"overrides": 3}, "list of strings or a mapping, got 3$"),
        ({"overrides": ["seed=4", 3]}, "overrides must be strings such as 'seed=1', or a mapping, got 3"),
        ({"on_epoch": 3}, "on_epoch must be a function, got 3"),
        ({"stop": 0}, "stop must be a function, got 0"),
    ],
)
def test_arguments_of_another_type_are_rejected(workdir, arguments, message):
    """Before anything is created or changed."""
    with pytest.raises(errors.CommandLineError, match=message):
        nncli.train("config.yaml", **arguments)
    assert not Path("runs").exists()
    run = nncli.train("config.yaml", stop=lambda: True)
    with pytest.raises(errors.CommandLineError, match=message):
        nncli.resume(run, **arguments)
    assert run.status == "interrupted"


def test_on_epoch_gets_each_row_of_the_metrics(workdir):
    """One record per logged epoch, by column, as in metrics.csv."""
    records = []
    run = nncli.train("config.yaml", on_epoch=records.append)
    assert [record["epoch"] for record in records] == [0, 10, 20, 30]
    for name, column in run.metrics.items():
        assert [record[name] for record in records] == column.tolist()


def test_stop_may_wait_for_a_prediction_in_another_thread(workdir):
    """BLAS computes the steps on two threads and predictions on one; the outputs are those of any other moment."""
    run, rows, predicted = nncli.train("config.yaml"), [[0.1, 0.2]] * 3, []
    wide = "layers=[{dense: 300}, relu, {dense: 300}, relu, {dense: 3}, softmax]"

    with ThreadPoolExecutor() as pool:

        def stop():
            predicted.append(pool.submit(run.predict, rows).result(30))
            return len(predicted) >= 4

        nncli.train("config.yaml", [wide, "data.samples=100", "training.threads=2"], name="wide", stop=stop)
    assert len(predicted) >= 4
    assert all(np.array_equal(outputs, run.predict(rows)) for outputs in predicted)


def test_training_prints_nothing_and_keeps_signal_handlers(workdir, capfd):
    """Also if it resumes, stops or finds the run finished."""
    handlers = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    seen = []

    def observe(record):
        seen.append({signum: signal.getsignal(signum) for signum in handlers})

    run = nncli.train("config.yaml", on_epoch=observe, stop=stop_after(12))
    run = nncli.resume(run, on_epoch=observe)
    run = nncli.resume(run)
    run.evaluate()
    assert all(each == handlers for each in seen)
    assert {signum: signal.getsignal(signum) for signum in handlers} == handlers
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("change", ["training.batch_size=16", "rng=nnfs"])
def test_stopped_training_is_resumed_to_the_same_bytes(workdir, change):
    """``stop`` ends training after a checkpoint; resuming it makes it equal to an uninterrupted run."""
    run = nncli.train("config.yaml", [change], name="stopped", stop=stop_after(14))
    assert (run.status, run.evaluation) == ("interrupted", None)
    assert run.predict([[0.1, 0.2]]).shape == (1, 3)
    resumed = nncli.resume("stopped")
    assert resumed.status == "finished"
    assert contents(resumed.path) == contents(nncli.train("config.yaml", [change]).path)


def test_resumed_training_can_be_observed_and_stopped(workdir):
    """``on_epoch`` gets the rows that are logged from then on, and ``stop`` ends training again."""
    run, records = nncli.train("config.yaml", stop=stop_after(5)), []
    resumed = nncli.resume(run, on_epoch=records.append, stop=stop_after(8))
    assert (resumed.status, [record["epoch"] for record in records]) == ("interrupted", [10])


def test_status_is_that_of_the_moment(workdir):
    """A run that was loaded before it is resumed has finished by then."""
    run = nncli.load(nncli.train("config.yaml", stop=stop_after(5)).path)
    assert run.status == "interrupted"
    nncli.resume(run.path)
    assert run.status == "finished"


def test_stop_that_comes_with_the_last_epoch_finishes_the_run(workdir):
    """Nothing is left to resume."""
    assert nncli.train("config.yaml", ["training.epochs=3"], stop=stop_after(3)).status == "finished"


@pytest.mark.parametrize("moment", [0, 5])
def test_keyboard_interrupt_is_raised_and_releases_the_run(workdir, monkeypatch, moment):
    """Ctrl-C raises KeyboardInterrupt, whenever it comes; lock and files are released, and the run can be resumed."""
    step = Trainer.step

    def interrupted(trainer, *rows):
        if trainer.epoch == moment:
            signal.raise_signal(signal.SIGINT)
        step(trainer, *rows)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "step", interrupted)
        before = len(list(Path("/dev/fd").iterdir()))
        with pytest.raises(KeyboardInterrupt):
            nncli.train("config.yaml")
        assert len(list(Path("/dev/fd").iterdir())) == before
    assert not is_locked(Path("runs/config/lock"))
    assert nncli.resume("config").status == "finished"


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [0, 20, 30])
@pytest.mark.parametrize("mine", [RuntimeError("mine"), KeyboardInterrupt()], ids=["error", "Ctrl-C"])
def test_error_in_a_callback_is_raised_after_a_checkpoint(workdir, mine, epoch):
    """The caller gets their own exception, and the run is resumed from that epoch to the same bytes."""

    def fail(record):
        if record["epoch"] == epoch:
            raise mine

    with pytest.raises(type(mine)) as caught:
        nncli.train("config.yaml", on_epoch=fail)
    assert caught.value is mine
    assert unpack(checkpoints(Path("runs/config"))[-1].read_bytes()).state.epoch == epoch
    records = []
    assert nncli.resume("config", on_epoch=records.append).status == "finished"
    assert [record["epoch"] for record in records] == [each for each in (0, 10, 20, 30) if each > epoch]
    assert contents("runs/config") == contents(nncli.train("config.yaml", name="whole").path)


def test_error_in_a_callback_says_if_no_checkpoint_could_be_written(workdir, monkeypatch):
    """It is the error that is raised, with a note."""

    def full(*_):
        raise errors.StorageError("No space left on device")

    def fail(record):
        monkeypatch.setattr("nncli.store.atomic_write.write_atomic", full)
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine") as caught:
        nncli.train("config.yaml", on_epoch=fail)
    assert caught.value.__notes__ == ["the checkpoint could not be written: No space left on device"]
    assert not is_locked(Path("runs/config/lock"))


def test_run_that_is_trained_is_busy(workdir):
    """It cannot be resumed meanwhile, and its status is running."""
    found = []

    def look(record):
        found.append(nncli.load("config").status)
        with pytest.raises(errors.BusyError):
            nncli.resume("config")

    nncli.train("config.yaml", on_epoch=look)
    assert set(found) == {"running"}


def test_run_has_what_the_files_say(workdir):
    """Path, name, resolved config, metrics and evaluation of a finished run, by path and by name."""
    trained = nncli.train("config.yaml", ["training.epochs=20"], runs="elsewhere", name="mine")
    for run in (nncli.load("elsewhere/mine"), nncli.load("mine", runs="elsewhere"), nncli.load(trained.path)):
        assert (run.path, run.name, run.status) == (workdir / "elsewhere/mine", "mine", "finished")
        assert repr(run) == f"<nncli run '{workdir}/elsewhere/mine': finished>"
        assert run.config["training"]["epochs"] == 20
        assert run.metrics["loss"][-1] == run.evaluation["training"]["loss"]
        assert list(run.evaluation) == ["training", "validation"]


@pytest.mark.parametrize(("rate", "kinds"), [(0.05, []), (1e-9, ["no_progress"])])
def test_evaluation_has_the_warnings(workdir, rate, kinds):
    """The signs that the training learned nothing, besides the metrics by split."""
    run = nncli.train("config.yaml", {"optimizer.learning_rate": rate})
    assert list(run.evaluation) == ["training", "validation"]
    assert [warning["kind"] for warning in run.evaluation.warnings] == kinds
    assert all(set(warning) == {"kind", "message", "facts"} for warning in run.evaluation.warnings)


@pytest.mark.slow
@pytest.mark.parametrize("made", ["Run", "load", "train", "resume"])
def test_run_stays_the_same_if_the_current_directory_changes(workdir, monkeypatch, made):
    """Even if the new one has a run of that name."""
    nncli.train("config.yaml", ["training.epochs=10"], runs="other/runs")
    nncli.train("config.yaml", ["training.epochs=10"])
    making = {
        "Run": lambda: nncli.Run(Path("runs/config")),
        "load": lambda: nncli.load("config"),
        "train": lambda: nncli.train("config.yaml", ["training.epochs=10"]),
        "resume": lambda: nncli.resume("config"),
    }
    run = making[made]()
    monkeypatch.chdir("other")
    assert run.path == workdir / "runs" / run.name
    assert nncli.resume(run, ["training.epochs=20"]).path == run.path
    assert nncli.load("config").config["training"]["epochs"] == 10


def test_callback_may_change_the_current_directory(workdir, monkeypatch):
    """Training ends in the run directory where it began."""
    (workdir / "other").mkdir()
    run = nncli.train("config.yaml", on_epoch=lambda _: monkeypatch.chdir(workdir / "other"))
    assert (run.path, run.status) == (workdir / "runs/config", "finished")


def test_error_of_training_has_the_run_directory(workdir):
    """Of a run that is moved away; an error about another run in a callback has the path of that run."""
    with pytest.raises(errors.RunError, match="the run directory was moved") as moved:
        nncli.train("config.yaml", on_epoch=lambda record: record["epoch"] or Path("runs/config").rename("moved"))
    assert moved.value.path == workdir / "runs/config"
    run = nncli.train("config.yaml", stop=lambda: True)
    with pytest.raises(errors.RunError) as other:
        nncli.resume(run, on_epoch=lambda _: nncli.load("other"))
    assert other.value.path == Path("other")


def read(run):
    """All that a run says, as plain values."""
    metrics = {name: column.tolist() for name, column in run.metrics.items()}
    return run.config, metrics, run.evaluation, run.evaluate(), run.predict([[0.1, 0.2]]).tolist()


def test_run_that_was_read_is_read_again_after_it_is_resumed(workdir):
    """Config, metrics, evaluation and network are those of the longer training."""
    old = nncli.train("config.yaml")
    before = read(old)
    new = nncli.resume(old, {"training.epochs": 40})
    assert read(old) == read(new) != before


def test_run_that_was_read_while_it_was_trained_is_read_again(workdir):
    """Its metrics grow, and it has an evaluation in the end."""
    runs, lengths = [], []

    def look(record):
        runs.append(runs[0] if runs else nncli.load("config"))
        assert runs[0].evaluation is None
        lengths.append(len(runs[0].metrics["epoch"]))
        runs[0].predict([[0.1, 0.2]])

    trained = nncli.train("config.yaml", ["training.checkpoint_seconds=0"], on_epoch=look)
    assert lengths == [1, 2, 3, 4]
    assert read(runs[0]) == read(trained)


@pytest.mark.parametrize(
    "use",
    [
        lambda run: run.status,
        lambda run: run.config,
        lambda run: run.metrics,
        lambda run: run.evaluation,
        nncli.Run.evaluate,
        lambda run: run.predict([[0.1, 0.2]]),
    ],
    ids=["status", "config", "metrics", "evaluation", "evaluate", "predict"],
)
@pytest.mark.parametrize("is_read", [True, False])
def test_run_that_was_deleted_is_a_run_error(workdir, use, is_read):
    """Whatever is asked of it, and whether it was read before."""
    run = nncli.train("config.yaml", ["training.epochs=1"])
    if is_read:
        read(run)
    shutil.rmtree(run.path)
    with pytest.raises(errors.RunError, match="run not found") as caught:
        use(run)
    assert caught.value.path == run.path


def test_name_is_looked_up_in_the_given_directory_first(workdir):
    """A run of that name in the current directory is found by default, and not changed if a directory is given."""
    nncli.train("config.yaml", runs=".", name="same")
    nncli.train("config.yaml", runs="elsewhere", name="same")
    nncli.train("config.yaml", name="same")
    assert nncli.load("same").path == workdir / "same"
    for runs in ("elsewhere", "runs"):
        assert nncli.load("same", runs=runs).path == workdir / runs / "same"
    assert nncli.resume("same", ["training.epochs=40"], runs="elsewhere").path == workdir / "elsewhere/same"
    assert nncli.load("same").config["training"]["epochs"] == 30


def test_evaluate_measures_again(workdir):
    """All splits or the named ones, with confusion matrix and scores; the metrics are those of the evaluation."""
    run = nncli.train("config.yaml", LATE_TEST)
    measured = run.evaluate()
    assert {name: split["metrics"] for name, split in measured.items()} == run.evaluation
    assert list(run.evaluate(["test"])) == list(run.evaluate("test")) == ["test"]
    assert np.sum(measured["test"]["confusion"]) == measured["test"]["rows"]
    with pytest.raises(errors.CommandLineError, match="has no split 'other'"):
        run.evaluate(["other"])


def test_evaluate_takes_a_threshold(workdir):
    """Of a binary classifier; with a threshold of 1 no row is predicted as class 1."""
    run = nncli.train("config.yaml", BINARY)
    assert np.sum(run.evaluate(["training"], threshold=1.0)["training"]["confusion"], axis=0)[1] == 0


def test_diverged_error_says_where(workdir):
    """Epoch, and batch if there are several; the run says that it diverged."""
    with pytest.raises(errors.DivergedError) as full:
        nncli.train("config.yaml", [DIVERGING], name="full")
    with pytest.raises(errors.DivergedError) as batches:
        nncli.train("config.yaml", [DIVERGING, "training.batch_size=16"], name="batches")
    assert (full.value.epoch, full.value.batch) == (1, None)
    assert (batches.value.epoch, batches.value.batch) == (0, 1)
    assert str(batches.value).startswith("training diverged at epoch 0, batch 1: ")
    assert nncli.load("full").status == "diverged"


def test_diverged_error_names_the_value(workdir):
    """Layer, array and index of the first value that is not finite, as in the message."""
    diverging = [f"layers[{index}].initializer={{type: normal, scale: 1e30}}" for index in (0, 2)]
    with pytest.raises(errors.DivergedError, match=r"the outputs of layers\[2\] \(dense\)") as caught:
        nncli.train("config.yaml", diverging)
    assert (caught.value.epoch, caught.value.batch, caught.value.layer) == (0, None, 2)
    assert caught.value.array == "outputs"
    assert str(list(caught.value.index)) in str(caught.value)


def test_run_error_has_the_run_directory(workdir):
    """Of a run that is missing or damaged."""
    with pytest.raises(errors.RunError) as missing:
        nncli.load("nothing")
    assert missing.value.path == Path("nothing")
    run = nncli.train("config.yaml")
    (run.path / "weights.npz").write_bytes(b"")
    with pytest.raises(errors.RunError) as damaged:
        nncli.load("config").predict([[0.1, 0.2]])
    assert damaged.value.path == run.path


def test_public_errors_form_a_tree():
    """Each has its exit code, and ``nncli.errors`` is the module."""
    assert nncli.errors is errors
    for error in (errors.ConfigError, errors.RunError, errors.StorageError, errors.BusyError, errors.DivergedError):
        assert issubclass(error, errors.NncliError)
        assert error.exit_code > 2
