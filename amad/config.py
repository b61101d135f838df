"""Every setting of AMAD, validated, with meaning, unit and range: the one source for CLI, forms and docs.

[P] marks what the paper fixes, [D] what it leaves open and we decided (see docs/method.md).
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from amad.errors import ConfigError

Preset = Literal["quick", "balanced", "paper"]
AMAD = "amad"  # the detector of this package; all others are baselines (amad.evaluation.baselines)
Detectors = Literal[
    "amad", "random", "zscore", "zscore+recipe", "pca", "pca+recipe", "delay-pca", "delay-pca+recipe", "ridge", "ridge+recipe",
    "iforest", "iforest+recipe", "kmeans", "kmeans+recipe", "nearest", "nearest+recipe", "fused", "matrix-profile",
    "matrix-profile+recipe",
]  # fmt: skip


def _field(default: Any, title: str, description: str, *, group: str, unit: str = "", **limits: Any) -> Any:
    """A setting: its default, name on the form, meaning, group of the form, unit, and limits."""
    extra: dict[str, Any] = {"group": group, "unit": unit}
    return Field(default, title=title, description=description, json_schema_extra=extra, **limits)


class Config(BaseModel):
    """All settings of one run; immutable, unknown keys are refused. Values are those of `balanced`."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    # data
    channels: tuple[str, ...] = _field(
        (), "Channels", "Channels to train on, by name; none named means all of them.", group="data"
    )
    window: int = _field(100, "Window", "Length L of a window. [P]", group="data", unit="steps", ge=2, le=4096)
    stride: int = _field(
        10,
        "Stride",
        "Steps between the starts of two training windows; unless it is set, no more than the window. [D]",
        group="data",
        unit="steps",
        ge=1,
    )
    clip: float = _field(
        10.0,
        "Clip",
        "Scaled values are limited to this many training deviations around the training mean. [D]",
        group="data",
        unit="deviations",
        ge=1,
        le=1e4,
    )
    # model
    detector: Detectors = _field(
        "amad",
        "Detector",
        "AMAD, or a baseline to compare it with, which only heeds channels, seed, smoothing, threshold, merge gap and minimal length.",
        group="model",
    )
    embedding: Literal["convolution", "linear"] = _field(
        "convolution",
        "Embedding",
        "How a step becomes a token: width-3 convolution or a linear layer. [D]",
        group="model",
    )
    d_model: int = _field(64, "Model width", "Width d of a token. [P]", group="model", ge=4, le=4096)
    heads: int = _field(
        4, "Heads", "Attention heads H; the model width must be an even multiple. [P]", group="model", ge=1, le=64
    )
    blocks: int = _field(2, "Blocks", "Transformer blocks N. [P]", group="model", ge=1, le=24)
    banks: int = _field(
        8, "Banks", "Rotary embeddings F a head: the frequencies that AutoMask sums. [P]", group="model", ge=1, le=64
    )
    feed_forward: int = _field(
        128, "Feed-forward width", "Width of the feed-forward layer. [D]", group="model", ge=4, le=16384
    )
    dropout: float = _field(
        0.0, "Dropout", "Share of activations dropped while training. [D]", group="model", ge=0, lt=1
    )
    form: Literal["sum", "relative"] = _field(
        "sum",
        "AutoMask form",
        "Sum of rotated copies (the paper's), or a series in the lag alone (slower). [P sum, D relative]",
        group="model",
    )
    weights: Literal["learned", "dynamic"] = _field(
        "learned", "Bank weights", "A parameter, or made from the mean token of the window. [D]", group="model"
    )
    gate: Literal["head", "token"] = _field(
        "head",
        "Mixing",
        "Mixing weight of local and global attention: one a head, or one a query token. [D]",
        group="model",
    )
    attention: Literal["both", "local", "global"] = _field(
        "both",
        "Attention",
        "Local and global attention mixed, or one branch alone: an ablation. [P both]",
        group="model",
    )
    rotary: Literal["automask", "plain", "none"] = _field(
        "automask",
        "Rotary",
        "How local attention turns Q and K: AutoMask, one fixed rotary embedding, or not at all: an ablation. [P automask]",
        group="model",
    )
    positions: bool = _field(True, "Positions", "Add a sinusoidal position to the embedding. [D]", group="model")
    patch: int = _field(
        1, "Patch", "Steps that share one token; 1 keeps a token a step. [D]", group="model", unit="steps", ge=1, le=256
    )
    linear: Literal["pca", "none"] = _field(
        "pca", "Linear part", "Time-delay PCA whose remainder AMAD reconstructs, or none. [D]", group="model"
    )
    # VUS-PR of the linear part alone, mean of dataset means: .531 with 20 rows, .562 with 60 (the 34 first entities of the
    # tuning half of benchmarks.quality); with the shape view .548 and .572.
    linear_rows: int = _field(
        60, "Linear rows", "Rows of a delay window of the linear part. [D]", group="model", unit="steps", ge=1, le=512
    )
    linear_components: int = _field(
        30,
        "Linear components",
        "Most principal components of the linear part; at most a quarter of what varies. [D]",
        group="model",
        ge=1,
        le=1024,
    )
    # objective
    k_min: float = _field(
        0.1,
        "Min weight",
        "Weight of the min step, which moves AutoMask away from the anchor. [P step, D weight]",
        group="objective",
        ge=0,
        le=100,
    )
    k_max: float = _field(
        0.0,
        "Max weight",
        "Weight of the max step, which moves self-attention to the anchor. [P step, D weight]",
        group="objective",
        ge=0,
        le=100,
    )
    cad_ceiling: float = _field(
        0.25,
        "CAD ceiling",
        "Divergence above which the min step is off. [D]",
        group="objective",
        unit="nats",
        gt=0,
        le=math.log(2),
    )
    beta: float = _field(
        0.01, "Contrast weight", "Weight of the local-global contrastive loss. [D]", group="objective", ge=0, le=100
    )
    tau: float = _field(
        0.2, "Contrast temperature", "Temperature of the contrastive loss. [D]", group="objective", gt=0, le=10
    )
    # VUS-PR of AMAD's own error with the shape view, mean of dataset means, 10 entities of the tuning half of
    # benchmarks.quality: .534 with every step seen, .596 with half of them hidden; the linear part alone .627.
    masking: float = _field(
        0.5,
        "Masking",
        "Share of the steps of a training window that are hidden from the model, which reconstructs them all the same. "
        "Then copying is not enough, and attention has to find each step in others. [D]",
        group="objective",
        ge=0,
        lt=1,
    )
    schedule: Literal["joint", "alternating"] = _field(
        "joint",
        "Max-Min schedule",
        "Both steps in one pass, or one after the other as two optimiser updates. [D]",
        group="objective",
    )
    # training
    learning_rate: float = _field(1e-3, "Learning rate", "Peak step size of AdamW. [D]", group="training", gt=0, le=1)
    weight_decay: float = _field(1e-4, "Weight decay", "Weight decay of AdamW. [D]", group="training", ge=0, le=1)
    batch_size: int = _field(
        32, "Batch size", "Windows an optimiser step. [D]", group="training", unit="windows", ge=1, le=65536
    )
    # With 10, a training part of some 400 rows got 10 optimiser steps and ended far above the error it began with.
    epochs: int = _field(
        50,
        "Epochs",
        "Most passes over the training windows; long series end sooner, at max_steps. [D]",
        group="training",
        ge=1,
        le=10000,
    )
    max_steps: int = _field(
        300,
        "Most optimiser steps",
        "Training ends after so many optimiser steps, whatever the epochs say; 0 means no limit. [D]",
        group="training",
        ge=0,
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = _field(
        "auto",
        "Precision",
        "Number format of matrix products while training; auto is fp32, and bf16 for large batches on a GPU. [D]",
        group="training",
    )
    compile: bool = _field(
        False,
        "Compile",
        "Have torch.compile translate the model first (a minute or more), for long trainings; without a compiler it goes on without. [D]",
        group="training",
    )
    device: str = _field(
        "auto",
        "Device",
        "auto, cpu, cuda, cuda:1 or mps; auto takes the fastest there is.",
        group="training",
        pattern=r"^(auto|cpu|mps|meta|cuda(:\d+)?)$",
    )
    seed: int = _field(
        0,
        "Seed",
        "Start of every random choice; the same seed gives the same run on CPU.",
        group="training",
        ge=0,
        lt=2**31,
    )
    # detection
    # VUS-PR, mean of dataset means over the tuning half of benchmarks.quality, in trials: 10 rows .618, 30 .626; under the first
    # recipe of the forecast of the values alone, with the shape view, 10 .534, 30 .549, 60 .545.
    forecast_rows: int = _field(
        30,
        "Forecast rows",
        "Rows that the two ridge forecasts look back on; 0 is no forecast. [D]",
        group="detection",
        unit="steps",
        ge=0,
        le=512,
    )
    parts: Literal["all", "linear", "network"] = _field(
        "all",
        "Parts",
        "Errors that the reconstruction view is made of: all, or without AMAD's, or AMAD's alone: ablations. [D]",
        group="detection",
    )
    score: Literal["fused", "reconstruction", "divergence", "paper"] = _field(
        "fused", "Score", "The calibrated views together, one of them, or the paper's form. [D]", group="detection"
    )
    smoothing: int = _field(
        61,
        "Smoothing",
        "Longer of the two widths of the moving average; the shorter is a quarter of it; 1 is none. [D]",
        group="detection",
        unit="steps",
        ge=1,
        le=10001,
    )
    # The widest whose VUS-PR is not .005 below that of 1, mean of dataset means over the 24 entities of the size core of
    # benchmarks.quality, first recipe: 1 .466, 10 .466, 25 .467, 50 .467, 100 .468 (benchmarks.strides): smoothing averages enough.
    score_stride: int = _field(
        100,
        "Score stride",
        "Steps between the starts of two scored windows; unless it is set, no more than the window. [D]",
        group="detection",
        unit="steps",
        ge=1,
    )
    threshold: str = _field(
        "capped:0.99",
        "Threshold",
        "percentile:R over training scores, capped:R the same raised so that at most 5 % of a series is flagged, pot (extreme "
        "values), or value:X. [P percentile, D rest]",
        group="detection",
        pattern=r"^((percentile|capped):(0(\.\d+)?|1(\.0+)?|\.\d+)|pot|value:[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?)$",
    )
    merge_gap: int = _field(5, "Merge gap", "Events this close are one. [D]", group="detection", unit="steps", ge=0)
    min_length: int = _field(
        1, "Minimal length", "Shorter events are dropped. [D]", group="detection", unit="steps", ge=1
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Config:
        wrong = []
        if self.d_model % (2 * self.heads):
            wrong.append(f"d_model {self.d_model} must be an even multiple of heads {self.heads}")
        if self.window % self.patch or self.window // self.patch < 2:
            wrong.append(f"window {self.window} must hold at least two whole patches of {self.patch}")
        if self.stride > self.window:
            wrong.append(f"stride {self.stride} is longer than the window {self.window}, so rows would be skipped")
        if self.score_stride > self.window:
            wrong.append(
                f"score_stride {self.score_stride} is longer than the window {self.window}, so rows would have no score"
            )
        if len(set(self.channels)) != len(self.channels):
            wrong.append("channels names a channel twice")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


PRESETS: dict[str, dict[str, Any]] = {
    "quick": {
        "stride": 20, "d_model": 32, "heads": 4, "blocks": 2, "banks": 4, "feed_forward": 64, "max_steps": 200,
    },
    "balanced": {},
    "paper": {
        "d_model": 512, "heads": 8, "blocks": 3, "feed_forward": 512, "linear": "none", "masking": 0.0, "k_min": 1.0, "k_max": 1.0, "beta": 0.1,
        "cad_ceiling": math.log(2), "stride": 100, "learning_rate": 1e-4, "batch_size": 256, "epochs": 10, "max_steps": 0, "score": "paper",
        "forecast_rows": 0, "smoothing": 1, "threshold": "percentile:0.99", "merge_gap": 0,
    },
}  # fmt: skip


# How settings with a pattern are written, for whoever wrote them otherwise.
_FORMS = {
    "device": "Write auto, cpu, cuda, cuda:1 or mps",
    "threshold": "Write capped:R or percentile:R with R from 0 to 1 (for example capped:0.99), pot, or value:X",
}


def make_config(preset: str = "balanced", settings: Mapping[str, Any] | None = None) -> Config:
    """The settings of a preset with some replaced; every mistake is reported at once.

    Strides that are not among them are no longer than the window, whatever the preset says.
    Errors: ConfigError for an unknown preset, unknown names (with the nearest known one) and values out of range.
    """
    if preset not in PRESETS:
        raise ConfigError(f'There is no preset "{preset}". Choose one of {", ".join(PRESETS)}.')
    given = dict(settings or {})
    wrong = [_unknown(name) for name in given if name not in Config.model_fields]
    known = {name: value for name, value in given.items() if name in Config.model_fields}
    if isinstance(known.get("channels"), str):
        known["channels"] = tuple(name for name in known["channels"].split(";") if name)
    try:
        config = Config(**{**PRESETS[preset], **_strides(preset, known), **known})
    except ValidationError as error:
        wrong += [_readable(item) for item in error.errors()]
    if wrong:
        raise ConfigError("\n".join(wrong))
    return config


def _strides(preset: str, known: Mapping[str, Any]) -> dict[str, int]:
    """The preset's strides within the window that was given, where that is a number."""
    try:
        window = max(1, int(known["window"]))
    except (KeyError, TypeError, ValueError):  # none, or one that is told as wrong
        return {}
    usual = {name: PRESETS[preset].get(name, Config.model_fields[name].default) for name in ("stride", "score_stride")}
    return {name: min(window, value) for name, value in usual.items()}


def parse_settings(pairs: list[str]) -> dict[str, str]:
    """`key=value` pairs of the command line as a dictionary.

    Errors: ConfigError for a pair without `=`.
    """
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise ConfigError(f'"{wrong[0]}" is not a setting. Write --set name=value, for example --set window=64.')
    return dict(pair.split("=", 1) for pair in pairs)


@cache
def fields() -> dict[str, dict[str, Any]]:
    """Every setting as plain data: title, description, group, unit, default, minimum, maximum, choices."""
    schema = Config.model_json_schema()["properties"]
    found = {}
    for name, entry in schema.items():
        found[name] = {
            "title": entry["title"],
            "description": entry["description"],
            "group": entry["group"],
            "unit": entry["unit"],
            "default": Config.model_fields[name].default,
            "minimum": entry.get("minimum", entry.get("exclusiveMinimum")),
            "maximum": entry.get("maximum", entry.get("exclusiveMaximum")),
            "choices": entry.get("enum"),
        }
    return found


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, Config.model_fields, n=1)
    hint = f'Did you mean "{near[0]}"?' if near else "See `amad fit --help` for the list."
    return f'There is no setting "{name}". {hint}'


def _readable(item: Any) -> str:
    text = item["msg"].removeprefix("Value error, ")
    if not item["loc"]:
        return f"{text}."
    name = item["loc"][0]
    if item["type"] == "string_pattern_mismatch":
        text = _FORMS[name]
    return f'Setting "{name}": {item["input"]!r} does not do. {text}.'
