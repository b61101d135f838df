"""Keys of the timeline: a file in the workspace reassigns them, and what it gets wrong is said; the guide lists them all."""

import re
from pathlib import Path

import pytest

from app.components.timeline.keymap import FILE, KEYS, keymap

ROOT = Path(__file__).resolve().parents[3]


def test_without_a_file_the_keys_are_the_usual_ones(tmp_path: Path) -> None:
    assert keymap(tmp_path) == ({name: list(keys) for name, keys in KEYS.items()}, [])


def test_a_file_gives_keys_and_takes_them_from_other_actions(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(
        'mark = "M"\nzoom_in = ["z", "F4"]\nnumbers = []\nwhole = "b"\nback = "Shift+ArrowUp"\n'
    )
    keys, wrong = keymap(tmp_path)
    assert wrong == []
    assert keys["mark"] == ["m"]
    assert keys["zoom_in"] == ["z", "F4"]
    assert keys["numbers"] == []
    assert (keys["whole"], keys["brush_mode"]) == (["b"], [])
    assert keys["pan_left"] == ["ArrowLeft"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("mark =", "cannot be read"), ('fly = "f"', "no action"), ("mark = 3", "give a key"), ('mark = "a b"', "give a key"),
     ('mark = ["m", 2]', "give a key"), ("\x00", "cannot be read"), ("# " + "x" * 30_000, "larger than")],
)  # fmt: skip
def test_what_cannot_be_followed_is_said_and_leaves_the_usual_keys(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / FILE).write_text(text)
    keys, wrong = keymap(tmp_path)
    assert said in " ".join(wrong)
    assert keys["mark"] == ["d"]


def test_browser_and_server_know_the_same_actions() -> None:
    source = (ROOT / "app" / "components" / "timeline" / "keymap.js").read_text(encoding="utf-8")
    assert re.findall(r'^  \["([a-z_]+)"', source, flags=re.MULTILINE) == list(KEYS)


def test_the_guide_lists_every_action() -> None:
    guide = (ROOT / "docs" / "timeline.md").read_text(encoding="utf-8")
    assert [name for name in KEYS if f"`{name}`" not in guide] == []
