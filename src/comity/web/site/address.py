"""Where the site is reached."""

from typing import NamedTuple
from urllib.parse import urlsplit


class Address(NamedTuple):
    """url: scheme, host and port, without a slash at its end."""

    url: str

    @property
    def origin(self) -> str:
        """As browsers send it."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def host(self) -> str:
        """The name that passkeys are bound to."""
        return urlsplit(self.url).hostname or ""

    @property
    def secure(self) -> bool:
        """Whether it is reached by https."""
        return urlsplit(self.url).scheme == "https"


def site_url(public_url: str, port: int) -> str:
    """What the site is reached by: the public address, else this machine's own, to which passkeys can be bound too."""
    return public_url or f"http://localhost:{port}"
