"""Files that arrive in pieces: whole or gone, under harmless names, for their owner alone, and not for ever."""

import errno
import os
import shutil
import time
from pathlib import Path

import pytest

from amad.errors import ConfigError, InputError
from amad.limits import UPLOAD
from amad.workspace import Workspace
from amad.workspace.allowed import allowed_file, folders, listing
from amad.workspace.incoming import KEPT_HOURS, UNFINISHED_HOURS, Incoming, Refused, checked_name


@pytest.fixture
def incoming(tmp_path: Path) -> Incoming:
    return Incoming(tmp_path)


def aged(folder: Path, hours: float) -> None:
    """As if nothing had come of these uploads for so long."""
    then = time.time() - 3600 * hours
    for path in [*folder.rglob("*"), *folder.iterdir()]:
        os.utime(path, (then, then))


def test_pieces_become_one_file(incoming: Incoming) -> None:
    known = incoming.begin("me", "pump.csv", 10)
    assert (known.received, known.path) == (0, None)
    assert incoming.write("me", known.id, 0, b"01234").received == 5
    assert incoming.write("me", known.id, 3, b"34567").received == 8  # what came before may come again
    whole = incoming.write("me", known.id, 8, b"89")
    assert whole.path is not None
    assert whole.path.name == "pump.csv"
    assert whole.path.read_bytes() == b"0123456789"
    assert incoming.find("me", known.id) == whole
    assert incoming.write("me", known.id, 8, b"89") == whole


def test_an_empty_file_is_whole_at_once(incoming: Incoming) -> None:
    assert incoming.begin("me", "empty.csv", 0).path is not None


def test_a_gap_is_refused_and_what_is_here_stays(incoming: Incoming) -> None:
    known = incoming.begin("me", "pump.csv", 10)
    incoming.write("me", known.id, 0, b"012")
    with pytest.raises(Refused) as caught:
        incoming.write("me", known.id, 5, b"56")
    assert (caught.value.reason, str(caught.value)) == ("order", "Bytes 5 onwards came, 3 are here.")
    assert incoming.find("me", known.id).received == 3


def test_more_than_was_told_takes_the_file_away(incoming: Incoming) -> None:
    known = incoming.begin("me", "pump.csv", 3)
    with pytest.raises(Refused, match="longer than was told"):
        incoming.write("me", known.id, 0, b"0123")
    assert list(incoming.folder.iterdir()) == []


@pytest.mark.parametrize("key", ["0" * 32, "..", "../../secret", "a/b", ""])
def test_what_is_no_upload_of_ours_is_gone(incoming: Incoming, key: str) -> None:
    with pytest.raises(Refused, match="no longer here"):
        incoming.find("me", key)
    incoming.remove("me", key)


def test_others_neither_see_nor_change_nor_remove_it(incoming: Incoming) -> None:
    known = incoming.begin("me", "pump.csv", 3)
    for act in (lambda: incoming.find("you", known.id), lambda: incoming.write("you", known.id, 0, b"0")):
        with pytest.raises(Refused, match="no longer here"):
            act()
    incoming.remove("you", known.id)
    assert incoming.find("me", known.id).received == 0


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("pump.csv", "pump.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\pump.csv.gz", "pump.csv.gz"),
        ("..", "upload"),
        (".hidden.csv", "hidden.csv"),
        ("a\0b\n.csv", "a b.csv"),
        ("", "upload"),
        ("x" * 300 + ".parquet", "x" * 112 + ".parquet"),
        ("\u00e4" * 300, "\u00e4" * 60),
        (".csv", "csv"),
    ],
)
def test_names_are_made_harmless(given: str, kept: str) -> None:
    assert checked_name(given) == kept


