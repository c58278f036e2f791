"""Webhooks: which addresses hear of what, and what became of the last messages."""

from typing import Final

from starlette.responses import Response

from comity.stores.api_contract import DeliveryRow, Happened, WebhookRow
from comity.web.hooks.addresses import AddressError, checked
from comity.web.hooks.signing import new_secret
from comity.web.site.context import Context
from comity.web.site.readers import ReadingStore

MOST: Final = 20  # webhooks of a community that go on
_SHOWN: Final = 10  # deliveries
CHOICE: Final = tuple(kind for kind in Happened if kind is not Happened.TEST)


async def webhooks(context: Context) -> Response:
    """Those of the community; and a new one."""
    problems: dict[str, str] = {}
    made = ""
    kinds = frozenset(kind for kind in CHOICE if context.given(f"kind-{kind}"))
    if context.request.method == "POST":
        url = context.given("url", 501)
        try:
            checked(url)
        except AddressError as error:
            problems["url"] = str(error)
        if not kinds:
            problems["kinds"] = context.t("webhook kinds none")
        if sum(h.ended_at is None for h in context.site.store.api.webhooks(context.community)) >= MOST:
            problems["url"] = context.t("webhook too many", most=MOST)
        if not problems:
            made = new_secret()
            context.site.store.api.add_webhook(
                WebhookRow(0, context.community, url, made, tuple(sorted(kinds)), context.at, context.person.name)
            )
    community = context.community

    def ask(store: ReadingStore) -> list[tuple[WebhookRow, list[DeliveryRow]]]:
        return [(hook, store.api.deliveries(hook.number, most=_SHOWN)) for hook in store.api.webhooks(community)]

    rows = await context.read(ask)
    return context.render(
        "webhooks.html",
        400 if problems else 200,
        made=made,
        problems=problems,
        rows=rows,
        choice=CHOICE,
        chosen=kinds or frozenset(CHOICE),
    )


async def change(context: Context) -> Response:
    """End one, let it go on, or send it a message to try it."""
    number = context.given("webhook", 15)
    api = context.site.store.api
    hook = api.webhook(int(number)) if number.isascii() and number.isdecimal() else None
    if hook is None or hook.community != context.community:
        return context.not_there()
    match context.given("do"):
        case "end":
            api.end_webhook(hook.number, context.at, "")
            said = "webhook ended"
        case "resume":
            api.resume_webhook(hook.number)
            said = "webhook resumed"
        case "try" if hook.ended_at is None:
            data = {"community": context.community, "name": context.community_name}
            api.send_test(hook.number, context.at, data)
            said = "webhook tried"
        case _:
            return context.not_there()
    return context.done(context.url("webhooks"), context.t(said))


PAGES: Final = {"webhooks": webhooks, "webhook-change": change}
