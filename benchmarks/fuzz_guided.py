"""Coverage-guided fuzzing of one reader with atheris, for `python -m benchmarks.fuzz --guided`.

libFuzzer makes the files: it keeps every one that reached a new branch of our own code and changes those further, so that it
finds its way into rare branches, where blind changes of whole files (benchmarks/fuzz.py) mostly fall over the first check.
What it kept lies under `<keep>/corpus/<form>`, from which the next run goes on. Run as a program this module is one such
process, which ends at its first finding: `python -m benchmarks.fuzz_guided FORM CORPUS FOUND RUNS SECONDS`.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.fuzz import FORMS, HANG_SECONDS, STUMBLES, read

ROOT = Path(__file__).resolve().parents[1]
HOW = "pip install --no-deps -r benchmarks/requirements.txt"
MOST_MEGABYTES = 1024  # of the whole process, the libraries' own 300 included
MOST_BYTES = 20_000  # of a file
MOST_FOUND = 20  # findings after which a form is given up
OURS = ("amad.series", "amad.workspace.label_formats", "amad.workspace.label_tables")
OUTCOMES = {"crash": "crash", "timeout": "hang", "oom": "memory"}  # how libFuzzer names the files


def guided(form: str, cases: int, limit: float, keep: Path) -> tuple[Counter[str], list[str], tuple[int, int]]:
    """Counts of cases and findings, where these lie, and the branches reached at first and at the end."""
    corpus, found = keep / "corpus" / form, keep / "guided"
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(parents=True, exist_ok=True)
    for number, whole in enumerate(FORMS[form][1]()):
        (corpus / f"whole-{number}").write_bytes(whole)
    counts: Counter[str] = Counter()
    told: list[str] = []
    reached: list[int] = []
    end = time.monotonic() + limit
    while counts["cases"] < cases and time.monotonic() < end and len(told) < MOST_FOUND:
        before = set(found.iterdir())
        command = [sys.executable, "-m", "benchmarks.fuzz_guided", form, str(corpus), str(found)]
        command += [str(cases - counts["cases"]), str(max(1, int(end - time.monotonic())))]
        said = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, cwd=ROOT)
        if "No module named 'atheris'" in said.stderr:
            raise SystemExit(f"--guided needs the package atheris: {HOW}")
        done = re.findall(r"stat::number_of_executed_units:\s*(\d+)", said.stderr) or re.findall(
            r"^#(\d+)", said.stderr, re.M
        )
        counts["cases"] += int(done[-1]) if done else 0
        reached += [int(number) for number in re.findall(r"^#\d+\s.*?cov: (\d+)", said.stderr, re.M)]
        for file in sorted(set(found.iterdir()) - before):
            kind = OUTCOMES.get(file.name.split("-")[0])
            if kind is not None:
                named = file.rename(file.with_name(f"{form}-{file.name}{FORMS[form][0]}"))
                counts[kind] += 1
                told.append(f"{kind}: {named} {_words(said.stdout + said.stderr)}")
        if said.returncode and not told:
            raise SystemExit(f"atheris ended with {said.returncode} for {form}:\n{said.stderr[-2000:]}")
    return counts, told, (reached[0], reached[-1]) if reached else (0, 0)


def _words(said: str) -> str:
    """What the Python exception that ended a process said, or what libFuzzer calls it."""
    lines = re.findall(r"^(?:[\w.]+(?:Error|Exception|Interrupt)\b.*|SUMMARY: .*)$", said, re.M)
    return lines[0][:200] if lines else ""


def main(arguments: Sequence[str]) -> None:
    """Fuzzes until the first finding, so many runs or so many seconds."""
    import atheris

    form, corpus, found, runs, seconds = arguments
    with atheris.instrument_imports(include=list(OURS), enable_loader_override=False):
        import amad.series
        import amad.workspace.label_formats  # noqa: F401
    from amad.errors import AmadError

    warnings.simplefilter("ignore")
    folder = tempfile.TemporaryDirectory(prefix="amad-fuzz-")
    file = Path(folder.name) / f"case{FORMS[form][0]}"
    words = Path(folder.name) / "words"
    words.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in word[:60]) + '"\n' for word in STUMBLES))

    def once(data: bytes) -> None:
        file.write_bytes(data)
        with contextlib.suppress(AmadError):
            read(form, file)

    options = [
        f"-runs={runs}",
        f"-max_total_time={seconds}",
        f"-timeout={HANG_SECONDS:.0f}",
        f"-rss_limit_mb={MOST_MEGABYTES}",
    ]
    options += [
        f"-max_len={MOST_BYTES}",
        f"-artifact_prefix={found}/",
        f"-dict={words}",
        "-print_final_stats=1",
        "-seed=1",
    ]
    atheris.Setup([sys.argv[0], *options, corpus], once, enable_python_coverage=True)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
