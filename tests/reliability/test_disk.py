"""The model of a disk: what a power cut may take, and what it must leave."""

from random import Random

import pytest

from tests.reliability.disk import SECTOR, Disk, Fate, digest, lay_down


@pytest.fixture
def disk(tmp_path):
    """A disk on which a file ``old`` and a folder ``folder`` are durable."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "old").write_bytes(b"old")
    return Disk.of(tmp_path)


def states(disk, count=400):
    """Different trees that a power cut may leave, by their digests."""
    drawn = [disk.after_power_cut(Fate(Random(number), 0.5)) for number in range(count)]
    return {digest(tree): tree for tree in drawn}.values()


def written(disk, handle, path, data):
    disk.open(handle, path, creates=True)
    disk.write(handle, 0, data)


def sync_root(disk):
    disk.open(99, ".")
    disk.fsync(99)


def test_nothing_pending_survives_in_one_extreme_and_everything_in_the_other(disk):
    """With a chance of 0 the disk is what was durable, with 1 what the running system saw."""
    written(disk, 1, "new", b"data")
    disk.rename("new", "folder/new")
    assert disk.after_power_cut(Fate(Random(0), 0.0)) == {"folder": {}, "old": b"old"}
    assert disk.after_power_cut(Fate(Random(0))) == {"folder": {"new": b"data"}, "old": b"old"}


def test_a_synced_file_without_a_synced_name_may_be_lost(disk):
    """fsync of a file keeps its bytes, not its name."""
    written(disk, 1, "new", b"data")
    disk.fsync(1)
    assert {tree.get("new") for tree in states(disk)} == {None, b"data"}


def test_a_synced_name_without_synced_bytes_may_be_empty_torn_or_zeros(disk):
    """fsync of a folder keeps names, not bytes."""
    written(disk, 1, "new", b"data")
    sync_root(disk)
    left = {tree["new"] for tree in states(disk)}
    assert {b"", b"data", b"da", b"d\0\0\0", b"\0\0\0\0"} <= left
    assert all(len(each) <= 4 for each in left)


def test_what_was_synced_stays(disk):
    """After fsync of the file and of its folder there is one state."""
    written(disk, 1, "new", b"data")
    disk.fsync(1)
    sync_root(disk)
    assert [*states(disk)] == [{"folder": {}, "old": b"old", "new": b"data"}]


def test_a_rename_happens_as_a_whole_or_not_at_all(disk):
    """A name that a file is put in the place of holds the old bytes or the new ones, and no file has two names."""
    written(disk, 1, "new", b"data")
    disk.fsync(1)
    sync_root(disk)
    disk.rename("new", "old")
    left = [{name: each for name, each in tree.items() if name != "folder"} for tree in states(disk)]
    assert sorted(left, key=len) == [{"old": b"data"}, {"old": b"old", "new": b"data"}]


def test_a_later_change_may_be_there_without_an_earlier_one(disk):
    """A removal that came after a rename can survive where the rename is lost."""
    written(disk, 1, "new", b"data")
    disk.fsync(1)
    sync_root(disk)
    disk.rename("new", "newer")
    disk.unlink("old")
    assert {"folder": {}, "new": b"data"} in states(disk)


def test_a_later_write_may_be_there_without_an_earlier_one(disk):
    """Where the first of two appended rows is lost, and the second is not, zeros are in its place."""
    disk.open(1, "old")
    for row in (b"11", b"22"):
        disk.write(1, None, row)
    left = {tree["old"] for tree in states(disk)}
    assert {b"old", b"old11", b"old\0\x0022", b"old1122", b"old112"} <= left


def test_tears_between_sectors_are_drawn(disk):
    """Among the tears of a long write are those where the disk's own writes end."""
    disk.open(1, "old")
    disk.write(1, None, b"x" * (3 * SECTOR))
    epoch_dependent_overrides = {len(tree["old"].rstrip(b"\0")) for tree in states(disk)}
    assert {SECTOR, 2 * SECTOR, 3 * SECTOR + len("old")} <= epoch_dependent_overrides
    assert any(length % SECTOR for length in epoch_dependent_overrides)


def test_one_change_alone_may_be_lost(disk):
    """With a victim everything else is left."""
    written(disk, 1, "new", b"data")
    disk.open(2, "old")
    disk.truncate(2, 0)
    disk.unlink("old")
    assert disk.count_pending() == 3  # the cut went away with its file
    left = [disk.after_power_cut(Fate(Random(0), victim=victim)) for victim in range(3)]
    assert left[0] == {"folder": {}}
    assert left[1] == {"folder": {}, "old": b"", "new": b"data"}
    assert set(left[2]) == {"folder", "new"}


def test_a_cut_may_be_lost(disk):
    """A file that was cut and not synced has its old length or the new one."""
    disk.open(1, "old")
    disk.truncate(1, 1)
    assert {tree["old"] for tree in states(disk)} == {b"old", b"o"}


def test_a_folder_that_is_lost_takes_what_is_in_it(disk):
    """Files synced in a folder whose own name was never synced may be gone, or there as a whole."""
    disk.mkdir("made")
    written(disk, 1, "made/new", b"data")
    disk.fsync(1)
    disk.open(2, "made")
    disk.fsync(2)
    assert {str(tree.get("made")) for tree in states(disk)} == {"None", "{'new': b'data'}"}


def test_a_second_name_may_be_lost(disk):
    """A link that was not synced is there or not; the first name stays."""
    disk.link("old", "folder/second")
    assert {str(tree["folder"]) for tree in states(disk)} == {"{}", "{'second': b'old'}"}
    assert all(tree["old"] == b"old" for tree in states(disk))


def test_a_disk_that_lies_may_lose_what_was_synced(tmp_path):
    """With ``lies`` an fsync of a file changes nothing, and its name outlives its bytes."""
    disk = Disk.of(tmp_path, lies=True)
    written(disk, 1, "new", b"data")
    disk.fsync(1)
    sync_root(disk)
    assert {b"", b"data"} <= {tree["new"] for tree in states(disk)}


def test_a_tree_goes_into_a_folder_and_back(tmp_path):
    """What is laid down reads as the same tree."""
    tree = {"a": b"1", "b": {"c": b"", "d": {}}}
    lay_down(tree, tmp_path)
    assert Disk.of(tmp_path).after_power_cut(Fate(Random(0), 0.0)) == tree
