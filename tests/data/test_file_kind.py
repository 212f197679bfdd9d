"""What a file is, by its first bytes; nothing of it is trusted."""

import gzip

import pytest

from nncli.data.file_kind import file_kind

IDX = b"\0\0\x08\x01\0\0\0\1a"
COMPRESSED = gzip.compress(IDX, mtime=0)  # the time would be in the names of the tests


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x93NUMPY\1\0", "npy"),
        (b"PK\3\4", "npz"),
        (b"PK\5\6", "npz"),
        (b"\x89PNG", "image"),
        (b"\xff\xd8\xff", "image"),
        (IDX, "idx"),
        (b"a,b\n1,2\n", "other"),
        (b"", "other"),
        (COMPRESSED, "idx"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "gzip"),
        (gzip.compress(b"\x93NUMPY\1\0", mtime=0), "gzip"),
        (COMPRESSED[:5], "gzip"),
        (COMPRESSED[:12], "gzip"),
        (COMPRESSED[:10] + b"\xff" * 20, "gzip"),
        (b"\x1f\x8b" + bytes(20), "gzip"),
    ],
)
def test_kind_is_that_of_the_content(tmp_path, content, kind):
    """Also of a compressed file that is damaged, which its reader explains."""
    (tmp_path / "x.csv").write_bytes(content)
    assert file_kind(tmp_path / "x.csv") == kind
