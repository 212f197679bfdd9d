"""Random number generators: how they are derived, and how their state is restored."""

import json
from itertools import product

import numpy as np
import pytest

from nncli.experiment.loading import checked, parse
from nncli.experiment.rng import BookRng, DerivedRngs, Purpose, rngs
from tests.conftest import SPEC


def derived(seed):
    """Generators with the same seed for each purpose."""
    return DerivedRngs(dict.fromkeys(Purpose, seed))


def of(*overrides):
    """The generators of a config."""
    return rngs(checked(parse("config.yaml", SPEC.encode(), overrides)).config)


def test_purposes_keep_their_values():
    """Another value would give every old config another run."""
    assert {purpose.name: purpose.value for purpose in Purpose} == {
        "TRAINING": 0,
        "VALIDATION": 1,
        "TEST": 2,
        "SPLIT": 3,
        "WEIGHTS": 4,
        "DROPOUT": 5,
        "ORDER": 6,
    }


def test_derived_rng_is_seeded_with_seed_purpose_and_epoch():
    """It is NumPy's default generator, seeded with the three integers in this order."""
    expected = np.random.default_rng(np.random.SeedSequence([7, 5, 3])).random(4)
    assert np.array_equal(derived(7).of(Purpose.DROPOUT, 3).random(4), expected)


def test_derived_rngs_do_not_depend_on_earlier_draws():
    """Draws for one purpose change neither the generators of the others nor the same one requested again."""
    unused, used = derived(0), derived(0)
    for purpose in Purpose:
        used.of(purpose).random(1000)
    for purpose in Purpose:
        assert np.array_equal(unused.of(purpose).random(4), used.of(purpose).random(4))


def test_derived_rngs_are_distinct():
    """Every combination of seed, purpose and epoch draws different numbers."""
    drawn = {
        derived(seed).of(purpose, epoch).random(2).tobytes()
        for seed, purpose, epoch in product(range(3), Purpose, range(5))
    }
    assert len(drawn) == 3 * len(Purpose) * 5


def test_book_rng_is_one_generator_for_everything():
    """For any purpose and epoch, the next number of one legacy generator is drawn."""
    book, legacy = BookRng(0, 0), np.random.RandomState(0)
    for purpose, epoch in product(Purpose, range(2)):
        assert book.of(purpose, epoch).randn() == legacy.randn()


@pytest.mark.parametrize(("rng", "kind"), [("derived", DerivedRngs), ("nnfs", BookRng)])
def test_rng_key_selects_the_generators(rng, kind):
    """The key ``rng`` of the config decides between the two."""
    assert isinstance(of(f"rng={rng}"), kind)


@pytest.mark.parametrize("rng", ["derived", "nnfs"])
def test_rngs_take_the_largest_seed(rng):
    """Both kinds of generators take every seed that a config may have."""
    assert 0 <= of(f"rng={rng}", f"seed={2**32 - 1}").of(Purpose.WEIGHTS).uniform() < 1


KEYS = {"data": "TRAINING VALIDATION TEST", "split": "SPLIT", "weights": "WEIGHTS", "order": "ORDER"}
KEYS |= {"dropout": "DROPOUT"}


@pytest.mark.parametrize("key", KEYS)
def test_each_seed_changes_its_purposes_alone(key):
    """The generators of its purposes are those of a config with this seed; all others are those of the seed 1."""
    streams = of("seed=1", f"seeds.{key}=2")
    for purpose in Purpose:
        seed = 2 if purpose.name in KEYS[key].split() else 1
        assert streams.of(purpose, 3).random(4).tolist() == derived(seed).of(purpose, 3).random(4).tolist()


def test_book_rng_of_two_seeds_is_one_generator_for_data_and_one_for_training():
    """Each draws what a single legacy generator of its seed would draw; the state is that of training."""
    streams = of("rng=nnfs", "seed=1", *(f"seeds.{key}=2" for key in ("weights", "order", "dropout")))
    data, training = np.random.RandomState(1), np.random.RandomState(2)
    for purpose in Purpose:
        expected = data if purpose.name in (*KEYS["data"].split(), "SPLIT") else training
        assert streams.of(purpose).randn() == expected.randn()
    assert streams.state(within_epoch=False) == _state(training)


def _state(legacy):
    """The state of a legacy generator as JSON values."""
    state = legacy.get_state(legacy=False)
    return {**state, "state": {**state["state"], "key": state["state"]["key"].tolist()}}


@pytest.mark.parametrize("drawn", [0, 1, 2, 623, 1001])
def test_book_rng_continues_from_a_state(drawn):
    """A state that went through JSON gives the numbers that follow, a cached Gaussian first."""
    book, restored = BookRng(3, 3), BookRng(0, 0)
    book.of(Purpose.WEIGHTS).randn(drawn)
    restored.restore(json.loads(json.dumps(book.state(within_epoch=False))))
    for draw in ("randn", "random_sample", "tomaxint"):
        assert getattr(restored.of(Purpose.TEST), draw)() == getattr(book.of(Purpose.TEST), draw)()


