"""A Comity of one's own: its commands, and ``comity serve`` as a child that is ready, in a folder nobody else uses."""

import contextlib
import fcntl
import http.client
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from comity.settings_file import load_settings

COMITY: Final = Path(sys.executable).with_name("comity")
READY_WITHIN: Final = 60.0


class LocalComity:
    """One Comity. settings: its file, once ``comity init`` has written it; log: what it says while it serves."""

    def __init__(self, settings: Path, log: Path) -> None:
        self.settings, self.log = settings, log
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str | Path) -> str:
        """Run a command to its end; what it says. Raises RuntimeError with why it failed."""
        done = subprocess.run([COMITY, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"comity {arguments[0]} failed: {done.stderr or done.stdout}")
        return done.stdout.strip()

    def serve(self) -> None:
        """Start it and wait until it is ready. Raises RuntimeError."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [COMITY, "serve", "--settings", self.settings],
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is ours: it ends when we say so
            )
        server = load_settings(self.settings).server
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and self.runs():
            if _ready(server.host, server.port):
                return
            time.sleep(0.1)
        raise RuntimeError(f"Comity is not ready; {self.log} says why")

    def runs(self) -> bool:
        """Whether it was started and goes on."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Stop it by its own process; stopping twice is stopping once."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(25)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


@contextlib.contextmanager
def alone(folder: Path, made: Sequence[str]) -> Iterator[None]:
    """Have a folder to oneself, emptied of what a run before made there.

    made: names of folders and files. Raises SystemExit if another run is using it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "running").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"it is running already: {folder} is in use") from None
        for name in made:
            if (folder / name).is_dir():
                shutil.rmtree(folder / name)
            else:
                (folder / name).unlink(missing_ok=True)
        yield


def _ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()
