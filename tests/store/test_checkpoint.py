"""The checkpoint file: what is packed is read back, and everything else is refused."""

import hashlib
import json
import tracemalloc

import numpy as np
import pytest

from nncli.errors import RunError, UnsupportedVersionError
from nncli.experiment.rng import BookRng
from nncli.store import checkpoint
from nncli.store.checkpoint import LONGEST_HEAD, MAGIC, VERSION, Checkpoint, pack, unpack
from nncli.training.state import TrainingState


def state(epoch=0, batch=0, updates=0, **more):
    return TrainingState(epoch=epoch, batch=batch, updates=updates, **more)


STATES = [
    state(),
    state(3, 2, 14, is_logged=True),
    state(7, 0, 7, best_epoch=5, best_value=0.1 + 0.2),
    state(
        1, 1, 1, rng=BookRng(1, 1).state(within_epoch=True), rng_at_epoch_start=BookRng(0, 0).state(within_epoch=False)
    ),
]


def small():
    return pack(Checkpoint(state(1, 0, 1, vectors={"values": np.arange(3, dtype=np.float32)}), 10, "digest", "a run"))


@pytest.mark.parametrize("scalars", STATES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_packed_checkpoint_is_read_back(scalars, dtype):
    """State and vectors are equal to the last bit, under the same names, in the same order."""
    rng = np.random.default_rng(0)
    vectors = {name: rng.standard_normal(5).astype(dtype) for name in ("values", "mean", "squares", "best")}
    read = unpack(pack(Checkpoint(scalars.model_copy({"vectors": vectors}), 99, "digest", "a run")))
    assert read.state.scalars() == scalars.scalars()
    assert (read.metrics_bytes, read.metrics_sha256, read.identity) == (99, "digest", "a run")
    assert list(read.state.vectors) == list(vectors)
    for name, vector in vectors.items():
        assert read.state.vectors[name].dtype == dtype
        assert np.array_equal(read.state.vectors[name], vector)


def test_equal_checkpoints_are_equal_bytes():
    """Packing depends on the content alone."""
    assert small() == small()


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_checkpoint_with_a_changed_byte_is_damaged(flip):
    """Whichever byte it is, in the version, the checksum, the head or a vector."""
    data = small()
    assert unpack(data)
    for index in range(len(data)):
        damaged = bytearray(data)
        damaged[index] ^= flip
        with pytest.raises(RunError, match="damaged"):
            unpack(bytes(damaged))


def test_truncated_or_extended_checkpoint_is_damaged():
    """Whatever is cut off, and whatever is appended."""
    data = small()
    for length in range(len(data)):
        with pytest.raises(RunError, match="damaged"):
            unpack(data[:length])
    with pytest.raises(RunError, match="damaged"):
        unpack(data + b"\0")


HEAD = b'{"metrics_bytes": 0, "state": {"epoch": 0, "batch": 0, "updates": 0}, "vectors": [%s]}\n'


def vector(name=b"values", dtype=b"<f4", length=b"1"):
    """The record of a vector in a head."""
    return b'{"name": "%s", "dtype": "%s", "length": %s}' % (name, dtype, length)


def sealed(body, version=VERSION):
    """A file with this body and a checksum that matches."""
    magic = MAGIC % version
    return magic + hashlib.sha256((magic if version > 1 else b"") + body).digest() + body


TWO = HEAD % (vector() + b", " + vector(b"best"))
SAME = HEAD % (vector() + b", " + vector())


def test_checkpoint_made_by_hand_is_read():
    """The valid file that the refused ones below differ from: two vectors of one value each."""
    read = unpack(sealed(TWO + b"\0\0\x80\x3f" * 2))
    assert {name: array.tolist() for name, array in read.state.vectors.items()} == {"values": [1.0], "best": [1.0]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json\n",
        b"{}\n",
        b'{"position": {}, "vectors": []}\n',
        *(HEAD % vector(length=length) for length in (b"9", b"1" + b"0" * 25, b"-1", b"1.5", b"true", b"NaN")),
        *(HEAD % vector(dtype=dtype, length=b"0") for dtype in (b"|O", b">f4", b"<f2", b"<f4\\n", b"<f4,<f4")),
        b"[" * 100_000 + b"\n",
        HEAD.replace(b'"epoch": 0', b'"epoch": 0, "epoch": 1') % b"",
        TWO + b"\0" * 7,
        TWO + b"\0" * 9,
        SAME + b"\0" * 8,
        TWO[:-1],
        b" " * LONGEST_HEAD + TWO + b"\0" * 8,
    ],
    ids=lambda body: f"{len(body)} bytes",
)
@pytest.mark.parametrize("version", [1, VERSION])
def test_invalid_content_with_a_valid_checksum_is_rejected(body, version):
    """A file of another program is an invalid checkpoint, not a bug; in both versions of the format."""
    if version == 1:
        body = body.replace(b'"metrics_bytes": 0, "state": {', b'"position": {"metrics_bytes": 0, ')
    with pytest.raises(RunError, match="the checkpoint is not valid"):
        unpack(sealed(body, version))


