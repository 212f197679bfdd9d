"""The self-test of a directory: it finds locks and renames that do not exclude, and leaves nothing."""

import errno

import pytest

from nncli.errors import StorageError
from nncli.store import atomic_write, lock, lock_check
from nncli.store.lock_check import require_locks


def test_a_working_directory_passes(tmp_path):
    """Nothing is left in it."""
    require_locks(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_lock_with_two_holders_is_found(tmp_path, monkeypatch):
    """As of a network file system that is mounted without locks, which accepts each of them."""
    monkeypatch.setattr(lock, "_acquire", lambda descriptor: None)
    with pytest.raises(StorageError, match=r"gives a lock to two holders at once; use a directory .* --runs-dir"):
        require_locks(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_directory_without_locks_is_rejected(tmp_path, monkeypatch):
    """As of a file system that has none."""

    def refuse(descriptor):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock, "_acquire", refuse)
    with pytest.raises(StorageError, match=r"does not support locks \(No locks available\)"):
        require_locks(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_rename_over_another_directory_is_found(tmp_path, monkeypatch):
    """As of a file system that would replace the run of another process."""
    monkeypatch.setattr(lock_check.atomic_write, "is_rename_exclusive", lambda directory: False)
    with pytest.raises(StorageError, match="renames a directory over another one; use a directory"):
        require_locks(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_rename_is_exclusive_if_it_is_refused(tmp_path, monkeypatch):
    """Both directories stay then; otherwise one of them is gone."""
    assert atomic_write.is_rename_exclusive(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]
    (tmp_path / "again").mkdir()
    monkeypatch.setattr(type(tmp_path), "rename", lambda path, target: target)
    assert not atomic_write.is_rename_exclusive(tmp_path / "again")
