"""Numbers and amounts in words, the same in figures, messages, on the command line and in the app."""

from __future__ import annotations

import math

MISSING, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
UNITS = ("bytes", "kB", "MB", "GB", "TB")


def number(value: float | None, digits: int = 3) -> str:
    """A measured value: `digits` significant digits, whole from 100 on, thousands with a comma, a true minus.

    Missing is a dash, never 0; exponents stand from 1e12 on, and where more than `digits` zeros would follow the point.
    """
    if value is None or not math.isfinite(value):
        return MISSING
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e12 or size < 10.0 ** -(digits + 2):
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        if "." in mantissa:
            mantissa = mantissa.rstrip("0").rstrip(".")
        return f"{mantissa}e{int(exponent)}".replace("-", MINUS)
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    written = f"{value:,.{decimals}f}"
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return written.replace("-", MINUS)


def size_text(count: float) -> str:
    """Bytes with three significant digits, in units of 1,000: "12 bytes", "6.4 MB", "1.23 GB"."""
    amount = float(count)
    for unit in UNITS[:-1]:
        if float(f"{amount:.3g}") < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:,.0f} TB" if amount >= 999.5 else f"{amount:.3g} TB"
