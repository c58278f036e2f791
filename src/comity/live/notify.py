"""Telling systemd how we are, as sd_notify(3) does: datagrams to the socket that it names."""

import os
import socket
from collections.abc import Mapping
from typing import Final

_MICROSECONDS: Final = 1_000_000


class Notify:
    """The service manager, if one listens. Source: sd_notify(3), sd_watchdog_enabled(3)."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        given = os.environ if environment is None else environment
        address = given.get("NOTIFY_SOCKET", "")
        # A name that begins with @ is in the abstract namespace: its first byte is 0.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._every = int(given.get("WATCHDOG_USEC", "0")) if given.get("WATCHDOG_PID", f"{os.getpid()}") == (
            f"{os.getpid()}"
        ) else 0  # fmt: skip

    @property
    def beat(self) -> float | None:
        """Seconds between two signs of life, half of what the watchdog allows; None if it does not watch us."""
        return self._every / _MICROSECONDS / 2 if self._address and self._every else None

    def tell(self, *said: str) -> bool:
        """Send lines such as ``READY=1``; whether somebody took them. A deaf manager is no reason to fail."""
        if not self._address:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.settimeout(1)
                line.sendto("\n".join(said).encode(), self._address)
        except OSError:
            return False
        return True
