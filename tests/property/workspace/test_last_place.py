"""The last job that a user may have goes to one of several who ask for it at once, on either database."""

import threading

from amad.config import make_config
from amad.errors import JobError
from amad.workspace.access import Actor, Role


def test_of_several_at_once_one_gets_the_last_place(workspace, monkeypatch):
    monkeypatch.setenv("AMAD_USER_JOBS", "1")
    mine = workspace.acting(Actor("Ann", Role.ANALYST))
    gate, came = threading.Barrier(4), []

    def ask():
        gate.wait()
        try:
            came.append(mine.create_run("pump", config=make_config("quick")).name)
        except JobError as error:
            came.append(str(error)[:9])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came) == ["Ann has 1"] * 3 + ["pump balanced"]
    assert len(workspace.runs()) == 1
