"""Who looks after a community, and as what: for its operators; and the log of it, for auditors."""

import datetime as dt
import re
from typing import Final

from starlette.responses import Response

from comity.core.access import STAFF, Role
from comity.stores.access_contract import ActRow, PersonRow
from comity.stores.contract import Refusal
from comity.web.site import sessions
from comity.web.site.context import Context, Toast
from comity.web.site.readers import ReadingStore

ENROL_WITHIN: Final = dt.timedelta(hours=48)
NAME: Final = re.compile(r"[a-z][a-z0-9_-]{1,31}", re.ASCII | re.IGNORECASE)
_PAGE: Final = 50


async def staff(context: Context) -> Response:
    """Everybody of the staff."""
    return await _staff(context)


async def _staff(
    context: Context, *, problem: str = "", name: str = "", link: str = "", until: dt.datetime | None = None
) -> Response:
    community, search = context.community, context.asked("q").casefold()
    rows = await context.read(lambda store: store.access.staff(community))
    return context.render(
        "staff.html",
        400 if problem else 200,
        rows=[row for row in rows if search in row.person.name.casefold()],
        search=context.asked("q"),
        roles=STAFF,
        problem=problem,
        name=name,
        link=link,
        until=until,
    )


async def add(context: Context) -> Response:
    """Add somebody with a role, and show the link with which they enrol."""
    name, role = context.given("name", 40), _role(context)
    if not NAME.fullmatch(name) or role is None:
        return await _staff(context, problem=context.t("staff name bad"), name=name)
    with context.site.store.write():
        number = context.access.add_person(name, context.person.name, context.at)
        if not isinstance(number, Refusal):
            context.access.grant(number, context.community, role, context.person.name, context.at)
            link, until = invitation(context, number)
    context.site.live.publish(context.community, "staff")
    if isinstance(number, Refusal):
        return await _staff(context, problem=context.t("staff name taken"), name=name)
    return await _staff(context, name=name, link=link, until=until)


async def give(context: Context) -> Response:
    """Give or take a role."""
    person, role = await _person(context), _role(context)
    if person is None or role is None:
        return context.not_there()
    told = {"name": person.name, "role": context.t(f"role {role}")}
    if context.given("do") == "give":
        context.access.grant(person.number, context.community, role, context.person.name, context.at)
        context.site.live.publish(context.community, "staff")
        return context.done(context.url("staff"), context.t("staff given", **told))
    done = context.access.withdraw(person.number, context.community, role, context.person.name, context.at)
    if isinstance(done, Refusal):
        return context.done(context.url("staff"), Toast(context.t("last operator"), good=False))
    context.site.live.publish(context.community, "staff")
    undo = {"person": str(person.number), "role": role.value, "do": "give"}
    return context.done(
        context.url("staff"), Toast(context.t("staff taken", **told), undo=context.url("staff-role"), fields=undo)
    )


async def invite(context: Context) -> Response:
    """A new link for somebody; the one before is over."""
    person = await _person(context)
    if person is None:
        return context.not_there()
    link, until = invitation(context, person.number)
    return await _staff(context, name=person.name, link=link, until=until)


def invitation(context: Context, person: int) -> tuple[str, dt.datetime]:
    """A new enrolment link, and until when it is good."""
    secret, until = sessions.new_secret(), context.now + ENROL_WITHIN
    context.access.invite(sessions.hashed(secret), person, sessions.millis(until), context.person.name, context.at)
    return context.site.url + context.url("enrol", secret=secret), until


async def acts(context: Context) -> Response:
    """Who gave or took which access."""
    community, before = context.community, context.asked("before")
    start = int(before) if before.isdecimal() and len(before) < 16 else None  # noqa: PLR2004  as many digits fit

    def ask(store: ReadingStore) -> tuple[list[ActRow], dict[int, str]]:
        rows = list(store.access.acts(community, before=start, most=_PAGE + 1))
        people = {row.person: store.access.person(row.person) for row in rows}
        return rows, {number: person.name for number, person in people.items() if person}

    rows, names = await context.read(ask)
    return context.render("acts.html", rows=rows[:_PAGE], more=len(rows) > _PAGE, names=names, first=start is None)


async def _person(context: Context) -> PersonRow | None:
    """The person of the form, if they are something in this community: of others nothing is said."""
    wanted, community = context.given("person"), context.community
    rows = await context.read(lambda store: store.access.staff(community))
    # Whoever lost their last role a moment ago can be given it back.
    was = await context.read(lambda store: {act.person for act in store.access.acts(community, most=_PAGE)})
    found = next((row.person for row in rows if str(row.person.number) == wanted), None)
    if found is None and wanted.isdecimal() and int(wanted) in was:
        return await context.read(lambda store: store.access.person(int(wanted)))
    return found


def _role(context: Context) -> Role | None:
    return next((role for role in STAFF if role.value == context.given("role")), None)


PAGES: Final = {"staff": staff, "staff-add": add, "staff-role": give, "staff-invite": invite, "acts": acts}
