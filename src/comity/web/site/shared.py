"""Everything that pages share."""

import datetime as dt
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from structlog.typing import FilteringBoundLogger

from comity.stores.live_contract import LiveStore
from comity.web.site.flows import Flows
from comity.web.site.limits import Limits
from comity.web.site.live import Live
from comity.web.site.openid import Provider
from comity.web.site.readers import Readers
from comity.web.site.sessions import Cookies

_TOASTS: Final = 10_000  # sessions that something is to be said to


@dataclass(frozen=True, slots=True)
class Toast:
    """A line shown once after something was done.

    undo: where a POST takes it back, with these fields; "" for nowhere.
    """

    text: str
    undo: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    good: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the site is reached. url: scheme, host and port, without a slash at its end."""

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


class Site:
    """Everything that pages share.

    url: what the site is reached by; store: open for writing, used in the loop only; readers: the same store, read
    beside the loop; office: what acts, None if nothing does; provider: of sign-ins, None if there is none; now: the
    clock; stopping: whether the process is to end. Made within the loop that serves it.
    """

    def __init__(
        self,
        *,
        url: str,
        store: LiveStore,
        readers: Readers,
        log: FilteringBoundLogger,
        office: Any = None,  # noqa: ANN401  the runner's Office, or what stands for it in a test
        provider: Provider | None = None,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        address = Address(url=url)
        self.url, self.origin, self.host = address.url, address.origin, address.host
        self.cookies = Cookies(address.secure)
        self.store, self.readers, self.office, self.provider, self.log = store, readers, office, provider, log
        self.now = now
        self.limits, self.live, self.flows = Limits(), Live(stopping), Flows()
        self.toasts: OrderedDict[bytes, list[Toast]] = OrderedDict()
        self._communities: Mapping[int, str] = {}

    @property
    def communities(self) -> Mapping[int, str]:
        """The name of every community, by number."""
        if not self._communities:
            self._communities = dict(self.store.access.communities())
        return self._communities

    def toast(self, session: bytes, toast: Toast) -> None:
        """Say this once to the session, on the next page it asks for."""
        self.toasts.setdefault(session, []).append(toast)
        while len(self.toasts) > _TOASTS:
            self.toasts.popitem(last=False)
