"""Scores kept between calls: one file for entity, method, seed and key, and the metrics made from it beside it.

The key is made of what the scores depend on: the method's name, version and settings, the entity's values, the seed.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from amad.files import write_atomically
from amad.series.digest import digest_of
from benchmarks.quality.methods import Method, Result
from benchmarks.quality.registry import slug
from benchmarks.quality.sources import Data

DEFAULT = Path(__file__).parents[1] / ".cache"


def method_key(method: Method) -> str:
    """Twelve digits for a method's name, version and settings."""
    said = json.dumps([method.name, method.version, dict(method.settings)], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def data_key(data: Data) -> str:
    """Eight digits for the values that are learned on and scored; labels are no part of it."""
    return hashlib.sha256((digest_of(data.train) + digest_of(data.test)).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Store:
    """A folder of scores."""

    folder: Path

    def path(self, entity: str, method: Method, seed: int, data: str) -> Path:
        """File of the scores, without its ending."""
        return self.folder / entity / f"{slug(method.name)}-s{seed}-{method_key(method)}-{data}"

    def read(self, path: Path) -> Result | None:
        """What was written, None where there is nothing or the file is cut off."""
        try:
            content = path.with_name(path.name + ".npz").read_bytes()
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                facts = json.loads(str(file["facts"]))
                arrays = {key: file[key] for key in file.files if key != "facts"}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return Result(
            arrays["train"],
            arrays["test"],
            arrays.get("shares"),
            tuple(facts["seconds"]),
            facts["threshold"],
            facts["promised"],
            {key: (arrays[f"train:{key}"], arrays[f"test:{key}"]) for key in facts["variants"]},
        )

    def write(self, path: Path, result: Result, with_shares: bool) -> None:
        """Keeps a result: scores in single precision, shares in half, and only where they can be judged."""
        arrays: dict[str, Any] = {
            "train": np.asarray(result.train_scores, np.float32),
            "test": np.asarray(result.test_scores, np.float32),
        }
        for name, (before, found) in result.variants.items():
            arrays[f"train:{name}"], arrays[f"test:{name}"] = (
                np.asarray(before, np.float32),
                np.asarray(found, np.float32),
            )
        if with_shares and result.shares is not None:
            arrays["shares"] = np.asarray(result.shares, np.float16)
        facts = {
            "seconds": list(result.seconds),
            "threshold": result.threshold,
            "promised": result.promised,
            "variants": list(result.variants),
        }
        buffer = io.BytesIO()
        np.savez_compressed(buffer, facts=np.array(json.dumps(facts)), **arrays)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path.with_name(path.name + ".npz"), buffer.getvalue())

    def read_metrics(self, path: Path, version: str) -> list[dict[str, Any]] | None:
        """Rows of metrics made by this version of them, None where there are none."""
        try:
            found = json.loads(path.with_name(path.name + ".json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found["rows"] if found.get("version") == version else None

    def write_metrics(self, path: Path, version: str, rows: list[Mapping[str, Any]]) -> None:
        """Keeps rows of metrics."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = json.dumps({"version": version, "rows": rows}).encode()
        write_atomically(path.with_name(path.name + ".json"), content)


def parts(result: Result, name: str) -> dict[str, Result]:
    """The result and its variants, each by its name in the tables."""
    found = {name: replace(result, variants={})}
    for extra, (before, scores) in result.variants.items():
        joined = f"{name}+{extra}" if extra == "recipe" or extra == "smoothed" else f"{name} {extra}"
        found[joined] = Result(before, scores, None, result.seconds, None, None)
    return found
