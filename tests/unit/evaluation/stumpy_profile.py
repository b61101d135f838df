"""Makes stumpy_profile.json: AB-joins by stumpy itself (pip install stumpy==1.14.1), which is no requirement of ours."""

import json
from pathlib import Path

import numpy as np

CASES = ((60, 40, 8, "noise"), (90, 50, 16, "sine"), (50, 50, 5, "still"), (40, 80, 12, "both still"))


def main() -> None:
    """Writes the stored distances."""
    import stumpy

    found = []
    for number, (training, test, length, kind) in enumerate(CASES):
        rng = np.random.default_rng(number)
        a, b = rng.normal(size=training), rng.normal(size=test)
        if kind == "sine":
            a, b = np.sin(np.arange(training) / 3) + 0.1 * a, np.sin(np.arange(test) / 3 + 1) + 0.1 * b
        if "still" in kind:
            b[10:30] = 2.0
        if kind == "both still":
            a[5:30] = -1.0
        a, b = a.astype(np.float32).astype(float), b.astype(np.float32).astype(float)
        distance = stumpy.stump(b, length, a, ignore_trivial=False)[:, 0].astype(float)
        found.append({"length": length, "training": a.tolist(), "test": b.tolist(), "distance": distance.tolist()})
    text = json.dumps({"stumpy": stumpy.__version__, "cases": found})
    Path(__file__).with_suffix(".json").write_text(text + "\n")


if __name__ == "__main__":
    main()
