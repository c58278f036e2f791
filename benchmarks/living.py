"""What the measurements of a live process share: a Synapse, ``comity serve``, figures of a process, quantiles."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path += [str(Path(__file__).parents[1] / folder) for folder in ("tests", "tools")]  # where a Synapse is
import homeserver as tested

__all__ = ["HERE", "Process", "quantile", "serve", "settings_of", "tested", "wait_ready"]

HERE = Path(__file__).parent
COMITY = Path(sys.executable).with_name("comity")
_TICKS = os.sysconf("SC_CLK_TCK")
CHARTER = """\
[charter]
community = "Benchmark"

[[clause]]
id = "1"
text = "Do not say the word."
when = "kind == 'message' and matches('zxspamword')"
harm = "spam"
severity = "minor"
measures = ["hide"]
"""


class Process:
    """A process of its own, and what it used. out: the file that takes whatever it says."""

    def __init__(self, command: Sequence[str | Path], out: Path, environment: dict[str, str] | None = None) -> None:
        with out.open("ab") as file:
            self._process = subprocess.Popen(
                [str(c) for c in command],
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
            )

    def cpu(self) -> float:
        """CPU seconds so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def peak_mb(self) -> float:
        """The most memory it ever held, in MB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024

    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill it with signal 9, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self.running():
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


def serve(folder: Path, settings: str, charter: str = CHARTER) -> Process:
    """Start ``comity serve`` with settings and a charter, in a folder that may hold a store already."""
    (folder / "charter.toml").write_text(charter, "utf-8")
    path = folder / "comity.toml"
    path.write_text(settings, "utf-8")
    path.chmod(0o600)
    return Process([COMITY, "serve", "--settings", path], folder / "comity.out")


def settings_of(homeserver: str, port: int, rooms: Sequence[str], server: str) -> str:
    """Settings of an application service."""
    return f"""\
store = "comity.sqlite"
[server]
bind = "127.0.0.1:{port}"
[matrix]
mode = "appservice"
homeserver = "{homeserver}"
user = "@comity:{server}"
as_token = "{tested.AS_TOKEN}"
hs_token = "{tested.HS_TOKEN}"
[[community]]
id = "bench"
charter = "charter.toml"
rooms = {json.dumps(list(rooms))}
"""


def wait_ready(port: int, process: Process, *, within: float = 60.0) -> None:
    """Wait until it is ready. Raises RuntimeError if it ends before, or takes longer."""
    until = time.monotonic() + within
    said: Any = "nothing"
    while time.monotonic() < until and process.running():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except urllib.error.HTTPError as e:
            said = e.read()[:300]
        except OSError as e:
            said = e
        time.sleep(0.05)
    raise RuntimeError(f"it did not get ready: {said!r}")


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]
