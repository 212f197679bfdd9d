"""The profile of a step: its parts, their floors, and a stopwatch that leaves everything as it was."""

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
from nncli.train.loop import Trainer
from tests.examples import NORMALIZED

MOMENT = 1e-3


def loaded(*overrides):
    return load(Path("config.yaml"), overrides)


def training(*overrides):
    return Trainer(assemble(loaded(*overrides).config))


def profiled(*overrides):
    return profile(training(*overrides), MOMENT)


class Door:
    """Something with two methods that take a while."""

    def open(self, by):
        return by + 1

    def close(self):
        raise ValueError


@pytest.fixture
def clock(monkeypatch):
    """A clock that is one second later at each look."""
    seconds = count()
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(seconds)))


@pytest.mark.usefixtures("clock")
def test_a_stopwatch_adds_up_what_methods_take():
    """Calls under one key are added up, less what a look at the clock takes; results are passed on."""
    door, watch = Door(), Stopwatch([])
    assert watch._look == 1.0  # an empty call ends at the second look
    watch = Stopwatch([(("door", "forward"), door, "open")])
    watch._look = 0.25
    with watch.on():
        assert [door.open(1), door.open(by=2)] == [2, 3]
    assert watch.seconds == {("door", "forward"): 1.5}
    with watch.on():
        door.open(1)
    assert watch.seconds == {("door", "forward"): 0.75}


def test_a_stopwatch_leaves_no_trace():
    """Afterwards the object is as it was, also where a method fails."""
    door = Door()
    watch = Stopwatch([(("door", "forward"), door, "open"), (("door", "backward"), door, "close")])
    with pytest.raises(ValueError), watch.on():  # noqa: PT011 (raised by the door)
        door.close()
    assert vars(door) == {}


class Seconds:
    """A clock that stands still but for methods that are given a time: ``clock.let(Dense, "forward", 2.0)``."""

    def __init__(self, monkeypatch):
        self.now, self._monkeypatch = 0.0, monkeypatch
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(time, "sleep", lambda _: None)

    def let(self, owner, name, seconds):
        honest = getattr(owner, name)

        def taking(*arguments, **named):
            self.now += seconds
            return honest(*arguments, **named)

        self._monkeypatch.setattr(owner, name, taking)


class Slow(np.ndarray):
    """A matrix whose products take no time unless they are let."""

    def dot(self, other, out=None):
        return out


@pytest.mark.usefixtures("workdir")
@pytest.mark.parametrize(("overrides", "batches"), [((), 1), (("training.batch_size=20",), 3)])
def test_every_figure_is_what_the_clock_says(monkeypatch, overrides, batches):
    """Parts, step, metrics, floor and rate, where each method takes a known time and several steps make a round."""
    clock, as_buffer = Seconds(monkeypatch), 0.0 if batches == 1 else 2.0  # a full batch is taken in once
    clock.let(Steps, "draw", 1.0)
    clock.let(Network, "prepare_inputs", as_buffer)
    clock.let(ReLU, "forward", 4.0)
    clock.let(ReLU, "backward", 8.0)
    clock.let(CategoricalCrossentropy, "backward_fused", 16.0)
    clock.let(Adam, "step", 32.0)
    clock.let(Slow, "dot", 0.5)
    clock.let(Trainer, "measured", 100.0)
    monkeypatch.setattr(profiling, "zeros", lambda shape, dtype: np.zeros(shape, dtype).view(Slow))
    begun = training(*overrides)
    found = profile(begun, 9000.0)
    seconds = {part.name: (part.forward, part.backward) for part in found.parts}
    assert seconds["batch"] == (1.0 + as_buffer, None)
    assert (seconds["1 relu"], seconds["loss"], seconds["update"]) == ((4.0, 8.0), (None, 16.0), (None, 32.0))
    assert seconds["0 dense"] == (0.0, 0.0)
    assert (found.step, found.between, found.metrics) == (61.0 + as_buffer, 0.0, 2 * (100.0 + as_buffer + 4.0))
    assert found.rate == profiling.SQUARE**3 / 0.5
    assert found.steps == batches


@pytest.mark.usefixtures("workdir")
def test_the_parts_of_a_step_are_its_layers_and_what_is_around_them():
    """Forward and backward where a part has them: nothing goes back through the lowest layer's inputs."""
    found = profiled("regularization={l2: 0.1}", "clipping={type: norm, limit: 1}", "training.batch_size=7")
    ways = {part.name: (part.forward is not None, part.backward is not None) for part in found.parts}
    assert ways == {
        "batch": (True, False),
        "0 dense": (True, True),
        "1 relu": (True, True),
        "2 dense": (True, True),
        "3 softmax": (True, False),  # its way back is the loss's
        "loss": (False, True),
        "penalties": (False, True),
        "clipping": (False, True),
        "update": (False, True),
    }
    assert (found.rows, found.steps) == (60 / 9, 9)  # eight of seven rows, one of four


@pytest.mark.usefixtures("workdir")
def test_what_a_spec_has_not_is_no_part():
    """Penalties and clipping have a row only where there are any; a last layer that is not fused has a way back."""
    found = profiled("loss=mean_squared_error")
    ways = {part.name: part.backward is not None for part in found.parts}
    assert "penalties" not in ways
    assert "clipping" not in ways
    assert ways["3 softmax"]


@pytest.mark.usefixtures("workdir")
@pytest.mark.parametrize("overrides", [(), ("training.batch_size=7",), ("layers=[{type: dense, units: 3}, softmax]",)])
def test_floors_are_the_multiply_adds_of_a_step(overrides):
    """All floors together, times the rate, are the products that ``show`` counts for a step."""
    found, config = profiled(*overrides), loaded(*overrides)
    assert found.floor * found.rate == pytest.approx(step_macs(config.config, config.plan, found.rows), rel=1e-9)


