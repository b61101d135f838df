"""How a text file is to be read: separator, decimal mark, header and units, found from the head of the file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from amad.errors import InputError
from amad.series.dates import looks_like_time
from amad.series.numerals import is_grouped, is_plain
from amad.series.series import Finding
from amad.series.table import shorten

_SEPARATORS = (",", ";", "\t", "|")
_RECORDS = 200


@dataclass(frozen=True)
class Dialect:
    """How a text file is to be read. `skip` physical lines come before the first data row."""

    separator: str
    decimal: str
    fields: int
    names: list[str] | None
    skip: int
    header_row: int | None
    units: list[str] | None = None
    first_units: int | None = None
    quoted_breaks: bool = False
    unnamed_first: bool = False
    findings: list[Finding] = field(default_factory=list)


def is_value(cell: str, decimal: str, tokens: frozenset[str]) -> bool:
    """Whether a cell is missing, a number without marks between thousands, or a time."""
    text = cell.strip()
    if text in tokens:
        return True
    if decimal == ",":
        text = text.replace(",", ".") if "." not in text else "x"
    try:
        float(text)
    except ValueError:
        return looks_like_time(cell)
    return "_" not in text


def _is_value(cell: str, decimal: str, tokens: frozenset[str], loose: bool) -> bool:
    """As `is_value`, thousands marked or not; with `loose`, 1,234 is a thousand and no fraction."""
    text = cell.strip()
    if loose and decimal == "," and is_grouped(text, ".", loose=True):
        return False
    return is_value(cell, decimal, tokens) or is_grouped(text, decimal, loose=loose and decimal == ".")


def _loose(cells: Sequence[str], separator: str) -> bool:
    """Between commas, a quoted 1,234 is a thousand, unless another cell such as 0,5 shows a decimal comma."""
    return separator == "," and not any(
        "," in cell and is_plain(cell.strip(), ",") and not is_grouped(cell.strip(), ".", loose=True) for cell in cells
    )


def records_of(text: str, separator: str, whole: bool) -> tuple[list[list[str]], list[int], bool]:
    """Records of the head without blank lines, the physical line each ends on, and whether a cell holds a break."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=False)
    records: list[list[str]] = []
    ends: list[int] = []
    breaks = False
    before = 0
    for record in reader:
        if (record and any(cell.strip() for cell in record)) or len(record) > 1:
            records.append(record)
            ends.append(reader.line_num)
            breaks = breaks or reader.line_num - before > 1
        before = reader.line_num
        if len(records) >= _RECORDS:
            break
    else:
        if not whole and len(records) > 1:  # the last line may be cut
            records.pop()
            ends.pop()
    return records, ends, breaks


def _score(records: list[list[str]], decimal: str, tokens: frozenset[str], separator: str) -> tuple[float, int]:
    """How well records fit one separator and decimal mark: share of rows of the usual width times share of values."""
    body = records[1:] if len(records) > 1 else records
    width = Counter(map(len, body)).most_common(1)[0][0]
    fitting = [record for record in body if len(record) == width]
    cells = [cell for record in fitting[:60] for cell in record[:200]]
    loose = _loose(cells, separator)
    values = sum(_is_value(cell, decimal, tokens, loose) for cell in cells) / max(len(cells), 1)
    # A first row of values rather than names is a sign too, but a weak one; so is one of the same width.
    heads = records[0][:200]
    first = sum(_is_value(cell, decimal, tokens, loose) for cell in heads) / max(len(heads), 1)
    same = 1.0 if abs(len(records[0]) - width) <= (separator == " ") else 0.95
    return same * len(fitting) / len(body) * (0.05 + values) + 1e-3 * first, width


def sniff(
    name: str,
    head: str,
    whole: bool,
    tokens: Sequence[str],
    separator: str | None,
    decimal: str | None,
    header: bool | None,
) -> Dialect:
    """How the text is to be read, from its first lines; whatever is given is taken as it is."""
    known = frozenset(tokens)
    skipped, body = _preamble(head)
    best: tuple[float, int, str, str] | None = None
    kept: tuple[list[list[str]], list[int], bool] | None = None
    for mark in (separator,) if separator else (*_SEPARATORS, " "):
        if mark == " " and separator is None and ("," in body[:4000] or ";" in body[:4000] or "\t" in body[:4000]):
            continue
        text = squeeze(body) if mark == " " else body
        records, ends, breaks = records_of(text, mark, whole)
        if not records:
            continue
        for point in (decimal,) if decimal else (".", ","):
            if point == mark and not ('"' in body and decimal is None):
                continue
            value, width = _score(records, point, known, mark)
            # Between equals the more columns win, then the earlier candidate.
            rank = value * (1.0 if width > 1 else 0.6)
            if best is None or rank > best[0] + 1e-9 or (abs(rank - best[0]) <= 1e-9 and width > best[1]):
                best, kept = (rank, width, mark, point), (records, ends, breaks)
    if best is None or kept is None:
        raise InputError(f"{name}: the file is empty. Give a file with a header and rows of numbers.")
    _, width, mark, point = best
    return _layout(name, kept, skipped, mark, point, known, header, width)