def test_head_without_a_line_end_is_rejected():
    """A file that is one line has no vectors, even if its length is that of the vectors it lists."""
    body = HEAD[:-1] % vector(length=b"100")
    size = len(sealed(body)) + 1
    body = body.replace(b"100", b"%3d" % ((size + 3) // 4)) + b" " * (1 + -size % 4)
    assert len(sealed(body)) == 4 * ((size + 3) // 4)
    with pytest.raises(RunError, match="does not begin with a line of at most"):
        unpack(sealed(body))


def test_claimed_length_allocates_nothing():
    """A head that lists a petabyte is refused without allocating it."""
    tracemalloc.start()
    with pytest.raises(RunError, match=r"its vectors have 4,000,000,000,000,000 bytes, but 4 follow"):
        unpack(sealed(HEAD % vector(length=b"1" + b"0" * 15) + b"\0" * 4))
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


def test_nan_is_not_written():
    """The head is strict JSON: a NaN as the best value is refused."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack(Checkpoint(state(best_epoch=0, best_value=float("nan")), 0))


def test_newer_version_is_not_damage():
    """A file of a newer nncli, whose checksum matches, is reported as such whatever else it holds."""
    with pytest.raises(
        UnsupportedVersionError, match=rf"has format version {VERSION + 1}; this nncli reads up to {VERSION}"
    ):
        unpack(sealed(b"anything", version=VERSION + 1))


def test_version_with_a_changed_digit_is_damage():
    """The checksum covers the version, so that a damaged file is not taken for that of a newer nncli."""
    with pytest.raises(RunError, match="damaged"):
        unpack(small().replace(MAGIC % VERSION, MAGIC % (VERSION + 1)))


def test_version_2_is_read_by_later_versions(monkeypatch):
    """A checkpoint written before the next format version has the same head."""
    written = small()
    monkeypatch.setattr(checkpoint, "VERSION", VERSION + 1)
    assert unpack(written).state.scalars() == unpack(small()).state.scalars()


@pytest.mark.parametrize("line", [b"nncli checkpoint 0\n", b"nncli checkpoint 9999999999\n", b"nncli checkpoint\n"])
def test_unknown_first_line_is_damage(line):
    """A version is an integer from 1 on, of at most nine digits."""
    with pytest.raises(RunError, match="damaged"):
        unpack(line + small())


def test_fields_of_later_versions_have_defaults_and_are_ignored():
    """A checkpoint without an optional field gets its default, and an unknown field is skipped."""
    read = unpack(sealed((HEAD % b"").replace(b'"epoch"', b'"temperature": 1.5, "epoch"')))
    assert read.state == state()


def test_version_1_is_read():
    """Its position and its lists of numbers become the fields and states of version 2."""
    book = BookRng(5, 5)
    book.of(0).randn()
    expected = book.state(within_epoch=True)
    numbers = [*expected["state"]["key"], expected["state"]["pos"], expected["has_gauss"], expected["gauss"]]
    position = {
        "epoch": 3,
        "batch": 2,
        "updates": 14,
        "best_epoch": 1,
        "best_value": 0.5,
        "random": [2**127 + 1],
        "random_before": numbers,
        "is_measured": True,
        "metrics_bytes": 7,
        "metrics_sha256": "digest",
    }
    head = {"identity": "a run", "position": position, "vectors": [{"name": "values", "dtype": "<f4", "length": 1}]}
    read = unpack(sealed(json.dumps(head).encode() + b"\n" + b"\0\0\x80\x3f", version=1))
    assert (read.metrics_bytes, read.metrics_sha256, read.identity) == (7, "digest", "a run")
    assert read.state.vectors["values"].tolist() == [1.0]
    assert read.state.scalars() == {
        "epoch": 3,
        "batch": 2,
        "updates": 14,
        "is_logged": True,
        "best_epoch": 1,
        "best_value": 0.5,
        "rng": {"bit_generator": "PCG64", "state": {"state": 2**127 + 1}},
        "rng_at_epoch_start": expected,
    }


@pytest.mark.parametrize("numbers", [b"[]", b"[1, 2]"])
def test_version_1_with_an_impossible_random_state_is_rejected(numbers):
    """A list of no state that version 1 wrote."""
    body = b'{"position": {"epoch": 0, "batch": 0, "updates": 0, "metrics_bytes": 0, "random": %s}, "vectors": []}\n'
    with pytest.raises(RunError, match="the checkpoint is not valid: its random numbers have a state of"):
        unpack(sealed(body % numbers, version=1))
