"""Training: objective, loop, checkpoints, history, devices, and what a run will cost."""

from amad.progress import Progress
from amad.training.checkpoints import load_linear, load_model, read_config
from amad.training.cost import predict_cost
from amad.training.devices import devices, resolve_device
from amad.training.loop import train

__all__ = [
    "Progress",
    "devices",
    "load_linear",
    "load_model",
    "predict_cost",
    "read_config",
    "resolve_device",
    "train",
]
