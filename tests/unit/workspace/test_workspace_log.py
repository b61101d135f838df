"""What the log is told of a workspace: changes once they are kept, in the name of whoever made them, and what was refused."""

import json
import logging

import pytest

from amad import jobs, logs
from amad.config import make_config
from amad.errors import AccessError, InputError
from amad.workspace.access import Actor, Role


@pytest.fixture
def told():
    """The lines of the library's log, as objects."""
    lines: list[dict[str, str]] = []

    class Kept(logging.Handler):
        def emit(self, record):
            lines.append(json.loads(logs.JsonLines().format(record)))

    handler, logger = Kept(), logging.getLogger("amad")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lines
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_changes_are_told_with_what_they_are_about_and_by_whom(workspace, make_series, finish, told, monkeypatch):
    monkeypatch.setenv("AMAD_ENGINE", "queue")
    ann = workspace.acting(Actor("Ann", Role.ANALYST))
    pump = ann.add_series(make_series(), source="pump.csv")
    far = ann.add_series(make_series("far", rows=70))
    run = ann.create_run(pump.id, name="first", config=make_config("quick"))
    jobs.submit(ann, run.id)
    jobs.stop(ann, run.id)
    finish(workspace, ann.create_run(pump.id, name="other", config=make_config("quick")))
    scoring = jobs.submit_score(ann, "other", far.id)
    workspace.acting(Actor("Carl", Role.ADMIN)).delete_series(far.id)
    said = [(line["message"], line["user"]) for line in told if line["user"] in ("Ann", "Carl")]
    assert said == [
        ('series "pump": added (pump.csv)', "Ann"), ('series "far": added', "Ann"), ('run "first": added', "Ann"),
        ('run "first": training asked for', "Ann"), ('run "first": stopped', "Ann"), ('run "other": added', "Ann"),
        ('scoring "other": scoring asked for (series far)', "Ann"), ('series "far": deleted', "Carl"),
    ]  # fmt: skip
    by_message = {line["message"]: line for line in told}
    assert by_message['series "pump": added (pump.csv)']["series"] == pump.id
    assert by_message['run "first": stopped']["run"] == run.id
    assert by_message['scoring "other": scoring asked for (series far)']["scoring"] == scoring.id


def test_what_is_not_kept_is_not_told_and_what_is_refused_is(workspace, make_series, told):
    record = workspace.add_series(make_series())
    told.clear()
    with pytest.raises(InputError):
        workspace.set_part(record.id, (0, 61))
    assert told == []
    with pytest.raises(AccessError):
        workspace.acting(Actor("Vera", Role.VIEWER)).delete_series(record.id)
    assert [(line["level"], line["user"], line["message"]) for line in told] == [
        ("warning", "Vera", "refused: this takes the role admin, not viewer")
    ]
