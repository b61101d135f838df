"""The drawing of a bundled series on the first page: real lines in the colour asked for, nothing for a name that is none."""

import base64
from xml.etree import ElementTree

import pytest

from amad.workspace.demos import FOLDER
from app.parts import preview


@pytest.mark.parametrize("name", sorted(file.parent.name for file in FOLDER.glob("*/meta.json")))
def test_each_bundled_series_has_a_drawing_of_three_lines(name: str) -> None:
    address = preview.of(name, "#2B3946")
    kind, _, data = address.partition(";base64,")
    assert kind == "data:image/svg+xml"
    drawing = ElementTree.fromstring(base64.b64decode(data))
    space = "{http://www.w3.org/2000/svg}"
    assert drawing.find(f"{space}g").get("stroke") == "#2B3946"  # type: ignore[union-attr]
    lines = [path.get("d") or "" for path in drawing.iter(f"{space}path")]
    assert len(lines) == 3
    for line in lines:
        heights = [float(point.split()[1]) for point in line[1:].split("L")]
        assert len(heights) == 600
        assert 0 <= min(heights) < max(heights) <= 22


@pytest.mark.parametrize("name", ["nothing", "..", "../demo", ""])
def test_another_name_has_none(name: str) -> None:
    assert preview.of(name, "#2B3946") == ""
