"""What commands share that ask a homeserver something: its address, a token that stands on no command line."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click

from comity.adapters.matrix.client import Homeserver, HomeserverError
from comity.core.errors import ComityError
from comity.settings import Mode, Settings

T = TypeVar("T")


def token(given: str) -> str:
    """A token from ``file:PATH`` or ``env:NAME``; what stands on a command line, others can read.

    Raises click.UsageError.
    """
    kind, _, rest = given.partition(":")
    if kind == "file":
        try:
            found = Path(rest).read_text("utf-8").strip()
        except (OSError, ValueError) as e:
            raise click.UsageError(f"{rest}, where the token should be, cannot be read") from e
    elif kind == "env":
        found = os.environ.get(rest, "").strip()
    else:
        raise click.UsageError("a token on the command line can be read by others: name file:PATH or env:NAME")
    if not found:
        raise click.UsageError(f"there is no token in {kind}:{rest}")
    return found


def as_bot(settings: Settings) -> Homeserver:
    """A client that acts as the bot of settings."""
    matrix = settings.matrix
    as_user = matrix.user if matrix.mode is Mode.APPSERVICE else None
    return Homeserver(matrix.homeserver, matrix.token.reveal(), as_user, account=matrix.user)


def asked(homeserver: Homeserver, what: Callable[[Homeserver], Awaitable[T]]) -> T:
    """What a homeserver answers. Raises ComityError with what to do where it does not."""

    async def ask() -> T:
        async with homeserver:
            return await what(homeserver)

    try:
        return asyncio.run(ask())
    except HomeserverError as e:
        if e.token_refused:
            raise ComityError(f"{homeserver.base_url} refuses the token: name one that is valid") from e
        if not e.status:
            raise ComityError(f"{homeserver.base_url} does not answer as a homeserver does: {e.error}") from e
        raise ComityError(f"the homeserver did not do it: {e}") from e
