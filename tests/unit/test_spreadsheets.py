"""What goes out as CSV runs in no spreadsheet, and comes back as it was."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from amad.series import read
from amad.spreadsheets import bare, csv_text, guard

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "=cmd|' /C calc'!A0"


@given(st.text())
def test_guarded_text_is_no_formula_and_comes_back(text: str) -> None:
    assert bare(guard(text)) == text
    assert not guard(text).startswith(tuple("=+-@\t\r\n|%"))


def test_names_and_text_are_guarded_and_numbers_are_not() -> None:
    frame = pd.DataFrame({HOSTILE: [-1.5, 2.0], "who": ["@mary", "-"], "at": pd.date_range("2026-01-01", periods=2)})
    back = pd.read_csv(io.StringIO(csv_text(frame)))
    assert list(back.columns) == ["'" + HOSTILE, "who", "at"]
    assert back["who"].tolist() == ["'@mary", "'-"]
    assert back.iloc[:, 0].tolist() == [-1.5, 2.0]
    assert frame.columns[0] == HOSTILE
    assert frame["who"].tolist() == ["@mary", "-"]


def test_a_series_with_hostile_names_comes_back_as_it_was(tmp_path) -> None:
    names = (HOSTILE, "+1", "'=quoted", "@home", "plain")
    values = np.random.default_rng(0).normal(size=(40, len(names))).round(4)
    path = tmp_path / "out.csv"
    path.write_text(csv_text(pd.DataFrame(values, columns=list(names))))
    series = read(path)
    assert series.channels == names
    np.testing.assert_allclose(series.values, values, rtol=1e-6)


def test_no_table_goes_out_unguarded() -> None:
    places = [path for folder in ("amad", "app") for path in (ROOT / folder).rglob("*.py")]
    assert [path.name for path in places if ".to_csv(" in path.read_text(encoding="utf-8")] == ["spreadsheets.py"]
