"""Where webhooks may lead: to https in the world, or to this machine where that is said; nowhere else inside."""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from comity.core.errors import ComityError

LONGEST: Final = 500  # characters of an address
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_PRINTABLE: Final = range(0x21, 0x7F)


class AddressError(ComityError):
    """Nothing is sent to this address."""


def checked(url: str) -> SplitResult:
    """The parts of an address as an operator gives it. Raises AddressError with what was expected."""
    if len(url) > LONGEST or any(ord(c) not in _PRINTABLE for c in url):
        raise AddressError(f"an address has at most {LONGEST} characters of ASCII, and no spaces")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressError("this is no address; expected https://host/path") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise AddressError("this is no address; expected https://host/path")
    if parts.scheme == "http" and host not in _HERE:
        raise AddressError("messages go over https; http is for this machine alone (localhost)")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressError("an address has no name, password or fragment in it: the signature says who sends")
    return parts


async def found(url: str, *, private: bool) -> str:
    """The IP address to connect to, looked up now. private: those of local networks are allowed.

    Raises AddressError if the host is not found, or any of its addresses is not to be reached; nothing is looked up a
    second time, so that a name cannot lead elsewhere in between.
    """
    parts = checked(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        rows = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise AddressError(f"the host {host} is not found") from error
    there = list(dict.fromkeys(str(row[4][0]) for row in rows))
    for one in there:
        if why := refused(one, here=host in _HERE, private=private):
            raise AddressError(f"the host {host} leads to {why}")
    if not there:
        raise AddressError(f"the host {host} is not found")
    return there[0]


def refused(address: str, *, here: bool, private: bool) -> str:
    """Why nothing is sent to an IP address, "" if it may be. here: this machine was named as such."""
    ip = _meant(ip_address(address.partition("%")[0]))
    if ip.is_loopback:
        return "" if here else "this machine"
    if ip.is_multicast or ip.is_unspecified or ip.is_link_local or ip.is_reserved:
        return "no host of its own"
    if ip.is_global:
        return ""
    return "" if private else "a local network; allow_private_webhooks under [server] allows that"


def _meant(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(ip, IPv6Address):
        if ip in _NAT64:
            return IPv4Address(int(ip) & 0xFFFFFFFF)
        return ip.ipv4_mapped or ip.sixtofour or ip
    return ip
