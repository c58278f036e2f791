"""Reports that members make with their own client, on a real homeserver."""

import contextlib
from pathlib import Path
from typing import Any

import pytest

from comity.adapters.matrix.client import Homeserver
from comity.adapters.matrix.normalise import REPORT
from comity.stores.sqlite import SqliteStore
from homeserver import Synapse
from running import direct, room_with, serving, settings, until, write

pytestmark = pytest.mark.anyio


async def test_a_report_by_a_members_client_waits_for_a_person_and_gets_a_receipt(
    synapse: Synapse, tmp_path: Path
) -> None:
    """A message reported by a client is an item of the queue, once over two starts; the reporter has a receipt.

    What a member sends into the room in the shape of a report is none.
    """
    _, token = synapse.register(admin=True)
    async with contextlib.AsyncExitStack() as stack:
        owner, ana, bo = [await stack.enter_async_context(synapse.member()) for _ in range(3)]
        room = await room_with(owner, synapse, ana, bo)
        path = settings(tmp_path, synapse, rooms=[room])
        text = path.read_text("utf-8").replace("[matrix]\n", f'[matrix]\nadmin_token = "{token}"\n')
        path.write_text(text, "utf-8")
        said = await write(ana, room, "the toothpaste is mine")
        before = await write(ana, room, "and the tea")
        await report(bo, room, before, "of the time before Comity looked")

        async with serving(path):
            await bo.send(room, REPORT, {"event_id": before, "sender": await bo.account(), "reason": "made up"}, "t1")
            await until(lambda: noted(tmp_path))
            await report(bo, room, said, "it is everybody's")
            await until(lambda: told(bo, synapse))
        async with serving(path):
            await report(owner, room, said, "")
            await until(lambda: told(owner, synapse))

        with SqliteStore.open(tmp_path / "comity.sqlite", durable=False) as store:
            reports = store.process.reports()
            accounts = {m: row.account for r in reports for m in (r.reporter, r.member) if (row := store.member(m))}
        assert [(said, "it is everybody's"), (said, "")] == [(r.event, r.text) for r in reports]
        assert [await bo.account(), await owner.account()] == [accounts[r.reporter] for r in reports]
        assert {await ana.account()} == {accounts[r.member] for r in reports}


async def report(who: Homeserver, room: str, event: str, reason: str) -> None:
    """Report a message as clients do."""
    await who.request("POST", f"/_matrix/client/v3/rooms/{room}/report/{event}", {"reason": reason})


async def noted(folder: Path) -> bool:
    """Whether Comity knows from which report on it is to read."""
    with SqliteStore.open(folder / "comity.sqlite", durable=False, read_only=True) as store:
        return store.journal.noted("reports until") != b""


async def told(who: Homeserver, synapse: Synapse) -> Any:  # noqa: ANN401 - what is true or not
    """Whether somebody has a receipt."""
    return [text for text in await direct(who, synapse) if "report" in text.lower()]
