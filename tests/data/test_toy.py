"""The spiral, point by point."""

import numpy as np
import pytest

from nncli.data.toy import Spiral, legacy_state
from tests.nn.witnesses import WITNESSES

spiral, settings = WITNESSES["dataset", "spiral"]


def test_points_are_the_formula():
    """Every point is where the naive formula puts it, given the noise of nnfs' own generator."""
    source = Spiral(**settings, seed=3)
    drawn = source.draw(np.random.default_rng(0))
    legacy = np.random.RandomState(3)
    noise = np.concatenate([legacy.randn(settings["samples"]) for _ in range(settings["classes"])])
    index = np.tile(np.arange(settings["samples"]), settings["classes"])
    expected = [spiral(int(t), i, settings["samples"], n) for t, i, n in zip(drawn.targets, index, noise, strict=True)]
    np.testing.assert_allclose(drawn.inputs, expected, rtol=1e-12, atol=1e-15)


def test_a_seed_of_its_own_wins():
    """With ``seed`` the points do not depend on the stream; without, they do."""
    fixed = [Spiral(5, seed=1).draw(np.random.default_rng(n)).fingerprint() for n in (1, 2)]
    free = [Spiral(5).draw(np.random.default_rng(n)).fingerprint() for n in (1, 2)]
    assert fixed[0] == fixed[1]
    assert free[0] != free[1]


def test_a_legacy_stream_goes_on_behind_the_draw():
    """Drawing from a legacy generator takes its next numbers, and leaves it where nnfs has left off."""
    ours, book = np.random.RandomState(0), np.random.RandomState(0)
    Spiral(5, 2).draw(ours)
    book.randn(10)
    assert ours.randn() == book.randn()


def test_global_state_is_put_back_after_an_error():
    """An exception inside leaves NumPy's global generator as it was."""
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    with pytest.raises(ValueError, match="negative"), legacy_state(np.random.default_rng(0)):
        np.random.randn(-3)  # noqa: NPY002
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002
