"""Every registered optimizer, compared with its reference implementation."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from nncli import registry
from nncli.nn.optimizers.optimizer import BLOCK, FLUSH_INTERVAL
from nncli.registry import UnitInterval
from tests.nn.reference_implementations import REFERENCES
from tests.nn.test_contracts import named

RATES = [1e-8, 0.01, 1.0, 1e4]
DECAY = 0.6  # with it, state becomes subnormal within 1,500 updates


BOUNDARIES = {  # values near the bounds of each parameter, and beyond usual ones
    "learning_rate": [1e-12, 1e3],
    "decay": [0.0, 1e-9, 10.0],
    "epsilon": [1e-14, 1e-3, 10.0],
    **{name: [0.0, 1e-6, 0.5, 0.99, 0.9999, 0.99995, 0.999999] for name in ("momentum", "rho", "beta_1", "beta_2")},
    "weight_decay": [0.0, 1e-9, 0.5, 1.0],
}
LATE = [0, 1, 99, 100, 4_999, 5_000, 5_001, 65_536, 1_000_000, 10**9]


def attached(entry, values, **settings):
    optimizer = entry.target(**{**REFERENCES["optimizer", entry.name][1], **settings})
    gradients = np.zeros_like(values)
    optimizer.attach(values, gradients)
    return optimizer, gradients


@pytest.mark.parametrize("entry", named("optimizer"))
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("steps", [1, 10, 100])
def test_updates_match_the_reference(entry, rate, steps):
    """After 1, 10 and 100 updates, with usual and with extreme learning rates."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=6)
    naive, memories = values.tolist(), [{} for _ in values]
    optimizer, gradients = attached(entry, values, learning_rate=rate, decay=0.01)
    for t in range(steps):
        gradients[:] = rng.normal(size=6) * [1, 1e-6, 1e3, 0, 1, -1]
        learning_rate = rate / (1 + 0.01 * t)
        step = REFERENCES["optimizer", entry.name][0]
        naive = [step(optimizer, m, w, g, learning_rate, t) for m, w, g in zip(memories, naive, gradients, strict=True)]
        optimizer.step()
    scale = np.abs(naive).max()
    np.testing.assert_allclose(values, naive, rtol=1e-12, atol=1e-13 * scale)


