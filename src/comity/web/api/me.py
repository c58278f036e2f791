"""A member's own over the API, by the session of their own page."""

from typing import Annotated, Final

import msgspec

from comity.core.appeal import LONGEST, Appeal
from comity.core.case_file import Summed
from comity.core.decision import Decision
from comity.core.errors import ComityError
from comity.web.api.call import (
    NOTHING,
    Answer,
    Asked,
    Call,
    Deed,
    FromNumber,
    Number,
    Paged,
    missing,
    number_of,
    part_of,
)
from comity.web.site.context import Context

_END: Final = 1 << 53
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST)]


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """A member's standing. csrf: to be sent along as ``X-CSRF`` with everything that changes something."""

    community: int
    pseudonym: str
    csrf: str
    standing: Summed
    in_force: tuple[int, ...]


class NewAppeal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An appeal against a decision, or against the refusal of a report: the number of one of the two."""

    text: _Text
    decision: Number = 0
    report: Number = 0


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something to add to an appeal."""

    text: _Text


async def me(context: Context, _asked: Asked) -> Answer:
    """Standing, and which decisions hold."""
    own = await context.office.own(context.community, context.member)
    return Answer(
        Me(
            community=context.community,
            pseudonym=context.known.pseudonym,
            csrf=context.csrf,
            standing=own.summed,
            in_force=tuple(d.number for d in own.in_force),
        )
    )


async def decisions(context: Context, asked: Asked) -> Answer:
    """Decisions about oneself, the last first; what is only proposed is not among them."""
    q, member = asked.query, context.member
    found = await context.read(lambda s: s.process.decisions_of(member, before=q.before or _END, most=q.most + 1))
    part = part_of(found, q.most, lambda d: d.number)
    return Answer(Paged(tuple(d for d in part.items if not d.proposed), part.next))


async def appeals(context: Context, asked: Asked) -> Answer:
    """One's own appeals, the last first."""
    q, member = asked.query, context.member
    found = await context.read(lambda s: s.process.appeals(member=member, before=q.before or _END, most=q.most + 1))
    return Answer(part_of(found, q.most, lambda a: a.number))


async def appeal(context: Context, asked: Asked) -> Deed:
    """Appeal; somebody else looks at it."""
    new: NewAppeal = asked.body
    if bool(new.decision) == bool(new.report):
        raise ComityError("an appeal is against a decision or the refusal of a report: name one of the two")
    return Deed(
        context.office.appeal(context.community, context.member, new.text, decision=new.decision, report=new.report)
    )


async def evidence(context: Context, asked: Asked) -> Deed:
    """Add to one's own appeal while it is open."""
    number = await _mine(context)
    return Deed(context.office.add_evidence(number, context.member, asked.body.text))


async def withdraw(context: Context, _asked: Asked) -> Deed:
    """Take one's own appeal back."""
    number = await _mine(context)
    return Deed(context.office.withdraw(number, context.member))


async def _mine(context: Context) -> int:
    number = number_of(context)
    found = await context.read(lambda store: store.process.appeal(number))
    if found is None or found.member != context.member:
        raise missing()
    return number


CALLS: Final = {
    "api-me": Call(me, "One's own standing", "me", Me),
    "api-me-decisions": Call(decisions, "Decisions about oneself", "me", Paged[Decision], asks=FromNumber),
    "api-me-appeals": Call(appeals, "One's own appeals", "me", Paged[Appeal], asks=FromNumber),
    "api-me-appeal": Call(appeal, "Appeal", "me", Appeal, NewAppeal, status=201),
    "api-me-evidence": Call(evidence, "Add to an appeal", "me", Appeal, Evidence),
    "api-me-withdraw": Call(withdraw, "Take an appeal back", "me", NOTHING, status=204),
}
