"""What the holder of a job does when members of its team are lost, fail or fall silent; the members are stand-ins."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import ray

from amad.config import make_config
from amad.errors import InputError, JobError
from amad.jobs import cluster, relay, spread
from amad.jobs.heart import Stopped
from amad.series import Series

DIED = ray.exceptions.ActorDiedError
SERIES = Series("one", np.zeros((50, 1), np.float32), ("a",))


class Beating:
    """A heart that nobody asks to stop."""

    def should_stop(self):
        return False


class Scorer:
    """A member whose blocks have one row each; it dies before the one named `dies`."""

    def __init__(self, count=5, dies=None):
        self.count, self.dies, self.asked, self.killed = count, dies, [], False
        self.blocks = self

    def options(self, **_):
        return self

    def remote(self, _values, first):
        self.asked.append(first)
        for number in range(first, self.count):
            if number == self.dies:
                raise DIED()
            yield SimpleNamespace(rows=1, number=number)


@pytest.fixture
def team(tmp_path, monkeypatch):
    """The holder's side of a team of one, whose members `come` in their order."""
    monkeypatch.setattr(ray, "put", lambda value: value)
    monkeypatch.setattr(ray, "kill", lambda member: setattr(member, "killed", True))
    monkeypatch.setattr(cluster, "machines", lambda: [{"CPU": 2.0}])
    made = spread.Cluster(Beating(), tmp_path / "log.txt")
    made.come = []
    monkeypatch.setattr(made, "_wait", list)
    monkeypatch.setattr(made, "_start", lambda places: [made.come.pop(0) for _ in places])
    monkeypatch.setattr(made, "_dismiss", lambda: None)
    made._members = [None]
    made._free.put(0)
    return made


def test_a_member_lost_while_scoring_is_replaced_and_no_block_comes_twice(team):
    first, second = Scorer(dies=2), Scorer()
    team.come = [first, second]
    assert [block.number for block in team.blocks(SERIES.values)] == [0, 1, 2, 3, 4]
    assert (first.asked, second.asked, first.killed, second.killed) == ([0], [2], True, False)
    assert "A worker of the Ray cluster was lost" in team.log.read_text()
    assert [block.number for block in team.blocks(SERIES.values)] == [0, 1, 2, 3, 4]  # by the same member
    assert second.asked == [2, 0]


def test_members_lost_again_and_again_end_the_scoring(team):
    team.come = [Scorer(dies=0) for _ in range(3)]
    with pytest.raises(JobError, match=r"^3 workers of the Ray cluster were lost while scoring"):
        list(team.blocks(SERIES.values))
    assert team._free.qsize() == 1


def test_a_member_whose_blocks_nobody_wants_any_more_is_ended(team):
    member = Scorer()
    team.come = [member]
    blocks = team.blocks(SERIES.values)
    assert next(blocks).number == 0
    blocks.close()
    assert member.killed
    assert team._free.qsize() == 1


def saved(folder: Path, step: int) -> None:
    """A checkpoint, as far as its step is concerned."""
    head = json.dumps({"__metadata__": {"note": json.dumps({"step": step})}}).encode()
    path = folder / relay.STATE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(head).to_bytes(8, "little") + head)


def fit(team, folder):
    return team.fit(folder, SERIES, make_config("quick", {"device": "cpu"}), (0, 50), "quick", 10.0)


def test_a_team_that_gets_on_may_lose_members_any_number_of_times(team, tmp_path, monkeypatch):
    steps = iter([10, 20, 20, 30, 40, 50, 60])

    def attempt(folder, _work):
        step = next(steps, None)
        if step is None:
            return False
        saved(folder, step)
        raise DIED()

    monkeypatch.setattr(team, "_fit", attempt)
    assert fit(team, tmp_path) is False
    log = team.log.read_text()
    assert log.count("the team starts anew from optimiser step") == 7
    assert "the team starts anew from optimiser step 60" in log


def test_a_team_that_gets_nowhere_ends_the_job(team, tmp_path, monkeypatch):
    attempts = []

    def attempt(_folder, _work):
        attempts.append(1)
        raise DIED()

    monkeypatch.setattr(team, "_fit", attempt)
    with pytest.raises(JobError) as error:
        fit(team, tmp_path)
    assert len(attempts) == 3
    assert str(error.value).startswith("3 workers of the Ray cluster were lost without any progress")


