"""Who may do what in a room: the authorisation rules of room version 11, as far as one server alone needs them. Pure.

Source: Matrix specification v1.16, Room Version 11, "Authorization rules" (those of version 10, with the creator taken
from the sender) and "Redactions"; Client-Server API, "PUT /rooms/{roomId}/redact" for who may redact whom.
"""

from collections.abc import Mapping
from typing import Final

from comity.adapters.matrix.power import Levels, own_level

Content = Mapping[str, object]
Event = dict[str, object]
State = Mapping[tuple[str, str], Event]

_NAMED: Final = ("users_default", "events_default", "state_default", "ban", "redact", "kick", "invite")
# What a redaction leaves of an event's content, by type; None for all of it.
_KEPT: Final[Mapping[str, frozenset[str] | None]] = {
    "m.room.member": frozenset({"membership", "join_authorised_via_users_server"}),
    "m.room.create": None,
    "m.room.join_rules": frozenset({"join_rule", "allow"}),
    "m.room.power_levels": frozenset({*_NAMED, "events", "users"}),
    "m.room.history_visibility": frozenset({"history_visibility"}),
    "m.room.redaction": frozenset({"redacts"}),
}


def content_of(event: Event | None) -> Content:
    """An event's content, empty where there is no event."""
    found = event.get("content") if event is not None else None
    return found if isinstance(found, dict) else {}


def membership(state: State, account: str) -> str:
    """``join``, ``invite``, ``leave`` or ``ban``; "" for somebody who never had to do with the room."""
    return str(content_of(state.get(("m.room.member", account))).get("membership", ""))


def levels_of(state: State) -> Levels:
    """The power levels of a room, as they count before anybody has set any, too."""
    event = state.get(("m.room.power_levels", ""))
    if event is not None:
        return Levels(content_of(event), None)
    creator = str(state.get(("m.room.create", ""), {}).get("sender", ""))
    return Levels({"users": {creator: 100}, "state_default": 0}, None)


def refusal(state: State, event: Event) -> str | None:  # noqa: PLR0911 - a line for each rule
    """Why an event is not allowed, a sentence; None if it is. state: of the room before it."""
    sender, kind, key = str(event["sender"]), str(event["type"]), event.get("state_key")
    if kind == "m.room.create":
        return "The room was created already." if state else None
    if kind == "m.room.member":
        return _of_membership(state, event)
    if membership(state, sender) != "join":
        return f"{sender} is not in the room."
    levels = levels_of(state)
    needed, has = levels.to_send(kind, state=key is not None), levels.level_of(sender)
    if has < needed:
        return f"It takes power level {needed} to send {kind}, and {sender} has {int(has)}."
    if isinstance(key, str) and key.startswith("@") and key != sender:
        return "State that is named after somebody is theirs to set."
    if kind == "m.room.power_levels":
        return _of_levels(levels, sender, content_of(event))
    return None


def may_redact(state: State, sender: str, target: Event) -> str | None:
    """Why somebody may not take an event out of view, None if they may: their own, or with the level it takes."""
    levels = levels_of(state)
    if target["sender"] == sender or levels.level_of(sender) >= levels.named("redact"):
        return None
    return f"It takes power level {levels.named('redact')} to redact what others wrote."


def pruned(event: Event) -> dict[str, object]:
    """What is left of an event's content when it is redacted."""
    kept = _KEPT.get(str(event["type"]), frozenset[str]())
    content = content_of(event)
    return {k: v for k, v in content.items() if kept is None or k in kept}


def _of_membership(state: State, event: Event) -> str | None:  # noqa: PLR0911 - a line for each rule
    sender, target = str(event["sender"]), str(event["state_key"])
    wanted = content_of(event).get("membership")
    now, of_sender = membership(state, target), membership(state, sender)
    levels = levels_of(state)
    above = levels.level_of(target) < levels.level_of(sender)
    if wanted == "join":
        return _of_joining(state, sender, target, now)
    if wanted == "leave" and sender == target:
        return None if now in {"join", "invite", "knock"} else "Nobody leaves where they are not."
    if of_sender != "join":
        return f"{sender} is not in the room."
    if wanted == "invite":
        if now in {"join", "ban"}:
            return f"{target} is {'in the room already' if now == 'join' else 'banned from the room'}."
        return _least(levels, sender, "invite")
    if wanted == "leave":
        if now == "ban" and (why := _least(levels, sender, "ban")):
            return why
        return _least(levels, sender, "kick") or (None if above else f"{target} has as much power as {sender}.")
    if wanted == "ban":
        return _least(levels, sender, "ban") or (None if above else f"{target} has as much power as {sender}.")
    return f"Nobody can be made {wanted!r} here."


def _of_joining(state: State, sender: str, target: str, now: str) -> str | None:
    begins = len(state) == 1 and state[("m.room.create", "")]["sender"] == sender
    if sender != target:
        return "Nobody joins for somebody else."
    if now == "ban":
        return f"{target} is banned from the room."
    rule = content_of(state.get(("m.room.join_rules", ""))).get("join_rule", "invite")
    if begins or now in {"join", "invite"} or rule == "public":
        return None
    return f"{target} is not invited."


def _least(levels: Levels, sender: str, what: str) -> str | None:
    needed, has = levels.named(what), levels.level_of(sender)
    return None if has >= needed else f"It takes power level {needed} to {what}, and {sender} has {int(has)}."


def _of_levels(levels: Levels, sender: str, wanted: Content) -> str | None:
    """Rule 9: whole numbers only, and nobody touches what is above them or gives more than they have."""
    mine = levels.level_of(sender)
    parts = {name: _mapping(wanted, name) for name in ("users", "events", "notifications")}
    flat = [*(wanted[n] for n in _NAMED if n in wanted), *(v for part in parts.values() for v in part.values())]
    if any(isinstance(v, bool) or not isinstance(v, int) for v in flat):
        return "Power levels are whole numbers."
    for before, after in _changes(levels.content, wanted):
        if any(isinstance(v, int) and v > mine for v in (before, after)):
            return f"{sender} has {int(mine)} and changes nothing above that."
    for account in {*_mapping(levels.content, "users"), *parts["users"]}:
        had, gets = own_level(levels.content, account), own_level(wanted, account)
        if had == gets:
            continue
        if had is not None and account != sender and had >= mine:
            return f"{account} has as much power as {sender}."
        if gets is not None and gets > mine:
            return f"{sender} has {int(mine)} and gives nobody more."
    return None


def _changes(old: Content, new: Content) -> list[tuple[object, object]]:
    """Levels that are not of accounts and change: what they were, and what they become."""
    found = [(old.get(name), new.get(name)) for name in _NAMED]
    for part in ("events", "notifications"):
        was, becomes = _mapping(old, part), _mapping(new, part)
        found += [(was.get(name), becomes.get(name)) for name in {*was, *becomes}]
    return [(a, b) for a, b in found if a != b]


def _mapping(content: Content, key: str) -> Content:
    found = content.get(key)
    return found if isinstance(found, dict) else {}
