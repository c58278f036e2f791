"""The site's routes, made of the table and the pages that are registered for it."""

from collections.abc import Mapping, Sequence
from typing import Final

from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import BaseRoute, Route

from comity.core.access import STAFF, Role
from comity.web.api import calls
from comity.web.site import (
    account,
    cases,
    charter,
    entering,
    frame,
    member,
    member_data,
    member_decisions,
    member_reports,
    members,
    overview,
    precision,
    provider,
    public,
    publishing,
    queue,
    reasons,
    signin,
    staff,
    stream,
    webhooks,
)
from comity.web.site.gate import Gate, Page
from comity.web.site.shared import Site
from comity.web.site.table import TABLE, Entry, Refusal

# Pages by the name of their entry. A module of pages has its own PAGES, and stands here.
PAGES: Final[Mapping[str, Page]] = {
    **frame.PAGES,
    **signin.PAGES,
    **provider.PAGES,
    **account.PAGES,
    **staff.PAGES,
    **overview.PAGES,
    **members.PAGES,
    **charter.PAGES,
    **publishing.PAGES,
    **precision.PAGES,
    **public.PAGES,
    **queue.PAGES,
    **cases.PAGES,
    **reasons.PAGES,
    **entering.PAGES,
    **member.PAGES,
    **member_decisions.PAGES,
    **member_reports.PAGES,
    **member_data.PAGES,
    **stream.PAGES,
    **webhooks.PAGES,
    **calls.PAGES,
}
# What is not in the table is refused as what is not theirs, to whoever asks.
_NOWHERE: Final = (
    Entry("nowhere in the API", "/api/{rest:all}", frozenset(STAFF), Refusal.TOKEN, limit="api"),
    Entry("nowhere in the console", "/console/{rest:all}", frozenset(STAFF), Refusal.SIGN_IN),
    Entry("nowhere of members", "/me/{rest:all}", frozenset({Role.MEMBER}), Refusal.LINK),
)


class _Number(Convertor[int]):
    """A number that every store can hold. Starlette's own takes any length, and fails where Python does not."""

    regex = "[0-9]{1,15}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


class _All(Convertor[str]):
    """Anything. Starlette's own ends where a line does."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("number", _Number())
register_url_convertor("all", _All())


def routes(site: Site, pages: Mapping[str, Page] = PAGES) -> Sequence[BaseRoute]:
    """All routes. Raises ValueError if a page has no entry in the table, or an entry no page."""
    names = {entry.name for entry in TABLE}
    if wrong := sorted(names ^ pages.keys()):
        raise ValueError(f"these have an entry in the table or a page, and not both: {', '.join(wrong)}")
    if len(names) != len(TABLE):
        raise ValueError("two entries of the table have the same name")
    made = [Route(_path(entry), Gate(site, entry, pages[entry.name]), methods=list(entry.methods)) for entry in TABLE]
    taken = {entry.path for entry in TABLE}
    left = [(entry, calls.nowhere if entry.api else None) for entry in _NOWHERE if entry.path not in taken]
    return [*made, *(Route(entry.path, Gate(site, entry, page)) for entry, page in left)]


def _path(entry: Entry) -> str:
    return entry.path.replace(":int}", ":number}")
