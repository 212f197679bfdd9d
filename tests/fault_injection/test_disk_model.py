"""The model of a disk: what a power loss may take, and what it must leave."""

from random import Random

import pytest

from tests.fault_injection.disk_model import SECTOR, Disk, Fate, digest, write_tree

pytestmark = pytest.mark.fault_injection


@pytest.fixture
def disk(tmp_path):
    """A disk on which a file ``old`` and a directory ``directory`` are durable."""
    (tmp_path / "directory").mkdir()
    (tmp_path / "old").write_bytes(b"old")
    return Disk.of(tmp_path)


def states(disk, count=400):
    """The different trees that a power loss may leave."""
    drawn = [disk.after_power_loss(Fate(Random(seed), 0.5)) for seed in range(count)]
    return {digest(tree): tree for tree in drawn}.values()


def written(disk, handle, path, data):
    disk.open(handle, path, creates=True)
    disk.write(handle, 0, data)


def sync_root(disk):
    disk.open(99, ".")
    disk.fsync(99)


def test_nothing_pending_survives_in_one_extreme_and_everything_in_the_other(disk):
    """With probability 0 the disk has what was durable, with 1 what the running system saw."""
    written(disk, 1, "new", b"data")
    disk.rename("new", "directory/new")
    assert disk.after_power_loss(Fate(Random(0), 0.0)) == {"directory": {}, "old": b"old"}
    assert disk.after_power_loss(Fate(Random(0))) == {"directory": {"new": b"data"}, "old": b"old"}


def test_synced_file_without_a_synced_name_may_be_lost(disk):
    """fsync of a file makes its bytes durable, not its name."""
    written(disk, 1, "new", b"data")
    disk.fsync(1)
    assert {tree.get("new") for tree in states(disk)} == {None, b"data"}


def test_synced_name_without_synced_bytes_may_be_empty_torn_or_zeros(disk):
    """fsync of a directory makes names durable, not bytes."""
    written(disk, 1, "new", b"data")
    sync_root(disk)
    left = {tree["new"] for tree in states(disk)}
    assert {b"", b"data", b"da", b"d\0\0\0", b"\0\0\0\0"} <= left
    assert all(len(each) <= 4 for each in left)


def test_synced_files_and_names_survive(disk):
    """After fsync of the file and of its directory there is one state."""
    written(disk, 1, "new", b"data")
    disk.fsync(1)
    sync_root(disk)
    assert [*states(disk)] == [{"directory": {}, "old": b"old", "new": b"data"}]


def test_rename_is_atomic(disk):
    """A name that a rename replaces has the old bytes or the new ones, and no file has two names."""
    written(disk, 1, "new", b"data")
    disk.fsync(1)
    sync_root(disk)
    disk.rename("new", "old")
    left = [{name: each for name, each in tree.items() if name != "directory"} for tree in states(disk)]
    assert sorted(left, key=len) == [{"old": b"data"}, {"old": b"old", "new": b"data"}]


def test_later_change_may_be_there_without_an_earlier_one(disk):
    """A removal after a rename can survive even if the rename is lost."""
    written(disk, 1, "new", b"data")
    disk.fsync(1)
    sync_root(disk)
    disk.rename("new", "newer")
    disk.unlink("old")
    assert {"directory": {}, "new": b"data"} in states(disk)


def test_later_write_may_be_there_without_an_earlier_one(disk):
    """If the first of two appended rows is lost and the second is not, zeros replace the first."""
    disk.open(1, "old")
    for row in (b"11", b"22"):
        disk.write(1, None, row)
    left = {tree["old"] for tree in states(disk)}
    assert {b"old", b"old11", b"old\0\x0022", b"old1122", b"old112"} <= left


def test_writes_are_torn_between_sectors_too(disk):
    """A long write may be torn between sectors and within one."""
    disk.open(1, "old")
    disk.write(1, None, b"x" * (3 * SECTOR))
    lengths = {len(tree["old"].rstrip(b"\0")) for tree in states(disk)}
    assert {SECTOR, 2 * SECTOR, 3 * SECTOR + len("old")} <= lengths
    assert any(length % SECTOR for length in lengths)


def test_one_change_alone_may_be_lost(disk):
    """With a victim everything else survives."""
    written(disk, 1, "new", b"data")
    disk.open(2, "old")
    disk.truncate(2, 0)
    disk.unlink("old")
    assert disk.count_pending() == 3  # the truncation was lost with its file
    left = [disk.after_power_loss(Fate(Random(0), victim=victim)) for victim in range(3)]
    assert left[0] == {"directory": {}}
    assert left[1] == {"directory": {}, "old": b"", "new": b"data"}
    assert set(left[2]) == {"directory", "new"}


def test_truncation_may_be_lost(disk):
    """A file that was truncated and not synced has its old length or the new one."""
    disk.open(1, "old")
    disk.truncate(1, 1)
    assert {tree["old"] for tree in states(disk)} == {b"old", b"o"}


def test_directory_that_is_lost_takes_its_files(disk):
    """Files synced in a directory whose own name was never synced may be gone, or there as a expected."""
    disk.mkdir("made")
    written(disk, 1, "made/new", b"data")
    disk.fsync(1)
    disk.open(2, "made")
    disk.fsync(2)
    assert {str(tree.get("made")) for tree in states(disk)} == {"None", "{'new': b'data'}"}


def test_second_name_may_be_lost(disk):
    """A hard link that was not synced may be lost; the first name survives."""
    disk.link("old", "directory/second")
    assert {str(tree["directory"]) for tree in states(disk)} == {"{}", "{'second': b'old'}"}
    assert all(tree["old"] == b"old" for tree in states(disk))


def test_disk_that_ignores_fsync_may_lose_synced_bytes(tmp_path):
    """With ``lies`` an fsync of a file changes nothing, and its name outlives its bytes."""
    disk = Disk.of(tmp_path, lies=True)
    written(disk, 1, "new", b"data")
    disk.fsync(1)
    sync_root(disk)
    assert {b"", b"data"} <= {tree["new"] for tree in states(disk)}


def test_tree_is_written_and_read_back(tmp_path):
    """A tree that is written reads as the same tree."""
    tree = {"a": b"1", "b": {"c": b"", "d": {}}}
    write_tree(tree, tmp_path)
    assert Disk.of(tmp_path).after_power_loss(Fate(Random(0), 0.0)) == tree
