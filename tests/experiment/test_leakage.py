"""Data leakage between splits: the findings in the config match the sampled rows."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncli.data.sources.nnfs import ClassificationToy
from nncli.errors import ConfigError
from nncli.experiment import leakage
from nncli.experiment.assembly import assemble
from nncli.experiment.checks import NEW_RUN
from nncli.experiment.defaults import resolve
from nncli.experiment.leakage import check_leakage
from nncli.experiment.loading import checked, load, parse
from tests.conftest import SPEC as CONFIG
from tests.examples import SINE

MOON = "{type: moons, samples: 20}"
SEEDS = st.sampled_from(["", ", seed: 0", ", seed: 1"])
SETS = st.builds(
    "{{type: {}, samples: {}{}}}".format, st.sampled_from(["spiral", "vertical"]), st.integers(4, 9), SEEDS
)
SINES = st.builds("{{type: sine, samples: {}}}".format, st.integers(4, 24))
FRACTION = st.just("{fraction: 0.2}")

MOONS, XOR = (
    (*(f"{section}={{type: {name}, samples: 20}}" for section in ("data", "validation")), "layers[2].units=2")
    for name in ("moons", "xor")
)


def resolved(*overrides):
    """The small config with some values changed, resolved, and its data plan, whether or not its splits share rows."""
    config, plan = checked(parse("config.yaml", CONFIG.encode(), ("validation=null", *overrides)), {NEW_RUN})
    return resolve(config, plan), plan


def shared(one, other):
    """The number of rows that two sets share, not counting the single point of every sine."""
    count = len(np.intersect1d(one.inputs, other.inputs))
    return count if count > 1 else 0


def overlap(count, one, other):
    """How the check describes so many shared rows of ``other``."""
    if count < len(other):
        return f"{count} of {len(other)} rows are also in"
    return "identical to" if len(one) == len(other) else "identical to part of"


def initial_states(config):
    """The type of each random set that is sampled before training, and the state of NumPy's generator before."""
    states = []

    def recorded(points):
        def sample(source):
            _, state, *position = np.random.get_state()  # noqa: NPY002
            states.append((type(source), state.tobytes(), *position))
            return points(source)

        return sample

    with pytest.MonkeyPatch.context() as patch:
        for kind in ClassificationToy.__subclasses__():
            patch.setattr(kind, "points", recorded(kind.points))
        assemble(config)
    sections = {
        "data": config.data,
        "validation": config.validation,
        "test": None if config.test_sampled_after_training else config.test,
    }
    return dict(zip((name for name, section in sections.items() if hasattr(section, "seed")), states, strict=True))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            (*SINE, "data.samples=1000", "validation.samples=500"),
            "validation.samples: identical to part of the training data (data leakage); set samples to 499",
        ),
        (
            (*SINE, "data.samples=1000", "validation.samples=700"),
            "validation.samples: 100 of 700 rows are also in the training data (data leakage); set samples to 699",
        ),
        (
            (*SINE, "test={type: sine, samples: 58}"),
            "test.samples: 29 of 58 rows are also in the validation data (data leakage); set samples to 57",
        ),
        (
            (*SINE, "validation={fraction: 0.2}", "test={type: sine, samples: 20}"),
            "test.samples: identical to part of the training data (data leakage); set samples to 19",
        ),
        (
            ("data.seed=4", "validation.seed=4"),
            "validation.seed: identical to the training data (data leakage); set a different seed",
        ),
        (
            ("data.seed=4", "validation.seed=4", "data.samples=1000", "validation.samples=1001"),
            "validation.seed: sampled from the same random numbers as the training data (data leakage); set",
        ),
        (
            ("rng=nnfs", "seed=7", "validation.seed=7"),
            "validation.seed: identical to the training data (data leakage); set a different seed",
        ),
        (
            (*MOONS, "data.noise=0", "validation.noise=0"),
            "validation.noise: identical to the training data (data leakage); set noise above 0",
        ),
        (
            (*MOONS, "data.noise=0", "validation.noise=0", "data.seed=1", "validation.seed=2", "validation.samples=39"),
            "validation.noise: 40 of 78 rows are also in the training data (data leakage); set noise above 0",
        ),
        (
            (*MOONS, "data.seed=1", "validation.seed=1"),
            "validation.seed: identical to the training data (data leakage); set a different seed",
        ),
        (
            (*MOONS, "data.seed=1", "validation.seed=1", "validation.noise=0.2"),
            "validation.seed: sampled from the same random numbers as the training data (data leakage); set a",
        ),
        (
            (*MOONS, "rng=nnfs", "seeds={data: 7, split: 7}", "data.seed=7", "validation=null", f"test={MOON}"),
            "test.seed: identical to the training data (data leakage); set a different seed",
        ),
        (
            (*MOONS, "rng=nnfs", "seed=7", "validation.seed=7"),
            "validation.seed: identical to the training data (data leakage); set a different seed",
        ),
        (
            (*MOONS, "rng=nnfs", "seed=7", "data.noise=0", "test={type: moons, samples: 20, seed: 7}"),
            "test.seed: identical to the validation data (data leakage); set a different seed",
        ),
        (
            (*XOR, "data.seed=1", "validation.seed=1", "data.noise=0", "validation.noise=0"),
            "validation.seed: identical to the training data (data leakage); set a different seed",
        ),
    ],
)
def test_shared_rows_are_reported(workdir, overrides, message):
    """The message has the number of shared rows and a fix."""
    with pytest.raises(ConfigError) as found:
        load(workdir / "config.yaml", overrides)
    assert message in str(found.value)
    assert str(found.value).startswith("command line:")


