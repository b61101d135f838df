"""Mutated files into every reader: `python -m benchmarks.fuzz --cases 100000`; counts crashes, hangs and memory.

Each form begins with whole files that are written here, of which bytes are flipped, cut, doubled, moved and overwritten by
values that readers stumble over. A case may be read or refused in words (an AmadError). Everything else counts: another
exception or a dead process is a crash, more than 5 seconds a hang, and more memory than 10 times the file (64 MB at least)
is named too. What was found lies under --keep, to be read again with `amad fit FILE`. The same seed gives the same cases.
With `--guided` the cases are made by atheris, which follows the branches of our own code (benchmarks/fuzz_guided.py).
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import multiprocessing
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

HANG_SECONDS, LEAST_BYTES = 5.0, 64 << 20
KEEP = Path(__file__).with_name(".cache") / "fuzz"
STUMBLES = (b"\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x80", b"1e999", b"nan", b'"', b";", b",", b"\r", b"\xef\xbb\xbf",
            b"-9223372036854775809", b"../", b"=1+1", b"\xe2\x80\xae", b"9" * 400)  # fmt: skip
Wholes = Callable[[], list[bytes]]


def _frame() -> Any:
    import pandas as pd

    rng = np.random.default_rng(0)
    times = pd.date_range("2026-03-28 12:00", periods=60, freq="1h", tz="Europe/Berlin")
    return pd.DataFrame(
        {
            "time": times.astype(str),
            "flow": rng.normal(size=60),
            "temp": np.arange(60) / 7,
            "label": np.arange(60) % 9 // 8,
        }
    )


def _texts() -> list[bytes]:
    plain = _frame().to_csv(index=False)
    return [
        plain.encode(),
        plain.replace(",", ";").replace(".", ",").encode(),
        plain.encode("utf-16"),
        plain.replace(",", "\t").encode(),
    ]


def _saved(write: Callable[[Any], Any]) -> Wholes:
    def whole() -> list[bytes]:
        out = io.BytesIO()
        write(out)
        return [out.getvalue()]

    return whole


FORMS: dict[str, tuple[str, Wholes]] = {
    "csv": (".csv", _texts),
    "gzip": (".csv.gz", lambda: [gzip.compress(text) for text in _texts()]),
    "parquet": (".parquet", _saved(lambda out: _frame().to_parquet(out))),
    "feather": (".feather", _saved(lambda out: _frame().to_feather(out))),
    "excel": (".xlsx", _saved(lambda out: _frame().to_excel(out, index=False))),
    "npz": (".npz", _saved(lambda out: np.savez_compressed(out, values=np.ones((50, 3)), labels=np.zeros(50)))),
    "npy": (".npy", _saved(lambda out: np.save(out, np.ones((50, 3), np.float32)))),
    "labels": (".json", lambda: [json.dumps({"series": [["2026-03-28 13:00:00", "2026-03-28 18:00:00"]]}).encode(),
                                 b"id,start,end,type\n1,3,9,Spike\n2,20,30,Drift\n", b"0\n0\n1\n" * 20]),
}  # fmt: skip


def mutated(rng: np.random.Generator, wholes: list[bytes]) -> bytes:
    """One changed file: a change or a few of one of the whole ones; mostly small, so that readers get far into it."""
    data = bytearray(wholes[rng.integers(len(wholes))])
    for _ in range(min(int(rng.geometric(0.6)), 8)):
        place, length = int(rng.integers(0, max(len(data), 1))), int(rng.integers(1, 40))
        kind = int(rng.choice(6, p=(0.3, 0.15, 0.15, 0.15, 0.2, 0.05)))
        if kind == 0 and data:
            data[place] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            del data[place : place + length]
        elif kind == 2:
            data[place:place] = data[place : place + length] * int(rng.integers(1, 60))
        elif kind == 3:
            data[place:place] = rng.bytes(length)
        elif kind == 4:
            word = STUMBLES[rng.integers(len(STUMBLES))]
            data[place : place + len(word)] = word
        else:
            data = data[:place]
    return bytes(data)


def read(form: str, file: Path) -> None:
    """What the app and the command line do with such a file. Errors: AmadError."""
    if form == "labels":
        from amad.series import Report, Series
        from amad.workspace.label_formats import read_labels

        read_labels(
            file.name, file.read_bytes(), Series("s", np.ones((60, 1), np.float32), ("a",), None, None, Report(60))
        )
        return
    from amad.series import read as read_series

    read_series(file)


def child(form: str, seed: int, first: int, last: int, pipe: Connection) -> None:
    """Reads cases one after the other, and tells before and after each; a case that falls over takes only this process along."""
    from amad.errors import AmadError
    from amad.workspace.processes import peak_bytes

    warnings.simplefilter("ignore")
    ending, wholes = FORMS[form][0], FORMS[form][1]()
    with tempfile.TemporaryDirectory(prefix="amad-fuzz-") as folder:
        file = Path(folder) / f"case{ending}"
        for case in range(first, last):
            data = mutated(np.random.default_rng((seed, case)), wholes)
            file.write_bytes(data)
            before = int(peak_bytes() or 0)
            pipe.send((case, None, ""))
            try:
                read(form, file)
                found, words = "read", ""
            except AmadError:
                found, words = "refused", ""
            except Exception as error:  # what a user would see as a fault of ours
                found, words = "crash", f"{type(error).__name__}: {error}"[:200]
            more = int(peak_bytes() or 0) - before
            if case > first and more > max(10 * len(data), LEAST_BYTES):  # the first loads what reading needs
                found, words = "memory", f"{more >> 20} MB for {len(data)} bytes"
            pipe.send((case, found, words))


def fuzz(form: str, seed: int, cases: int, limit: float, keep: Path) -> tuple[Counter[str], list[str]]:
    """Counts what became of the cases of one form, and tells what was found."""
    counts: Counter[str] = Counter()
    found: list[str] = []
    context = multiprocessing.get_context("spawn")
    case, until = 0, time.monotonic() + limit
    while case < cases and time.monotonic() < until:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=child, args=(form, seed, case, cases, theirs), daemon=True)
        process.start()
        theirs.close()
        at, known = case, ""
        patience = 60.0  # until the first case: a new process loads pandas
        while time.monotonic() < until:
            try:
                if not ours.poll(patience):
                    known = "hang"
                    break
                at, outcome, words = ours.recv()
            except EOFError:
                known = "crash" if at < cases and case < cases else ""
                break
            patience = HANG_SECONDS
            if outcome is None:
                continue
            counts[outcome] += 1
            case = at + 1
            if outcome not in ("read", "refused"):
                found.append(_keep(form, seed, at, outcome, words, keep))
        process.kill()
        process.join()
        if known:
            counts[known] += 1
            found.append(_keep(form, seed, at, known, f"exit code {process.exitcode}", keep))
            case = at + 1
    return counts, found


def _keep(form: str, seed: int, case: int, outcome: str, words: str, keep: Path) -> str:
    keep.mkdir(parents=True, exist_ok=True)
    file = keep / f"{form}-{seed}-{case}{FORMS[form][0]}"
    file.write_bytes(mutated(np.random.default_rng((seed, case)), FORMS[form][1]()))
    return f"{outcome}: {file} {words}"


def main() -> int:
    """Exit code 1 where anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000, help="of each form")
    parser.add_argument("--forms", nargs="*", choices=FORMS, default=list(FORMS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60, help="at most, for each form")
    parser.add_argument("--keep", type=Path, default=KEEP, help="folder for the files that were found")
    parser.add_argument(
        "--guided", action="store_true", help="let atheris make the cases, led by the branches they reach"
    )
    given = parser.parse_args()
    everything = _guided(given) if given.guided else _blind(given)
    print("\n".join(everything[:200]), file=sys.stderr)
    return 1 if everything else 0


def _guided(given: argparse.Namespace) -> list[str]:
    from benchmarks.fuzz_guided import guided

    print(
        "| form | cases | branches at first | at the end | crash | hang | memory | seconds |\n|---|---|---|---|---|---|---|---|"
    )
    everything: list[str] = []
    for form in given.forms:
        begun = time.monotonic()
        counts, found, (first, last) = guided(form, given.cases, 60 * given.minutes, given.keep)
        everything += found
        cells = " | ".join(f"{counts[name]:,}" for name in ("crash", "hang", "memory"))
        print(
            f"| {form} | {counts['cases']:,} | {first:,} | {last:,} | {cells} | {time.monotonic() - begun:.0f} |",
            flush=True,
        )
    return everything


def _blind(given: argparse.Namespace) -> list[str]:
    print("| form | cases | read | refused | crash | hang | memory | seconds |\n|---|---|---|---|---|---|---|---|")
    everything: list[str] = []
    for form in given.forms:
        begun = time.monotonic()
        counts, found = fuzz(form, given.seed, given.cases, 60 * given.minutes, given.keep)
        everything += found
        cells = [counts[name] for name in ("read", "refused", "crash", "hang", "memory")]
        print(
            f"| {form} | {counts.total():,} | {' | '.join(f'{cell:,}' for cell in cells)} | {time.monotonic() - begun:.0f} |",
            flush=True,
        )
    return everything


if __name__ == "__main__":
    raise SystemExit(main())