def test_book_rng_state_is_the_one_of_numpy():
    """Except for the array, which is a list."""
    book, legacy = BookRng(3, 3), np.random.RandomState(3)
    book.of(Purpose.WEIGHTS).randn()
    legacy.randn()
    expected = legacy.get_state(legacy=False)
    state = book.state(within_epoch=True)
    assert state == {**expected, "state": {**expected["state"], "key": expected["state"]["key"].tolist()}}


def replaced(*path, value):
    """Replace a value in a nested mapping; ``...`` removes it."""

    def replace(state):
        copy = json.loads(json.dumps(state))
        inner = copy
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        if value is ...:
            del inner[path[-1]]
        return copy

    return replace


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda state: {}, id="empty"),
        pytest.param(replaced("state", value=...), id="no state"),
        pytest.param(replaced("state", value=[1]), id="state is a list"),
        pytest.param(replaced("bit_generator", value="PCG64"), id="other generator"),
        pytest.param(replaced("state", "key", value=...), id="no key"),
        pytest.param(replaced("state", "key", value=[1] * 623), id="key too short"),
        pytest.param(replaced("state", "key", value=[1] * 625), id="key too long"),
        pytest.param(replaced("state", "key", value=[0] * 624), id="key of zeros"),
        pytest.param(replaced("state", "key", 0, value=-1), id="negative integer"),
        pytest.param(replaced("state", "key", 0, value=2**32), id="integer too large"),
        pytest.param(replaced("state", "key", 0, value=0.5), id="fraction"),
        pytest.param(replaced("state", "key", 0, value="1"), id="string"),
        pytest.param(replaced("state", "pos", value=-1), id="negative index"),
        pytest.param(replaced("state", "pos", value=625), id="index after the end"),
        pytest.param(replaced("state", "pos", value=10**40), id="index far after the end"),
        pytest.param(replaced("state", "pos", value=None), id="no index"),
        pytest.param(replaced("has_gauss", value=2), id="flag too large"),
        pytest.param(replaced("has_gauss", value=2**70), id="flag much too large"),
        pytest.param(replaced("has_gauss", value=True), id="flag is a boolean"),
        pytest.param(replaced("gauss", value="0"), id="cached Gaussian is a string"),
        pytest.param(replaced("gauss", value=...), id="no cached Gaussian"),
    ],
)
def test_book_rng_refuses_invalid_states(damage):
    """Whatever is missing, of another type or out of range is a ValueError before any number is drawn."""
    with pytest.raises(ValueError, match="not a state of the legacy generator"):
        BookRng(0, 0).restore(damage(BookRng(0, 0).state(within_epoch=True)))


@pytest.mark.parametrize("drawn", [0, 1, 7])
def test_dropout_rng_continues_within_an_epoch(drawn):
    """A state that went through JSON gives the masks that follow, once the generator of the epoch is requested."""
    streams, restored = derived(3), derived(3)
    generator = streams.of(Purpose.DROPOUT, 5)
    generator.bit_generator.random_raw(drawn)
    generator.integers(10, dtype=np.uint32)  # caches half of 64 bits
    state = json.loads(json.dumps(streams.state(within_epoch=True)))
    again = restored.of(Purpose.DROPOUT, 5)
    restored.restore(state)
    assert again.bit_generator.state == generator.bit_generator.state
    assert np.array_equal(again.bit_generator.random_raw(4), generator.bit_generator.random_raw(4))
    assert np.array_equal(again.random(3), generator.random(3))


def test_derived_rngs_have_no_state_between_epochs():
    """All generators are derived from the seed there; without dropout there is no state within an epoch either."""
    streams = derived(0)
    assert streams.state(within_epoch=True) is None
    streams.of(Purpose.DROPOUT, 2)
    assert streams.state(within_epoch=False) is None


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda state: {}, id="empty"),
        pytest.param(replaced("bit_generator", value=...), id="no generator"),
        pytest.param(replaced("bit_generator", value="MT19937"), id="other generator"),
        pytest.param(replaced("state", value=1), id="state is an integer"),
        pytest.param(replaced("state", "state", value=...), id="no state"),
        pytest.param(replaced("state", "state", value=-1), id="negative"),
        pytest.param(replaced("state", "state", value=2**128), id="too large"),
        pytest.param(replaced("state", "state", value=1.5), id="fraction"),
        pytest.param(replaced("state", "state", value=None), id="none"),
        pytest.param(replaced("state", "inc", value=1), id="increment of another seed"),
        pytest.param(replaced("has_uint32", value=2), id="flag too large"),
        pytest.param(replaced("uinteger", value=2**32), id="cached integer too large"),
    ],
)
def test_dropout_rng_refuses_invalid_states(damage):
    """Values that no state of this generator has, and any state if the network has no dropout."""
    streams = derived(0)
    with pytest.raises(ValueError, match="the network has no dropout"):
        streams.restore({})
    streams.of(Purpose.DROPOUT, 2)
    with pytest.raises(ValueError, match="not a state of the generator of dropout masks"):
        streams.restore(damage(streams.state(within_epoch=True)))
