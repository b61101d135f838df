"""PaAno: distance of learned patch embeddings to a memory of training patches, written anew from its paper.

Park and Kang, "PaAno: Patch-Based Representation Learning for Time-Series Anomaly Detection", ICLR 2026 (arXiv 2602.01359).

From the paper and the settings published with it: patches of 96 rows, each channel of a patch normalised by its own mean and
deviation; an encoder of four convolutions (128, 256, 128, 64 channels; kernels 7, 5, 3, 3; batch norm, ReLU) and the mean over
time, 64 numbers a patch; a head of 256 for a triplet loss in cosine distance (positive: a patch at most 2 rows away; negative:
the farthest of the batch; margin .5); a second head that tells the patch right before from another one, whose weight falls to
nothing within the first tenth of training; AdamW, learning rate 1e-4 falling to a tenth; a memory of the patches nearest to
k-means centres, 10 % of the training patches; score of a patch: mean cosine distance to the 3 nearest, of a row: mean over the
patches that cover it.

Ours, to end in minutes on one CPU core: 100 steps of 64 patches instead of 200 of 512; at most 20,000 patches a part are
embedded, further apart than one row where the part is longer; k-means in mini-batches, at most 2,000 centres. Values are
scaled by the training part first, floored and clipped. Training scores leave out the memory entries that cover the patch
itself (else they would be near zero).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.peers.common import fitting, scaled, seeded, smoothed, spread, starts_of, windows
from benchmarks.quality.methods import Clock, Result

PATCH, NEAR, MARGIN, NEAREST = 96, 2, 0.5, 3
STEPS, BATCH, RATE = 100, 64, 1e-4
LAYERS, KERNELS, HEAD = (128, 256, 128, 64), (7, 5, 3, 3), 256
OTHERS = 5  # patches that are not the one before, for each that is
MOST_PATCHES, MOST_CENTRES, SHARE = 20_000, 2_000, 0.1


class Encoder(nn.Module):
    """Patches (n, C, L) -> embeddings (n, 64); `head` for the triplets, `before` for pairs of embeddings."""

    def __init__(self, channels: int):
        super().__init__()
        sizes = (channels, *LAYERS)
        self.body = nn.Sequential(
            *(
                nn.Sequential(nn.Conv1d(a, b, k, padding=k // 2, bias=False), nn.BatchNorm1d(b), nn.ReLU())
                for a, b, k in zip(sizes[:-1], sizes[1:], KERNELS, strict=True)
            )
        )
        self.head = nn.Sequential(nn.Linear(LAYERS[-1], HEAD), nn.ReLU(), nn.Linear(HEAD, HEAD))
        self.before = nn.Linear(2 * LAYERS[-1], 1)

    def forward(self, patches: Tensor) -> Tensor:
        """Embeddings of patches, each channel of each normalised."""
        centred = patches - patches.mean(-1, keepdim=True)
        return self.body(centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()).mean(-1)


def triplet(anchors: Tensor, positives: Tensor) -> Tensor:
    """Hinge of cosine distances: to the own positive against the farthest of the others. Rows (n, d), a scalar."""
    likeness = F.normalize(anchors, dim=1) @ F.normalize(positives, dim=1).T  # (n, n)
    own = likeness.diagonal()
    others = likeness.masked_fill(torch.eye(len(likeness), dtype=torch.bool), torch.inf).amin(1)
    return F.relu(others - own + MARGIN).mean() if len(likeness) > 1 else (1 - own).mean()


def train_encoder(patches: Tensor, steps: int = STEPS, batch: int = BATCH) -> Encoder:
    """Learns on training patches (n, L, C)."""
    count, length, channels = patches.shape
    net = Encoder(channels).train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=RATE / 10)
    early = max(1, steps // 10)
    for step in range(steps):
        anchor = torch.randint(count, (min(batch, count),))
        shift = torch.randint(1, NEAR + 1, anchor.shape) * (2 * torch.randint(2, anchor.shape) - 1)
        positive = (anchor + shift).clamp(0, count - 1)
        weight = 1 - step / early
        chosen = [anchor, positive]
        has_before = anchor >= length
        if weight > 0:
            chosen.append((anchor - length).clamp_min(0))
        found = net(patches[torch.cat(chosen)].transpose(1, 2).contiguous()).chunk(len(chosen))
        loss = triplet(net.head(found[0]), net.head(found[1]))
        if weight > 0 and has_before.any():
            n = len(anchor)
            other = (torch.arange(n)[:, None] + torch.randint(1, max(2, n), (n, OTHERS))).flatten() % n
            true = net.before(torch.cat((found[0], found[2]), 1)[has_before])
            false = net.before(torch.cat((found[0].repeat_interleave(OTHERS, 0), found[0][other]), 1))
            loss = loss + weight * (F.softplus(-true).mean() + F.softplus(false).mean())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
    return net.eval()


@torch.inference_mode()
def embed(net: Encoder, patches: Tensor, starts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Embeddings of unit length (n, 64) of the patches that begin at `starts`."""
    parts = [
        F.normalize(net(patches[torch.from_numpy(starts[at : at + 256])].transpose(1, 2).contiguous()), dim=1)
        for at in range(0, len(starts), 256)
    ]
    return torch.cat(parts).numpy()


