"""What a page gets: who asks, in which community, how to read and act, and how to answer."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from comity.core.access import May, Role, may
from comity.core.who import Who
from comity.stores.access_contract import Access, PersonRow, TokenRow
from comity.web.api.problems import problem
from comity.web.site import render
from comity.web.site.flows import FLOW
from comity.web.site.readers import ReadingStore
from comity.web.site.sessions import Seen, csrf
from comity.web.site.shared import Site, Toast
from comity.web.site.table import BY_NAME, TABLE, Entry, Refusal
from comity.web.site.texts import LANGUAGES, catalogue

if TYPE_CHECKING:
    from comity.runner.office import Office

T = TypeVar("T")
__all__ = ["Context", "Toast"]
_SEE_OTHER: Final = 303


@dataclass(slots=True, kw_only=True)
class Context:
    """One request, checked: whoever reaches a page may see it.

    secret: the session's, "" without one; seen: who asks, None on pages for anybody; community: its number, of the path
    or of the member, 0 where the page is of none; token: the API's; form: what was sent along.
    """

    site: Site
    request: Request
    entry: Entry
    now: dt.datetime
    language: str
    theme: str
    secret: str = field(default="", repr=False)
    seen: Seen | None = None
    token: TokenRow | None = None
    community: int = 0
    form: FormData = field(default_factory=FormData, repr=False)

    # Who asks.

    @property
    def known(self) -> Seen:
        """Who asks. Raises LookupError on a page for anybody."""
        if self.seen is None:
            raise LookupError(f"{self.entry.name} is for anybody: nobody is known there")
        return self.seen

    @property
    def person(self) -> PersonRow:
        """Who of the staff asks. Raises LookupError where it is nobody of it."""
        if self.known.person is None:
            raise LookupError(f"{self.entry.name} is no page of the staff")
        return self.known.person

    @property
    def member(self) -> int:
        """The number of the member who asks. Raises LookupError where it is no member."""
        if self.known.session.member is None:
            raise LookupError(f"{self.entry.name} is no member's page")
        return self.known.session.member

    @property
    def roles(self) -> frozenset[Role]:
        """What whoever asks is, in this page's community."""
        return self.known.roles.get(self.community, frozenset()) if self.seen else frozenset()

    @property
    def who(self) -> Who:
        """How what they do here is signed; ``Office`` takes it as ``by``."""
        return self.known.who(self.community)

    def may(self, what: May) -> bool:
        """Whether they may do this in this page's community."""
        return may(self.roles, what)

    # Reading and acting.

    async def read(self, ask: Callable[[ReadingStore], T]) -> T:
        """What ``ask`` gives for the store, read beside the loop; it must take nothing of the store along."""
        return await self.site.readers.run(ask)

    @property
    def access(self) -> Access:
        """People and their ways in, to be changed; in the loop, and without ``await`` within one change."""
        return self.site.store.access

    @property
    def office(self) -> "Office":
        """What changes anything else. Raises LookupError if there is none, as in a process that only shows."""
        if self.site.office is None:
            raise LookupError("this process has no office: it shows, and does not act")
        return self.site.office

    @property
    def at(self) -> int:
        """Now, in milliseconds since 1970."""
        return round(self.now.timestamp() * 1000)

    def given(self, name: str, most: int = 2000) -> str:
        """A field of the form as text without space around it, "" if it is missing; cut at ``most`` characters."""
        value = self.form.get(name, "")
        return value.strip()[:most] if isinstance(value, str) else ""

    def asked(self, name: str, most: int = 200) -> str:
        """The same of the address's query."""
        return self.request.query_params.get(name, "").strip()[:most]

    # Sign-ins under way.

    def begin_flow(self, response: Response, what: str, held: object, *, strict: bool = True) -> None:
        """Remember what the end must match, and whose browser it is; strict: no other site leads back to us."""
        secret = self.site.flows.begin(what, held)
        self.site.cookies.put(response, "flow", secret, strict=strict, seconds=int(FLOW))

    def end_flow(self, what: str) -> Any:  # noqa: ANN401  what was begun
        """What was to be matched; None if nothing of the kind was begun in this browser. It can be asked for once."""
        return self.site.flows.end(self.site.cookies.get(self.request, "flow"), what)

    # Answering.

    def t(self, key: str, /, **values: object) -> str:
        """A text in the language of whoever asks. Raises KeyError if there is none, or a value is missing."""
        return catalogue(self.language)[key].format(**values)

    def url(self, name: str, **values: object) -> str:
        """The address of a page by its name; ``community`` is this page's unless given. Raises KeyError."""
        parts = {"community": self.community, **values}
        path = BY_NAME[name].path
        for key, value in parts.items():
            for form in (f"{{{key}:int}}", f"{{{key}:path}}", f"{{{key}}}"):
                path = path.replace(form, quote(str(value), safe="/" if form.endswith(":path}") else ""))
        if "{" in path:
            raise KeyError(f"the address of {name} needs more than {sorted(parts)}: {path}")
        return path

    @property
    def csrf(self) -> str:
        """What every form carries as ``csrf``, and every script as the header ``X-CSRF``."""
        return csrf(self.secret) if self.secret else ""

    @property
    def partial(self) -> bool:
        """Whether a script asks for a part of the page (HTMX), which gets no frame around it."""
        return self.request.headers.get("hx-request") == "true" and "hx-boosted" not in self.request.headers

    def render(self, template: str, status: int = 200, /, **values: Any) -> Response:  # noqa: ANN401  what it shows
        """A page; its template has ``ctx`` (this), ``t``, ``url``, ``now``, ``toasts``, and the values."""
        return render.html(
            template,
            status,
            ctx=self,
            t=self.t,
            url=self.url,
            now=self.now,
            language=self.language,
            toasts=self.site.toasts.pop(self.key, []) if not self.partial else [],
            **values,
        )

    def go(self, to: str) -> Response:
        """To another page of ours, after something was done."""
        return RedirectResponse(to, _SEE_OTHER, headers=dict(render.HEADERS))

    def done(self, to: str, toast: Toast | str) -> Response:
        """The same, and there this is said once."""
        self.site.toast(self.key, Toast(toast) if isinstance(toast, str) else toast)
        return self.go(to)

    def not_there(self) -> Response:
        """What is not there, or not theirs: the same answer to the letter."""
        return self.sorry("not there", 404)

    def sorry(self, key: str, status: int, **values: object) -> Response:
        """A page that says what is wrong; key: of a text, and with `` why`` behind it of a second one."""
        if self.entry.api:
            return problem(status, f"{self.t(key)}. {self.t(f'{key} why', **values)}")
        return self.render("sorry.html", status, title=self.t(key), why=self.t(f"{key} why", **values))

    @property
    def key(self) -> bytes:
        """What toasts are kept under: the session, b"" without one."""
        return self.seen.session.hash if self.seen else b""

    # For the frame.

    @property
    def keys(self) -> bool:
        """Whether letters are keys; they can be switched off (WCAG 2.2, criterion 2.1.4)."""
        return self.site.cookies.get(self.request, "keys") != "off"

    @property
    def members_page(self) -> bool:
        """Whether this is one of the members' pages."""
        return self.entry.refusal is Refusal.LINK or self.entry.path.startswith("/me")

    @property
    def navigation(self) -> list[tuple[str, str, bool]]:
        """Address, text and whether one is there: the pages that whoever asks may go to from here."""
        if self.seen is None:
            return []
        mine = Refusal.LINK if self.seen.person is None else Refusal.SIGN_IN
        # A page of no community leads to those of the first one.
        here = self.community or next((number for number, _ in self.communities), 0)
        roles = self.seen.roles.get(here, frozenset())
        shown = [e for e in TABLE if e.nav and e.refusal is mine and (e.roles & roles or not e.of_community)]
        shown.sort(key=lambda entry: not entry.of_community)
        return [(self.url(e.name, community=here), self.t(e.nav), e.name == self.entry.name) for e in shown]

    @property
    def communities(self) -> list[tuple[int, str]]:
        """Where whoever asks is something, by name: number and name."""
        if self.seen is None:
            return []
        names = self.site.communities
        return sorted(((c, names.get(c, str(c))) for c in self.seen.roles), key=lambda pair: pair[1])

    @property
    def community_name(self) -> str:
        """The name of this page's community, "" where it is of none."""
        return self.site.communities.get(self.community, "")

    @property
    def languages(self) -> Mapping[str, str]:
        """What can be chosen, by tag."""
        return LANGUAGES
