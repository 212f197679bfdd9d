"""The profile of a step: its parts, their floors, and the rounds in which they are measured."""

import sys
import time
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from nncli.analysis import profiling
from nncli.analysis.profiling import ROUNDS, Part, Profile, Steps, Stopwatch, profile
from nncli.errors import DivergedError
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.experiment.summary import step_macs
from nncli.nn.activations import ReLU
from nncli.nn.losses.cross_entropy import CategoricalCrossentropy
from nncli.nn.network import Network
from nncli.nn.optimizers.adam import Adam
from nncli.nn.trace import ObservedMethod, Operation, observed
from nncli.training.loop import Trainer
from tests.examples import NORMALIZED

MOMENT = 1e-3


def loaded(*overrides):
    return load(Path("config.yaml"), overrides)


def training(*overrides):
    return Trainer(assemble(loaded(*overrides).config))


def profiled(*overrides):
    return profile(training(*overrides), MOMENT)


class Door:
    """An object with two methods."""

    def open(self, by):
        return by + 1

    def close(self):
        raise ValueError


OPENED = Operation("opened")


@pytest.fixture
def clock(monkeypatch):
    """A clock that advances by one second each time it is read."""
    seconds = count()
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(seconds)))


@pytest.mark.usefixtures("clock")
def test_stopwatch_adds_up_the_seconds_of_an_operation():
    """Repeated calls are added up without the clock's overhead; results are passed on; reset starts from 0."""
    door, watch = Door(), Stopwatch()
    assert (watch.overhead, watch.seconds) == (1.0, {})  # the clock is read once before and once after a call
    watch.overhead = 0.25
    with observed([ObservedMethod(OPENED, door, "open")], watch):
        assert [door.open(1), door.open(by=2)] == [2, 3]
        assert watch.seconds == {OPENED: 1.5}
        watch.reset()
        door.open(1)
    assert watch.seconds == {OPENED: 0.75}


class Seconds:
    """A clock that only methods with a set duration advance: ``clock.let(Dense, "forward", 2.0)``."""

    def __init__(self, monkeypatch):
        self.now, self._monkeypatch = 0.0, monkeypatch
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(time, "sleep", lambda _: None)

    def let(self, owner, name, seconds):
        original = getattr(owner, name)

        def taking(*arguments, **named):
            self.now += seconds
            return original(*arguments, **named)

        self._monkeypatch.setattr(owner, name, taking)


class Slow(np.ndarray):
    """A matrix whose products take no time unless a duration is set."""

    def dot(self, other, out=None):
        return out


@pytest.mark.usefixtures("workdir")
@pytest.mark.parametrize(("overrides", "batches"), [((), 1), (("training.batch_size=20",), 3)])
def test_figures_equal_the_time_of_a_simulated_clock(monkeypatch, overrides, batches):
    """Parts, step, metrics, floor and rate, if each method takes a known time and a round has several steps."""
    clock = Seconds(monkeypatch)
    clock.let(Steps, "next_part", 0.25)
    clock.let(Trainer, "gather", 0.75)
    clock.let(Network, "load", 2.0)
    clock.let(ReLU, "forward", 4.0)
    clock.let(ReLU, "backward", 8.0)
    clock.let(CategoricalCrossentropy, "backward_fused", 16.0)
    clock.let(Adam, "step", 32.0)
    clock.let(Slow, "dot", 0.5)
    clock.let(Trainer, "measured", 100.0)
    monkeypatch.setattr(profiling, "zeros", lambda shape, dtype: np.zeros(shape, dtype).view(Slow))
    found = profile(training(*overrides), 9000.0)
    seconds = {part.name: (part.forward, part.backward) for part in found.parts}
    assert seconds["batch"] == (3.0, None)
    assert (seconds["1 relu"], seconds["loss"], seconds["update"]) == ((4.0, 8.0), (None, 16.0), (None, 32.0))
    assert seconds["0 dense"] == (0.0, 0.0)
    assert (found.step, found.between, found.metrics) == (63.0, 0.0, 2 * (100.0 + 2.0 + 4.0))
    assert found.rate == profiling.SQUARE**3 / 0.5
    assert found.steps == batches