def memory_of(embeddings: NDArray[np.float32], seed: int) -> NDArray[np.int64]:
    """Which embeddings to remember: those nearest to k-means centres."""
    from sklearn.cluster import MiniBatchKMeans

    size = max(NEAREST + 1, min(MOST_CENTRES, round(SHARE * len(embeddings))))
    if size >= len(embeddings):
        return np.arange(len(embeddings))
    means = MiniBatchKMeans(size, random_state=seed, n_init=1, batch_size=2048, max_iter=20).fit(embeddings)
    nearest = [
        (embeddings @ means.cluster_centers_[at : at + 512].T.astype(np.float32)
         - (means.cluster_centers_[at : at + 512] ** 2).sum(1) / 2).argmax(0)
        for at in range(0, size, 512)
    ]  # fmt: skip
    return np.unique(np.concatenate(nearest))


def distances(
    embeddings: NDArray[np.float32],
    memory: NDArray[np.float32],
    starts: NDArray[np.int64] | None = None,
    remembered: NDArray[np.int64] | None = None,
    length: int = PATCH,
) -> NDArray[np.float64]:
    """Mean cosine distance to the nearest remembered (n,); with `starts`, those are left out that overlap the patch."""
    found = []
    nearest = min(NEAREST, len(memory))
    for at in range(0, len(embeddings), 2048):
        away = 1 - embeddings[at : at + 2048] @ memory.T
        if starts is not None and remembered is not None:
            near = np.abs(starts[at : at + 2048, None] - remembered) < length
            near[near.all(1)] = False
            away = np.where(near, 2.0, away)
        found.append(np.partition(away, nearest - 1, axis=1)[:, :nearest].mean(1))
    return np.concatenate(found).astype(np.float64)


@dataclass(frozen=True)
class PaAno:
    """PaAno as a row of the tables; see the module for what is from the paper."""

    name: str = "PaAno"
    seeds: tuple[int, ...] = (0, 1, 2)
    version: str = "1"
    steps: int = STEPS
    batch: int = BATCH

    @property
    def settings(self) -> Mapping[str, Any]:
        """What was set."""
        return {"patch": PATCH, "steps": self.steps, "batch": self.batch, "patches": MOST_PATCHES, "memory": SHARE}

    def fit_score(self, train: NDArray[np.float32], test: NDArray[np.float32], seed: int) -> Result:
        """Learns on train (n, C), scores both parts."""
        clock = Clock()
        length = fitting(PATCH, len(train), len(test))
        known, new = scaled(train, test)
        with seeded(seed):
            patches = windows(known, length)
            net = train_encoder(patches, self.steps, self.batch)
            starts = starts_of(len(known), length, MOST_PATCHES)
            own = embed(net, patches, starts)
            kept = memory_of(own, seed)
            clock.fitted()
            before = spread(distances(own, own[kept], starts, starts[kept], length), starts, length, len(train))
            clock.skip()
            starts = starts_of(len(new), length, MOST_PATCHES)
            away = distances(embed(net, windows(new, length), starts), own[kept])
        after = spread(away, starts, length, len(test))
        seconds = clock.scored()
        return Result(before, after, seconds=seconds, variants={"smooth": smoothed((before, after))})
