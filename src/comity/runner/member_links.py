"""Links to members' own pages: put under what a member is told, and sent anew to whoever asks for one in a chat."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Final

from comity.adapters.matrix.client import Json
from comity.core.action import Action, Do
from comity.core.event import moment
from comity.core.member_link import COMMAND, KEY, PATH_TO_PAGE, member_link
from comity.core.wording import say
from comity.runner.people import People
from comity.runner.realm import Realm
from comity.stores.contract import MemberRow
from comity.stores.live_contract import LiveStore

PAUSE: Final = 60_000  # milliseconds between two links that one account is sent for asking
FRESH: Final = 3_600_000  # milliseconds: whoever asked longer ago does not wait for an answer any more
_REMEMBERED: Final = 10_000  # accounts of whom we remember when they asked


class MemberLinks:
    """Makes links for members. realms: by their number; url: by which the site is reached, "" if there is none.

    ``page`` is the plain address, for texts that everybody can read: it says how to get a link. A link itself goes by
    direct message only, to the account it is for.
    """

    def __init__(self, store: LiveStore, people: People, realms: Mapping[int, Realm], url: str) -> None:
        self._store, self._people, self._realms, self._url = store, people, realms, url
        self._asked: dict[str, tuple[int, object]] = {}  # when an account asked last, and by which event
        self._queued: list[Action] = []
        self.page = url + PATH_TO_PAGE if url else ""

    def link(self, member: int, now: int) -> str:
        """A member's own link, "" where there is no page or no such member. now: milliseconds since 1970."""
        row = self._store.member(member)
        return self._link(row, now) if row else ""

    def under(self, member: int, text: str, now: int) -> str:
        """A text for a member, and below it their link; the text alone where there is no page."""
        row = self._store.member(member)
        realm = self._realms.get(row.community) if row else None
        if row is None or realm is None or not self._url:
            return text
        said = say(realm.charter.language, "own page", page=self._link(row, now), command=COMMAND)
        return f"{text}\n\n{said}"

    def hear(self, events: Iterable[Json], now: int) -> None:
        """Answer who asks for a link, in whatever room; within the transaction that keeps the events, if one does.

        The same event leads to the same answer, however often it comes.
        """
        for event in events:
            account = event.get("sender")
            if not isinstance(account, str) or account == self._people.bot or not _asks(event):
                continue
            at, id_ = event.get("origin_server_ts"), event.get("event_id")
            if not isinstance(at, int) or now - at >= FRESH:
                continue
            last, by = self._asked.get(account, (0, None))
            if by != id_ and at - last < PAUSE:
                continue
            self._remember(account, at, id_)
            digest = blake2b(str(id_).encode(), digest_size=12).hexdigest()
            self._queue(self.answers(account, min(at, now), digest), now)

    def answers(self, account: str, at: int, name: str) -> list[Action]:
        """What an account is told that asks for a link: one for each community it is a member of.

        at: milliseconds since 1970, when it asked; name: of the asking, so that it is answered once.
        """
        rows = [r for r in self._store.members_named(account) if r.account == account and r.community in self._realms]
        actions = []
        for row in rows:
            generation = self._store.access.generation(row.number)
            charter = self._realms[row.community].charter
            if self._url:
                link = self._link(row, at)
                text = say(charter.language, "new link", community=charter.community, page=link, command=COMMAND)
            else:
                text = say(charter.language, "no page", community=charter.community)
            id_ = f"me-{name}-{row.community}-{generation}"
            actions.append(Action(id=id_, do=Do.TELL, account=account, text=text))
        return actions

    def queued(self) -> Sequence[Action]:
        """What was queued since this was asked last: to be carried out once its transaction is committed."""
        queued, self._queued = self._queued, []
        return queued

    def _queue(self, actions: Sequence[Action], now: int) -> None:
        if actions:
            self._store.decisions.queue(actions, at=now)
            self._queued += actions

    def _remember(self, account: str, at: int, event: object) -> None:
        self._asked[account] = at, event
        if len(self._asked) > _REMEMBERED:
            self._asked = {a: asked for a, asked in self._asked.items() if at - asked[0] < PAUSE}

    def _link(self, row: MemberRow, now: int) -> str:
        if not self._url:
            return ""
        generation = self._store.access.generation(row.number)
        key = self._store.access.key(KEY)
        return self._url + member_link(key, row.community, row.pseudonym, moment(now), generation=generation)


def _asks(event: Json) -> bool:
    """Whether an event is a message that asks for a link."""
    content = event.get("content")
    body = content.get("body") if isinstance(content, dict) else None
    return event.get("type") == "m.room.message" and isinstance(body, str) and body.strip().casefold() == COMMAND