@pytest.mark.usefixtures("workdir")
def test_parts_are_the_layers_and_the_other_operations_of_a_step():
    """Forward and backward are None for a part that has no operation there."""
    found = profiled("regularization={l2: 0.1}", "clipping={type: norm, limit: 1}", "training.batch_size=7")
    columns = {part.name: (part.forward is not None, part.backward is not None) for part in found.parts}
    assert columns == {
        "batch": (True, False),
        "0 dense": (True, True),
        "1 relu": (True, True),
        "2 dense": (True, True),
        "3 softmax": (True, False),  # its backward is fused with the loss's
        "loss": (False, True),
        "penalties": (False, True),
        "clipping": (False, True),
        "update": (False, True),
    }
    assert (found.rows, found.steps) == (60 / 9, 9)  # eight of seven rows, one of four


@pytest.mark.usefixtures("workdir")
def test_parts_leave_out_what_a_config_does_not_have():
    """Penalties and clipping have a part only if there are any; a last layer that is not fused has a backward."""
    found = profiled("loss=mean_squared_error")
    columns = {part.name: part.backward is not None for part in found.parts}
    assert "penalties" not in columns
    assert "clipping" not in columns
    assert columns["3 softmax"]


@pytest.mark.slow
@pytest.mark.usefixtures("workdir")
@pytest.mark.parametrize("overrides", [(), ("training.batch_size=7",), ("layers=[{type: dense, units: 3}, softmax]",)])
def test_floors_are_the_multiply_adds_of_a_step(overrides):
    """The sum of all floors times the rate is the number of multiply-adds that ``show`` reports for a step."""
    found, config = profiled(*overrides), loaded(*overrides)
    assert found.floor * found.rate == pytest.approx(step_macs(config.config, config.plan, found.rows), rel=1e-9)


class Calls:
    """A clock of one tick per call of a component from outside, so that equal steps take equal time.

    The callers, in ``loop.py``, ``network.py``, ``trace.py`` and ``profiling.py``, take no time, and neither does
    ``bind``, which is called only after a pass of another kind.
    """

    def __init__(self, monkeypatch):
        self.now = 0
        monkeypatch.setattr(time, "perf_counter", lambda: float(self.now))
        monkeypatch.setattr(time, "sleep", lambda _: None)
        monkeypatch.setattr(profiling, "_product_rate", lambda dtype: 1.0)
        self.before = sys.getprofile()

    def __enter__(self):
        sys.setprofile(self)

    def __exit__(self, *_):
        sys.setprofile(self.before)

    def __call__(self, frame, event, argument):
        is_counted = event == "call" and is_component(frame) and not is_component(frame.f_back)
        self.now += is_counted and frame.f_code.co_name != "bind"


def is_component(frame):
    """Whether a function belongs to a layer, a loss, an optimizer, a clipping, a penalty or the batches."""
    path = Path(frame.f_code.co_filename)
    packages = {"nn", "activations", "kernels", "layers", "losses", "optimizers", "data"}
    return path.parent.name in packages and path.name not in {"network.py", "trace.py"}


EVERYTHING = (
    "layers=[{type: dense, units: 8}, relu, {type: dropout, rate: 0.3}, {type: dense, units: 3}, softmax]",
    "regularization={l2: 0.1}",
    "clipping={type: norm, limit: 1}",
    "training.batch_size=7",
)


def profiled_by_calls(monkeypatch, *overrides):
    trainer = training(*overrides)
    with Calls(monkeypatch):
        return profile(trainer, 400.0)


@pytest.mark.slow
@pytest.mark.usefixtures("workdir")
@pytest.mark.parametrize(
    "overrides", [("training.batch_size=32",), EVERYTHING, (*EVERYTHING, "loss=mean_squared_error"), NORMALIZED]
)
def test_parts_add_up_to_the_step(monkeypatch, overrides):
    """Every call of a component in a step belongs to one part, and none to two."""
    found = profiled_by_calls(monkeypatch, *overrides)
    assert all(part.seconds >= 0 for part in found.parts)
    assert found.step > 5
    assert sum(part.seconds for part in found.parts) == pytest.approx(found.step, rel=1e-9)