class Calls:
    """A clock of one tick for each call of a component from outside, so that equal steps take equal time.

    What calls them, in ``training.py``, ``network.py`` and ``profiling.py``, takes nothing.
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
        self.now += event == "call" and is_component(frame) and not is_component(frame.f_back)


def is_component(frame):
    """Whether a function is one of a layer, a loss, an optimizer, a clipping, a penalty, or of the batches."""
    path = Path(frame.f_code.co_filename)
    return path.parent.name in {"nn", "activations", "optimizers", "data"} and path.name != "network.py"


EVERYTHING = (
    "layers=[{type: dense, units: 8}, relu, {type: dropout, rate: 0.3}, {type: dense, units: 3}, softmax]",
    "regularization={l2: 0.1}",
    "clipping={type: norm, limit: 1}",
    "training.batch_size=7",
)


def profiled_by_calls(monkeypatch, *overrides):
    begun = training(*overrides)
    with Calls(monkeypatch):
        return profile(begun, 400.0)


@pytest.mark.usefixtures("workdir")
@pytest.mark.parametrize(
    "overrides", [("training.batch_size=32",), EVERYTHING, (*EVERYTHING, "loss=mean_squared_error"), NORMALIZED]
)
def test_parts_make_the_step(monkeypatch, overrides):
    """All that the components do in a step is in one part, and no part is counted twice."""
    found = profiled_by_calls(monkeypatch, *overrides)
    assert all(part.seconds >= 0 for part in found.parts)
    assert found.step > 5
    assert sum(part.seconds for part in found.parts) == pytest.approx(found.step, rel=1e-9)


@pytest.mark.usefixtures("workdir")
@pytest.mark.parametrize("missing", range(15))
def test_a_part_that_is_missing_is_missed(monkeypatch, missing):
    """Without any one of the methods that are timed the parts no longer make the step."""
    methods = profiling._methods
    monkeypatch.setattr(profiling, "_methods", lambda steps: [m for n, m in enumerate(methods(steps)) if n != missing])
    found = profiled_by_calls(monkeypatch, *EVERYTHING)
    assert found.between > 0.02 * found.step
    assert len(list(methods(Steps(training(*EVERYTHING))))) == 15


@pytest.mark.usefixtures("workdir")
def test_figures_of_a_real_clock_are_above_nothing():
    """Whatever else the machine does, a step, a row of metrics and a product take time, and no part less than none."""
    found = profiled()
    assert min(found.step, found.metrics, found.rate) > 0
    assert all(part.seconds >= 0 for part in found.parts)


def test_between_is_the_rest_of_the_step():
    """What no part takes, and never less than nothing."""
    parts = [Part("a", 1.0, None), Part("b", None, 2.0, 0.5)]
    assert Profile(parts, 4.0, 1, 1, 0.0, 1.0).between == 1.0
    assert Profile(parts, 2.0, 1, 1, 0.0, 1.0).between == 0.0
    assert Profile(parts, 4.0, 1, 1, 0.0, 1.0).floor == 0.5


@pytest.mark.usefixtures("workdir")
def test_steps_go_through_all_rows_again_and_again():
    """Each epoch has every row once, in an order of its own."""
    begun = training("training.batch_size=7")
    steps, rows = Steps(begun), begun.experiment.data["training"].inputs
    epochs = [np.concatenate([steps.draw()[0].copy() for _ in range(9)]) for _ in range(2)]
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch, axis=0), np.sort(rows, axis=0))
    assert (epochs[0] != epochs[1]).any()
    assert begun.epoch == 1


@pytest.mark.usefixtures("workdir")
def test_rewound_steps_train_alike():
    """After a rewind weights and optimizer are as at the start."""
    begun = training()
    steps, values = Steps(begun), begun.network.parameters.values
    first, ends = values.copy(), []
    for _ in range(2):
        steps.seconds(3)
        ends.append(values.tobytes())
        steps.rewind()
        np.testing.assert_array_equal(values, first)
    assert ends[0] == ends[1]
    assert begun.optimizer.updates == 0


@pytest.mark.usefixtures("workdir")
def test_every_round_makes_the_same_steps(monkeypatch):
    """Rounds with and without the stopwatch alternate, and each begins with the first weights."""
    called = []
    for owner, name in ((Steps, "rewind"), (profiling, "_product_rate")):
        honest = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda it, name=name, honest=honest: called.append(name) or honest(it))
    profile(training(), 0.5)
    rounds = called.count("_product_rate")
    assert 2 <= rounds <= ROUNDS
    assert called == ["rewind", *rounds * ["rewind", "rewind", "_product_rate"]]


@pytest.mark.usefixtures("workdir")
def test_a_long_step_is_measured_less_often():
    """Where a step takes more than the time that is given, there is one round of it."""
    begun = training()
    honest, steps = begun.step, []
    begun.step = lambda *rows: steps.append(time.sleep(0.02)) or honest(*rows)
    profile(begun, MOMENT)
    assert len(steps) == 4  # one that makes the buffers, one that tells how long it takes, one of either kind


@pytest.mark.usefixtures("workdir")
def test_a_divergence_is_told():
    """A training that cannot be profiled because its numbers end says so like any other."""
    with pytest.raises(DivergedError, match="training diverged at epoch"):
        profile(training("optimizer={type: sgd, learning_rate: 1e30}"), 0.1)
