"""The record's last days as a log, for the console to compare charters over."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from comity.cli.common import now
from comity.cli.record_options import the_record
from comity.core.place import Place
from comity.settings import Recording
from comity.stores.record.keys import keeper
from comity.stores.record.reading import Query, Reading

_DAY: Final = 86_400_000


class RecordedLog:
    """Fulfils ``web.site.comparing.Log``. store: where the ledger is; recording: where the record is, and its key."""

    def __init__(self, store: Place, recording: Recording, days: int = 28) -> None:
        self._store, self._recording, self.days = store, recording, days

    async def lay_out(self, community: int, folder: Path) -> Sequence[Path]:
        """Write what is recorded of the last days into a folder, a day at a time, members by their pseudonyms."""
        return await asyncio.to_thread(self._write, community, folder)

    def _write(self, community: int, folder: Path) -> Sequence[Path]:
        at, path, found = now(), folder / "recorded.ndjson", 0
        with (
            the_record(self._store, self._recording.folder, keeper(self._recording.key), read_only=True) as (
                ledger,
                kept,
            ),
            path.open("wb") as file,
        ):
            name = dict(ledger.access.communities())[community]
            reading = Reading(kept.parts, at)
            for day in range(self.days, 0, -1):
                since = at - day * _DAY
                for event in reading.find(Query(community=name, since=since, until=since + _DAY)):
                    # Their name in the chat is not needed, and a result is told by pseudonym.
                    file.write(msgspec.json.encode(msgspec.structs.replace(event, name=None)) + b"\n")
                    found += 1
        return [path] if found else []