@pytest.mark.slow
@pytest.mark.usefixtures("workdir")
@pytest.mark.parametrize("missing", range(16))
def test_parts_do_not_add_up_without_one_operation(monkeypatch, missing):
    """If any one of the operations is not observed, the parts no longer add up to the step."""
    methods = profiling._methods
    monkeypatch.setattr(profiling, "_methods", lambda steps: [m for n, m in enumerate(methods(steps)) if n != missing])
    found = profiled_by_calls(monkeypatch, *EVERYTHING)
    assert found.between > 0.02 * found.step
    assert len(list(methods(Steps(training(*EVERYTHING))))) == 16


@pytest.mark.usefixtures("workdir")
def test_figures_of_the_real_clock_are_positive():
    """A step, the metrics and a matrix product take time, and no part takes a negative time."""
    found = profiled()
    assert min(found.step, found.metrics, found.rate) > 0
    assert all(part.seconds >= 0 for part in found.parts)


def test_between_is_the_rest_of_the_step():
    """The time outside all parts is the step's minus theirs, and never negative."""
    parts = [Part("a", 1.0, None), Part("b", None, 2.0, 0.5)]
    assert Profile(parts, 4.0, 1, 1, 0.0, 1.0).between == 1.0
    assert Profile(parts, 2.0, 1, 1, 0.0, 1.0).between == 0.0
    assert Profile(parts, 4.0, 1, 1, 0.0, 1.0).floor == 0.5


@pytest.mark.usefixtures("workdir")
def test_steps_draw_every_row_once_per_epoch():
    """Each epoch has every row once, in a new order."""
    trainer = training("training.batch_size=7")
    steps, rows = Steps(trainer), trainer.experiment.data["training"].inputs
    epochs = [np.concatenate([trainer.gather(steps.next_part())[0].copy() for _ in range(9)]) for _ in range(2)]
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch, axis=0), np.sort(rows, axis=0))
    assert (epochs[0] != epochs[1]).any()
    assert trainer.epoch == 1


@pytest.mark.usefixtures("workdir")
def test_rewind_restores_weights_and_optimizer():
    """After a rewind, weights and optimizer state are the initial ones, and the same steps give the same weights."""
    trainer = training()
    steps, values = Steps(trainer), trainer.network.parameters.values
    first, ends = values.copy(), []
    for _ in range(2):
        steps.seconds(3)
        ends.append(values.tobytes())
        steps.rewind()
        np.testing.assert_array_equal(values, first)
    assert ends[0] == ends[1]
    assert trainer.optimizer.updates == 0


@pytest.mark.slow
@pytest.mark.usefixtures("workdir")
def test_rounds_start_from_the_initial_weights(monkeypatch):
    """Steps with and without the stopwatch alternate, and each sequence starts with a rewind."""
    called = []
    for owner, name in ((Steps, "rewind"), (profiling, "_product_rate")):
        original = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda it, name=name, original=original: called.append(name) or original(it))
    profile(training(), 0.5)
    rounds = called.count("_product_rate")
    assert 2 <= rounds <= ROUNDS
    assert called == ["rewind", *rounds * ["rewind", "rewind", "_product_rate"]]


@pytest.mark.usefixtures("workdir")
def test_profile_of_a_long_step_has_one_round():
    """If a step takes longer than the time that is given, it is measured in a single round."""
    trainer = training()
    original, steps = trainer.step, []
    trainer.step = lambda *rows: steps.append(time.sleep(0.02)) or original(*rows)
    profile(trainer, MOMENT)
    assert len(steps) == 4  # one allocates the buffers, one estimates the duration, one per kind of measurement


@pytest.mark.usefixtures("workdir")
def test_profile_of_a_diverging_training_raises():
    """A training run that diverges cannot be profiled and raises the same error as training."""
    with pytest.raises(DivergedError, match="training diverged at epoch"):
        profile(training("optimizer={type: sgd, learning_rate: 1e30}"), 0.1)
