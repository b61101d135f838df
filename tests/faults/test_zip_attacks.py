"""Archives that are no runs: each is refused with its reason before anything of it reaches the workspace."""

import json
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from amad.config import make_config
from amad.errors import AmadError, CheckpointError
from amad.workspace import archive

TENSORS = save({"weight": np.arange(4, dtype=np.float32)})


def contents(**changes):
    """The files of a run that can be imported, some of them replaced or (None) left out."""
    config = {
        "schema": 1,
        "channels": ["a", "b"],
        "part": [0, 90],
        "settings": make_config("quick").model_dump(mode="json"),
    }
    found = {
        "run.json": json.dumps({"schema": 1, "name": "guest"}),
        "config.json": json.dumps(config),
        "scaler.json": "{}",
        "detection.json": "{}",
        "model.safetensors": TENSORS,
        "detection.safetensors": TENSORS,
        "history.jsonl": '{"step": 1}\n',
    }
    found |= {name.replace("__", "."): content for name, content in changes.items()}
    return {name: content for name, content in found.items() if content is not None}


def packed(path, files, extra=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files.items():
            out.writestr(name, content)
        for entry, content in extra:
            out.writestr(entry, content)
    return path


def configured(**changes):
    found = json.loads(contents()["config.json"]) | changes
    return contents(config__json=json.dumps(found))


def link():
    entry = zipfile.ZipInfo("frequencies.npz")
    entry.external_attr = 0o120777 << 16
    return entry


def refused(workspace, path):
    with pytest.raises(CheckpointError) as error:
        workspace.import_run(path)
    assert workspace.runs() == []
    for folder in ("runs", "scores", "tmp"):
        assert list((workspace.path / folder).iterdir()) == []
    return str(error.value)


def test_the_archive_that_the_attacks_start_from_is_taken(workspace, tmp_path):
    assert workspace.import_run(packed(tmp_path / "run.zip", contents())).name == "guest"


ATTACKS = {
    "path upwards": (contents(), [("../evil.json", "{}")], '"../evil.json" is no file of a run'),
    "absolute path": (contents(), [("/etc/cron.d/evil", "x")], '"/etc/cron.d/evil" is no file of a run'),
    "windows path": (contents(), [("..\\evil", "x")], '"..\\evil" is no file of a run'),
    "folder entry": (contents(), [("scores/", "")], '"scores/" is no file of a run'),
    "pickle": (contents(), [("model.pkl", b"cos\nsystem\n")], '"model.pkl" is no file of a run'),
    "control characters": (contents(), [("a\x1b[2J", "")], '"a [2J" is no file of a run'),
    "link": (contents(), [(link(), "/etc/passwd")], '"frequencies.npz" is a link or another special file'),
    "bomb": (contents(scaler__json=b" " * (8 << 20)), [], '"scaler.json" unpacks to more than 200 times its packed size'),
    "too large": (
        contents(run__json=np.random.default_rng(0).bytes((1 << 20) + 1)),
        [],
        '"run.json" unpacks to 1048577 bytes, more than the 1048576 allowed',
    ),
    "missing files": (
        contents(scaler__json=None, detection__json=None),
        [],
        "it lacks scaler.json, detection.json",
    ),
    "a run of AMAD without its model": (contents(model__safetensors=None), [], "it lacks model.safetensors"),
    "torn tensors": (
        contents(model__safetensors=TENSORS[:-3]),
        [],
        '"model.safetensors" is damaged (Error while deserializing header: incomplete metadata, file not fully covered)',
    ),
    "list for an object": (contents(scaler__json="[]"), [], '"scaler.json" is not a JSON object'),
    "deep JSON": (
        contents(detection__json="[" * 200_000),
        [],
        '"detection.json" is not JSON (maximum recursion depth exceeded while decoding a JSON array from a unicode string)',
    ),
    "no schema": (contents(run__json="{}"), [], '"run.json" has no schema version'),
    "unknown setting": (
        configured(settings={"colour": "red"}),
        [],
        '"config.json": There is no setting "colour".',
    ),
    "setting out of range": (configured(settings={"heads": 10**9}), [], '"config.json": Setting "heads": 1000000000 does not do'),
    "no channels": (configured(channels=[]), [], '"config.json" does not list its channels'),
    "channel twice": (configured(channels=["a", "a"]), [], '"config.json" does not list its channels'),
    "backward part": (configured(part=[9, 3]), [], '"config.json" does not say which rows it was trained on'),
    "boolean part": (configured(part=[False, True]), [], '"config.json" does not say which rows it was trained on'),
    "history": (
        contents(history__jsonl='{"step": 1}\nnot json\n'),
        [],
        '"history.jsonl", line 2, is not a JSON object',
    ),
    "scores without names": (contents(), [("scores/columns.f32", b"1234")], "its scores are incomplete"),
    "scores of another size": (
        contents(),
        [("scores/names.json", '{"names": ["score"], "rows": 99}'), ("scores/columns.f32", b"1234")],
        "its scores do not fit their description",
    ),
    "names of scores": (
        contents(),
        [("scores/names.json", '{"names": ["score", "../x"], "rows": 1}'), ("scores/columns.f32", b"12345678")],
        "its scores do not fit their description",
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_are_refused_with_their_reason(workspace, tmp_path, attack):
    files, extra, reason = ATTACKS[attack]
    path = packed(tmp_path / "run.zip", files, extra)
    message = refused(workspace, path)
    assert message.startswith(f"{path} is not a run that can be imported: {reason.rstrip()}")
    assert message.endswith(". Nothing was imported.")


def test_a_name_twice_is_refused(workspace, tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = packed(tmp_path / "run.zip", contents(), [("run.json", "{}")])
    assert '"run.json" twice' in refused(workspace, path)


def test_a_run_of_a_newer_amad_is_named_as_such(workspace, tmp_path):
    path = packed(tmp_path / "run.zip", configured(schema=2))
    assert refused(workspace, path) == (
        f"{path}: the run was made by a newer AMAD (schema 2; this one reads up to 1). "
        "Install the newer AMAD to open it."
    )


def test_pickled_arrays_are_never_loaded(workspace, tmp_path):
    np.savez(tmp_path / "evil.npz", steps=np.array([{"a": 1}], dtype=object))
    path = packed(tmp_path / "run.zip", contents(frequencies__npz=(tmp_path / "evil.npz").read_bytes()))
    assert "Object arrays cannot be loaded when allow_pickle=False" in refused(workspace, path)


def test_a_bomb_inside_the_frequencies_is_not_unpacked(workspace, tmp_path, monkeypatch):
    monkeypatch.setitem(archive.LIMITS, "frequencies.npz", 1 << 20)
    np.savez_compressed(tmp_path / "bomb.npz", steps=np.zeros(1 << 18))
    path = packed(tmp_path / "run.zip", contents(frequencies__npz=(tmp_path / "bomb.npz").read_bytes()))
    assert '"frequencies.npz" holds too much' in refused(workspace, path)


def test_an_archive_that_lies_about_its_sizes_is_refused(workspace, tmp_path):
    path = packed(tmp_path / "run.zip", contents(scaler__json=json.dumps({"a": "x" * 5000})))
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as whole:
        real = whole.getinfo("scaler.json").file_size
    place = data.rindex(b"scaler.json") - 46 + 24  # size of the unpacked file in the list at the end
    assert struct.unpack_from("<I", data, place) == (real,)
    struct.pack_into("<I", data, place, 20)
    path.write_bytes(bytes(data))
    refused(workspace, path)


def test_an_encrypted_archive_is_refused(workspace, tmp_path):
    path = packed(tmp_path / "run.zip", contents())
    data = bytearray(path.read_bytes())
    place = data.rindex(b"scaler.json") - 46 + 8
    data[place] |= 1
    path.write_bytes(bytes(data))
    assert '"scaler.json" is encrypted' in refused(workspace, path)


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_zip_is_refused(workspace, tmp_path, content):
    path = tmp_path / "run.zip"
    path.write_bytes(content)
    assert str(path) in refused(workspace, path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mutated_archive_is_taken_whole_or_refused(workspace, tmp_path, data):
    whole = packed(tmp_path / "whole.zip", contents()).read_bytes()
    kind = data.draw(st.sampled_from(["flip", "cut", "insert"]))
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    if kind == "flip":
        changed[place] ^= data.draw(st.integers(1, 255))
    elif kind == "cut":
        del changed[place : place + data.draw(st.integers(1, 200))]
    else:
        changed[place:place] = data.draw(st.binary(min_size=1, max_size=50))
    path = tmp_path / "changed.zip"
    path.write_bytes(bytes(changed))
    try:
        run = workspace.import_run(path)
    except AmadError:
        assert list((workspace.path / "tmp").iterdir()) == []
    else:
        workspace.delete_run(run.id)
    assert workspace.runs() == []
    assert list((workspace.path / "runs").iterdir()) == []
