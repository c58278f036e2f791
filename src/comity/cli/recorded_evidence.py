"""The record as evidence: what was said around a message, and whose it is, read beside the loop."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from structlog.typing import FilteringBoundLogger

from comity.cli.common import now
from comity.cli.record_options import the_record
from comity.core.case_file import Said
from comity.core.errors import ComityError
from comity.core.event import Event, milliseconds
from comity.core.looking import Look
from comity.core.place import Place
from comity.runner.evidence import Sought
from comity.settings import Recording
from comity.stores.record.keys import keeper
from comity.stores.record.nearby import Nearby
from comity.stores.record.record import Record
from comity.stores.sql_store import SqlStore

WITHIN: Final = 3.0  # seconds that an answer may take
MOST: Final = 8  # questions that wait; more are not answered
LATELY: Final = 100_000  # entries of the ledger that are looked through for an event's author
T = TypeVar("T")


class RecordedEvidence:
    """Fulfils ``runner.evidence.Evidence``.

    store, recording: what is read, opened anew for each question, in another thread and one at a time; record: the
    runner's own, which notes looks; log: told where a question is not answered.
    """

    def __init__(
        self, store: Place, recording: Recording, record: Record, log: FilteringBoundLogger, *, within: float = WITHIN
    ) -> None:
        self._store, self._recording, self._record, self._log = store, recording, record, log
        self._within, self._turn = within, asyncio.Lock()
        self._asked: set[asyncio.Task[object]] = set()

    async def around(
        self, community: int, sought: Sequence[Sought], *, before: int = 5, after: int = 5
    ) -> Sequence[Sequence[Said]]:
        """See ``Evidence``."""

        def ask(_ledger: SqlStore, near: Nearby) -> list[list[Said]]:
            return [
                [_said(e, s.event) for e in near.around(s.event, s.since, s.until, before=before, after=after)]
                for s in sought
            ]

        found = await self._ask(community, ask)
        return [()] * len(sought) if found is None else found

    async def author(self, community: int, sought: Sought) -> int:
        """See ``Evidence``: the ledger knows whose a message is that anything was found in; else the record may."""

        def ask(ledger: SqlStore, near: Nearby) -> int:
            return ledger.author(community, sought.event, lately=LATELY) or ledger.member_called(
                community, near.author(sought.event, sought.since, sought.until)
            )

        return await self._ask(community, ask) or 0

    def looked(self, look: Look, shown: int) -> None:
        """See ``Evidence``."""
        self._record.looked(look, shown)

    async def _ask(self, community: int, ask: Callable[[SqlStore, Nearby], T]) -> T | None:
        """What a question gives; None if that cannot be told, or not in time."""
        if len(self._asked) >= MOST:
            self._log.warning("too many questions to the record wait", waiting=len(self._asked))
            return None
        work: asyncio.Task[T] = asyncio.create_task(self._in_turn(community, ask))
        self._asked.add(work)
        work.add_done_callback(self._asked.discard)
        done, _ = await asyncio.wait({work}, timeout=self._within)
        if not done:
            work.add_done_callback(lambda w: w.cancelled() or w.exception())  # too late for anybody to want it
            self._log.warning("the record did not answer in time", seconds=self._within)
            return None
        try:
            return work.result()
        except (ComityError, OSError) as error:
            self._log.warning("the record cannot be read", why=str(error))
            return None

    async def _in_turn(self, community: int, ask: Callable[[SqlStore, Nearby], T]) -> T:
        async with self._turn:
            return await asyncio.to_thread(self._read, community, ask)

    def _read(self, community: int, ask: Callable[[SqlStore, Nearby], T]) -> T:
        recording = self._recording
        with the_record(self._store, recording.folder, keeper(recording.key), read_only=True) as (ledger, kept):
            name = ledger.access.communities()[community]
            return ask(ledger, Nearby(kept.parts, name, now()))


def _said(event: Event, here: str) -> Said:
    return Said(
        at=milliseconds(event.at), by=event.member, text=event.text or "", event=event.id, here=event.id == here
    )
