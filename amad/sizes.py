"""Amounts of memory and disk in words, the same in messages, on the command line and in the app."""

from __future__ import annotations

UNITS = ("bytes", "kB", "MB", "GB", "TB")


def size_text(count: float) -> str:
    """Bytes with three significant digits, in units of 1,000: "12 bytes", "6.4 MB", "1.23 GB"."""
    amount = float(count)
    for unit in UNITS[:-1]:
        if float(f"{amount:.3g}") < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:,.0f} TB" if amount >= 999.5 else f"{amount:.3g} TB"
