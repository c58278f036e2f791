"""Sign-in and enrolment of staff by passkey, and the end of a session."""

from typing import Final

from starlette.responses import Response

from comity.stores.access_contract import PersonRow
from comity.web.site import passkeys, render, sessions
from comity.web.site.context import Context
from comity.web.site.passkeys import Party
from comity.web.site.readers import ReadingStore


def party(context: Context) -> Party:
    """Whom passkeys are for."""
    return Party(context.site.host, context.site.origin)


async def sign_in(context: Context) -> Response:
    """The page to sign in on."""
    if context.seen is not None:
        return context.go(context.url("console"))
    provider = context.site.provider
    refused = "refused" in context.request.query_params
    return context.render(
        "sign_in.html", 403 if refused else 200, provider=provider.name if provider else "", refused=refused
    )


async def ask(context: Context) -> Response:
    """A challenge for whatever passkey the browser has."""
    asked = passkeys.ask(party(context))
    response = _json(asked.options)
    context.begin_flow(response, "passkey", asked.challenge)
    return response


async def answer(context: Context) -> Response:
    """Sign in whoever answers it."""
    challenge, given = context.end_flow("passkey"), context.given("answer", 20_000)
    key = await context.read(lambda store: store.access.passkey(passkeys.which(given)))
    signs = passkeys.signs(party(context), challenge, given, key) if challenge and key else None
    if key is None or signs is None:
        return refused(context)
    context.access.passkey_used(key.id, signs, context.at)
    return signed_in(context, key.person, "passkey")


async def enrol(context: Context) -> Response:
    """The page of an enrolment link."""
    person = await invited(context)
    if person is None:
        return context.sorry("enrol over", 404)
    provider = context.site.provider
    secret = context.request.path_params["secret"]
    return context.render("enrol.html", person=person, secret=secret, provider=provider.name if provider else "")


async def enrol_ask(context: Context) -> Response:
    """Ask for the first passkey."""
    person = await invited(context)
    if person is None:
        return context.sorry("enrol over", 404)
    return await begin_passkey(context, person, "enrol")


async def enrol_answer(context: Context) -> Response:
    """Keep the first passkey, and sign in."""
    person, held = await invited(context), context.end_flow("enrol")
    if person is None or held is None or held[0] != person.number:
        return refused(context)
    key = passkeys.new(
        party(context),
        held[1],
        context.given("answer", 20_000),
        person=person.number,
        label=sessions.browser(context.request),
        at=context.at,
    )
    if key is None or not context.access.enrol_passkey(enrolment(context), key):
        return refused(context)
    return signed_in(context, person.number, "passkey")


async def begin_passkey(context: Context, person: PersonRow, what: str) -> Response:
    """Ask for a new passkey of this person."""
    has = await context.read(lambda store: store.access.passkeys(person.number))
    asked = passkeys.ask_new(party(context), person, has)
    response = _json(asked.options)
    context.begin_flow(response, what, (person.number, asked.challenge))
    return response


def enrolment(context: Context) -> bytes:
    """The hash of the secret in an enrolment link."""
    return sessions.hashed(context.request.path_params["secret"])


async def invited(context: Context) -> PersonRow | None:
    """Whose enrolment link this is, if it is still good."""
    secret, at = enrolment(context), context.at

    def ask(store: ReadingStore) -> PersonRow | None:
        number = store.access.enrolling(secret, at)
        return None if number is None else store.access.person(number)

    return await context.read(ask)


def signed_in(context: Context, person: int, how: str, *, to: str = "") -> Response:
    """Open a new session, whatever session there was: that one ends."""
    old = context.site.cookies.get(context.request, "staff")
    if old:
        context.access.end_session(sessions.hashed(old))
    secret = sessions.opened(
        context.access, context.now, how=how, label=sessions.browser(context.request), person=person
    )
    response = context.render("bounce.html", to=to or context.url("console"))
    context.site.cookies.put(response, "staff", secret, seconds=int(sessions.STAFF_MOST.total_seconds()))
    context.site.cookies.drop(response, "flow")
    return response


def refused(context: Context) -> Response:
    """The same for every reason: a key nobody has, a wrong answer, an old challenge."""
    return context.go(context.url("sign-in") + "?refused")


async def sign_out(context: Context) -> Response:
    """End this session."""
    context.access.end_session(context.known.session.hash)
    response = context.go(context.url("sign-in"))
    context.site.cookies.drop(response, "staff")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _json(text: str) -> Response:
    return Response(text, media_type="application/json", headers=dict(render.HEADERS))


PAGES: Final = {
    "sign-in": sign_in,
    "passkey-ask": ask,
    "passkey-answer": answer,
    "enrol": enrol,
    "enrol-ask": enrol_ask,
    "enrol-answer": enrol_answer,
    "sign-out": sign_out,
}
