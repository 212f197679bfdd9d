"""Every registered optimizer, held against its naive formula."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from nncli import registry
from nncli.nn.optimizers.optimizer import BLOCK, FLUSH_INTERVAL
from tests.nn.test_contracts import named
from tests.nn.witnesses import WITNESSES

RATES = [1e-8, 0.01, 1.0, 1e4]
FAST = {"beta_1": 0.6, "beta_2": 0.6}  # fades below any normal number within 1,500 updates
FADING = {
    "sgd": {"momentum": 0.6},
    "nesterov": {"momentum": 0.6},
    "rmsprop": {"rho": 0.6},
    **dict.fromkeys(["adam", "adamw", "nadam"], FAST),
}


BOUNDARIES = {  # values of each parameter near the ends of its range, and beyond what anybody would choose
    "learning_rate": [1e-12, 1e3],
    "decay": [0.0, 1e-9, 10.0],
    "epsilon": [1e-14, 1e-3, 10.0],
    **{name: [0.0, 1e-6, 0.5, 0.99, 0.9999, 0.99995, 0.999999] for name in ("momentum", "rho", "beta_1", "beta_2")},
    "weight_decay": [0.0, 1e-9, 0.5, 1.0],
}
LATE = [0, 1, 99, 100, 4_999, 5_000, 5_001, 65_536, 1_000_000, 10**9]


def attached(entry, values, **settings):
    optimizer = entry.target(**{**WITNESSES["optimizer", entry.name][1], **settings})
    gradients = np.zeros_like(values)
    optimizer.attach(values, gradients)
    return optimizer, gradients


@pytest.mark.parametrize("entry", named("optimizer"))
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("steps", [1, 10, 100])
def test_steps_are_the_formula(entry, rate, steps):
    """After 1, 10 and 100 steps, at sane and at absurd rates, every parameter is where the naive formula puts it."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=6)
    naive, memories = values.tolist(), [{} for _ in values]
    optimizer, gradients = attached(entry, values, learning_rate=rate, decay=0.01)
    for t in range(steps):
        gradients[:] = rng.normal(size=6) * [1, 1e-6, 1e3, 0, 1, -1]
        now = rate / (1 + 0.01 * t)
        step = WITNESSES["optimizer", entry.name][0]
        naive = [step(optimizer, m, w, g, now, t) for m, w, g in zip(memories, naive, gradients, strict=True)]
        optimizer.step()
    scale = np.abs(naive).max()
    np.testing.assert_allclose(values, naive, rtol=1e-12, atol=1e-13 * scale)


