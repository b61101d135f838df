"""Files of a run reach whoever works on it elsewhere, and come back as they change, whole and in an order that holds."""

import pytest

from amad.detection import storage
from amad.jobs import relay
from amad.training import checkpoints


@pytest.fixture
def away(tmp_path):
    folder = tmp_path / "away"
    relay.unpack(folder, {"config.json": b"{}", "history.jsonl": b"1\n"})
    mirror = relay.Mirror(folder)
    mirror.changes()
    return folder, mirror


def test_the_names_are_those_that_training_and_detection_write():
    assert relay.STATE == checkpoints.STATE
    written = {checkpoints.CONFIG, checkpoints.SCALER, checkpoints.LINEAR, checkpoints.MODEL, checkpoints.STATE}
    written |= {storage.ARRAYS, storage.FACTS, "frequencies.npz", "history.jsonl"}
    assert set(relay.FILES) == written


def test_a_folder_comes_back_as_it_was(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    files = {name: name.encode() for name in relay.FILES[:4]}
    relay.unpack(here, files)
    (here / "scores").mkdir()
    (here / "log.txt").write_text("said")
    assert relay.pack(here) == files
    relay.unpack(there, {"model.safetensors": b"old"})
    relay.unpack(there, relay.pack(here))
    assert relay.pack(there) == files


def test_only_what_changed_is_told_and_of_growing_files_only_what_came(away, tmp_path):
    folder, mirror = away
    assert mirror.changes() == []
    with (folder / "history.jsonl").open("a") as file:
        file.write("2\n")
    (folder / "log.txt").write_text("one\n")
    (folder / "last" / "state.safetensors").write_bytes(b"state")
    assert mirror.changes() == [
        relay.Change("log.txt", b"one\n"),
        relay.Change("history.jsonl", b"2\n", after=2),
        relay.Change("last/state.safetensors", b"state"),
    ]
    assert mirror.changes() == []


def test_a_growing_file_that_is_written_anew_is_told_whole_and_a_removed_one_as_gone(away):
    folder, mirror = away
    (folder / "beside").write_bytes(b"")
    (folder / "beside").rename(folder / "history.jsonl")
    (folder / "config.json").unlink()
    assert mirror.changes() == [relay.Change("config.json", None), relay.Change("history.jsonl", b"")]


def test_changes_are_made_in_the_folder_of_the_run_and_its_own_log_stays(tmp_path):
    (tmp_path / "log.txt").write_text("here\n")
    (tmp_path / "history.jsonl").write_text("1\n")
    (tmp_path / "model.safetensors").write_bytes(b"old")
    relay.apply(
        tmp_path,
        [
            relay.Change("log.txt", b"there\n"),
            relay.Change("history.jsonl", b"2\n", after=2),
            relay.Change("last/state.safetensors", b"state"),
            relay.Change("model.safetensors", None),
        ],
    )
    assert (tmp_path / "log.txt").read_text() == "here\nthere\n"
    assert (tmp_path / "history.jsonl").read_text() == "1\n2\n"
    assert relay.pack(tmp_path) == {"history.jsonl": b"1\n2\n", "last/state.safetensors": b"state"}
    relay.apply(tmp_path, [relay.Change("history.jsonl", b"new\n")])
    assert (tmp_path / "history.jsonl").read_text() == "new\n"


def test_the_state_is_never_newer_than_what_lies_beside_it(away, monkeypatch):
    _, mirror = away
    looked = []
    whole = relay.Mirror._change
    monkeypatch.setattr(relay.Mirror, "_change", lambda self, name: looked.append(name) or whole(self, name))
    mirror.changes()
    assert looked.index("last/state.safetensors") < min(
        looked.index(name) for name in ("model.safetensors", "frequencies.npz", "history.jsonl")
    )
