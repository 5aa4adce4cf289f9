"""The soak in its short form; `make soak` runs it for a minute with a thousand connections."""

import subprocess
import sys
from pathlib import Path


def test_a_short_soak_finds_no_problem():
    soak = Path(__file__).parent / "soak" / "soak.py"
    done = subprocess.run([sys.executable, soak, "--quick"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
