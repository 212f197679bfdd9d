"""Where random numbers come from."""

from itertools import product

import numpy as np
import pytest

from nncli.run.streams import BookStream, DerivedStreams, Purpose, streams


def test_the_number_of_a_purpose_never_changes():
    """Another number would give every old spec another run."""
    assert {purpose.name: purpose.value for purpose in Purpose} == {
        "TRAINING": 0,
        "VALIDATION": 1,
        "TEST": 2,
        "SPLIT": 3,
        "WEIGHTS": 4,
        "DROPOUT": 5,
        "ORDER": 6,
    }


def test_a_stream_is_a_function_of_seed_purpose_and_epoch():
    """It is NumPy's default generator, seeded with the three numbers in this order."""
    own = np.random.default_rng(np.random.SeedSequence([7, 5, 3])).random(4)
    assert np.array_equal(DerivedStreams(7).of(Purpose.DROPOUT, 3).random(4), own)


def test_a_stream_does_not_depend_on_what_was_drawn_before():
    """Draws for one purpose leave all others, and the same one asked for again, as they were."""
    quiet, busy = DerivedStreams(0), DerivedStreams(0)
    for purpose in Purpose:
        busy.of(purpose).random(1000)
    for purpose in Purpose:
        assert np.array_equal(quiet.of(purpose).random(4), busy.of(purpose).random(4))


def test_no_two_streams_are_alike():
    """Every seed, purpose and epoch has numbers of its own."""
    drawn = {
        DerivedStreams(seed).of(purpose, epoch).random(2).tobytes()
        for seed, purpose, epoch in product(range(3), Purpose, range(5))
    }
    assert len(drawn) == 3 * len(Purpose) * 5


def test_the_book_has_one_stream_for_everything():
    """Whatever it is asked for, the next number of one legacy generator comes out."""
    numbers, legacy = BookStream(0), np.random.RandomState(0)
    for purpose, epoch in product(Purpose, range(2)):
        assert numbers.of(purpose, epoch).randn() == legacy.randn()


@pytest.mark.parametrize(("rng", "kind"), [("derived", DerivedStreams), ("nnfs", BookStream)])
def test_rng_names_the_streams(rng, kind):
    """The spec's ``rng`` decides between the two."""
    assert isinstance(streams(rng, 0), kind)


@pytest.mark.parametrize("rng", ["derived", "nnfs"])
def test_the_largest_seed_is_a_seed(rng):
    """Both kinds of stream take every seed that a spec may have."""
    assert 0 <= streams(rng, 2**32 - 1).of(Purpose.WEIGHTS).uniform() < 1
