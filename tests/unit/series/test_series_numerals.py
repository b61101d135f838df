"""Numbers as people write them: marks between thousands, and marks that say two things."""

from collections.abc import Callable
from pathlib import Path

import pytest

from amad.errors import InputError
from amad.series import read


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "x.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    "text",
    [
        'a,b\n"1,234.5",2\n"-2,000,234",3\n12,4\n',
        "a;b\n1.234,5;2\n-2.000.234;3\n12;4\n",
        "a;b\n1 234,5;2\n-2 000 234;3\n12;4\n",
        "a;b\n1\u202f234,5;2\n-2\u202f000\u202f234;3\n12;4\n",
        "a;b\n1'234.5;2\n-2'000'234;3\n12;4\n",
        "a\tb\n1,234.5\t2\n-2,000,234\t3\n12\t4\n",
    ],
)
def test_thousands_are_understood_and_told(make: Callable[[str], Path], text: str) -> None:
    series = read(make(text))
    assert series.channels == ("a", "b")
    assert series.values.tolist() == [[1234.5, 2], [-2000234, 3], [12, 4]]
    found = series.report.of("thousands")
    assert found is not None
    assert (found.columns, found.action) == (("a",), "Read as numbers, here 1234.5.")


def test_a_quoted_thousand_between_commas_is_one(make: Callable[[str], Path]) -> None:
    assert read(make('a,b\n"1,234",2\n"2,345",3\n')).values.tolist() == [[1234, 2], [2345, 3]]
    assert read(make('a,b\n"0,234",2\n"2,345",3\n')).values[:, 0].tolist() == pytest.approx([0.234, 2.345])


def test_three_decimals_after_a_comma_stay_decimals(make: Callable[[str], Path]) -> None:
    assert read(make("a;b\n1,234;2,5\n2,345;3,5\n")).values[:, 0].tolist() == pytest.approx([1.234, 2.345])
    assert read(make("a;b\n1,234;2\n2,345;3\n"), decimal=".").values[:, 0].tolist() == [1234, 2345]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a;b\n1,5;2,5\n2,5;3,5\n3,5;5.5\n",
            'row 4, column "b": "5.5" has a decimal point, but the file has a decimal',
        ),
        ("a;b\n1,5;2.5\n2.5;3,5\n3,5;4,5\n4,5;5,5\n", 'row 3, column "a": "2.5" has a decimal point'),
        ("a;b\n1.5;2,5\n2.5;3,5\n3.5;4,5\n", 'row 2, column "b": "2,5" has a decimal comma'),
        ("a;b\n1.5;2,567\n2.5;3,567\n3.5;4,567\n", 'row 2, column "b": "2,567" may be 2567 or 2.567.'),
    ],
)
def test_mixed_marks_are_refused_where_they_stand(make: Callable[[str], Path], text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read(make(text))
    assert str(caught.value).startswith(f"x.csv, {said}")
    assert "name the decimal mark" in str(caught.value)


def test_text_stays_text(make: Callable[[str], Path]) -> None:
    series = read(make("a,b,c\n1.5,10 Main St,v1.2.3\n2.5,11 Main St,v1.2.4\n"))
    assert series.channels == ("a",)
    found = series.report.of("text")
    assert found is not None
    assert found.columns == ("b", "c")


def test_two_steps_are_told(make: Callable[[str], Path]) -> None:
    minutes = "".join(f"2024-01-01 00:{row:02d}:00,{row % 7}.5\n" for row in range(20))
    hours = "".join(f"2024-01-01 {row + 1:02d}:00:00,{row % 5}.5\n" for row in range(10))
    found = read(make("time,a\n" + minutes + hours)).report.of("two_steps")
    assert found is not None
    assert found.message == "Rows come at two different steps: 1 min (19 times) and 1 h (9 times)."
    assert read(make("time,a\n" + minutes)).report.of("two_steps") is None


def test_nothing_but_missing_cells_is_refused(make: Callable[[str], Path]) -> None:
    with pytest.raises(InputError, match=r"x\.csv: every cell of every channel is missing\. Give rows with numbers"):
        read(make("a,b\n" + "NA,-\n" * 20))
