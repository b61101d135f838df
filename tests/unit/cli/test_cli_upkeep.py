"""`amad doctor` and `amad backup`: exit codes, what they print, and their JSON."""

import json
import os
import shutil
import time

import pytest


@pytest.fixture
def used(trained, tmp_path):
    """A copy of a workspace with a finished run."""
    return shutil.copytree(trained, tmp_path / "used")


def orphan(folder):
    place = folder / "series" / "abcd1234"
    place.mkdir()
    (place / "file").write_text("mine")
    for one in (place / "file", place):
        os.utime(one, (time.time() - 7200,) * 2)
    return place


def test_the_doctor_reports_and_changes_nothing(amad, used):
    place = orphan(used)
    ended = amad("doctor", workspace=used)
    assert ended.code == 2
    assert f"Problem: {place} holds a series of which the database knows nothing. Look at it" in ended.out
    assert "`amad doctor --mend` mends what can be mended without losing anything." in ended.out
    assert (place / "file").read_text() == "mine"


def test_the_doctor_mends_and_says_so(amad, used):
    place = orphan(used)
    ended = amad("doctor", "--mend", workspace=used)
    assert ended.code == 0
    assert (
        f"Mended: {place} holds a series of which the database knows nothing. Moved to {used}/lost+found/" in ended.out
    )
    assert ended.out.endswith("No problems are left.\n")
    (kept,) = used.glob("lost+found/*/series/abcd1234/file")
    assert kept.read_text() == "mine"
    assert amad("doctor", "--deep", workspace=used).code == 0
    assert "mended" in amad("audit", workspace=used).out


def test_what_cannot_be_mended_stays_with_what_to_do(amad, used):
    (file,) = used.glob("runs/*/model.safetensors")
    file.write_bytes(file.read_bytes()[:-1])
    ended = amad("doctor", "--mend", "--json", workspace=used)
    found = json.loads(ended.out)
    assert ended.code == 2
    assert found["findings"] == [
        {
            "kind": "damaged",
            "words": found["findings"][0]["words"],
            "advice": "Put the file back from a backup, or train the run again.",
            "can_be_mended": None,
            "mended": None,
            "why_not": None,
        }
    ]
    assert f'Run "night": {file} is damaged (' in found["problems"][0]
    assert found["problems"][0].endswith("Put the file back from a backup, or train the run again.")


def test_a_backup_is_written_and_put_back(amad, used, tmp_path):
    ended = amad("backup", tmp_path / "b.zip", workspace=used)
    assert (ended.code, ended.err) == (0, "")
    assert f"Backup of {used} written to {tmp_path}/b.zip and read back: 1 series, 1 runs, 0 labels; " in ended.out
    ended = amad("backup", "--restore", tmp_path / "b.zip", "--json", workspace=tmp_path / "new")
    found = json.loads(ended.out)
    assert (ended.code, found["series"], found["runs"], found["missing"]) == (0, 1, 1, [])
    assert "night" in amad("runs", workspace=tmp_path / "new").out
    assert amad("doctor", "--deep", workspace=tmp_path / "new").code == 0


def test_a_backup_that_cannot_be_is_told_in_one_message(amad, used, tmp_path):
    for call, words in (
        ((), "Give the file or folder to write, for example backup.zip"),
        (("x.zip", "--restore", "y.zip"), "Give either the file to write, or --restore"),
        ((tmp_path / "none" / "x.zip",), "There is no folder"),
        (("--restore", tmp_path / "none.zip"), "is not empty"),
    ):
        ended = amad("backup", *call, workspace=used)
        assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
        assert words in ended.err


def test_a_restored_database_beside_an_address_that_names_another_is_told(amad, used, tmp_path, monkeypatch):
    amad("backup", tmp_path / "b.zip", workspace=used)
    monkeypatch.setenv("AMAD_DATABASE_URL", f"sqlite:///{tmp_path}/other.sqlite")
    ended = amad("backup", "--restore", tmp_path / "b.zip", workspace=tmp_path / "new")
    assert ended.code == 0
    assert "AMAD_DATABASE_URL names another database: unset it" in ended.err