def test_shared_rows_of_a_source_without_samples_are_reported(workdir, monkeypatch):
    """A source whose number of rows is not a parameter, such as a file, cannot be made smaller."""
    config, names = load(workdir / "config.yaml").config, ("data", "validation")
    monkeypatch.setattr(leakage, "source_sections", lambda _: dict.fromkeys(names, SimpleNamespace(type="file")))
    (finding,) = check_leakage(
        config, SimpleNamespace(sources={}, schemas=dict.fromkeys(names, SimpleNamespace(rows=9)))
    )
    assert finding.path == ("validation",)
    assert finding.message == "identical to the training data (data leakage); use other data"


@pytest.mark.parametrize(
    "overrides",
    [
        (*SINE, "data.samples=1000", "validation.samples=333"),
        (*SINE, "data.samples=1000", "validation.samples=499"),
        ("data.seed=4", "validation.seed=5"),
        ("data.seed=4",),
        ("seed=4", "validation.seed=4"),
        ("rng=nnfs", "data.seed=0", "validation.seed=1", "test={type: spiral, samples: 20}"),
        MOONS,
        (*MOONS, "data.noise=0"),
        (*MOONS, "data.noise=0", "data.seed=1", "validation.seed=1"),
        (*XOR, "data.noise=0", "validation.noise=0"),
        ("layers[2].units=2", "data={type: circles, noise: 0}", "validation={fraction: 0.2}"),
    ],
)
def test_splits_without_shared_rows_are_accepted(workdir, overrides):
    """The single point of every sine is not a leak, nor is a seed that equals the seed of the config."""
    load(workdir / "config.yaml", overrides)


@pytest.mark.slow
@given(
    SETS,
    st.one_of(SETS, FRACTION, st.just("null")),
    st.one_of(SETS, FRACTION, st.just("null")),
    st.sampled_from(["derived", "nnfs"]),
    st.integers(0, 1),
    st.sampled_from(["null", "{data: 0, split: 0}", "{data: 1, split: 1}"]),
)
def test_shared_random_numbers_are_reported(data, validation, test, rng, seed, seeds):
    """Sets of one type are reported if and only if they start at the same state of the generator."""
    overrides = (f"data={data}", f"validation={validation}", f"test={test}", f"rng={rng}", f"seed={seed}")
    overrides += (f"seeds={seeds}",)
    config, plan = resolved(*overrides)
    states = initial_states(config)
    expected = {
        other
        for one, other in (("data", "validation"), ("data", "test"), ("validation", "test"))
        if one in states and states[one] == states.get(other)
    }
    assert {path[0] for path, _ in check_leakage(config, plan)} == expected


@pytest.mark.slow
@given(SINES, st.one_of(SINES, FRACTION), st.one_of(SINES, FRACTION, st.just("null")))
def test_shared_rows_of_fixed_sets_are_counted(data, validation, test):
    """The reported number of rows is that of the sampled sets, for each pair."""
    config, plan = resolved(*SINE[2:], f"data={data}", f"validation={validation}", f"test={test}")
    sets = {name: source.draw(None) for name, source in plan.sources.items()}
    expected = [
        (other, overlap(shared(sets[one], sets[other]), sets[one], sets[other]))
        for one, other in (("data", "validation"), ("data", "test"), ("validation", "test"))
        if one in sets and other in sets and shared(sets[one], sets[other])
    ]
    found = [(path[0], message.split(" the ")[0]) for path, message in check_leakage(config, plan)]
    assert found == expected


@pytest.mark.parametrize(
    "overrides",
    [
        ("rng=nnfs", "data.seed=0", "validation={type: spiral, samples: 20}", "test={fraction: 0.2}"),
        ("data.seed=1", "validation={type: vertical, classes: 3, samples: 20, seed: 1}"),
    ],
    ids=["after a split of the book's stream", "another type"],
)
def test_sets_with_other_random_numbers_are_accepted(overrides):
    """Sets that are sampled later from the same generator, or are of another type, share nothing."""
    assert list(check_leakage(*resolved(*overrides))) == []


def test_suggested_number_of_samples_is_valid_for_all_sets(workdir):
    """63 would share points with validation, 62 with data."""
    changes = ("data.samples=32", "validation.samples=21", "test={type: sine, samples: 64}")
    with pytest.raises(ConfigError, match="set samples to 61"):
        load(workdir / "config.yaml", (*SINE, *changes))
