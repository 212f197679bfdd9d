"""Data leakage between splits: what the spec says of it is what the drawn rows show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncli.data.sources.nnfs import ClassificationToy
from nncli.errors import ConfigError
from nncli.experiment.assembly import assemble
from nncli.experiment.checks import NEW_RUN
from nncli.experiment.defaults import resolve
from nncli.experiment.leakage import leaks
from nncli.experiment.loading import checked, load, parse
from tests.conftest import SPEC
from tests.examples import SINE

SEEDS = st.sampled_from(["", ", seed: 0", ", seed: 1"])
SETS = st.builds(
    "{{type: {}, samples: {}{}}}".format, st.sampled_from(["spiral", "vertical"]), st.integers(4, 9), SEEDS
)
SINES = st.builds("{{type: sine, samples: {}}}".format, st.integers(4, 24))
FRACTION = st.just("{fraction: 0.2}")


def resolved(*overrides):
    """The spec of the small config with some values changed, whether or not its splits share rows."""
    return resolve(checked(parse("config.yaml", SPEC.encode(), ("validation=null", *overrides)), {NEW_RUN}))


def shared(one, other):
    """How many rows of one set are rows of another; 0 where that is the single point of every sine."""
    count = len(np.intersect1d(one.inputs, other.inputs))
    return count if count > 1 else 0


def first_numbers(spec):
    """The type and the state of NumPy's generator with which each random set is drawn before training."""
    found = []

    def noted(points):
        def drawn(source):
            _, state, *position = np.random.get_state()  # noqa: NPY002
            found.append((type(source), state.tobytes(), *position))
            return points(source)

        return drawn

    with pytest.MonkeyPatch.context() as patch:
        for kind in ClassificationToy.__subclasses__():
            patch.setattr(kind, "points", noted(kind.points))
        assemble(spec)
    parts = {
        "data": spec.data,
        "validation": spec.validation,
        "test": None if spec.test_sampled_after_training else spec.test,
    }
    return dict(zip((name for name, part in parts.items() if hasattr(part, "seed")), found, strict=True))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            (*SINE, "data.samples=1000", "validation.samples=500"),
            "validation.samples: 500 of the 500 validation rows are also rows of data; write 499",
        ),
        (
            (*SINE, "data.samples=1000", "validation.samples=700"),
            "validation.samples: 100 of the 700 validation rows are also rows of data; write 699",
        ),
        (
            (*SINE, "test={type: sine, samples: 58}"),
            "test.samples: 29 of the 58 test rows are also rows of validation; write 57",
        ),
        (
            (*SINE, "validation={fraction: 0.2}", "test={type: sine, samples: 20}"),
            "test.samples: 20 of the 20 test rows are also rows of data; write 19",
        ),
        (
            ("data.seed=4", "validation.seed=4"),
            "validation.seed: 60 of the 60 validation rows are also rows of data; write another seed",
        ),
        (
            ("data.seed=4", "validation.seed=4", "data.samples=1000", "validation.samples=1001"),
            "validation.seed: validation is drawn from the same random numbers as data; write another seed",
        ),
        (
            ("rng=nnfs", "seed=7", "validation.seed=7"),
            "validation.seed: 60 of the 60 validation rows are also rows of data; write another seed",
        ),
    ],
)
def test_splits_with_rows_in_common_are_refused(workdir, overrides, message):
    """A config is refused with the number of rows, and with what to write instead."""
    with pytest.raises(ConfigError) as found:
        load(workdir / "config.yaml", overrides)
    assert message in str(found.value)
    assert str(found.value).startswith("command line:")


@pytest.mark.parametrize(
    "overrides",
    [
        (*SINE, "data.samples=1000", "validation.samples=333"),
        (*SINE, "data.samples=1000", "validation.samples=499"),
        ("data.seed=4", "validation.seed=5"),
        ("data.seed=4",),
        ("seed=4", "validation.seed=4"),
        ("rng=nnfs", "data.seed=0", "validation.seed=1", "test={type: spiral, samples: 20}"),
    ],
)
def test_splits_without_common_rows_are_accepted(workdir, overrides):
    """The single point that every sine has is no leak, nor is a seed of the spec that a data set has too."""
    load(workdir / "config.yaml", overrides)


@given(
    SETS,
    st.one_of(SETS, FRACTION, st.just("null")),
    st.one_of(SETS, FRACTION, st.just("null")),
    st.sampled_from(["derived", "nnfs"]),
    st.integers(0, 1),
)
def test_random_sets_with_the_same_numbers_are_found(data, validation, test, rng, seed):
    """Sets of one type are refused where their first random numbers are equal, and nowhere else."""
    spec = resolved(f"data={data}", f"validation={validation}", f"test={test}", f"rng={rng}", f"seed={seed}")
    drawn = first_numbers(spec)
    expected = {
        other
        for one, other in (("data", "validation"), ("data", "test"), ("validation", "test"))
        if one in drawn and drawn[one] == drawn.get(other)
    }
    assert {path[0] for path, _ in leaks(spec)} == expected


@given(SINES, st.one_of(SINES, FRACTION), st.one_of(SINES, FRACTION, st.just("null")))
def test_common_rows_of_fixed_sets_are_counted(data, validation, test):
    """As many rows as the drawn sets have in common are reported, for each pair of sets."""
    spec = resolved(*SINE[2:], f"data={data}", f"validation={validation}", f"test={test}")
    sources = {
        name: part.build().draw(None)
        for name, part in vars(spec).items()
        if name in ("data", "validation", "test") and hasattr(part, "samples")
    }
    expected = [
        (
            other,
            f"{shared(sources[one], sources[other])} of the {len(sources[other])} {other} rows are also rows of {one}",
        )
        for one, other in (("data", "validation"), ("data", "test"), ("validation", "test"))
        if one in sources and other in sources and shared(sources[one], sources[other])
    ]
    assert [(path[0], message.partition(";")[0]) for path, message in leaks(spec)] == expected


@pytest.mark.parametrize(
    "overrides",
    [
        ("rng=nnfs", "data.seed=0", "validation={type: spiral, samples: 20}", "test={fraction: 0.2}"),
        ("data.seed=1", "validation={type: vertical, classes: 3, samples: 20, seed: 1}"),
    ],
    ids=["after a split of the book's stream", "another type"],
)
def test_sets_that_begin_elsewhere_share_nothing(overrides):
    """Behind other draws, or of another type though the seeds are equal."""
    assert list(leaks(resolved(*overrides))) == []


def test_the_suggested_number_of_samples_suits_all_sets(workdir):
    """63 would share points with validation, 62 with data."""
    changes = ("data.samples=32", "validation.samples=21", "test={type: sine, samples: 64}")
    with pytest.raises(ConfigError, match="write 61"):
        load(workdir / "config.yaml", (*SINE, *changes))
