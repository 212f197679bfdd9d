"""Where random numbers come from."""

import json
from itertools import product

import numpy as np
import pytest

from nncli.experiment.rng import BookRng, DerivedRngs, Purpose, rngs


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
    assert np.array_equal(DerivedRngs(7).of(Purpose.DROPOUT, 3).random(4), own)


def test_a_stream_does_not_depend_on_what_was_drawn_before():
    """Draws for one purpose leave all others, and the same one asked for again, as they were."""
    quiet, busy = DerivedRngs(0), DerivedRngs(0)
    for purpose in Purpose:
        busy.of(purpose).random(1000)
    for purpose in Purpose:
        assert np.array_equal(quiet.of(purpose).random(4), busy.of(purpose).random(4))


def test_no_two_streams_are_alike():
    """Every seed, purpose and epoch has numbers of its own."""
    drawn = {
        DerivedRngs(seed).of(purpose, epoch).random(2).tobytes()
        for seed, purpose, epoch in product(range(3), Purpose, range(5))
    }
    assert len(drawn) == 3 * len(Purpose) * 5


def test_the_book_has_one_stream_for_everything():
    """Whatever it is asked for, the next number of one legacy generator comes out."""
    numbers, legacy = BookRng(0), np.random.RandomState(0)
    for purpose, epoch in product(Purpose, range(2)):
        assert numbers.of(purpose, epoch).randn() == legacy.randn()


@pytest.mark.parametrize(("rng", "kind"), [("derived", DerivedRngs), ("nnfs", BookRng)])
def test_rng_names_the_streams(rng, kind):
    """The spec's ``rng`` decides between the two."""
    assert isinstance(rngs(rng, 0), kind)


@pytest.mark.parametrize("rng", ["derived", "nnfs"])
def test_the_largest_seed_is_a_seed(rng):
    """Both kinds of stream take every seed that a spec may have."""
    assert 0 <= rngs(rng, 2**32 - 1).of(Purpose.WEIGHTS).uniform() < 1


@pytest.mark.parametrize("drawn", [0, 1, 2, 623, 1001])
def test_the_book_s_stream_goes_on_where_it_was(drawn):
    """A state that went through JSON gives the numbers that follow, a normal number that was held back first."""
    book, later = BookRng(3), BookRng(0)
    book.of(Purpose.WEIGHTS).randn(drawn)
    later.restore(json.loads(json.dumps(book.state(under_way=False))))
    for draw in ("randn", "random_sample", "tomaxint"):
        assert getattr(later.of(Purpose.TEST), draw)() == getattr(book.of(Purpose.TEST), draw)()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda state: [], id="empty"),
        pytest.param(lambda state: state[:10], id="cut"),
        pytest.param(lambda state: state[1:], id="word_missing"),
        pytest.param(lambda state: [*state, 0], id="number_too_many"),
        pytest.param(lambda state: [-1, *state[1:]], id="negative_word"),
        pytest.param(lambda state: [2**40, *state[1:]], id="word_too_large"),
        pytest.param(lambda state: [*state[:-3], -1, *state[-2:]], id="position_before"),
        pytest.param(lambda state: [*state[:-3], 625, *state[-2:]], id="position_behind"),
        pytest.param(lambda state: [*state[:-3], 10**9, *state[-2:]], id="position_far_behind"),
        pytest.param(lambda state: [*state[:-2], 2**70, 0.0], id="flag_too_large"),
        pytest.param(lambda state: [0] * len(state), id="zeros"),
    ],
)
def test_what_is_no_state_is_refused(damage):
    """Too few words or too many, one too large, a position outside: an error of values, before any number is drawn."""
    with pytest.raises((ValueError, OverflowError)):
        BookRng(0).restore(damage(BookRng(0).state(under_way=True)))


@pytest.mark.parametrize("drawn", [0, 1, 7])
def test_derived_masks_go_on_in_the_middle_of_an_epoch(drawn):
    """A state that went through JSON gives the masks that follow those drawn, where the epoch's stream is asked for."""
    numbers, later = DerivedRngs(3), DerivedRngs(3)
    masks = numbers.of(Purpose.DROPOUT, 5)
    masks.bit_generator.random_raw(drawn)
    state = json.loads(json.dumps(numbers.state(under_way=True)))
    again = later.of(Purpose.DROPOUT, 5)
    later.restore(state)
    assert np.array_equal(again.bit_generator.random_raw(4), masks.bit_generator.random_raw(4))
    assert np.array_equal(again.random(3), masks.random(3))


def test_derived_streams_have_no_state_between_epochs():
    """Everything is derived anew there; and where no masks are drawn, in the middle too."""
    numbers = DerivedRngs(0)
    assert numbers.state(under_way=True) is None
    numbers.of(Purpose.DROPOUT, 2)
    assert numbers.state(under_way=False) is None


@pytest.mark.parametrize("state", [[], [1, 2], [-1], [2**128]])
def test_what_is_no_state_of_masks_is_refused(state):
    """Another number of numbers, or one that 128 bits cannot hold; and any where no masks are drawn."""
    numbers = DerivedRngs(0)
    with pytest.raises(ValueError, match="masks"):
        numbers.restore([1])
    numbers.of(Purpose.DROPOUT, 2)
    with pytest.raises(ValueError, match="masks"):
        numbers.restore(state)
