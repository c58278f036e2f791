"""The site: its routes, made of the table and the pages that are registered for it."""

import datetime as dt
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.routing import BaseRoute, Route
from structlog.typing import FilteringBoundLogger

from comity.core.access import STAFF, Role
from comity.stores.live_contract import LiveStore
from comity.web.site import account, entering, frame, live, overview, provider, signin, staff
from comity.web.site.context import Toast
from comity.web.site.gate import Gate, Page
from comity.web.site.limits import Limits
from comity.web.site.live import Live
from comity.web.site.provider import Provider
from comity.web.site.readers import Readers
from comity.web.site.sessions import Cookies
from comity.web.site.signin import Flows
from comity.web.site.table import TABLE, Entry, Refusal

_TOASTS: Final = 10_000  # sessions that something is to be said to
# Pages by the name of their entry. A module of pages has its own PAGES, and stands here.
PAGES: Final[Mapping[str, Page]] = {
    **frame.PAGES,
    **signin.PAGES,
    **provider.PAGES,
    **account.PAGES,
    **staff.PAGES,
    **overview.PAGES,
    **entering.PAGES,
    "live": live.stream,
}


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

    def routes(self, pages: Mapping[str, Page] = PAGES) -> Sequence[BaseRoute]:
        """All routes. Raises ValueError if a page has no entry in the table, or an entry no page."""
        names = {entry.name for entry in TABLE}
        if wrong := sorted(names ^ pages.keys()):
            raise ValueError(f"these have an entry in the table or a page, and not both: {', '.join(wrong)}")
        if len(names) != len(TABLE):
            raise ValueError("two entries of the table have the same name")
        made = [Route(entry.path, Gate(self, entry, pages[entry.name]), methods=list(entry.methods)) for entry in TABLE]
        # What is not in the table is refused as what is not theirs, to whoever asks.
        nowhere = (
            Entry("nowhere in the console", "/console/{rest:path}", frozenset(STAFF), Refusal.SIGN_IN),
            Entry("nowhere of members", "/me/{rest:path}", frozenset({Role.MEMBER}), Refusal.LINK),
            Entry("me", "/me", frozenset({Role.MEMBER}), Refusal.LINK),
        )
        taken = {entry.path for entry in TABLE}
        rest = [Route(entry.path, Gate(self, entry, None)) for entry in nowhere if entry.path not in taken]
        return [*made, *rest]
