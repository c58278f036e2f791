"""A verdict as a form: what can be chosen for an item, and the value that a form that came back stands for."""

from collections.abc import Mapping
from typing import Final

from comity.core.charter import BY_A_PERSON, Measure
from comity.core.errors import ComityError
from comity.core.queue import VERDICTS, Kind, Waiting
from comity.core.templates import KNOWN, Template, placeholders
from comity.core.verdicts import (
    Change,
    Confirm,
    Escalate,
    Impose,
    Judge,
    Note,
    Refuse,
    Reverse,
    Uphold,
    Verdict,
    endless,
    name_of,
)
from comity.web.site.context import Context

_HOUR: Final = 3_600_000
# How long a measure can last, in milliseconds, by the name in the form; "": as it is, "none": without an end.
LASTS: Final[Mapping[str, int]] = {
    "1h": _HOUR,
    "6h": 6 * _HOUR,
    "1d": 24 * _HOUR,
    "3d": 72 * _HOUR,
    "7d": 168 * _HOUR,
    "30d": 720 * _HOUR,
    "90d": 2160 * _HOUR,
}
REASON: Final = 2_000  # characters
# What many items can be told at once: what needs nothing but a reason.
TOGETHER: Final = (Confirm, Reverse, Refuse, Escalate)


class AmissError(ComityError):
    """A form that stands for no verdict. key: of the text that says why; values: of its places."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key, self.values = key, values


def verdict_of(context: Context, waiting: Waiting, until: int | None = None) -> Verdict:
    """What the form says about an item. until: the end it has. Raises AmissError."""
    named = context.given("verdict", 20)
    kind = next((v for v in VERDICTS[waiting.item.kind] if name_of(v) == named), None)
    if kind is None:
        raise AmissError("verdict missing")
    reason = reason_of(context)
    if kind is Change:
        measure = _measure(context) or waiting.measure
        lasting = measure is not None and not endless(measure)
        return Change(reason, until=_until(context, until) if lasting else None, measure=_measure(context))
    if kind is Impose:
        return _impose(context, waiting, reason)
    if kind is Reverse:
        return Reverse(reason, findings=context.given("findings") != "right")
    if kind is Judge:
        right = context.given("right")
        if right not in {"yes", "no"}:
            raise AmissError("verdict right missing")
        return Judge(reason, right=right == "yes")
    return _plain(kind, reason)


def together_of(context: Context, kinds: set[Kind]) -> Verdict:
    """What the form says about many items of these kinds. Raises AmissError."""
    named = context.given("verdict", 20)
    kind = next((v for v in choices(kinds) if name_of(v) == named), None)
    if kind is None:
        raise AmissError("verdict missing")
    reason = reason_of(context)
    return Reverse(reason, findings=context.given("findings") != "right") if kind is Reverse else _plain(kind, reason)


def choices(kinds: set[Kind]) -> list[type[Verdict]]:
    """What can be said about all of these kinds at once."""
    return [v for v in TOGETHER if kinds and all(v in VERDICTS[kind] for kind in kinds)]


def reason_of(context: Context) -> str:
    """The reason, with nothing left to fill in. Raises AmissError."""
    reason = context.given("reason", REASON)
    if not reason:
        raise AmissError("reason missing")
    if left := unfilled(reason):
        raise AmissError("reason unfilled", names=", ".join(f"{{{name}}}" for name in left))
    return reason


def unfilled(reason: str) -> list[str]:
    """Placeholders of templates that stand in a reason still."""
    return sorted(name for name in KNOWN if f"{{{name}}}" in reason)


def begun(template: Template, values: Mapping[str, str]) -> str:
    """A template's text with what is known of the case; the other placeholders stay, to be filled in by hand."""
    text = template.text
    for name in placeholders(text):
        if values.get(name):
            text = text.replace(f"{{{name}}}", values[name])
    return text


def _plain(kind: type[Verdict], reason: str) -> Verdict:
    for plain in (Confirm, Refuse, Uphold, Escalate, Note, Reverse):
        if kind is plain:
            return plain(reason)
    raise AmissError("verdict missing")


def _impose(context: Context, waiting: Waiting, reason: str) -> Impose:
    measure, clause = _measure(context), context.given("clause", 40)
    if measure is None:
        raise AmissError("measure missing")
    if not clause:
        raise AmissError("clause missing")
    whose = context.given("member", 15)
    lasting = not endless(measure)
    return Impose(
        reason,
        clause=clause,
        measure=measure,
        until=_until(context, None, none=measure in BY_A_PERSON) if lasting else None,
        excerpt=context.given("excerpt", 500),
        member=0 if waiting.member else int(whose) if whose.isdecimal() else 0,
    )


def _measure(context: Context) -> Measure | None:
    return next((m for m in Measure if m == context.given("measure", 30)), None)


def _until(context: Context, until: int | None, *, none: bool = False) -> int | None:
    lasts = context.given("lasts", 10)
    if lasts in LASTS:
        return context.at + LASTS[lasts]
    if lasts == "none" or (not lasts and none):
        return None
    if not lasts and until is not None:
        return until
    raise AmissError("end missing")
