"""A socket to listen on, or a sentence that says why not and what to do."""

import errno
import socket
from typing import Final

from comity.core.errors import ComityError

_BACKLOG: Final = 256
_UNPRIVILEGED: Final = 1024
_WHY: Final = {
    errno.EADDRINUSE: "another program listens there: end it, or choose another bind",
    errno.EADDRNOTAVAIL: "this machine has no such address: choose one of its own, such as 127.0.0.1",
    errno.EAFNOSUPPORT: "this machine does not speak that kind of address: choose one of the other kind",
}


def listen(host: str, port: int) -> socket.socket:
    """Listen at an address; port 0 takes a free one. Connections wait until somebody accepts them.

    Raises ComityError with what to do.
    """
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as e:
        raise ComityError(f"{where}: no address is known by that name: write the address itself") from e
    family, kind, protocol, _, address = found[0]
    try:
        line = socket.socket(family, kind, protocol)
    except OSError as e:
        raise ComityError(f"{where}: {_why(e, port)}") from e
    try:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        line.bind(address)
        line.listen(_BACKLOG)
        line.setblocking(False)  # noqa: FBT003  the standard library's signature
    except OSError as e:
        line.close()
        raise ComityError(f"{where}: {_why(e, port)}") from e
    return line


def _why(error: OSError, port: int) -> str:
    if error.errno == errno.EACCES and port < _UNPRIVILEGED:
        return f"a port below {_UNPRIVILEGED} needs rights that Comity should not have: choose another bind"
    return _WHY.get(error.errno or 0, f"nothing can listen there: {error.strerror}")
