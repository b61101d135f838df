"""Cuts the bundled demo series from labelled public data: `python -m assets.make_excerpts --data DIR`.

DIR holds `SMD/machine-1-4` and `LRO/BlackSmithFork2019` as `train.parquet` and `test.parquet` (a `label` column in the
latter), and `LICENSES/` with the texts of the publishers. Only series whose licence allows it are bundled.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

DEMOS = Path(__file__).parent / "demo"

SERVER = {
    "name": "server-machine-1-4",
    "title": "Server machine-1-4",
    "summary": "38 metrics of one server of a large internet company, one row a minute, 12 labelled incidents",
    "licence": "MIT",
    "source": "Server Machine Dataset, machine-1-4, published with OmniAnomaly (NetManAIOps)",
    "changes": "The last 12,000 training rows and all test rows, joined. Values as published, scaled to 0..1 there; names and times are withheld by the publisher.",
}
RIVER = {
    "name": "river-blacksmith-fork-2019",
    "title": "River Blacksmith Fork 2019",
    "summary": "Water quality of a mountain river: raw temperature, conductivity, pH and oxygen every 15 minutes, labelled by technicians",
    "licence": "BSD-3-Clause",
    "source": "Logan River Observatory, Blacksmith Fork 2019, published with pyhydroqc (Amber S. Jones)",
    "changes": "Raw sensor values; -9999 became missing; label 1 where a technician put a quality code on any of the four sensors.",
}
LICENCES = {
    SERVER["name"]: ("SMD.txt", "SMD-processed-MST-VAE.txt"),
    RIVER["name"]: ("LRO-pyhydroqc.txt",),
}


def main() -> None:
    """Writes series.parquet, meta.json and NOTICE of every demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with SMD, LRO and LICENSES")
    data = parser.parse_args().data
    write(SERVER, *parts(data / "SMD" / "machine-1-4", last=12_000), data)
    write(RIVER, *parts(data / "LRO" / "BlackSmithFork2019"), data)


def parts(folder: Path, last: int | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The training part (its last rows where asked) and the labelled test part of one entity."""
    train = pd.read_parquet(folder / "train.parquet")
    labels = folder / "train_labels.parquet"
    train["label"] = pd.read_parquet(labels)["label"].to_numpy() if labels.exists() else 0
    return train.iloc[-last:] if last else train, pd.read_parquet(folder / "test.parquet")


def write(facts: dict[str, str], train: pd.DataFrame, test: pd.DataFrame, data: Path) -> None:
    """One demo folder."""
    folder = DEMOS / facts["name"]
    folder.mkdir(parents=True, exist_ok=True)
    joined = pd.concat([train, test], ignore_index=True)
    joined["label"] = joined["label"].astype("int8")
    joined.to_parquet(folder / "series.parquet", compression="zstd", index=False)
    meta = {
        **facts,
        "part": [0, len(train)],
        "rows": len(joined),
        "channels": joined.shape[1] - 1 - ("timestamp" in joined),
    }
    (folder / "meta.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")
    texts = [(data / "LICENSES" / name).read_text(encoding="utf-8").strip() for name in LICENCES[facts["name"]]]
    rule = "\n\n" + "-" * 80 + "\n\n"
    head = f"{facts['source']}\nLicence: {facts['licence']}\nChanged here: {facts['changes']}"
    (folder / "NOTICE").write_text(rule.join([head, *texts]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
