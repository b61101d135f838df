"""What is loaded after the start: everything the heavy pages need, and nothing at once."""

import subprocess
import sys


def test_loading_brings_what_the_heavy_pages_need() -> None:
    code = (
        "import sys; from app.server import warm; assert 'torch' not in sys.modules; warm.load(); "
        "missing = [name for name in ('torch', 'plotly', 'amad.detection.detector', 'amad.inspection') "
        "if name not in sys.modules]; assert not missing, missing"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


def test_what_was_loaded_is_no_longer_looked_at_by_the_collector() -> None:
    code = (
        "import asyncio, gc; from app.server import warm; before = len(gc.get_objects())\n"
        "async def begun():\n"
        "    async with warm.lifespan(None):\n"
        "        return len(gc.get_objects())\n"
        "after = asyncio.run(begun()); assert after < before / 10, (before, after)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
