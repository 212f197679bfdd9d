"""The checkpoint file: what is packed comes out again, and nothing else does."""

import hashlib
import tracemalloc

import numpy as np
import pytest

from nncli.errors import RunError
from nncli.store.checkpoint import LONGEST_HEAD, MAGIC, Position, pack, unpack


def at(epoch, batch, updates, metrics_bytes, **more):
    return Position(epoch=epoch, batch=batch, updates=updates, metrics_bytes=metrics_bytes, **more)


BEST = {"best_epoch": 5, "best_value": 0.1 + 0.2}
POSITIONS = [at(0, 0, 0, 0), at(3, 2, 14, 99), at(7, 0, 7, 1234, **BEST), at(1, 0, 1, 9, random=[2**32 - 1, 3, 0.1])]


def small():
    return pack(at(1, 0, 1, 10), {"values": np.arange(3, dtype=np.float32)}, "a run")


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_packed_comes_out_again(position, dtype):
    """Position and vectors are equal to the last bit, under the same names, in the same order."""
    rng = np.random.default_rng(0)
    vectors = {name: rng.standard_normal(5).astype(dtype) for name in ("values", "mean", "squares", "best")}
    read = unpack(pack(position, vectors, "a run"))
    assert (read.position, read.identity) == (position, "a run")
    assert list(read.vectors) == list(vectors)
    for name, vector in vectors.items():
        assert read.vectors[name].dtype == dtype
        assert np.array_equal(read.vectors[name], vector)


def test_equal_checkpoints_are_equal_bytes():
    """Packing depends on the content alone."""
    assert small() == small()


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_a_changed_byte_is_refused(flip):
    """Whichever byte it is, in the magic, the digest, the head or a vector."""
    data = small()
    assert unpack(data)
    for index in range(len(data)):
        damaged = bytearray(data)
        damaged[index] ^= flip
        with pytest.raises(RunError, match="damaged"):
            unpack(bytes(damaged))


def test_a_part_of_a_checkpoint_is_refused():
    """Whatever is cut off, and whatever is appended."""
    data = small()
    for length in range(len(data)):
        with pytest.raises(RunError, match="damaged"):
            unpack(data[:length])
    with pytest.raises(RunError, match="damaged"):
        unpack(data + b"\0")


POSITION = b'{"position": {"epoch": 0, "batch": 0, "updates": 0, "metrics_bytes": 0}, "vectors": [%s]}\n'


def vector(name=b"values", dtype=b"<f4", length=b"1"):
    """A vector as a head lists it."""
    return b'{"name": "%s", "dtype": "%s", "length": %s}' % (name, dtype, length)


def sealed(body):
    """A file with this body, which its digest fits."""
    return MAGIC + hashlib.sha256(body).digest() + body


TWO = POSITION % (vector() + b", " + vector(b"best"))
SAME = POSITION % (vector() + b", " + vector())


def test_a_body_made_by_hand_is_read():
    """What the refused ones below differ from: two vectors of a number each."""
    read = unpack(sealed(TWO + b"\0\0\x80\x3f" * 2))
    assert {name: array.tolist() for name, array in read.vectors.items()} == {"values": [1.0], "best": [1.0]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json\n",
        b"{}\n",
        b'{"position": {}, "vectors": []}\n',
        *(POSITION % vector(length=length) for length in (b"9", b"1" + b"0" * 25, b"-1", b"1.5", b"true", b"NaN")),
        *(POSITION % vector(dtype=dtype, length=b"0") for dtype in (b"|O", b">f4", b"<f2", b"<f4\\n", b"<f4,<f4")),
        b"[" * 100_000 + b"\n",
        POSITION.replace(b'"epoch": 0', b'"epoch": 0, "epoch": 1') % b"",
        TWO + b"\0" * 7,
        TWO + b"\0" * 9,
        SAME + b"\0" * 8,
        TWO[:-1],
        b" " * LONGEST_HEAD + TWO + b"\0" * 8,
    ],
    ids=lambda body: f"{len(body)} bytes",
)
def test_a_digest_that_fits_makes_no_checkpoint(body):
    """A file of another program, or of another version, is a damaged checkpoint and no bug."""
    with pytest.raises(RunError, match="of no known form"):
        unpack(sealed(body))


def test_a_head_without_an_end_is_none():
    """A file that is one line has no vectors, not even where its own length is that of the ones it lists."""
    body = POSITION[:-1] % vector(length=b"100")
    size = len(sealed(body)) + 1
    body = body.replace(b"100", b"%3d" % ((size + 3) // 4)) + b" " * (1 + -size % 4)
    assert len(sealed(body)) == 4 * ((size + 3) // 4)
    with pytest.raises(RunError, match="no line of at most"):
        unpack(sealed(body))


def test_nothing_is_made_for_a_length_that_is_only_told():
    """A head that lists a petabyte is refused by comparing numbers."""
    tracemalloc.start()
    with pytest.raises(RunError, match=r"its vectors have 4,000,000,000,000,000 bytes, but 4 follow"):
        unpack(sealed(POSITION % vector(length=b"1" + b"0" * 15) + b"\0" * 4))
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


def test_numbers_that_json_has_not_are_not_written():
    """A head is strict JSON: a NaN as the best value is refused instead of written."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack(at(0, 0, 0, 0, best_epoch=0, best_value=float("nan")), {}, None)
