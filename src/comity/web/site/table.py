"""Every route there is, and who may: the one place where that is said. A route that is not here cannot be built."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from comity.core.access import STAFF, May, Role, Scope, roles_that

EVERYBODY: Final = frozenset(Role)


class Refusal(StrEnum):
    """What somebody gets who may not. Whoever is known gets the same as for a page that does not exist."""

    NONE = "none"  # the page is for anybody
    SIGN_IN = "sign in"  # staff: to the sign-in if nobody is signed in
    LINK = "link"  # members: how to get a link
    TOKEN = "token"  # the API: as JSON  # noqa: S105  no password


class Entry(NamedTuple):
    """One route.

    name: what a page registers itself by; path: as Starlette has it, ``{community:int}`` where the page is of one
    community; roles: who may, held in that community, or in any where the path names none; methods: GET, or POST;
    limit: of ``limits.LIMITS``; nav: key of its text in the navigation, "" if it is not there; scope: what a token
    needs; most: bytes that may be sent along.
    """

    name: str
    path: str
    roles: frozenset[Role]
    refusal: Refusal
    methods: tuple[str, ...] = ("GET",)
    limit: str = "page"
    nav: str = ""
    scope: Scope | None = None
    most: int = 1 << 20

    @property
    def api(self) -> bool:
        """Whether it is answered by values, and not by a page."""
        return self.path.startswith("/api/")

    @property
    def of_community(self) -> bool:
        """Whether the page is of one community, named in its path."""
        return "{community:int}" in self.path


_LOGS: Final = 64 << 20  # bytes of chats that charters are compared over
_GET: Final = ("GET",)
_POST: Final = ("POST",)
_BOTH: Final = ("GET", "POST")


def _anybody(name: str, path: str, methods: tuple[str, ...] = _GET, limit: str = "page") -> Entry:
    return Entry(name, path, EVERYBODY, Refusal.NONE, methods, limit)


def _staff(
    name: str, path: str, methods: tuple[str, ...] = _GET, *, may: May | None = None, nav: str = "", limit: str = "page"
) -> Entry:
    roles = frozenset(STAFF) if may is None else roles_that(may) - {Role.MEMBER}
    return Entry(name, path, roles, Refusal.SIGN_IN, methods, limit, nav)


def _member(name: str, path: str, methods: tuple[str, ...] = _GET, *, nav: str = "", limit: str = "page") -> Entry:
    return Entry(name, path, roles_that(May.OWN), Refusal.LINK, methods, limit, nav)


def _api(name: str, path: str, methods: tuple[str, ...], scope: Scope, may: May | None = None) -> Entry:
    roles = frozenset(STAFF) if may is None else roles_that(may) - {Role.MEMBER}
    return Entry(f"api-{name}", f"/api/v1{path}", roles, Refusal.TOKEN, methods, "api", scope=scope)


def _api_me(name: str, path: str, methods: tuple[str, ...] = _GET) -> Entry:
    return Entry(f"api-{name}", f"/api/v1{path}", roles_that(May.OWN), Refusal.LINK, methods, "api")


_IN: Final = "/communities/{community:int}"
_CASE: Final = f"{_IN}/queue/{{item}}"
_MEMBER: Final = f"{_IN}/members/{{member:int}}"
TABLE: Final = (
    _anybody("static", "/static/{file:path}", limit="static"),
    _anybody("preferences", "/preferences", _POST),
    # Sign-in of staff.
    _anybody("sign-in", "/console/sign-in"),
    _anybody("passkey-ask", "/console/sign-in/passkey/ask", _POST, "sign-in"),
    _anybody("passkey-answer", "/console/sign-in/passkey/answer", _POST, "sign-in"),
    _anybody("provider-go", "/console/sign-in/provider", _POST, "sign-in"),
    _anybody("provider-back", "/console/sign-in/provider/back", _GET, "sign-in"),
    _anybody("enrol", "/console/enrol/{secret}", _GET, "link"),
    _anybody("enrol-ask", "/console/enrol/{secret}/ask", _POST, "sign-in"),
    _anybody("enrol-answer", "/console/enrol/{secret}/answer", _POST, "sign-in"),
    _anybody("enrol-provider", "/console/enrol/{secret}/provider", _POST, "sign-in"),
    # What everybody of the staff has.
    _staff("console", "/console"),
    _staff("live", "/console/live"),
    _staff("sign-out", "/console/sign-out", _POST),
    _staff("account", "/console/account", nav="nav account"),
    _staff("passkey-add-ask", "/console/account/passkey/ask", _POST),
    _staff("passkey-add", "/console/account/passkey/answer", _POST),
    _staff("member-name", "/console/account/member", _POST),
    _staff("way-drop", "/console/account/way/drop", _POST),
    _staff("session-end", "/console/account/session/end", _POST),
    _staff("sessions-end", "/console/account/sessions/end", _POST),
    # A community.
    _staff("overview", "/console/{community:int}", nav="nav overview"),
    _staff("queue", "/console/{community:int}/queue", may=May.HEAR, nav="nav queue", limit="search"),
    _staff("together", "/console/{community:int}/queue/together", _BOTH, may=May.HEAR),
    _staff("undo", "/console/{community:int}/queue/undo", _POST, may=May.HEAR),
    _staff("case", "/console/{community:int}/case/{item}", may=May.HEAR),
    _staff("case-decide", "/console/{community:int}/case/{item}/decide", _POST, may=May.HEAR),
    _staff("case-preview", "/console/{community:int}/case/{item}/preview", _POST, may=May.HEAR, limit="search"),
    _staff("case-lock", "/console/{community:int}/case/{item}/lock", _POST, may=May.HEAR),
    _staff("case-release", "/console/{community:int}/case/{item}/release", _POST, may=May.HEAR),
    _staff("case-skip", "/console/{community:int}/case/{item}/skip", _POST, may=May.HEAR),
    _staff("templates", "/console/{community:int}/templates", _BOTH, may=May.DECIDE, nav="nav templates"),
    _staff("template-check", "/console/{community:int}/templates/check", _POST, may=May.DECIDE, limit="search"),
    _staff("members", "/console/{community:int}/members", may=May.LOOK, nav="nav members", limit="search"),
    _staff("member-file", "/console/{community:int}/members/{number:int}", may=May.LOOK),
    _staff("member-look", "/console/{community:int}/members/{number:int}/look", _POST, may=May.LOOK),
    _staff("deputy", "/console/{community:int}/members/{number:int}/deputy", _POST, may=May.DECIDE),
    _staff("charter", "/console/{community:int}/charter", may=May.CHARTER, nav="nav charter"),
    _staff("charter-draft", "/console/{community:int}/charter/draft", _POST, may=May.CHARTER, limit="search"),
    _staff("charter-discard", "/console/{community:int}/charter/discard", _POST, may=May.CHARTER),
    _staff("charter-clause", "/console/{community:int}/charter/clause/{place:int}", _BOTH, may=May.CHARTER),
    _staff("charter-try", "/console/{community:int}/charter/try", _BOTH, may=May.CHARTER, limit="search"),
    _staff("charter-review", "/console/{community:int}/charter/review", may=May.CHARTER),
    _staff("charter-propose", "/console/{community:int}/charter/propose", _POST, may=May.CHARTER),
    _staff("charter-proposal", "/console/{community:int}/charter/proposal/{number:int}", _BOTH, may=May.CHARTER),
    _staff("charter-publish", "/console/{community:int}/charter/publish", _POST, may=May.ADOPT),
    _staff("charter-compare", "/console/{community:int}/charter/compare", _BOTH, may=May.CHARTER)._replace(most=_LOGS),
    _staff("charter-comparison", "/console/{community:int}/charter/compare/{number:int}", _BOTH, may=May.CHARTER),
    _staff("charter-versions", "/console/{community:int}/charter/versions", may=May.CHARTER),
    _staff("charter-version", "/console/{community:int}/charter/versions/{number:int}", _BOTH, may=May.CHARTER),
    _staff("clause-shadow", "/console/{community:int}/charter/shadow", _POST, may=May.ADOPT),
    _staff("precision", "/console/{community:int}/precision", may=May.FIGURES, nav="nav precision"),
    _staff("looks", "/console/{community:int}/looks", may=May.AUDIT, nav="nav looks"),
    _staff("staff", "/console/{community:int}/staff", may=May.STAFF, nav="nav staff", limit="search"),
    _staff("staff-add", "/console/{community:int}/staff/add", _POST, may=May.STAFF),
    _staff("staff-role", "/console/{community:int}/staff/role", _POST, may=May.STAFF),
    _staff("staff-invite", "/console/{community:int}/staff/invite", _POST, may=May.STAFF),
    _staff("acts", "/console/{community:int}/staff/acts", may=May.AUDIT, nav="nav acts"),
    _staff("tokens", "/console/{community:int}/tokens", _BOTH, may=May.TOKENS, nav="nav tokens"),
    _staff("webhooks", "/console/{community:int}/webhooks", _BOTH, may=May.TOKENS, nav="nav webhooks"),
    _staff("webhook-change", "/console/{community:int}/webhooks/change", _POST, may=May.TOKENS),
    _staff("token-end", "/console/{community:int}/tokens/end", _POST, may=May.TOKENS),
    # Everybody.
    _anybody("c", "/c/{slug}"),
    # Members.
    _anybody("me-enter", "/me/in/{token}", _BOTH, "link"),
    _member("me", "/me", nav="nav me"),
    _member("me-entries", "/me/entries", nav="nav me entries"),
    _member("me-decisions", "/me/decisions", nav="nav me decisions"),
    _member("me-decision", "/me/decision/{number:int}"),
    _member("me-decision-appeal", "/me/decision/{number:int}/appeal", _POST, limit="search"),
    _member("me-appeals", "/me/appeals", nav="nav me appeals"),
    _member("me-appeal", "/me/appeal/{number:int}"),
    _member("me-appeal-add", "/me/appeal/{number:int}/add", _POST, limit="search"),
    _member("me-appeal-withdraw", "/me/appeal/{number:int}/withdraw", _POST),
    _member("me-report", "/me/report", nav="nav me report"),
    _member("me-report-send", "/me/report/send", _POST, limit="link"),
    _member("me-reported", "/me/report/{number:int}"),
    _member("me-reported-appeal", "/me/report/{number:int}/appeal", _POST, limit="search"),
    _member("me-data", "/me/data", nav="nav me data"),
    _member("me-download", "/me/data/download", limit="link"),
    _member("me-looks", "/me/looks"),
    _member("me-forget", "/me/forget"),
    _member("me-forget-now", "/me/forget/now", _POST),
    _member("me-sessions", "/me/sessions", nav="nav sessions"),
    _member("me-sessions-end", "/me/sessions/end", _POST),
    _member("me-sign-out", "/me/sign-out", _POST),
    # The API; what a token may be used for must hold what the call asks for.
    _anybody("api", "/api/v1/openapi.json"),
    _anybody("api-docs", "/api/v1/docs"),
    _api("communities", "/communities", _GET, Scope.READ),
    _api("overview", f"{_IN}/overview", _GET, Scope.READ, May.FIGURES),
    _api("precision", f"{_IN}/precision", _GET, Scope.READ, May.FIGURES),
    _api("queue", f"{_IN}/queue", _GET, Scope.DECIDE, May.HEAR),
    _api("case", _CASE, _GET, Scope.DECIDE, May.HEAR),
    _api("lock", f"{_CASE}/lock", _POST, Scope.DECIDE, May.HEAR),
    _api("release", f"{_CASE}/release", _POST, Scope.DECIDE, May.HEAR),
    _api("skip", f"{_CASE}/skip", _POST, Scope.DECIDE, May.HEAR),
    _api("decide", f"{_CASE}/verdict", _POST, Scope.DECIDE, May.HEAR),
    _api("preview", f"{_CASE}/preview", _POST, Scope.DECIDE, May.HEAR),
    _api("verdicts", f"{_IN}/verdicts", _GET, Scope.DECIDE, May.HEAR),
    _api("verdict", f"{_IN}/verdicts/{{number:int}}", _GET, Scope.DECIDE, May.HEAR),
    _api("undo", f"{_IN}/verdicts/{{number:int}}/undo", _POST, Scope.DECIDE, May.HEAR),
    _api("decisions", f"{_IN}/decisions", _GET, Scope.READ, May.AUDIT),
    _api("decision", f"{_IN}/decisions/{{number:int}}", _GET, Scope.READ, May.AUDIT),
    _api("statement", f"{_IN}/decisions/{{number:int}}/statement", _GET, Scope.READ, May.AUDIT),
    _api("reports", f"{_IN}/reports", _GET, Scope.DECIDE, May.DECIDE),
    _api("report-make", f"{_IN}/reports", _POST, Scope.REPORT),
    _api("report", f"{_IN}/reports/{{number:int}}", _GET, Scope.DECIDE, May.DECIDE),
    _api("outcome", f"{_IN}/reports/{{number:int}}/outcome", _GET, Scope.REPORT),
    _api("appeals", f"{_IN}/appeals", _GET, Scope.DECIDE, May.HEAR),
    _api("appeal", f"{_IN}/appeals/{{number:int}}", _GET, Scope.DECIDE, May.HEAR),
    _api("members", f"{_IN}/members", _GET, Scope.DECIDE, May.LOOK),
    _api("look", f"{_MEMBER}/looks", _POST, Scope.DECIDE, May.LOOK),
    _api("member", _MEMBER, _GET, Scope.DECIDE, May.LOOK),
    _api("findings", f"{_MEMBER}/findings", _GET, Scope.DECIDE, May.LOOK),
    _api("looks", f"{_IN}/looks", _GET, Scope.READ, May.AUDIT),
    _api("charter", f"{_IN}/charter", _GET, Scope.READ),
    _api("charter-check", f"{_IN}/charter/check", _POST, Scope.READ, May.CHARTER),
    _api("versions", f"{_IN}/charter/versions", _GET, Scope.READ),
    _api("version", f"{_IN}/charter/versions/{{number:int}}", _GET, Scope.READ),
    _api("templates", f"{_IN}/templates", _GET, Scope.DECIDE, May.DECIDE),
    _api("template-save", f"{_IN}/templates", _POST, Scope.DECIDE, May.DECIDE),
    _api_me("me", "/me"),
    _api_me("me-decisions", "/me/decisions"),
    _api_me("me-appeals", "/me/appeals"),
    _api_me("me-appeal", "/me/appeals", _POST),
    _api_me("me-evidence", "/me/appeals/{number:int}/evidence", _POST),
    _api_me("me-withdraw", "/me/appeals/{number:int}/withdraw", _POST),
)  # fmt: skip
BY_NAME: Final[Mapping[str, Entry]] = {entry.name: entry for entry in TABLE}


def matrix() -> dict[str, dict[Role, bool]]:
    """For every route: which role may."""
    return {entry.name: {role: role in entry.roles for role in Role} for entry in TABLE}
