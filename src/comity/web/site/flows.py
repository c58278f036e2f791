"""Sign-ins under way: what their end must match, bound to the browser in which they began."""

import time
from collections import OrderedDict
from typing import Any, Final, NamedTuple

from comity.web.site import sessions

FLOW: Final = 600.0  # seconds that a sign-in may take
_FLOWS: Final = 5_000


class Flow(NamedTuple):
    """A sign-in under way. what: which; held: what its end must match."""

    what: str
    held: Any
    until: float


class Flows:
    """Sign-ins under way, by a cookie of their own; in memory: after a restart one begins again."""

    def __init__(self) -> None:
        self._flows: OrderedDict[bytes, Flow] = OrderedDict()

    def begin(self, what: str, held: object) -> str:
        """Remember what the end must match; the secret that the browser is to bring back."""
        secret = sessions.new_secret()
        self._flows[sessions.hashed(secret)] = Flow(what, held, time.monotonic() + FLOW)
        while len(self._flows) > _FLOWS:
            self._flows.popitem(last=False)
        return secret

    def end(self, secret: str, what: str) -> Any:  # noqa: ANN401  what ``begin`` was given
        """What was to be matched; None if nothing of the kind was begun in this browser. It can be asked for once."""
        found = self._flows.get(sessions.hashed(secret)) if secret else None
        if found is None or found.what != what or found.until < time.monotonic():
            return None
        del self._flows[sessions.hashed(secret)]
        return found.held
