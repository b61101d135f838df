"""The method by hand: one head on a small signal, worked out by the model's own code, for lessons and notebooks (method 1 to 3)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError

LENGTH = 96  # steps of a lesson's signal
WIDTH = 8  # d_h of a lesson's head: so many values stand for a step
MOST_MOVES = 400  # moves of the game that are replayed
BANKS = 4  # banks of the game's head
_RATES = {"min": 0.03, "max": 0.01}  # learning rates of the two steps, chosen so that a move shows


def rhythm(
    period: float = 16.0, *, noise: float = 0.1, odd: str = "none", length: int = LENGTH, seed: int = 0
) -> NDArray[np.float64]:
    """A signal (L,) with a rhythm of `period` steps, a second one at half of it, and noise.

    `odd` puts an anomaly into the last third: "none", "spike" (two steps), "shift" (a quarter of the length rises) or
    "rhythm" (twice as fast). Errors: InputError for another word and a period below 2.
    """
    if not (math.isfinite(period) and period >= 2):
        raise InputError(f"A rhythm of {period} steps cannot be drawn. Give 2 or more.")
    t = np.arange(length, dtype=np.float64)
    start, stop = odd_span(length, odd)
    phase = t.copy()
    if odd == "rhythm":
        phase[start:stop] = start + 2 * (t[start:stop] - start)
        phase[stop:] += stop - start
    turn = 2 * np.pi * phase / period
    signal = np.sin(turn) + 0.4 * np.sin(2 * turn + 0.6)
    if odd in ("spike", "shift"):
        signal[start:stop] += 3.0 if odd == "spike" else 1.5
    return np.asarray(signal + noise * np.random.default_rng(seed).normal(size=length))


def odd_span(length: int, odd: str) -> tuple[int, int]:
    """Steps [start, stop) that `rhythm` makes odd. Errors: InputError for another word."""
    start = round(length * 0.66)
    sizes = {"none": 0, "spike": 2, "shift": length // 4, "rhythm": length // 4}
    if odd not in sizes:
        raise InputError(f'There is no anomaly "{odd}" here. Choose one of {", ".join(sizes)}.')
    return start, min(start + sizes[odd], length)


def tokens(signal: ArrayLike, width: int = WIDTH) -> NDArray[np.float64]:
    """What stands for each step: its value and those around it, (L, width), over all with mean 0 and deviation 1.

    A window's ends are repeated. It stands where a trained model has its embedding. Errors: InputError for a signal that
    is not (L,), L at least 2.
    """
    line = np.asarray(signal, dtype=np.float64)
    if line.ndim != 1 or len(line) < 2:
        raise InputError(f"A signal has shape (steps,) with at least 2 steps, not {line.shape}.")
    padded = np.pad(line, (width // 2, width - 1 - width // 2), mode="edge")
    found = np.lib.stride_tricks.sliding_window_view(padded, width)
    deviation = float(found.std())
    return np.asarray((found - found.mean()) / (deviation if deviation > 0 else 1.0))


def mass_at_periods(maps: ArrayLike | None, period: float, *, length: int = LENGTH) -> float:
    """Share of a map's weight (L, L) on keys within one step of whole periods away, the own step too; None: an even map.

    Errors: InputError for a map that is not square.
    """
    found = np.full((length, length), 1 / length) if maps is None else np.asarray(maps, dtype=np.float64)
    if found.ndim != 2 or found.shape[0] != found.shape[1]:
        raise InputError(f"A map has shape (L, L), not {found.shape}.")
    steps = np.arange(len(found))
    apart = np.abs(steps[:, None] - steps) % period
    near = np.minimum(apart, period - apart) <= 1
    return float((found * near).sum() / len(found))


def attend(
    steps: ArrayLike,
    periods: Sequence[float] = (),
    weights: Sequence[float] = (),
    *,
    phases: Sequence[float] | None = None,
    form: str = "sum",
    sharpness: float = 1.0,
) -> dict[str, NDArray[np.float64]]:
    """Both attentions of one head whose Q, K and V are all `steps` (L, d_h), d_h even.

    AutoMask has one bank for each of `periods` (steps), the same for every pair, with `weights` (made to sum of squares 1)
    and `phases` (radians, 0 unless given); without periods P is G. `sharpness` multiplies the logits of both.
    Keys: `local`, `global` (L, L), rows sum to 1; `d_local`, `d_global`, `cad` (L,) nats; `z_local`, `z_global` (L, d_h).
    Errors: InputError for shapes, periods, weights or a form that do not fit.
    """
    import torch

    from amad.model.automask import AutoMask
    from amad.model.divergence import measure

    x = np.asarray(steps, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] % 2 or not len(x):
        raise InputError(f"Steps have shape {x.shape}. Give (steps, values), an even number of values.")
    omega, a, phi = _banks(periods, weights, phases, form)
    q = torch.from_numpy(x * math.sqrt(max(sharpness, 0.0)))[None, None]  # (1, 1, L, d_h)
    local = (q, q)
    if len(omega):
        mask = AutoMask(x.shape[1], 1, len(omega), len(x), form).double()
        with torch.no_grad():
            mask.log_omega.copy_(torch.from_numpy(np.log(omega))[None, :, None].expand_as(mask.log_omega))
            mask.phi.copy_(torch.from_numpy(phi)[None, :, None].expand_as(mask.phi))
            assert mask.a is not None
            mask.a.copy_(torch.from_numpy(a)[None])
            local = mask.modulate(q, q)
    v = torch.from_numpy(np.ascontiguousarray(x))[None, None]
    z_loc, z_glob, rows, p, g = measure(local, (q, q), v, 1 / math.sqrt(x.shape[1]))
    found = {"local": p, "global": g, "d_local": rows.local, "d_global": rows.global_, "cad": rows.cad}
    found |= {"z_local": z_loc, "z_global": z_glob}
    return {name: value[0, 0].numpy() for name, value in found.items()}


def _banks(
    periods: Sequence[float], weights: Sequence[float], phases: Sequence[float] | None, form: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies, weights and phases (F,) of a lesson's mask, checked."""
    if form not in ("sum", "relative"):
        raise InputError(f'"{form}" is not a form of AutoMask. Choose sum or relative.')
    steps, a = np.asarray(periods, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    phi = np.zeros(len(steps)) if phases is None else np.asarray(phases, dtype=np.float64)
    if steps.ndim != 1 or a.shape != steps.shape or phi.shape != steps.shape:
        raise InputError(
            f"{len(steps)} periods, {len(a)} weights and {len(phi)} phases do not fit. Give one of each a bank."
        )
    if len(steps) and not (np.isfinite(steps).all() and (steps > 0).all()):
        raise InputError("A period is not above 0 steps. Give positive ones.")
    if len(a) and not (np.isfinite(a).all() and np.abs(a).max() > 0):
        raise InputError("All weights are 0: the mask would be nothing. Give at least one that is not.")
    return 2 * np.pi / steps, a, phi


def mask_kernel(
    periods: Sequence[float], weights: Sequence[float], *, form: str = "relative", length: int = LENGTH
) -> dict[str, NDArray[np.float64]]:
    """The mask of a lesson: `lags` (L,), `kernel` (L,), `map` (L, L), and `terms` (F, L), the part of each bank alone.

    As `amad.inspection.mask` for one pair and no phases, weights made to sum of squares 1. For `sum` the kernel is the mean
    over pairs of steps, and holds the products of different banks beside the terms.
    Errors: InputError as in `attend`, and for no period at all.
    """
    from amad.inspection.mask import mask

    omega, a, _ = _banks(periods, weights, None, form)
    if not len(omega):
        raise InputError("A mask without a period is none. Give at least one.")
    a = a / np.linalg.norm(a)
    found = mask(omega[:, None], a, form=form, length=length)
    alone = mask(
        omega[:, None, None], (a if form == "relative" else np.square(a))[:, None], form="relative", length=length
    )
    return {**{name: found[name] for name in ("lags", "kernel", "map")}, "terms": alone["kernel"]}


def wanted_kernel(name: str, *, period: float = 16.0, length: int = LENGTH) -> NDArray[np.float64]:
    """A pattern over lags (L,) to build from terms, 1 at lag 0: "near" falls off within 4 steps, "period" is near every
    whole period, "both" is near now and a period away, but no farther. Errors: InputError for another name.
    """
    lag = np.arange(length, dtype=np.float64)
    near = np.exp(-((lag / 4) ** 2))
    if name == "near":
        return np.asarray(near)
    if name == "period":
        apart = np.abs((lag + period / 2) % period - period / 2)
        return np.asarray(np.exp(-((apart / 3) ** 2)))
    if name == "both":
        return np.asarray(np.maximum(near, np.exp(-(((lag - period) / 4) ** 2))))
    raise InputError(f'There is no pattern "{name}". Choose near, period or both.')


def agreement(kernel: ArrayLike, wanted: ArrayLike) -> float:
    """How like two kernels (L,) are, whatever their size and level: their correlation, -1 to 1; 0 where one is flat."""
    a, b = np.asarray(kernel, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise InputError(f"Kernels have shapes {a.shape} and {b.shape}. Give two of the same length.")
    a, b = a - a.mean(), b - b.mean()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 0 else 0.0


def divergence_parts(p: ArrayLike, g: ArrayLike) -> dict[str, NDArray[np.float64]]:
    """KL and JS of two rows p, g (L,) as areas: `anchor` (L,) = M, `local` (L,) = p log(p / M), `global` (L,) the same of g.

    The sum of `local` is D_loc, that of `global` D_glob, half of both is CAD, in nats. Errors: InputError for other shapes.
    """
    first, second = np.asarray(p, dtype=np.float64), np.asarray(g, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise InputError(f"Rows have shapes {first.shape} and {second.shape}. Give two of the same length.")
    anchor = (first + second) / 2
    parts = [row * np.log(np.where(row > 0, row, 1.0) / np.where(row > 0, anchor, 1.0)) for row in (first, second)]
    return {"anchor": anchor, "local": parts[0], "global": parts[1]}


def parse_moves(moves: str) -> list[str]:
    """Moves as they stand in an address, `m5x3`: 5 min steps, then 3 max steps; at most 400 are kept.

    Errors: InputError for anything else.
    """
    if len(moves) > 8 * MOST_MOVES or not re.fullmatch(r"(?:[mx]\d{0,4})*", moves, flags=re.ASCII):
        raise InputError(
            f'Moves "{moves[:40]}" cannot be read. Write m for a min step and x for a max step, as in m5x3.'
        )
    found: list[str] = []
    for name, count in re.findall(r"([mx])(\d*)", moves):
        found += ["min" if name == "m" else "max"] * min(int(count or 1), MOST_MOVES)
        if len(found) >= MOST_MOVES:
            break
    return found[:MOST_MOVES]


def write_moves(moves: Sequence[str]) -> str:
    """The moves as `parse_moves` reads them, runs counted."""
    text, last, count = "", "", 0
    for name in [*moves, ""]:
        if name != last:
            if last:
                text += f"{'m' if last == 'min' else 'x'}{count if count > 1 else ''}"
            last, count = name, 0
        count += 1
    return text


def game(signal: ArrayLike, moves: str | Sequence[str], *, seed: int = 0) -> dict[str, NDArray[np.float64]]:
    """The Max-Min game on one head, played from the start: what each move does, by the model's own losses and gradients.

    moves: `m5x3`, or a sequence of "min" and "max". A min step moves AutoMask's parameters up L_min's gradient, a max step
    W_Q and W_K down L_max's (Adam; 0.03 and 0.01). Keys: `local`, `global` (L, L) after the last move; `d_local`,
    `d_global`, `cad` (S + 1,) nats, mean over rows, before the first move and after each; `moved` (S,) 0 = min, 1 = max;
    `periods`, `weights` (F,) the banks after the last move, periods the geometric mean over pairs.
    Errors: InputError for moves that cannot be read.
    """
    import torch

    from amad.config import make_config
    from amad.model.attention import MixedAttention

    plan = parse_moves(moves) if isinstance(moves, str) else list(moves)[:MOST_MOVES]
    if set(plan) - {"min", "max"}:
        raise InputError('A move is "min" or "max".')
    line = tokens(signal)
    x = torch.from_numpy(line).float()[None]  # (1, L, d)
    # its ceiling is never reached: here every min step moves
    config = make_config(
        "quick",
        {
            "d_model": line.shape[1],
            "heads": 1,
            "banks": BANKS,
            "window": len(line),
            "score_stride": len(line),
            "cad_ceiling": 0.69,
        },
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = MixedAttention(config, len(line))
    movers = {
        "min": torch.optim.Adam(list(head.mask.parameters()), lr=_RATES["min"]),
        "max": torch.optim.Adam([head.w_q.weight, head.w_k.weight], lr=_RATES["max"]),
    }
    told: list[list[float]] = []
    for name in [*plan, None]:
        out = head(x, losses=True, statistics=False, moves=() if name is None else (name,))
        told.append([float(out.terms[key].detach().mean()) for key in ("d_local", "d_global", "cad")])
        if name is not None:
            head.zero_grad(set_to_none=True)
            terms = out.terms
            loss = head.min_step(terms["kl_min"], terms["cad"]) if name == "min" else terms["l_max"]
            loss.backward()
            movers[name].step()
    with torch.no_grad():
        maps = head(x, maps=True).maps
        assert maps is not None
        omega, a = head.mask.omega()[0], head.mask.weights()[0]
        periods = (2 * math.pi / omega).log().mean(dim=-1).exp()
    curves = np.asarray(told, dtype=np.float64)
    return {
        "local": maps.local[0, 0].double().numpy(),
        "global": maps.global_[0, 0].double().numpy(),
        "d_local": curves[:, 0],
        "d_global": curves[:, 1],
        "cad": curves[:, 2],
        "moved": np.asarray([float(name == "max") for name in plan]),
        "periods": periods.double().numpy(),
        "weights": a.double().numpy(),
    }


def contrast(z_local: ArrayLike, z_global: ArrayLike, *, tau: float = 0.2) -> dict[str, NDArray[np.float64]]:
    """How well each step is recognised across the two views z (L, d): the contrast of method 3.

    Keys: `likeness` (L, L) cosine of z_loc(t) and z_glob(s); `own` (L,) the probability given to the step's own partner,
    geometric mean of both directions; `rank` (L,) 1 where no other step is more alike; `loss` () the InfoNCE of these
    steps in nats, minus the mean logarithm of `own`. Errors: InputError for other shapes and tau of 0 or less.
    """
    import torch
    import torch.nn.functional as F

    from amad.model.contrast import info_nce

    first, second = np.asarray(z_local, dtype=np.float64), np.asarray(z_global, dtype=np.float64)
    if first.ndim != 2 or first.shape != second.shape or not len(first):
        raise InputError(f"Views have shapes {first.shape} and {second.shape}. Give two of (steps, values).")
    if not tau > 0:
        raise InputError(f"A temperature of {tau} cannot be divided by. Give one above 0.")
    a, b = torch.from_numpy(first), torch.from_numpy(second)
    likeness = F.normalize(a, dim=-1) @ F.normalize(b, dim=-1).T
    own = (F.log_softmax(likeness / tau, dim=1).diagonal() + F.log_softmax(likeness / tau, dim=0).diagonal()) / 2
    better = (likeness > likeness.diagonal()[:, None]).sum(dim=1)
    return {
        "likeness": likeness.numpy(),
        "own": own.exp().numpy(),
        "rank": (1 + better).double().numpy(),
        "loss": info_nce(a, b, tau).numpy(),
    }