def assert_updates_match_the_reference(entry, updates=0, steps=12, **settings):
    """Compare some updates, starting at an update number with empty state, with the reference implementation."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=5)
    naive, memories = values.tolist(), [{} for _ in values]
    optimizer, gradients = attached(entry, values, **settings)
    defaults = {parameter.name: parameter.default for parameter in entry.parameters}
    arguments = SimpleNamespace(**{**defaults, **REFERENCES["optimizer", entry.name][1], **settings})
    optimizer.updates = updates
    for t in range(updates, updates + steps):
        gradients[:] = rng.normal(size=5) * [1, 1e-6, 1e3, 0, -1]
        learning_rate = arguments.learning_rate / (1 + arguments.decay * t)
        step = REFERENCES["optimizer", entry.name][0]
        naive = [step(arguments, m, w, g, learning_rate, t) for m, w, g in zip(memories, naive, gradients, strict=True)]
        optimizer.step()
    np.testing.assert_allclose(values, naive, rtol=1e-9, atol=1e-10 * np.abs(naive).max())  # 1 − β has lost digits


@pytest.mark.parametrize("entry", named("optimizer"))
def test_updates_match_the_reference_at_the_bounds_of_every_parameter(entry):
    """No very small or very large value of a parameter is replaced by another."""
    for parameter in entry.parameters:
        for value in BOUNDARIES[parameter.name]:
            assert_updates_match_the_reference(entry, **{parameter.name: value})


@pytest.mark.parametrize("entry", named("optimizer"))
@pytest.mark.parametrize("updates", LATE)
def test_updates_match_the_reference_after_any_number_of_updates(entry, updates):
    """Bias correction and learning rate depend on the number of updates, however large."""
    assert_updates_match_the_reference(entry, updates, decay=1e-3)
    if "beta_2" in [parameter.name for parameter in entry.parameters]:
        assert_updates_match_the_reference(entry, updates, beta_1=0.9999, beta_2=0.99999)


@pytest.mark.parametrize("entry", named("optimizer"))
def test_gradient_is_not_written_to(entry):
    """An update changes only values and state."""
    values = np.ones(5)
    optimizer, gradients = attached(entry, values)
    gradients[:] = np.arange(5) - 2.0
    optimizer.step()
    np.testing.assert_array_equal(gradients, np.arange(5) - 2.0)
    assert set(optimizer.state) == set(optimizer.state_names)


@pytest.mark.parametrize("entry", named("optimizer"))
@pytest.mark.parametrize("size", [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1, 2 * BLOCK + 5])
def test_update_does_not_depend_on_blocks(entry, size):
    """An entry is updated in the same way in any block, bit for bit."""
    start, gradient = np.random.default_rng(0).normal(size=(2, size)).astype(np.float32)
    vector, tail = start.copy(), start[-9:].copy()
    for values, grad in ((vector, gradient), (tail, gradient[-9:])):
        optimizer, gradients = attached(entry, values)
        gradients[:] = grad
        for _ in range(3):
            optimizer.step()
    np.testing.assert_array_equal(vector[-9:], tail)


def after_updates(entry, start, gradients, part=slice(None)):
    """Some of the parameters and their state, which is flushed on the way, after updates by these gradients."""
    values = start[part].copy()
    optimizer, own = attached(entry, values, decay=0.01)
    optimizer.updates = FLUSH_INTERVAL - 2
    for state in optimizer.state.values():
        state[...] = np.finfo(state.dtype).smallest_normal / 2
    for gradient in gradients:
        own[:] = gradient[part]
        optimizer.step()
    return [values, *optimizer.state.values()]


@pytest.mark.parametrize("entry", named("optimizer"))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("division", [1, 40, BLOCK, BLOCK + 4])
def test_parts_of_the_parameters_may_be_updated_on_their_own(entry, dtype, division):
    """With an optimizer for each part, as in tensor parallelism: to the last bit, also where state is flushed to 0."""
    start, *gradients = np.random.default_rng(0).normal(size=(5, BLOCK + 9)).astype(dtype)
    for gradient in gradients:
        gradient[::3] = 0
    whole = after_updates(entry, start, gradients)
    parts = [after_updates(entry, start, gradients, part) for part in (slice(division), slice(division, None))]
    for expected, *found in zip(whole, *parts, strict=True):
        assert np.concatenate(found).tobytes() == expected.tobytes()
    assert all((state[::3] == 0).all() for state in whole[1:])


@pytest.mark.parametrize("entry", named("optimizer"))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_optimizer_state_is_flushed_to_zero(entry, dtype):
    """With gradients of 0 no state stays subnormal, and the parameters are the same as without flushing."""
    start, gradient = np.random.default_rng(0).normal(size=(2, 50)).astype(dtype)
    values, smallest, found = {}, np.finfo(dtype).smallest_normal, {}
    decays = {each.name: DECAY for each in entry.parameters if each.annotation is UnitInterval}
    for flushes in (True, False):
        values[flushes] = start.copy()
        optimizer, gradients = attached(entry, values[flushes], **decays)
        if not flushes:
            optimizer.flush_subnormals = lambda: None
        gradients[:] = gradient
        optimizer.step()
        gradients[:] = 0
        for _ in range(20 * FLUSH_INTERVAL - 1):
            optimizer.step()
        state = np.abs([*optimizer.state.values()])
        found[flushes] = ((state > 0) & (state < smallest)).any()
    np.testing.assert_array_equal(values[True], values[False])
    assert not found[True]
    assert found[False] or not decays  # there was something to flush


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_flushing_changes_only_subnormal_state(dtype):
    """Normal numbers and NaN stay, of either sign, and so do subnormal parameters."""
    smallest = np.finfo(dtype).smallest_normal
    values = np.full(8, smallest / 2, dtype)
    optimizer, _ = attached(registry.names("optimizer")["sgd"], values)
    optimizer.state["velocity"][:] = [smallest, -smallest, 1, -np.inf, np.nan, smallest / 2, -smallest / 2, 0]
    optimizer.flush_subnormals()
    np.testing.assert_array_equal(optimizer.state["velocity"], [smallest, -smallest, 1, -np.inf, np.nan, 0, 0, 0])
    np.testing.assert_array_equal(values, np.full(8, smallest / 2, dtype))


@pytest.mark.parametrize("start", [0, 7])
def test_state_is_flushed_every_hundred_updates(start):
    """At update 100, 200, … of the training, not of the process, so that a resumed run is bit-identical."""
    optimizer, _ = attached(registry.names("optimizer")["adagrad"], np.zeros(BLOCK + 9, np.float32))
    (squares,) = optimizer.state.values()
    optimizer.updates = start
    flushes = []
    while optimizer.updates < 201:
        squares[[0, -1]] = 1e-40
        optimizer.step()
        if not squares[[0, -1]].any():
            flushes.append(optimizer.updates)
    assert flushes == [100, 200]


@pytest.mark.parametrize("entry", named("optimizer"))
def test_first_update_is_a_descent(entry):
    """It has the opposite sign of the gradient, and is 0 if the gradient is 0."""
    values = np.zeros(3)
    optimizer, gradients = attached(entry, values)
    gradients[:] = [2.0, -3.0, 0.0]
    optimizer.step()
    np.testing.assert_array_equal(np.sign(values), [-1, 1, 0])


@pytest.mark.parametrize("entry", named("optimizer"))
def test_rate_is_that_of_the_last_update(entry):
    """``rate`` is η / (1 + decay t) of the last update; before the first update, that of the first."""
    optimizer, _ = attached(entry, np.zeros(2), learning_rate=0.5, decay=0.25)
    seen = [optimizer.rate]
    for _ in range(3):
        optimizer.step()
        seen.append(optimizer.rate)
    assert seen == [0.5, 0.5, 0.5 * (1 / 1.25), 0.5 * (1 / 1.5)]


def test_momentum_continues_without_gradient():
    """With μ > 0 a parameter still moves when its gradient becomes 0; with μ = 0 it stops."""
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
    """With bias correction, the first update of Adam is η times the sign of the gradient, whatever its size."""
    values = np.zeros(3)
    optimizer, gradients = attached(registry.names("optimizer")["adam"], values, learning_rate=0.1)
    gradients[:] = [1e3, -1e-2, 1.0]
    optimizer.step()
    assert all(math.isclose(v, -0.1 * s, rel_tol=1e-4) for v, s in zip(values, [1, -1, 1], strict=True))
