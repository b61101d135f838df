"""What goes to the timeline in the browser: maps for its paint and numbers for its strips, checked and small."""

import base64
import json

import numpy as np
import pytest

from amad.errors import InputError
from app.components.timeline.passing import painted, stripped


def maps(length: int) -> dict:
    rng = np.random.default_rng(0)
    return {
        "start": 7,
        "row": 9,
        "local": rng.dirichlet(np.ones(length), length),
        "global": rng.dirichlet(np.ones(length), length),
    }


def test_a_window_of_512_steps_takes_a_byte_a_weight() -> None:
    told = painted(maps(512))
    assert (told["steps"], told["size"], told["local"]["bits"]) == (512, 512, 8)
    assert len(base64.b64decode(told["local"]["data"])) == 512 * 512
    assert json.loads(json.dumps(told)) == told


def test_longer_windows_are_averaged() -> None:
    told = painted(maps(700))
    assert (told["steps"], told["size"]) == (700, 512)


def test_maps_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="Give two of"):
        painted({**maps(5), "global": np.ones((5, 4))})


def test_strips_are_plain_numbers_with_their_range() -> None:
    lines = [{"name": "P", "role": "local", "values": np.array([1.0, 3.0], np.float32)}]
    told = stripped(
        {
            "rows": np.array([0, 16]),
            "length": 16,
            "at": np.int64(16),
            "list": [{"label": "Distance", "unit": "steps", "lines": lines}],
        }
    )
    assert told == {
        "rows": [0, 16], "length": 16, "at": 16,
        "list": [{"label": "Distance", "unit": "steps", "range": [1.0, 3.0], "lines": [{"name": "P", "role": "local", "values": [1.0, 3.0]}]}],
    }  # fmt: skip
    assert json.loads(json.dumps(told)) == told
    assert stripped(None) is None
