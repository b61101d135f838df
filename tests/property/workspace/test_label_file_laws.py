"""Laws of label files: ours come back exactly, whatever the texts; foreign ones never do harm."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amad.errors import InputError
from amad.spreadsheets import bare, guard
from amad.workspace import Workspace
from amad.workspace.incidents import Incidents
from amad.workspace.label_formats import FORMATS, read_labels, write_labels
from amad.workspace.label_formats.cells import join, split

ROWS = 60
CALM = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
NASTY = st.one_of(
    st.text(max_size=40),
    st.sampled_from(['=HYPERLINK("http://x")', "'=1", "''-1", "+1", "@x", "\t=1", 'a,b;c\n"d"', "-p", "1e5", "\\;"]),
)
LABELS = st.fixed_dictionaries(
    {
        "span": st.tuples(st.integers(0, ROWS - 1), st.integers(1, 20)),
        "type": st.sampled_from(["Spike", "Drift", "=cmd", "Müll; &"]),
        "severity": st.none() | st.floats(0, 100),
        "confidence": st.none() | st.floats(0, 1),
        "channels": st.lists(st.sampled_from(["flow", "=heat;", "-p"]), unique=True, max_size=2),
        "status": st.sampled_from(["open", "known"]),
        "note": NASTY,
        "edges": st.booleans(),
    }
)


def desk(workspace: Workspace) -> Incidents:
    labels = Incidents(workspace, "pump", "=Ada")
    labels.set_overlap(True)
    if found := labels.all():
        labels.delete([one.id for one in found])
    return labels


def fill(labels: Incidents, given: list[dict]) -> None:
    from amad.workspace.taxonomy import Taxonomy

    for name in ("=cmd", "Müll; &"):
        if name not in {kind.name for kind in labels.types()}:
            Taxonomy(labels.workspace, "Ada").add(name)
    for one in given:
        start, end = one["span"][0], min(ROWS, sum(one["span"]))
        fields = {name: one[name] for name in ("type", "severity", "confidence", "channels", "status", "note")}
        if one["edges"]:
            fields |= {"sure": (start, start + 1), "possible": (0, end)}
        labels.add(start, end, **fields)


def told(labels: Incidents, *, threads: bool = True) -> list:
    comments = labels.threads() if threads else {}
    return [
        (one.id, one.start_row, one.end_row, one.type, one.severity, one.channels, one.status, one.confidence, one.author,
         one.note, one.created, one.changed, one.sure, one.possible, one.start_time, one.end_time, one.zone,
         [(c.author, c.text, c.created) for c in comments.get(one.id, ())])
        for one in labels.all()
    ]  # fmt: skip


@CALM
@given(given=st.lists(LABELS, max_size=6), form=st.sampled_from(["csv", "json"]), wiped=st.booleans())
def test_our_files_bring_exactly_the_same_labels_back(workspace, given, form, wiped):
    labels = desk(workspace)
    fill(labels, given)
    for one in labels.all()[:1] if form == "json" else []:
        labels.comment(one.id, "=why\nnot?")
    series = workspace.open_series("pump")
    before = told(labels, threads=form == "json")
    file = write_labels(form, labels.all(), series, types=labels.types(), comments=labels.threads())
    if wiped and before:
        labels.delete([one.id for one in labels.all()])
    elif before:
        labels.relabel([one.id for one in labels.all()], type="Other", note="changed")
    incoming = read_labels(f"labels{file.ending}", file.data, series)
    shown = labels.take_in(incoming, trial=True)
    taken = labels.take_in(incoming)
    assert (shown.added, shown.changed) == (taken.added, taken.changed)
    assert told(labels, threads=form == "json") == before
    again = labels.take_in(incoming)
    assert (again.added, again.changed, again.same) == (0, 0, len(before))
    assert labels.undo()


@CALM
@given(given=st.lists(LABELS, max_size=5))
def test_label_studio_keeps_what_it_can_hold(workspace, given):
    labels = desk(workspace)
    fill(labels, given)
    series = workspace.open_series("pump")
    file = write_labels("label-studio", labels.all(), series)
    before = [row[:8] + row[8:10] for row in told(labels)]
    labels.delete([one.id for one in labels.all()]) if before else None
    labels.take_in(read_labels("ls.json", file.data, series))
    assert [row[:8] + row[8:10] for row in told(labels)] == before
    assert ("uncertain edges" in file.lost) == any(one["edges"] for one in given)


@CALM
@given(given=st.lists(LABELS, max_size=5), form=st.sampled_from(["binary", "column"]))
def test_a_column_has_one_line_a_row_and_marks_the_same_rows(workspace, given, form):
    labels = desk(workspace)
    fill(labels, given)
    series = workspace.open_series("pump")
    marked = {row for one in labels.all() for row in range(one.start_row, one.end_row)}
    file = write_labels(form, labels.all(), series)
    lines = list(csv.DictReader(io.StringIO(file.data.decode())))
    assert [row for row, line in enumerate(lines) if line["label"] == "1"] == sorted(marked)
    assert len(lines) == ROWS
    incoming = read_labels("column.csv", file.data, series)
    assert {row for one in incoming.drafts for row in range(one.start_row, one.end_row)} == marked


@given(text=NASTY, names=st.lists(NASTY.filter(bool), max_size=4))
def test_no_cell_runs_in_a_spreadsheet_and_each_reads_back(text, names):
    cell = guard(text)
    assert cell[:1] not in tuple("=+-@\t\r")
    assert bare(cell) == text
    assert split(join(tuple(names))) == tuple(names)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode), name=NASTY)
def test_any_bytes_are_read_or_refused_in_words(workspace, data, name):
    series = workspace.open_series("pump")
    try:
        incoming = read_labels(name, data, series)
    except InputError:
        return
    assert all(0 <= one.start_row < one.end_row <= ROWS for one in incoming.drafts)


@pytest.mark.parametrize("form", FORMATS)
def test_no_labels_are_written_and_read_as_none(workspace, form):
    series = workspace.open_series("pump")
    assert read_labels("none", write_labels(form, [], series).data, series).drafts == ()
