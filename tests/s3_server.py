"""An object store on loopback: the S3 server of the package moto, as a process of its own."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from homeserver import free_port

REGION = "eu-central-1"
CALLER = {"AWS_ACCESS_KEY_ID": "a-test", "AWS_SECRET_ACCESS_KEY": "no-secret", "AWS_EC2_METADATA_DISABLED": "true"}


@contextlib.contextmanager
def s3_server(log: Path) -> Iterator[str]:
    """Its address; what is kept there is gone with it. log: where it writes what it was asked."""
    port = free_port()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=out,
            stderr=out,
            env=os.environ | CALLER,
        )
        try:
            until = time.monotonic() + 30
            while time.monotonic() < until and process.poll() is None:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.05)
            else:
                raise AssertionError(f"no S3 server came up: {log.read_text(errors='replace')[-500:]}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)
