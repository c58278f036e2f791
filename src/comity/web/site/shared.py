"""Everything that pages share."""

import datetime as dt
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from structlog.typing import FilteringBoundLogger

from comity.stores.live_contract import LiveStore
from comity.web.site.address import Address
from comity.web.site.comparing import Comparisons, Log
from comity.web.site.flows import Flows
from comity.web.site.limits import Limits
from comity.web.site.live import Live
from comity.web.site.openid import Provider
from comity.web.site.readers import Readers
from comity.web.site.sessions import Cookies

if TYPE_CHECKING:
    from comity.runner.office import Office  # it brings all of the runner along, and pages only hold it

_TOASTS: Final = 10_000  # sessions that something is to be said to


@dataclass(frozen=True, slots=True)
class Toast:
    """A line shown once after something was done.

    undo: where a POST takes it back, with these fields; "" for nowhere; seconds: how long it can be, 0 for no limit.
    """

    text: str
    undo: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    good: bool = True
    seconds: int = 0


class Site:
    """Everything that pages share.

    url: what the site is reached by; store: open for writing, used in the loop only; readers: the same store, read
    beside the loop; office: what acts, None if nothing does; provider: of sign-ins, None if there is none; now: the
    clock; proxies: addresses whose word for who asks is taken; log_of_days: what was said of late, to compare charters
    over. Made within the loop that serves it.
    """

    def __init__(
        self,
        *,
        url: str,
        store: LiveStore,
        readers: Readers,
        log: FilteringBoundLogger,
        office: "Office | None" = None,
        provider: Provider | None = None,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        proxies: Collection[str] = (),
        log_of_days: Log | None = None,
    ) -> None:
        address = Address(url)
        self.url, self.origin, self.host = address.url, address.origin, address.host
        self.cookies = Cookies(address.secure)
        self.store, self.readers, self.office, self.provider, self.log = store, readers, office, provider, log
        self.now, self._proxies = now, frozenset(proxies)
        self.limits, self.live, self.flows = Limits(), Live(), Flows()
        self.comparisons, self.log_of_days = Comparisons(), log_of_days
        if office is not None:
            office.moved = self.live.publish
        self.toasts: OrderedDict[bytes, list[Toast]] = OrderedDict()
        self._communities: Mapping[int, str] = {}

    @property
    def communities(self) -> Mapping[int, str]:
        """The name of every community, by number."""
        if not self._communities:
            self._communities = dict(self.store.access.communities())
        return self._communities

    def address(self, request: Request) -> str:
        """Who asks: the other end, or whom a proxy of ours names as the other end of its own."""
        here = request.client.host if request.client else ""
        if here not in self._proxies:
            return here
        told = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        return told or here

    def toast(self, session: bytes, toast: Toast) -> None:
        """Say this once to the session, on the next page it asks for."""
        self.toasts.setdefault(session, []).append(toast)
        while len(self.toasts) > _TOASTS:
            self.toasts.popitem(last=False)
