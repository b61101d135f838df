"""Roles: who the list lets in, what the library refuses whichever face asks, and what is written down of every change."""

import csv
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from amad import jobs
from amad.cli import main
from amad.config import make_config
from amad.errors import AccessError, ConfigError, InputError
from amad.series import Report, Series
from amad.workspace import Workspace, audit
from amad.workspace.access import Actor, Allowed, Role
from amad.workspace.incidents import Incidents
from amad.workspace.taxonomy import Taxonomy


@pytest.fixture
def store(tmp_path):
    found = Workspace.open(tmp_path / "workspace")
    yield found
    found.close()


def small(name="pump"):
    return Series(name, np.ones((50, 2), np.float32), ("a", "b"), None, None, Report(50))


def acts(store):
    return [(entry.who, entry.role, entry.action, entry.kind, entry.name) for entry in audit.entries(store)]


def test_the_list_gives_the_highest_role_and_nobody_else_one():
    allowed = Allowed.parse("*@plant.example, Ann@Plant.Example = admin,\ngroup:chiefs=analyst")
    assert allowed.role_of("ANN@plant.example") is Role.ADMIN
    assert allowed.role_of("bo@plant.example") is Role.VIEWER
    assert allowed.role_of("bo@plant.example", ["golf", "chiefs"]) is Role.ANALYST
    assert allowed.role_of("x@elsewhere.example", ["chiefs"]) is Role.ANALYST
    for stranger in (
        "bo@plant.example.org",
        "bo@sub.plant.example",
        "plant.example",
        "",
        "bo@plant.example@evil.example",
    ):
        assert allowed.role_of(stranger) is None
    assert allowed.role_of("bo@evil.example", ["Chiefs", "group:chiefs"]) is None  # groups are told apart exactly


@pytest.mark.parametrize("words", ["", " , ", "ann", "ann@", "@x", "*@", "group:", "ann@x.y=owner", "a@b@c"])
def test_a_list_that_names_nobody_is_refused(words):
    with pytest.raises(ConfigError):
        Allowed.parse(words)


def test_a_viewer_changes_nothing_by_any_way(store):
    record = store.add_series(small())
    config = make_config("quick")
    run = store.create_run(record.id, preset="quick", config=config)
    before = acts(store)
    mine = store.acting(Actor("Vera", Role.VIEWER))
    desk = Incidents(mine, record.id, "Vera")
    ways = [
        lambda: mine.add_series(small("other")),
        lambda: mine.rename_series(record.id, "x"),
        lambda: mine.set_part(record.id, (0, 10)),
        lambda: mine.delete_series(record.id),
        lambda: mine.create_run(record.id, preset="quick", config=config),
        lambda: mine.update_run(run.id, name="x"),
        lambda: mine.tag_run(run.id, ["x"]),
        lambda: mine.prioritise_run(run.id, 3),
        lambda: mine.trash_run(run.id),
        lambda: mine.delete_run(run.id),
        lambda: jobs.stop(mine, run.id),
        lambda: jobs.resume(mine, run.id),
        lambda: desk.add(1, 5, "Spike"),
        lambda: desk.undo(),
        lambda: desk.set_overlap(True),
        lambda: Taxonomy(mine, "Vera").add("Leak"),
        lambda: list(audit.entries(mine)),
    ]
    for way in ways:
        with pytest.raises(AccessError, match="Vera may act here as viewer"):
            way()
    assert acts(store) == before
    assert [one.name for one in mine.series()] == ["pump"]
    assert mine.find_run(run.id).state == "queued"
    assert not [one for one in (store.path / "series").iterdir() if one.name != record.id]
    desk.keep_place({"event": 3})  # where somebody looks is their own
    assert desk.place() == {"event": 3}
    mine.states.mark_lost()  # and the workspace keeps itself up whoever looks


def test_an_analyst_works_and_an_admin_deletes_and_both_are_written_down(store):
    start = datetime.now(UTC) - timedelta(seconds=1)
    ann, carl = (store.acting(Actor(name, role)) for name, role in (("Ann", Role.ANALYST), ("Carl", Role.ADMIN)))
    record = ann.add_series(small())
    ann.rename_series(record.id, "valve")
    run = ann.create_run(record.id, name="first", preset="quick", config=make_config("quick"))
    ann.tag_run(run.id, ["good"])
    (label,) = Incidents(ann, record.id, "Ann").add(1, 5, "Spike")
    jobs.stop(ann, run.id)
    ann.trash_run(run.id)
    for refused in (lambda: ann.delete_run(run.id), lambda: ann.delete_series(record.id)):
        with pytest.raises(AccessError, match="takes the role admin"):
            refused()
    carl.delete_run(run.id)
    carl.delete_series(record.id)
    told = list(audit.entries(carl))
    assert [(one.who, one.action, one.name) for one in told if one.kind in ("series", "runs")] == [
        ("Ann", "added", "pump"), ("Ann", "renamed", "valve"), ("Ann", "added", "first"), ("Ann", "tags set", "first"),
        ("Ann", "stopped", "first"), ("Ann", "put in the trash", "first"), ("Carl", "deleted", "first"),
        ("Carl", "deleted", "valve"),
    ]  # fmt: skip
    assert [(one.who, one.key) for one in told if one.key == label.id] == [("Ann", label.id)]
    assert all(start <= datetime.fromisoformat(one.at) <= datetime.now(UTC) for one in told)
    assert [one.at for one in told] == sorted(one.at for one in told)
    assert list(audit.entries(carl, datetime.now(UTC) + timedelta(minutes=1))) == []


def test_what_fails_is_not_written_down(store):
    record = store.add_series(small())
    before = acts(store)
    with pytest.raises(InputError):
        store.set_part(record.id, (0, 51))
    assert acts(store) == before


def test_the_command_line_tells_and_writes_the_trail(store, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("AMAD_WORKSPACE", str(store.path))
    assert main(["audit"]) == 0
    assert capsys.readouterr().out == "Nothing was changed yet.\n"
    store.acting(Actor("=HYPERLINK(1)", Role.ADMIN)).add_series(small("@pump"))
    assert main(["audit"]) == 0
    assert "added" in capsys.readouterr().out
    assert main(["audit", "-o", str(tmp_path / "trail.csv")]) == 0
    with (tmp_path / "trail.csv").open(encoding="utf-8", newline="") as file:
        (head, row) = csv.reader(file)
    assert tuple(head) == audit.COLUMNS
    assert row[1:3] == ["'=HYPERLINK(1)", "admin"]
    assert row[6] == "'@pump"
    assert main(["audit", "--since", "2100-01-01"]) == 0
    assert main(["audit", "--since", "yesterday"]) == 2
    assert 'amad: --since "yesterday" is no time.' in capsys.readouterr().err
