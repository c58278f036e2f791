"""The record's last days, laid out for the console to compare charters over."""

import json
from pathlib import Path

import pytest

from comity.cli.recorded_log import RecordedLog
from comity.settings import Recording
from comity.stores.sqlite import SqliteStore
from record_garden import GARDEN
from test_record_commands import path as path  # noqa: PLC0414  its fixture: forty messages of the last days

pytestmark = pytest.mark.anyio


async def test_the_last_days_are_laid_out_by_pseudonym(path: Path, tmp_path: Path) -> None:
    """All of them, in order of their times, with no account and no name in them; also while the store is written."""
    recording = Recording(folder=str(path / "comity.sqlite.record"), key=f"file:{path / 'record.key'}", rooms=())
    log, folder = RecordedLog(path / "comity.sqlite", recording), tmp_path / "out"
    folder.mkdir()
    with SqliteStore.open(path / "comity.sqlite", durable=False) as store:
        number, other = store.community(GARDEN), store.community("elsewhere")
        (file,) = await log.lay_out(number, folder)
        assert await log.lay_out(other, folder) == []
        (file,) = await log.lay_out(number, folder)
        pseudonyms = {row.pseudonym for row in store.process.members([number], most=100)}
    events = [json.loads(line) for line in file.read_text("utf-8").splitlines()]

    assert len(events) == 40
    assert {event["member"] for event in events} <= pseudonyms
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    assert not any(event.get("name") for event in events)
