"""Sign-in and enrolment of staff at a provider."""

from typing import Final

from starlette.responses import Response

from comity.web.site.context import Context
from comity.web.site.signin import enrolment, invited, refused, signed_in


async def go(context: Context) -> Response:
    """Send whoever wants to sign in to the provider."""
    return await _go(context)


async def enrol(context: Context) -> Response:
    """Send whoever enrols to the provider."""
    person = await invited(context)
    if person is None:
        return context.sorry("enrol over", 404)
    return await _go(context, person.number, enrolment(context))


async def _go(context: Context, person: int = 0, secret: bytes = b"") -> Response:
    provider = context.site.provider
    if provider is None:
        return context.not_there()
    where, begun = await provider.begin(person, secret)
    # Not a redirect: the policy lets forms lead to pages of ours only, and redirects of forms count as that.
    response = context.render("bounce.html", to=where)
    context.begin_flow(response, "provider", begun, strict=False)
    return response


async def back(context: Context) -> Response:
    """Whoever comes back from the provider is signed in, or enrolled."""
    provider, begun = context.site.provider, context.end_flow("provider")
    if provider is None or begun is None:
        return refused(context)
    subject = await provider.subject(
        begun, context.asked("state", 500), context.asked("code", 4000), context.asked("iss", 500)
    )
    if subject is None:
        return refused(context)
    if begun.person:
        if not context.access.enrol_subject(begun.enrolment, subject, begun.person, context.at):
            return refused(context)
        return signed_in(context, begun.person, "provider")
    person = context.access.subject_used(subject, context.at)
    return refused(context) if person is None else signed_in(context, person, "provider")


PAGES: Final = {"provider-go": go, "provider-back": back, "enrol-provider": enrol}
