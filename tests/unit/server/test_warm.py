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
