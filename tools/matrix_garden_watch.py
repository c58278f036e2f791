"""What is seen of the example community while it lives: by its members on the homeserver, and in Comity's own store."""

import asyncio
import datetime as dt
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from comity.adapters.matrix.client import Homeserver, HomeserverError, Json
from comity.core.event import moment
from comity.stores.sqlite import SqliteStore

EVERY: Final = 0.3  # seconds between looks into the store


def tell(what: str, text: str) -> None:
    """One line, or several, of what happens."""
    first, *more = text.split("\n")
    lines = [f"{dt.datetime.now(dt.UTC):%H:%M:%S}  {what:<9}  {first}", *(f"{'':21}{line}" for line in more)]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


class Watch:
    """Tells what happens. names: of accounts and rooms, for people; bot: Comity's account; store: its ledger.

    told: how many of each kind were told; stated: which accounts got a statement, so that a script can wait for them.
    """

    def __init__(self, names: Mapping[str, str], bot: str, store: Path) -> None:
        self._names, self._bot, self._store = names, bot, store
        self.told = dict.fromkeys(("finding", "decision", "measure", "statement", "notice"), 0)
        self.stated: set[str] = set()

    async def member(self, account: str, client: Homeserver, *, rooms: bool) -> None:
        """Read as one member does, without an end: statements to them, and if ``rooms`` what happens in every room."""
        since = (await client.sync(timeout=0))["next_batch"]
        direct = set[str]()
        while True:
            try:
                found: Any = await client.sync(str(since), timeout=20)
            except HomeserverError:
                await asyncio.sleep(0.5)
                continue
            since = found["next_batch"]
            there: Any = found.get("rooms", {})
            for room, invited in there.get("invite", {}).items():
                if any(e.get("sender") == self._bot for e in invited["invite_state"]["events"]):
                    direct.add(room)
                    await client.join(room)
            for room, happened in there.get("join", {}).items():
                for event in happened["timeline"]["events"]:
                    if room in direct and event["type"] == "m.room.message" and event["sender"] == self._bot:
                        self.stated.add(account)
                        self._told("statement", f"to {self._name(account)}:\n{event['content'].get('body')}")
                    elif rooms and room not in direct:
                        self._event(room, event)

    async def store(self) -> None:
        """Look into the store, without an end: findings and decisions as they are kept."""
        while not self._store.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(EVERY)
        found = decided = 0
        while True:
            await asyncio.sleep(EVERY)
            with SqliteStore.open(self._store, durable=False, read_only=True) as store:
                clauses, rooms = store.clause_rows(), store.room_names()
                rows = [(f, n) for n in range(1, store.counts().members + 1) for f in store.findings(n)]
                for row, member in sorted((r for r in rows if r[0].number > found), key=lambda r: r[0].number):
                    found, of = row.number, clauses[row.clause - 1]
                    who, where = self._who(store, member), self._name(rooms[row.room])
                    self._told("finding", f"{who} in {where}, clause {of.id} ({of.rule}, {of.state}): {row.excerpt}")
                for d in store.decisions.decisions(beyond=decided):
                    decided = d.number
                    until = "" if d.until is None else f" until {moment(d.until):%d %B %H:%M} UTC"
                    where = self._name(rooms[d.room]) if d.room else "all rooms"
                    what = f"#{d.number} {d.course}: {d.measure}, {self._who(store, d.member)}, {where}{until}"
                    self._told("decision", what + ("" if d.decided_automatically else ", by a person"))

    def _told(self, what: str, text: str) -> None:
        self.told[what] += 1
        tell(what, text)

    def _who(self, store: SqliteStore, member: int) -> str:
        row = store.member(member)
        return self._name((row.account if row else None) or f"member {member}")

    def _name(self, id_: str) -> str:
        return self._names.get(id_, id_)

    def _event(self, room: str, event: Json) -> None:
        content: Any = event.get("content", {})
        who, where = self._name(str(event["sender"])), self._name(room)
        if event["sender"] != self._bot:
            if event["type"] == "m.room.message" and "body" in content:
                tell(where, f"{who}: {content['body']}")
            elif event["type"] == "m.room.member" and content.get("membership") == "join":
                tell(where, f"{who} joins")
        elif event["type"] == "m.room.message":
            self._told("notice", f"to {where}:\n{content.get('body')}")
        elif event["type"] == "m.room.redaction":
            self._told("measure", f"{where}: a message is hidden. {content.get('reason', '')}")
        elif event["type"] == "m.room.power_levels":
            unsigned: Any = event.get("unsigned", {})
            before, now = (c.get("users", {}) for c in (unsigned.get("prev_content", {}), content))
            for account in sorted({*before, *now}):
                if before.get(account) != now.get(account):
                    was, is_ = (of.get(account, "as everybody") for of in (before, now))
                    self._told("measure", f"{where}: the power of {self._name(account)} goes from {was} to {is_}")
