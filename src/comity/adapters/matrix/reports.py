"""Reports that members make with their client: the homeserver keeps them, and tells only its administrators.

Source: Synapse, admin API, "Event reports"; the specification has no way for an application service to hear of them.
"""

from typing import Final

from comity.adapters.matrix.client import Homeserver, Json
from comity.adapters.matrix.normalise import REPORT

PAGE: Final = 100
MOST_PAGES: Final = 20  # of reports that came since the last time; what is older than that is left to the homeserver
_REPORTS: Final = "/_synapse/admin/v1/event_reports"


async def newest(admin: Homeserver) -> int:
    """The number of the last report there is, 0 if there is none. Raises HomeserverError."""
    found = await _page(admin, 0, 1)
    return max((_number(r) for r in found), default=0)


async def reported(admin: Homeserver, since: int) -> tuple[list[Json], int]:
    """Reports after a number as client events, in order, and the number to go on from. Raises HomeserverError.

    admin: an account of a server administrator. Each is an event of the type ``REPORT``, which no client can send: its
    sender is who reports, its content names the message, whose it is, and why.
    """
    found: dict[int, Json] = {}
    for page in range(MOST_PAGES):
        some = await _page(admin, page * PAGE, PAGE)
        found |= {_number(r): r for r in some if _number(r) > since}
        if len(some) < PAGE or min(map(_number, some)) <= since:
            break
    return [_event(number, found[number]) for number in sorted(found)], max(found, default=since)


async def _page(admin: Homeserver, start: int, most: int) -> list[Json]:
    """Reports, the last one first."""
    query = {"dir": "b", "from": str(start), "limit": str(most)}
    answer = await admin.request("GET", _REPORTS, query=query)
    some = answer.get("event_reports")
    return [r for r in some if isinstance(r, dict)] if isinstance(some, list) else []


def _number(report: Json) -> int:
    number = report.get("id")
    return number if isinstance(number, int) else 0


def _event(number: int, report: Json) -> Json:
    content = {
        "event_id": report.get("event_id"),
        "sender": report.get("sender"),
        "reason": report.get("reason") or "",
    }
    return {
        "type": REPORT,
        "event_id": f"$report-{number}",
        "room_id": report.get("room_id"),
        "sender": report.get("user_id"),
        "origin_server_ts": report.get("received_ts"),
        "content": content,
    }
