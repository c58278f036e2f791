"""Kill -9 at any step of writing, sealing, destroying, forgetting and rotating: nothing is lost, nothing comes back."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

CHILD = Path(__file__).parent / "record_child.py"
POINTS = 100


def test_killed_at_a_hundred_steps_it_is_whole_each_time(tmp_path: Path) -> None:
    """What was acknowledged is there, what is over is in no file, the chain is whole, and one key opens all of it."""
    done = subprocess.run(
        [sys.executable, CHILD, tmp_path, str(POINTS), "20578"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    points = [json.loads(line) for line in done.stdout.splitlines()]

    assert POINTS == len(points)
    where = Counter(p["at"] for p in points)
    wanted = {"keep a frame", "kept a frame", "write a file", "take them in", "drop the old ones", "commit",
              "delete a file"}  # fmt: skip
    assert wanted <= set(where), where
    assert {p["in"] for p in points} >= {"say", "seal", "tend", "forget", "rotate"}
    assert any(p["kept"] for p in points)
