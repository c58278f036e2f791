"""What is refused before anybody sees it: a pure look, for the same event comes again when it was let through."""

import datetime as dt
from collections.abc import Callable
from typing import Final

from comity.adapters.matrix.antispam import Asked
from comity.adapters.matrix.client import Json
from comity.adapters.matrix.normalise import Known, normalise
from comity.core.case import exempt
from comity.core.event import Event
from comity.core.held import Sent, held, rights_left
from comity.core.rights import Band, Right
from comity.core.statement import REASON
from comity.core.wording import say
from comity.features.links import count_links
from comity.features.pieces import Piece
from comity.live.metrics import Metrics
from comity.runner.holding import sentence
from comity.runner.people import People
from comity.runner.realm import Realm

_NOT_YET: Final = "$not-yet"  # what is not sent has no id


class Verdict:
    """Answers what the homeserver asks. now: the time, aware."""

    def __init__(self, people: People, metrics: Metrics, now: Callable[[], dt.datetime]) -> None:
        self._people, self._metrics, self._now = people, metrics, now

    async def __call__(self, asked: Asked) -> str:
        """Nothing to let it through, or the one sentence that whoever tried it reads."""
        realm = self._people.realms.get(asked.room)
        if realm is None or realm.dry_run or asked.account == self._people.bot:
            return ""
        why = ""
        if asked.callback == "check_event_for_spam" and asked.event is not None:
            why = self._event(realm, asked.event)
        elif asked.callback in {"user_may_invite", "federated_user_may_invite"}:
            why = self._invite(realm, asked)
        if why:
            self._metrics.held.labels("message" if asked.event is not None else "invitation").inc()
        return why

    def _event(self, realm: Realm, item: Json) -> str:
        now = self._now()
        item = {"event_id": _NOT_YET, "origin_server_ts": int(now.timestamp() * 1000), **item}
        known = self._people.known
        # What is looked at now leaves no trace: names and levels are learnt when it has happened.
        seen = Known(_Unwritten(known.names), _Unwritten(known.levels))
        events = normalise(
            [item], {str(item.get("room_id")): realm.id}, now, known=seen, ours={self._people.bot}
        ).events
        if len(events) != 1 or exempt(events[0].member, events[0].role, ours=(), ghost=self._people.ghost):
            return ""
        return self._held(realm, events[0], now) or self._found(realm, events[0])

    def _held(self, realm: Realm, event: Event, now: dt.datetime) -> str:
        columns, _ = realm.engine.columns([Piece([event])])
        if not len(columns):
            return ""
        member, at = self._people.member(realm, event.member), int(now.timestamp() * 1000)
        room = self._people.number(event.room)
        links, media = bool(count_links(columns)[0]), bool(event.media)
        why = held(
            Sent(
                at=at,
                room=room,
                kind=event.kind,
                links=links,
                media=media,
                before=realm.wrote.get((member, room)),
                newcomer=(links or media) and realm.counting.newcomer(member, realm.day(now)),
                manager=event.role == "manager",
            ),
            realm.in_force.get(member, ()),
        )
        return sentence(realm, why, "") if why else ""

    def _found(self, realm: Realm, event: Event) -> str:
        if realm.looks is None:
            return ""
        turn = realm.looks.turn([event])
        if not len(turn.findings):
            return ""
        clause = realm.looks.clauses[int(turn.findings.clauses[0])]
        return say(realm.charter.language, "ground", id=clause.id, text=clause.text)[:REASON]

    def _invite(self, realm: Realm, asked: Asked) -> str:
        now = self._now()
        member, at = self._people.member(realm, asked.account), int(now.timestamp() * 1000)
        mine = realm.in_force.get(member, ())
        room = self._people.number(asked.room)
        # What it takes to be a newcomer is no matter here: inviting is no right that a newcomer lacks.
        if not mine or Right.INVITE in rights_left(Band.GOOD, room, at, mine, newcomer=False):
            return ""
        return say(realm.charter.language, "suspend_management")


class _Unwritten(dict):  # type: ignore[type-arg]  # of whatever it is a view of
    """A dictionary to be looked at; what is written to it is forgotten with it."""

    def __init__(self, of: dict) -> None:  # type: ignore[type-arg]
        super().__init__()
        self._of = of

    def get(self, key: object, default: object = None) -> object:
        """What is there."""
        return super().get(key, self._of.get(key, default))
