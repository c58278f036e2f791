"""What everybody of the staff has: ways in, sessions, and tokens for the API."""

import datetime as dt
from collections.abc import Sequence
from typing import Final, NamedTuple

from starlette.responses import Response

from comity.core.access import Scope
from comity.stores.access_contract import PasskeyRow, SessionRow, SubjectRow, TokenRow
from comity.stores.contract import Refusal
from comity.web.site import passkeys, sessions, signin
from comity.web.site.context import Context, Toast
from comity.web.site.entering import whose
from comity.web.site.readers import ReadingStore

_DAYS: Final = 365
_LABEL: Final = 60


class Mine(NamedTuple):
    """What a person has."""

    passkeys: Sequence[PasskeyRow]
    subjects: Sequence[SubjectRow]
    sessions: Sequence[SessionRow]


async def account(context: Context) -> Response:
    """Ways in and sessions."""
    person, at = context.person.number, context.at

    def ask(store: ReadingStore) -> Mine:
        access = store.access
        return Mine(access.passkeys(person), access.subjects(person), access.sessions(at, person=person))

    provider = context.site.provider
    return context.render("account.html", mine=await context.read(ask), provider=provider.name if provider else "")


async def passkey_ask(context: Context) -> Response:
    """Ask for a further passkey."""
    return await signin.begin_passkey(context, context.person, "further passkey")


async def passkey_add(context: Context) -> Response:
    """Keep a further passkey."""
    person, held, here = context.person, context.end_flow("further passkey"), context.url("account")
    if held is None or held[0] != person.number:
        return context.done(here, Toast(context.t("way refused"), good=False))
    label = sessions.browser(context.request)
    key = passkeys.new(
        signin.party(context),
        held[1],
        context.given("answer", 20_000),
        person=person.number,
        label=label,
        at=context.at,
    )
    if key is None or not context.access.enrol_passkey(None, key):
        return context.done(here, Toast(context.t("way refused"), good=False))
    return context.done(here, context.t("way added"))


async def way_drop(context: Context) -> Response:
    """Remove a passkey or an account, but never the last way in."""
    done = context.access.drop_way_in(
        context.person.number, _bytes(context.given("way")), context.person.name, context.at
    )
    return _said(context, "account", "way dropped", done=done, refused="last way in")


async def member_name(context: Context) -> Response:
    """Say which member one is: whoever has a member's link is that member."""
    found = await whose(context, context.given("link").rpartition("/")[2])
    if found is None or found.said.community not in context.known.roles:
        return context.done(context.url("account"), Toast(context.t("also member not"), good=False))
    context.access.name_member(context.person.number, found.member, context.person.name, context.at)
    return context.done(context.url("account"), context.t("also member now"))


async def session_end(context: Context) -> Response:
    """End one of the own sessions."""
    wanted = _bytes(context.given("session"))
    own = context.access.sessions(context.at, person=context.person.number)
    done = wanted in {session.hash for session in own} and context.access.end_session(wanted)
    return _said(context, "account", "session ended", done=done)


async def sessions_end(context: Context) -> Response:
    """Sign out everywhere else."""
    ended = context.access.end_sessions(person=context.person.number, but=context.known.session.hash)
    return context.done(context.url("account"), context.t("sessions ended", n=ended))


async def tokens(context: Context) -> Response:
    """The tokens of a community, and making one: its secret is on the answer, and nowhere else."""
    made = ""
    problems: dict[str, str] = {}
    if context.request.method == "POST":
        label, days = context.given("label", _LABEL), context.given("days")
        scopes = frozenset(scope for scope in Scope if context.given(f"scope-{scope}"))
        if not label:
            problems["label"] = context.t("token label")
        if not days.isdecimal() or not 1 <= int(days) <= _DAYS:
            problems["days"] = f"1 – {_DAYS}"
        if not scopes:
            problems["scopes"] = context.t("scopes")
        if not problems:
            made = f"comity_{sessions.new_secret()}"
            until = context.at + sessions.span(dt.timedelta(days=int(days)))
            context.access.add_token(
                TokenRow(
                    0,
                    sessions.hashed(made),
                    context.person.number,
                    context.community,
                    label,
                    scopes,
                    context.at,
                    until,
                    0,
                )
            )
    person, at, community = context.person.number, context.at, context.community
    rows = await context.read(
        lambda store: [token for token in store.access.tokens(person, at) if token.community == community]
    )
    return context.render(
        "tokens.html", 400 if problems else 200, made=made, problems=problems, rows=rows, scopes=tuple(Scope)
    )


async def token_end(context: Context) -> Response:
    """End one of the own tokens."""
    number = context.given("token")
    done = number.isdecimal() and context.access.end_token(context.person.number, int(number))
    return _said(context, "tokens", "token ended", done=done)


def _said(context: Context, page: str, text: str, *, done: bool | Refusal, refused: str = "") -> Response:
    """Back to the page: done, refused, or not there, which is the same as not theirs."""
    if isinstance(done, Refusal):
        return context.done(context.url(page), Toast(context.t(refused), good=False))
    return context.done(context.url(page), context.t(text)) if done else context.not_there()


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


PAGES: Final = {
    "account": account,
    "passkey-add-ask": passkey_ask,
    "passkey-add": passkey_add,
    "member-name": member_name,
    "way-drop": way_drop,
    "session-end": session_end,
    "sessions-end": sessions_end,
    "tokens": tokens,
    "token-end": token_end,
}
