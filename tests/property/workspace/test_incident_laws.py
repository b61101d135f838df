"""Laws of labels, on SQLite and PostgreSQL: what holds after any sequence of changes, and that undo is exact."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from amad.errors import InputError
from amad.workspace import Workspace
from amad.workspace.incidents import Incidents
from amad.workspace.overlap import cut

ROWS = 60
CALM = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
SPANS = st.tuples(st.integers(0, ROWS - 1), st.integers(1, 20)).map(lambda two: (two[0], min(ROWS, sum(two))))


def desk(workspace: Workspace, author: str = "Ada") -> Incidents:
    return Incidents(workspace, "pump", author)


def held(labels: Incidents) -> dict:
    """What the labels say, without the bookkeeping that every change moves."""
    return {
        one.id: (one.start_row, one.end_row, one.type, one.severity, one.channels, one.status, one.note, one.sure,
                 one.possible, one.start_time, one.end_time)
        for one in labels.all()
    }  # fmt: skip


def wipe(labels: Incidents) -> None:
    if found := labels.all():
        labels.delete([one.id for one in found])
    labels.set_overlap(True)


STEPS = st.tuples(
    st.sampled_from(["add", "resize", "split", "merge", "shift", "relabel", "delete"]),
    SPANS,
    st.lists(st.integers(0, 9), min_size=3, max_size=3),
    st.integers(-10, 10),
    st.floats(0, 100),
    st.lists(st.sampled_from(["flow", "-p"]), unique=True),
)


def take(labels: Incidents, step: tuple) -> None:
    """One change, as a step says it; InputError where it is refused."""
    kind, span, picks, number, severity, channels = step
    there = sorted(labels.all(), key=lambda one: (one.start_row, one.end_row, one.created))
    if kind == "add" or not there:
        labels.add(*span, type="Drift" if number > 0 else "Spike", severity=severity, channels=channels)
        return
    picked = [there[pick % len(there)] for pick in picks]
    if kind == "resize":
        labels.change(picked[0], start=span[0], end=span[1])
    elif kind == "split":
        labels.split(picked[0], picked[0].start_row + abs(number))
    elif kind == "merge":
        labels.merge(list({one.id: one for one in picked}.values()))
    elif kind == "shift":
        labels.shift([picked[0]], number)
    elif kind == "relabel":
        labels.relabel(there, status="known", severity=severity)
    else:
        labels.delete([picked[0]])


@CALM
@given(steps=st.lists(STEPS, min_size=1, max_size=6), overlap=st.booleans())
def test_undo_and_redo_walk_back_and_forth_exactly(workspace, steps, overlap):
    labels = desk(workspace)
    wipe(labels)
    labels.set_overlap(overlap)
    labels.add(10, 20, sure=(12, 18), possible=(8, 25))
    states = [held(labels)]
    for step in steps:
        try:
            take(labels, step)
        except InputError:
            assert held(labels) == states[-1], "what is refused changes nothing"
        else:
            states.append(held(labels))
    for one in labels.all():
        assert 0 <= one.start_row < one.end_row <= ROWS
        assert one.sure is None or one.start_row <= one.sure[0] < one.sure[1] <= one.end_row
        assert one.possible is None or one.possible[0] <= one.start_row < one.end_row <= one.possible[1]
        if not overlap:
            others = [other for other in labels.all() if other.id != one.id]
            assert not cut((one.start_row, one.end_row), one.channels, others).needed
    for before in states[-2::-1]:
        assert labels.undo() is not None
        assert held(labels) == before
    for after in states[1:]:
        assert labels.redo() is not None
        assert held(labels) == after
    assert labels.redo() is None


@CALM
@given(span=SPANS, others=st.lists(SPANS, max_size=5))
def test_a_cut_keeps_just_the_free_rows(workspace, span, others):
    labels = desk(workspace)
    wipe(labels)
    for other in others:
        labels.add(*other)
    labels.set_overlap(False)
    free = set(range(*span)) - {row for other in others for row in range(*other)}
    shown = labels.preview(*span)
    assert {row for piece in shown.pieces for row in range(*piece)} == free
    if not free:
        with pytest.raises(InputError, match="labelled already"):
            labels.add(*span)
        return
    made = labels.add(*span)
    assert [(one.start_row, one.end_row) for one in made] == list(shown.pieces)


@CALM
@given(span=SPANS, at=st.integers(0, ROWS))
def test_split_then_merge_is_the_label_again(workspace, span, at):
    labels = desk(workspace)
    wipe(labels)
    (one,) = labels.add(*span, type="Drift", severity=33.5, channels=["flow"], note="why")
    if not span[0] < at < span[1]:
        with pytest.raises(InputError, match="is not inside"):
            labels.split(one, at)
        return
    first, second = labels.split(one, at)
    assert (first.start_row, first.end_row, second.start_row, second.end_row) == (span[0], at, at, span[1])
    before = held(labels)
    whole = labels.merge([second, first])
    assert held(labels) == {one.id: (span[0], span[1], *before[one.id][2:-1], one.end_time)}
    assert whole.note == "why"


@pytest.mark.parametrize(
    "change",
    [
        "start_row = end_row", "end_row = start_row - 1", "end_row = 61", "start_row = -1", "type_id = 'none'",
        "severity = 101", "confidence = 1.5", "status = 'odd'", "sure_start = 0, sure_end = 61", "series_id = 'none'",
    ],
)  # fmt: skip
def test_the_database_itself_refuses_nonsense(workspace, change):
    labels = desk(workspace)
    wipe(labels)
    labels.add(10, 20)
    with pytest.raises(IntegrityError), workspace.database.writing() as session:
        session.execute(text(f"UPDATE incidents SET {change} WHERE deleted = false"))  # noqa: S608
