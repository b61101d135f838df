"""Label files of others: which rows each form means, and what is refused in words."""

import json

import numpy as np
import pandas as pd
import pytest

from amad.errors import InputError
from amad.series import Series
from amad.workspace.incidents import Incidents
from amad.workspace.label_formats import read_labels, write_labels

ROWS = 60


@pytest.fixture(scope="module")
def dated() -> Series:
    time = pd.date_range("2024-03-01", periods=ROWS, freq="min", tz="UTC")
    return Series("pump", np.zeros((ROWS, 2), dtype=np.float32), ("flow", "heat"), time)


@pytest.fixture(scope="module")
def plain() -> Series:
    return Series("pump", np.zeros((ROWS, 2), dtype=np.float32), ("flow", "heat"))


def spans(series: Series, text: str, name: str = "labels.csv", **options) -> list:
    found = read_labels(name, text.encode(), series, **options)
    return [(one.start_row, one.end_row, one.type) for one in found.drafts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("start,end\n2024-03-01 00:10,2024-03-01 00:12\n", [(10, 13, "")]),
        ("start;end;type\n2024-03-01T00:10Z;2024-03-01T00:10Z;Drift\n", [(10, 11, "Drift")]),
        ("start_row,end_row\n10,12\n", [(10, 12, "")]),
        ("begin\tstop\tlabel\n1709251800\t1709251920\tSpike\n", [(10, 13, "Spike")]),
        ("10,12\n20,20\n", [(10, 13, ""), (20, 21, "")]),
        ("10 12\n", [(10, 13, "")]),
        ("2024-03-01 00:10,2024-03-01 00:11,Noise\n", [(10, 12, "Noise")]),
        ("first,last\n10,12\n", [(10, 13, "")]),
    ],
)
def test_ranges_with_and_without_a_header(dated, text, expected):
    assert spans(dated, text) == expected


def test_the_end_of_foreign_ranges_may_be_excluded(dated):
    assert spans(dated, "10,12\n20,20\n", end_included=False) == [(10, 12, ""), (20, 21, "")]
    assert spans(dated, "start_row,end_row\n10,12\n", end_included=False) == [(10, 12, "")]


def test_one_label_a_row_as_numbers_or_words(plain):
    marks = "\n".join("1" if row in (3, 4, 9) else "0" for row in range(ROWS))
    assert spans(plain, marks) == [(3, 5, ""), (9, 10, "")]
    assert spans(plain, "anomaly\n" + marks) == [(3, 5, ""), (9, 10, "")]
    words = "value,label\n" + "\n".join(f"0.5,{'leak' if row < 2 else 'normal'}" for row in range(ROWS))
    assert spans(plain, words) == [(0, 2, "leak")]


def test_windows_of_nab_by_the_name_of_the_series_or_alone(dated, plain):
    pair = ["2024-03-01 00:10:00.000000", "2024-03-01 00:12:00.000000"]
    assert spans(dated, json.dumps([pair])) == [(10, 13, "")]
    assert spans(dated, json.dumps({"real/pump.csv": [pair], "other.csv": []})) == [(10, 13, "")]
    assert spans(dated, json.dumps([pair[0]])) == [(10, 11, "")]
    assert spans(plain, "[[3, 5]]") == [(3, 6, "")]
    with pytest.raises(InputError, match="holds windows of 2 series"):
        spans(dated, json.dumps({"a.csv": [pair], "b.csv": []}))


