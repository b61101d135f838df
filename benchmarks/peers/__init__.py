"""The heavy peers of the quality benchmark: detectors of other people's papers, each with its published settings.

`tsb_ad` runs those of the package TSB-AD 1.5 (install it with `pip install --no-deps -r benchmarks/requirements.txt`); `paano` and
`kan_ad` are written anew from their papers, and their docstrings say what is from the paper and what is ours; `absent` names what is missing.
"""

from __future__ import annotations

from benchmarks.quality.methods import Method


def methods() -> list[Method]:
    """Every heavy peer, those first that lead the field."""
    from benchmarks.peers.absent import REASONS, Absent
    from benchmarks.peers.kan_ad import KanAd
    from benchmarks.peers.paano import PaAno
    from benchmarks.peers.tsb_ad import PUBLISHED, Packaged

    return [PaAno(), KanAd(), *(Packaged(name) for name in PUBLISHED), *(Absent(name) for name in REASONS)]
