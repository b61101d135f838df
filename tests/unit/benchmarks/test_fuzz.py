"""The fuzz benchmark tells what it is there to tell: faults, dead processes and hangs, with the file that made them."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amad.errors import InputError
from benchmarks import fuzz
from benchmarks.fuzz_guided import guided

WITH_ATHERIS = importlib.util.find_spec("atheris") is not None


class Told:
    """A pipe that keeps what goes in."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []

    def send(self, words: tuple[Any, ...]) -> None:
        self.said.append(words)


def test_cases_repeat_and_differ() -> None:
    wholes = fuzz.FORMS["csv"][1]()
    made = [fuzz.mutated(np.random.default_rng((0, case)), wholes) for case in range(200)]
    assert made == [fuzz.mutated(np.random.default_rng((0, case)), wholes) for case in range(200)]
    assert len(set(made)) > 190
    assert not set(made) & set(wholes)


def test_a_fault_is_told_apart_from_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([None, InputError("no"), ValueError("oops"), MemoryError()])

    def read(form: str, file: Path) -> None:
        assert file.is_file()
        if (answer := next(answers)) is not None:
            raise answer

    monkeypatch.setattr(fuzz, "read", read)
    pipe = Told()
    fuzz.child("npy", 0, 0, 4, pipe)  # type: ignore[arg-type]
    assert [(case, found) for case, found, _ in pipe.said if found] == [
        (0, "read"), (1, "refused"), (2, "crash"), (3, "crash"),
    ]  # fmt: skip
    assert pipe.said[5][2] == "ValueError: oops"


@pytest.mark.slow
def test_readers_stand_some_cases(tmp_path: Path) -> None:
    counts, found = fuzz.fuzz("npz", 1, 40, 200, tmp_path)
    assert found == []
    assert counts.total() == 40
    assert set(counts) <= {"read", "refused"}


@pytest.mark.skipif(
    not WITH_ATHERIS, reason="atheris is not installed: pip install --no-deps -r benchmarks/requirements.txt"
)
def test_atheris_is_led_by_our_branches_and_goes_on_from_what_it_kept(tmp_path: Path) -> None:
    counts, found, (first, last) = guided("npy", 200, 60, tmp_path)
    assert counts["cases"] >= 200
    assert not found
    assert last > first > 100
    assert len(list((tmp_path / "corpus" / "npy").iterdir())) > 1


@pytest.mark.skipif(WITH_ATHERIS, reason="atheris is installed")
def test_without_atheris_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(
        SystemExit, match=r"needs the package atheris: pip install --no-deps -r benchmarks/requirements\.txt"
    ):
        guided("npy", 10, 60, tmp_path)