def assert_steps_are_the_formula(entry, updates=0, steps=12, **settings):
    """From this update on and from empty state, the steps end where the naive formula puts each parameter."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=5)
    naive, memories = values.tolist(), [{} for _ in values]
    optimizer, gradients = attached(entry, values, **settings)
    known = {parameter.name: parameter.default for parameter in entry.parameters}
    given = SimpleNamespace(**{**known, **WITNESSES["optimizer", entry.name][1], **settings})
    optimizer.updates = updates
    for t in range(updates, updates + steps):
        gradients[:] = rng.normal(size=5) * [1, 1e-6, 1e3, 0, -1]
        now = given.learning_rate / (1 + given.decay * t)
        step = WITNESSES["optimizer", entry.name][0]
        naive = [step(given, m, w, g, now, t) for m, w, g in zip(memories, naive, gradients, strict=True)]
        optimizer.step()
    np.testing.assert_allclose(values, naive, rtol=1e-9, atol=1e-10 * np.abs(naive).max())  # 1 − β has lost digits


@pytest.mark.parametrize("entry", named("optimizer"))
def test_steps_are_the_formula_at_the_ends_of_every_parameter(entry):
    """No parameter is replaced by another value where it is very small or very large."""
    for parameter in entry.parameters:
        for value in BOUNDARIES[parameter.name]:
            assert_steps_are_the_formula(entry, **{parameter.name: value})


@pytest.mark.parametrize("entry", named("optimizer"))
@pytest.mark.parametrize("updates", LATE)
def test_steps_are_the_formula_after_any_number_of_updates(entry, updates):
    """Bias corrections and the learning rate follow the count of updates, however large it is."""
    assert_steps_are_the_formula(entry, updates, decay=1e-3)
    if "beta_2" in [parameter.name for parameter in entry.parameters]:
        assert_steps_are_the_formula(entry, updates, beta_1=0.9999, beta_2=0.99999)


@pytest.mark.parametrize("entry", named("optimizer"))
def test_the_gradient_is_not_written_to(entry):
    """A step changes values and memory, and leaves the gradient as it was."""
    values = np.ones(5)
    optimizer, gradients = attached(entry, values)
    gradients[:] = np.arange(5) - 2.0
    optimizer.step()
    np.testing.assert_array_equal(gradients, np.arange(5) - 2.0)
    assert set(optimizer.state) == set(optimizer.state_names)


@pytest.mark.parametrize("entry", named("optimizer"))
@pytest.mark.parametrize("size", [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1, 2 * BLOCK + 5])
def test_blocks_are_invisible(entry, size):
    """A vector of any number of blocks is updated as its parts would be, bit for bit."""
    start, slope = np.random.default_rng(0).normal(size=(2, size)).astype(np.float32)
    whole, tail = start.copy(), start[-9:].copy()
    for values, grad in ((whole, slope), (tail, slope[-9:])):
        optimizer, gradients = attached(entry, values)
        gradients[:] = grad
        for _ in range(3):
            optimizer.step()
    np.testing.assert_array_equal(whole[-9:], tail)


@pytest.mark.parametrize("entry", named("optimizer"))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_fades_ends_at_zero(entry, dtype):
    """Where gradients stay 0 nothing that is remembered stays subnormal, and no value is another one for it."""
    start, slope = np.random.default_rng(0).normal(size=(2, 50)).astype(dtype)
    values, smallest, found = {}, np.finfo(dtype).smallest_normal, {}
    for tidies in (True, False):
        values[tidies] = start.copy()
        optimizer, gradients = attached(entry, values[tidies], **FADING.get(entry.name, {}))
        if not tidies:
            optimizer.flush_subnormals = lambda: None
        gradients[:] = slope
        optimizer.step()
        gradients[:] = 0
        for _ in range(20 * FLUSH_INTERVAL - 1):
            optimizer.step()
        memory = np.abs([*optimizer.state.values()])
        found[tidies] = ((memory > 0) & (memory < smallest)).any()
    np.testing.assert_array_equal(values[True], values[False])
    assert not found[True]
    assert found[False] or entry.name not in FADING  # what there is to set to 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_look_for_what_is_too_small_takes_nothing_else(dtype):
    """The smallest normal number, any larger one and NaN stay as they are, of either sign; so do small values."""
    smallest = np.finfo(dtype).smallest_normal
    values = np.full(8, smallest / 2, dtype)
    optimizer, _ = attached(registry.names("optimizer")["sgd"], values)
    optimizer.state["velocity"][:] = [smallest, -smallest, 1, -np.inf, np.nan, smallest / 2, -smallest / 2, 0]
    optimizer.flush_subnormals()
    np.testing.assert_array_equal(optimizer.state["velocity"], [smallest, -smallest, 1, -np.inf, np.nan, 0, 0, 0])
    np.testing.assert_array_equal(values, np.full(8, smallest / 2, dtype))


@pytest.mark.parametrize("start", [0, 7])
def test_the_look_comes_at_every_hundredth_update_wherever_one_begins(start):
    """At update 100, 200, … of the training, not of the process: a run that is resumed goes on with the same bit_pattern."""
    optimizer, _ = attached(registry.names("optimizer")["adagrad"], np.zeros(BLOCK + 9, np.float32))
    (squares,) = optimizer.state.values()
    optimizer.updates = start
    looks = []
    while optimizer.updates < 201:
        squares[[0, -1]] = 1e-40
        optimizer.step()
        if not squares[[0, -1]].any():
            looks.append(optimizer.updates)
    assert looks == [100, 200]


@pytest.mark.parametrize("entry", named("optimizer"))
def test_every_parameter_moves_downhill(entry):
    """The first step goes against the sign of the gradient, and nowhere where the gradient is 0."""
    values = np.zeros(3)
    optimizer, gradients = attached(entry, values)
    gradients[:] = [2.0, -3.0, 0.0]
    optimizer.step()
    np.testing.assert_array_equal(np.sign(values), [-1, 1, 0])


@pytest.mark.parametrize("entry", named("optimizer"))
def test_rate_is_that_of_the_update_before(entry):
    """``rate`` is η / (1 + decay t) of the previous update, and that of the first before any."""
    optimizer, _ = attached(entry, np.zeros(2), learning_rate=0.5, decay=0.25)
    seen = [optimizer.rate]
    for _ in range(3):
        optimizer.step()
        seen.append(optimizer.rate)
    assert seen == [0.5, 0.5, 0.5 * (1 / 1.25), 0.5 * (1 / 1.5)]


def test_momentum_keeps_the_direction():
    """With μ, a parameter goes on moving when its gradient has become 0; without, it stops."""
    for momentum, moved in ((0.5, True), (0.0, False)):
        values = np.zeros(1)
        sgd = registry.names("optimizer")["sgd"]
        optimizer, gradients = attached(sgd, values, learning_rate=1.0, momentum=momentum)
        gradients[:] = 1
        optimizer.step()
        before = values.copy()
        gradients[:] = 0
        optimizer.step()
        assert (values[0] != before[0]) == moved


def test_first_adam_step_is_the_learning_rate():
    """Corrected for their start at 0, Adam's first mean over root is the sign of the gradient, whatever its size."""
    values = np.zeros(3)
    optimizer, gradients = attached(registry.names("optimizer")["adam"], values, learning_rate=0.1)
    gradients[:] = [1e3, -1e-2, 1.0]
    optimizer.step()
    assert all(math.isclose(v, -0.1 * s, rel_tol=1e-4) for v, s in zip(values, [1, -1, 1], strict=True))
