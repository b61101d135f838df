"""What is told of processes: memory that is a process's own."""

import subprocess
import sys

from amad.workspace.processes import peak_bytes

TELLS = "from amad.workspace.processes import peak_bytes; print(peak_bytes())"


def test_the_memory_of_a_process_is_its_own_and_its_most() -> None:
    before = peak_bytes()
    held = b"x" * 400_000_000
    now = peak_bytes()
    assert before is not None
    assert now is not None
    assert now >= max(before, 400e6)
    del held
    assert (peak_bytes() or 0) > 400e6  # what was given back still counts
    # Whoever starts a process leaves nothing of its own memory in the account of it.
    started = subprocess.run([sys.executable, "-c", TELLS], capture_output=True, text=True, check=True)
    assert float(started.stdout) < 350e6