def test_what_the_work_itself_raises_comes_out_as_it_was(team, tmp_path, monkeypatch):
    cause = InputError("As it says.")

    def attempt(_folder, _work):
        raise ray.exceptions.RayTaskError("fit", "trace", cause)

    monkeypatch.setattr(team, "_fit", attempt)
    with pytest.raises(InputError) as error:
        fit(team, tmp_path)
    assert error.value is cause


def test_a_cluster_that_fails_is_told_with_what_stays(team, tmp_path, monkeypatch):
    def attempt(_folder, _work):
        raise ray.exceptions.RaySystemError("the head is gone")

    monkeypatch.setattr(team, "_fit", attempt)
    with pytest.raises(JobError, match=r"The Ray cluster failed \(RaySystemError: .*What was saved stays"):
        fit(team, tmp_path)


@pytest.mark.parametrize("wanted", [None, "2"])
def test_a_cluster_that_became_smaller_gets_a_smaller_team_unless_a_number_was_asked_for(
    team, tmp_path, monkeypatch, wanted
):
    monkeypatch.delenv("AMAD_RAY_WORKERS", raising=False)
    if wanted:
        monkeypatch.setenv("AMAD_RAY_WORKERS", wanted)
    there = [{"CPU": 1.0}, {"CPU": 1.0}]
    monkeypatch.setattr(cluster, "machines", lambda: there)
    sizes = []

    def attempt(_folder, _work):
        sizes.append(team._layout.count)
        if there.pop() and there:
            raise DIED()
        return False

    monkeypatch.setattr(team, "_fit", attempt)
    if wanted:
        with pytest.raises(JobError, match="2 workers of 1 CPU core each do not fit"):
            fit(team, tmp_path)
    else:
        assert fit(team, tmp_path) is False
        assert sizes == [2, 1]


def test_waiting_for_a_machine_that_is_gone_ends(tmp_path, monkeypatch):
    there = [{"CPU": 1.0}, {"CPU": 1.0}]
    monkeypatch.setattr(cluster, "machines", lambda: there)
    monkeypatch.setattr(spread, "FIT_SECONDS", 0)
    monkeypatch.setattr(ray, "get", lambda references: references)
    made = spread.Cluster(Beating(), tmp_path / "log.txt")
    made._layout = cluster.Layout(2, 1, False)
    looks = []

    def wait(references, **_):
        looks.append(1)
        if len(looks) == 3:
            there.pop()
        return [], references

    monkeypatch.setattr(ray, "wait", wait)
    with pytest.raises(spread._Lost, match="A machine of the Ray cluster was lost"):
        made._wait(["never"])
    assert len(looks) == 3
    monkeypatch.setattr(Beating, "should_stop", lambda self: True)
    with pytest.raises(Stopped):
        made._wait(["never"])


class About:
    """A member that answers with `answer`: what it is, or that it is gone."""

    def __init__(self, answer):
        self.about, self.answer = self, answer

    def remote(self):
        return self.answer


@pytest.mark.parametrize(
    ("others", "found"),
    [(["here", "here"], RuntimeError), (["here", DIED()], DIED), (["here", "silent"], spread._Lost)],
)
def test_an_error_beside_a_member_that_is_gone_means_that_it_is_gone(team, monkeypatch, others, found):
    failed = ray.exceptions.RayTaskError("fit", "trace", RuntimeError("Connection closed by peer"))

    def get(reference):
        for one in reference if isinstance(reference, list) else [reference]:
            if isinstance(one, Exception):
                raise one
        return reference

    monkeypatch.setattr(ray, "get", get)
    monkeypatch.setattr(
        ray, "wait", lambda given, **_: ([one for one in given if one != "silent"], [one for one in given if one == "silent"])
    )  # fmt: skip
    team._members = [About(answer) for answer in others]
    with pytest.raises(found if found is not RuntimeError else ray.exceptions.RayTaskError):
        team._check([failed])