def test_a_file_over_the_limit_is_told_the_setting(incoming: Incoming, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(UPLOAD, "1")
    assert incoming.begin("me", "fits.csv", 1_000_000).size == 1_000_000
    with pytest.raises(Refused, match="AMAD_UPLOAD_MB") as caught:
        incoming.begin("me", "large.csv", 1_000_001)
    assert caught.value.reason == "large"
    for wrong in ("0", "-3", "many"):
        monkeypatch.setenv(UPLOAD, wrong)
        with pytest.raises(ConfigError, match=UPLOAD):
            incoming.begin("me", "fits.csv", 1)


def test_a_disk_without_room_is_told_before_a_byte_comes(incoming: Incoming, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(incoming.folder.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1 << 28))
    with pytest.raises(Refused, match="no room") as caught:
        incoming.begin("me", "pump.csv", 1)
    assert caught.value.reason == "room"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no disk that is always full")
def test_a_disk_that_fills_meanwhile_keeps_nothing_of_the_file(
    incoming: Incoming, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = incoming.begin("me", "pump.csv", 5)
    real = os.open
    monkeypatch.setattr(
        os, "open", lambda path, *rest, **more: real("/dev/full" if str(path).endswith("part") else path, *rest, **more)
    )
    with pytest.raises(Refused, match="no room") as caught:
        incoming.write("me", known.id, 0, b"01234")
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert list(incoming.folder.iterdir()) == []


def test_what_broke_off_goes_after_an_hour_and_what_nobody_reads_after_a_day(tmp_path: Path) -> None:
    incoming = Incoming(tmp_path)
    broken, whole = incoming.begin("me", "a.csv", 5), incoming.begin("me", "b.csv", 0)
    incoming.write("me", broken.id, 0, b"012")
    aged(incoming.folder, UNFINISHED_HOURS + 0.1)
    incoming.sweep()
    assert [path.name for path in incoming.folder.iterdir()] == [whole.id]
    aged(incoming.folder, KEPT_HOURS + 0.1)
    incoming.keep(whole.id)
    incoming.sweep()
    assert incoming.find("me", whole.id).path is not None
    aged(incoming.folder, KEPT_HOURS + 0.1)
    Workspace.open(tmp_path).close()  # a start sweeps too
    assert list(incoming.folder.iterdir()) == []


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An allowed folder with a file, beside a secret and links to it."""
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    (folder / "pump.csv").write_text("a,b\n1,2\n")
    (folder / "deep" / "tank.csv").write_text("a,b\n1,2\n")
    (folder / ".hidden.csv").write_text("a\n1\n")
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "outside").symlink_to(tmp_path)
    monkeypatch.setenv("AMAD_FOLDERS", str(folder))
    return folder


def test_files_of_an_allowed_folder_are_found_by_either_path(shared: Path) -> None:
    assert folders() == [shared]
    assert allowed_file("pump.csv") == allowed_file(str(shared / "pump.csv")) == shared / "pump.csv"
    assert allowed_file("deep/tank.csv") == shared / "deep" / "tank.csv"
    assert listing((".csv",)) == ["deep/tank.csv", "pump.csv"]
    assert listing((".parquet",)) == []


@pytest.mark.parametrize(
    "path",
    [
        "../secret.csv", "deep/../../secret.csv", "deep/../pump.csv", "link.csv", "outside/secret.csv", "/etc/passwd", "deep",
        "", "nothing.csv", "pump.csv\0",
    ],
)  # fmt: skip
def test_no_path_leaves_the_allowed_folder(shared: Path, path: str) -> None:
    with pytest.raises(InputError, match="is not a file in"):
        allowed_file(path)
    if path:
        with pytest.raises(InputError, match="is not a file in"):
            allowed_file(f"{shared}/{path}")


def test_no_folder_is_allowed_unless_named(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMAD_FOLDERS")
    assert folders() == []
    with pytest.raises(InputError, match="AMAD_FOLDERS"):
        allowed_file(str(shared / "pump.csv"))
    for wrong in (str(shared / "nothing"), "data"):
        monkeypatch.setenv("AMAD_FOLDERS", wrong)
        with pytest.raises(ConfigError, match="AMAD_FOLDERS"):
            folders()