def _preamble(head: str) -> tuple[int, str]:
    """Lines of comment (#) before the table, and the text after them."""
    lines = 0
    rest = head
    if re.match(r"sep=.\r?\n", rest):  # Excel's own line
        rest = rest.partition("\n")[2]
        lines = 1
    while rest.startswith("#") and "\n" in rest:
        line, _, after = rest.partition("\n")
        following = after.partition("\n")[0]
        if any(line.count(mark) and line.count(mark) == following.count(mark) for mark in _SEPARATORS):
            return lines, rest[1:]  # the comment is the header itself
        rest = after
        lines += 1
    return lines, rest


def squeeze(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def _layout(
    name: str,
    kept: tuple[list[list[str]], list[int], bool],
    skipped: int,
    mark: str,
    point: str,
    tokens: frozenset[str],
    header: bool | None,
    width: int,
) -> Dialect:
    records, ends, breaks = kept
    first = records[0]
    findings: list[Finding] = []
    if header is None:
        header = _is_header(records, point, tokens, mark)
    if not header:
        return Dialect(mark, point, len(first), None, skipped, None, quoted_breaks=breaks)
    if len(records) == 1:
        raise InputError(f"{name}: a header, but no row under it. Give a file with rows of numbers.")
    names = list(first)
    second = records[1]
    unnamed_first = False
    if len(second) == len(first) + 1 and width == len(second):
        body = [record for record in records[1:] if len(record) == width]
        if all(not record[-1].strip() for record in body):
            names.append("")  # every row ends with one separator more than the header
        else:
            names.insert(0, "")
            unnamed_first = True
            findings.append(
                Finding(
                    "row_index",
                    "The header has one name fewer than the rows have cells; the first cell of each row has no name.",
                    action="The first cell was taken as the number of the row, not as a channel.",
                    alternatives=("Name the first column in the file",),
                )
            )
    units = None
    used = 1
    if len(records) > 2 and len(second) == len(names) and _is_units(records, point, tokens):
        units, used = list(second), 2
        findings.append(
            Finding(
                "units",
                f"The row under the header holds units: {shorten(', '.join(cell for cell in second if cell.strip()))}.",
                1,
                action="Kept as units, not read as data.",
                alternatives=("Remove the row from the file",),
            )
        )
    return Dialect(
        mark,
        point,
        len(names),
        names,
        skipped + ends[used - 1],
        skipped + 1,
        units,
        quoted_breaks=breaks,
        unnamed_first=unnamed_first,
        findings=findings,
    )


def _is_header(records: list[list[str]], point: str, tokens: frozenset[str], mark: str) -> bool:
    """A first record is a header if it names what the rows below hold as values."""
    first = records[0]
    values = [_is_value(cell, point, tokens, mark == "," and point == ".") for cell in first]
    if not all(values):
        return True
    filled = [cell.strip() for cell in first if cell.strip()]
    if not filled:
        return False
    # A table written without names often carries 0, 1, 2, ... on top.
    if len(filled) >= 3 and len(filled) >= len(first) - 1:
        for begin in (0, 1):
            if filled == [str(number) for number in range(begin, begin + len(filled))]:
                return len(records) > 1 and records[1] != first
    return False


def _is_units(records: list[list[str]], point: str, tokens: frozenset[str]) -> bool:
    """Text under every name whose further rows are numbers, and at least one such text."""
    second = records[1]
    rest = [record for record in records[2:] if len(record) == len(second)]
    if not rest:
        return False
    texts = 0
    for index, cell in enumerate(second):
        below = [record[index] for record in rest]
        numbers = sum(is_value(other, point, tokens) for other in below)
        if numbers < 0.9 * len(below):
            continue
        if cell.strip() and any(is_value(cell, decimal, tokens) for decimal in (".", ",")):
            return False  # a number, be it with the other mark
        texts += bool(cell.strip())
    return texts > 0
