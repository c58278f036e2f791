"""``make run-matrix``: the example community lives for some seconds on a real Synapse, and leaves nothing running."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SYNAPSE = ROOT / ".venv-synapse" / "bin" / "python"


def listening(address: str) -> bool:
    """Whether somebody listens on an address such as ``127.0.0.1:8008``."""
    port = f":{int(address.rpartition(':')[2]):04X} "
    lines = Path("/proc/net/tcp").read_text("ascii").splitlines()
    return any(port in line.split(" 00000000:")[0] and " 0A " in line for line in lines)


@pytest.mark.skipif(not SYNAPSE.exists(), reason="there is no Synapse here: `make .venv-synapse/installed` sets one up")
def test_the_garden_lives_and_stops(tmp_path: Path) -> None:
    """A flood, a scam, a listed account and a hand-over are found, met and told of; then both processes are gone."""
    command: list[str | Path] = [
        sys.executable,
        ROOT / "tools" / "matrix_garden.py",
        "--once",
        "--pace",
        "0.02",
        "--folder",
        tmp_path,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=os.environ)
    told = done.stdout

    assert (done.returncode, done.stderr) == (0, "")
    for what in (
        "finding    Bruno in #garden, clause 1.1 (flood, live)",
        "Hidden under clause 2.1",
        "proposed: ban, Free Teapots",
        "the power of Mariam goes from as everybody to 50",
        "the power of Mariam goes from 50 to as everybody",
        "is reversed, and with it",
        "You can appeal until",
    ):
        assert what in told
    assert "{" not in told.partition("statement  to Bruno")[2].partition("==")[0]  # every figure is filled in
    address = told.partition("Homeserver   ")[2].partition(" ")[0]
    assert address.startswith("http://127.0.0.1:")
    assert not listening(address)
    with contextlib.suppress(FileNotFoundError):
        pid = int((tmp_path / "synapse" / "homeserver.pid").read_text())
        assert not Path(f"/proc/{pid}/cmdline").exists() or b"synapse" not in Path(f"/proc/{pid}/cmdline").read_bytes()
