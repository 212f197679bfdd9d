"""notes.json: written atomically, read as untrusted input, and without effect on the run itself."""

import pytest

from nncli.analysis.verification import verify
from nncli.errors import CommandLineError, RunError, UnsupportedVersionError
from nncli.store import atomic_write
from nncli.store.notes import NOTES, Notes, changed_notes, read_notes, write_notes
from nncli.store.run_reader import Run
from tests.examples import train_config


def test_notes_are_read_as_they_were_written(tmp_path):
    """Text of any language, newlines, and the order of the tags."""
    notes = Notes(note="line 1\nÄ ✓", tags=["b", "a"])
    write_notes(tmp_path, notes)
    assert read_notes(tmp_path) == notes
    assert [path.name for path in tmp_path.iterdir()] == [NOTES]
    write_notes(tmp_path, Notes(tags=["a"]))
    assert read_notes(tmp_path) == Notes(tags=["a"])


def test_directory_without_notes_has_empty_ones(tmp_path):
    """As every run of an earlier version; empty notes remove the file."""
    assert read_notes(tmp_path) == Notes()
    write_notes(tmp_path, Notes(note="a"))
    write_notes(tmp_path, Notes())
    assert not list(tmp_path.iterdir())


def test_changes_are_atomic_and_durable(tmp_path, monkeypatch):
    """A reader never sees half of them, and a removed file does not come back."""
    synced = []
    monkeypatch.setattr(atomic_write, "fsync_directory", synced.append)
    write_notes(tmp_path, Notes(note="a"))
    inode = (tmp_path / NOTES).stat().st_ino
    with (tmp_path / NOTES).open():  # so that its number is not used again
        write_notes(tmp_path, Notes(note="b"))
        assert (tmp_path / NOTES).stat().st_ino != inode
    synced.clear()
    write_notes(tmp_path, Notes())
    assert synced == [tmp_path]


def test_notes_change_neither_identity_nor_verification(workdir):
    """All checks pass, and the identity is the same."""
    path = train_config(workdir / "config.yaml").path
    identity = Run(path).identity
    write_notes(path, Notes(note="a", tags=["b"]))
    run = Run(path)
    assert run.identity == identity
    assert all(check.holds for check in verify(run))


def test_damaged_notes_are_reported(tmp_path):
    """A changed byte, a symbolic link, and a newer format."""
    write_notes(tmp_path, Notes(note="first"))
    content = (tmp_path / NOTES).read_text()
    (tmp_path / NOTES).write_text(content.replace("first", "other"))
    with pytest.raises(RunError, match=r"notes.json: damaged: checksum mismatch; remove the file"):
        read_notes(tmp_path)
    (tmp_path / NOTES).write_text(content.replace('"format": 2', '"format": 9'))
    with pytest.raises(UnsupportedVersionError, match="format version 9"):
        read_notes(tmp_path)
    (tmp_path / NOTES).unlink()
    (tmp_path / NOTES).symlink_to("elsewhere")
    with pytest.raises(RunError, match="symbolic link"):
        read_notes(tmp_path)


def test_changes_of_notes():
    """A new text replaces the note, an empty one removes it, and tags are added once."""
    notes = changed_notes(Notes(), "a", ["x", "y"])
    assert notes == Notes(note="a", tags=["x", "y"])
    assert changed_notes(notes, None, ["x", "z"], ["y"]) == Notes(note="a", tags=["x", "z"])
    assert changed_notes(notes, "", (), ["x", "y"]) == Notes()


def test_the_longest_note_and_tag_are_valid():
    """One character more is too long."""
    assert changed_notes(Notes(), "a" * 10_000, ["b" * 64]) == Notes(note="a" * 10_000, tags=["b" * 64])


@pytest.mark.parametrize(
    ("note", "added", "removed", "message"),
    [
        ("a" * 10_001, (), (), "a note of 10,001 characters, expected at most 10,000"),
        ("\udcff", (), (), "not valid UTF-8"),
        (None, ("\udcff",), (), "not valid UTF-8"),
        (None, ("two words",), (), "invalid tag 'two words': expected a word"),
        (None, ("a\x1b[2J",), (), r"invalid tag 'a\x1b[2J'"),
        (None, ("",), (), "invalid tag ''"),
        (None, ("a,b",), (), "printable characters without ',' and '='"),
        (None, ("a" * 65,), (), "at most 64 printable characters"),
        (None, (), ("b",), "no tag 'b' to remove; its tags are x"),
    ],
)
def test_invalid_changes_are_rejected(note, added, removed, message):
    """The message says what is expected."""
    with pytest.raises(CommandLineError) as error:
        changed_notes(Notes(tags=["x"]), note, added, removed)
    assert message in str(error.value)