def test_label_studio_in_full_and_as_json_min(dated):
    value = {"start": "2024-03-01 00:10", "end": "2024-03-01 00:12", "instant": False, "timeserieslabels": ["Drift"]}
    parts = [
        {"id": "wRk9", "type": "timeserieslabels", "from_name": "label", "value": value},
        {"id": "wRk9", "type": "number", "from_name": "severity", "value": {**value, "number": 40}},
        {"id": "x" * 40, "type": "timeserieslabels", "from_name": "label",
         "value": {"start": 1709251800000, "end": 1709251800000, "instant": True, "timeserieslabels": ["Spike"]}},
    ]  # fmt: skip
    full = [{"id": 1, "data": {}, "annotations": [{"result": parts, "completed_by": {"email": "ada@example.org"}}]}]
    drafts = read_labels("ls.json", json.dumps(full).encode(), dated).drafts
    assert [(one.start_row, one.end_row, one.type, one.severity, one.author, one.id) for one in drafts] == [
        (10, 13, "Drift", 40.0, "ada@example.org", ""),
        (10, 11, "Spike", None, "ada@example.org", ""),
    ]
    assert spans(dated, json.dumps([{"ts": "x.csv", "label": [value]}])) == [(10, 13, "Drift")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b,c,d\n1,2,3,4\n", "2 lines are neither ranges"),
        ("start,end\nyesterday,today\nnever,2024-03-01\n", 'line 2: "yesterday" is not a time'),
        ("10,99\n1,2\n-5,2\n", "line 3: rows -5 to 3"),
        ("start_row,end_row,status\n1,2,odd\n", 'line 2: "odd" is no status'),
        ('{"format": "amad-labels", "version": 2}', "a newer AMAD wrote these labels"),
        ("{bad", "not JSON"),
        ('{"format": "amad-labels", "version": 1, "labels": [3, {"start_row": 1}]}', "label 1: is no object"),
        ("[[1, 2, 3]]", "entry 1"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(dated, text, said):
    with pytest.raises(InputError) as error:
        read_labels("bad\x1b.csv", text.encode(), dated)
    assert said in str(error.value)
    assert "\x1b" not in str(error.value)


def test_channels_and_edges_of_another_series_are_refused_together(workspace, make_series):
    record = workspace.add_series(make_series(rows=60))
    labels = Incidents(workspace, record.id, "Ada")
    series = workspace.open_series(record.id)
    text = "start_row,end_row,channels,severity\n1,2,gas,5\n3,4,flow,101\n"
    with pytest.raises(InputError) as error:
        labels.take_in(read_labels("x.csv", text.encode(), series))
    assert str(error.value) == (
        "line 2: the series has no channel gas. line 3: severity 101 is not from 0 to 100. Nothing was taken in."
    )
    assert labels.all() == []


def test_a_file_brings_its_types_with_their_rules(workspace, make_series):
    record = workspace.add_series(make_series(rows=60))
    labels, series = Incidents(workspace, record.id, "Ada"), workspace.open_series(record.id)
    kind = {
        "name": "Leak",
        "code": "LK",
        "pattern": "/",
        "light": "#123456",
        "dark": "#ABCDEF",
        "rule": "From the first drop.",
    }
    label = {"start_row": 3, "end_row": 6, "type": "Leak", "sure_start": 4, "sure_end": 5}
    document = {"format": "amad-labels", "version": 1, "types": [kind], "labels": [label]}
    taken = labels.take_in(read_labels("x.json", json.dumps(document).encode(), series))
    assert taken.types == ("Leak",)
    assert taken.words == "1 new, 0 changed, 0 already here, new types: Leak."
    found = next(one for one in labels.types() if one.name == "Leak")
    assert {name: getattr(found, name) for name in kind} == kind
    assert labels.all()[0].sure == (4, 5)


def test_where_labels_may_not_overlap_an_import_is_cut_and_says_so(workspace, make_series):
    record = workspace.add_series(make_series(rows=60))
    labels, series = Incidents(workspace, record.id, "Ada"), workspace.open_series(record.id)
    labels.add(10, 20)
    labels.set_overlap(False)
    incoming = read_labels("x.csv", b"start_row,end_row\n5,15\n12,14\n30,31\n", series)
    taken = labels.take_in(incoming, type="Spike")
    assert [state for _, state in taken.lines] == ["cut", "lost", "new"]
    assert [(one.start_row, one.end_row) for one in labels.all()] == [(5, 10), (10, 20), (30, 31)]


def test_an_original_with_other_rows_is_refused(plain):
    with pytest.raises(InputError, match="3 lines under its header, the series 60 rows"):
        write_labels("column", [], plain, original=b"a,b\n1,2\n3,4\n5,6\n")
