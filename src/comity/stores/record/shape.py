"""Events as the record keeps them: by pseudonym, to the millisecond, as one line each and as columns."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from comity.core.event import Event, Kind, Media, Role, milliseconds, moment, rfc3339
from comity.core.retention import Said

# The order of columns is that of rows: what is looked for first stands first.
DICTIONARIES: Final = ("member", "room", "community", "kind", "role", "name", "mentioned")
_TEXT: Final = pa.string()
SCHEMA: Final = pa.schema(
    [
        pa.field("member", _TEXT, nullable=False),
        pa.field("room", _TEXT, nullable=False),
        pa.field("community", _TEXT, nullable=False),
        pa.field("at", pa.int64(), nullable=False),
        pa.field("part", pa.int32(), nullable=False),  # the sealing it came by, and its place there:
        pa.field("place", pa.int32(), nullable=False),  # the order of arrival
        pa.field("kind", _TEXT, nullable=False),
        pa.field("id", _TEXT, nullable=False),
        pa.field("role", _TEXT),
        pa.field("name", _TEXT),
        pa.field("text", _TEXT),
        pa.field("mentions", pa.int32()),
        pa.field("mentioned", _TEXT, nullable=False),  # joined by NUL
        pa.field("reply_to", _TEXT),
        pa.field("target", _TEXT),
        pa.field("media", _TEXT),  # JSON
        pa.field("account_created_at", pa.int64()),
        pa.field("messages_before", pa.int64()),
    ]
)
SAID: Final = ("id", "at", "kind", "community", "room", "member", "target")  # as ``Said`` has them
BARED: Final = ("name", "text", "mentions", "mentioned", "reply_to", "media")  # lost when its author takes it back
ORDER: Final = ("member", "room", "at", "part", "place")  # of rows in a segment
Bools = npt.NDArray[np.bool_]
_BOUND: Final = 2**63
_MEDIA: Final = msgspec.json.Decoder(list[Media])


def accounts_in(event: Event) -> list[str]:
    """Every account that an event names, but for those in its text."""
    found = [event.member, *(event.mentions or ())]
    if event.target and _is_account(event):
        found.append(event.target)
    return [_sound(account) for account in found]


def recorded(event: Event, called: Mapping[str, str]) -> Event | None:
    """An event as it is recorded; None if it has no time. called: pseudonyms of the accounts it names.

    Times are written to the millisecond in UTC; what cannot be encoded becomes ``?``, and a NUL U+FFFD.
    """
    try:
        at = rfc3339(moment(milliseconds(event.at)))
    except (ValueError, OverflowError):
        return None
    target = event.target
    if target and _is_account(event):
        target = called[_sound(target)]
    before = event.messages_before
    return Event(
        id=_sound(event.id),
        at=at,
        kind=event.kind,
        community=_sound(event.community),
        room=_sound(event.room),
        member=called[_sound(event.member)],
        name=_maybe(event.name),
        role=event.role,
        text=_maybe(event.text),
        mentions=None if event.mentions is None else [called[_sound(m)] for m in event.mentions],
        reply_to=_maybe(event.reply_to),
        target=_maybe(target),
        media=event.media,
        account_created_at=_time(event.account_created_at),
        messages_before=before if before is not None and -_BOUND <= before < _BOUND else None,
    )


def line(event: Event) -> bytes:
    """The event's line in our interchange format: what its leaf in the Merkle tree is made of."""
    return msgspec.json.encode(event)


def table(events: Sequence[Event], part: int) -> pa.Table:
    """Recorded events as columns, in the order of their arrival, which is kept in ``part`` and ``place``."""
    columns: dict[str, Any] = {
        "member": [e.member for e in events],
        "room": [e.room for e in events],
        "community": [e.community for e in events],
        "at": np.array([milliseconds(e.at) for e in events], np.int64),
        "part": np.full(len(events), part, np.int32),
        "place": np.arange(len(events), dtype=np.int32),
        "kind": [e.kind for e in events],
        "id": [e.id for e in events],
        "role": [e.role for e in events],
        "name": [e.name for e in events],
        "text": [e.text for e in events],
        "mentions": [None if e.mentions is None else len(e.mentions) for e in events],
        "mentioned": ["\0".join(e.mentions) if e.mentions else "" for e in events],
        "reply_to": [e.reply_to for e in events],
        "target": [e.target for e in events],
        "media": [None if e.media is None else msgspec.json.encode(e.media).decode() for e in events],
        "account_created_at": [
            None if e.account_created_at is None else milliseconds(e.account_created_at) for e in events
        ],
        "messages_before": [e.messages_before for e in events],
    }
    return pa.table(columns, schema=SCHEMA)


def events_of(rows: pa.Table) -> list[Event]:
    """The events of a table, in its order."""
    columns = {name: rows.column(name).to_pylist() for name in SCHEMA.names}
    mentions = [
        None if count is None else joined.split("\0") if count else []
        for count, joined in zip(columns["mentions"], columns["mentioned"], strict=True)
    ]
    return list(
        map(
            Event,
            columns["id"],
            _times(rows.column("at")),
            cast("list[Kind]", columns["kind"]),
            columns["community"],
            columns["room"],
            columns["member"],
            columns["name"],
            cast("list[Role | None]", columns["role"]),
            columns["text"],
            mentions,
            columns["reply_to"],
            columns["target"],
            [None if media is None else _MEDIA.decode(media) for media in columns["media"]],
            _times(rows.column("account_created_at")),
            columns["messages_before"],
        )
    )


def saids(rows: pa.Table) -> list[Said]:
    """What decides the fate of each event of a table."""
    return [Said(*row) for row in zip(*(rows.column(name).to_pylist() for name in SAID), strict=True)]


def in_time(rows: pa.Table) -> pa.Table:
    """Rows in the order of their times, those of one millisecond as they arrived."""
    return rows.take(np.lexsort([rows.column(name).to_numpy() for name in ("place", "part", "at")]))


def bared(rows: pa.Table, which: Bools) -> pa.Table:
    """Rows without what was said in some of them."""
    keep = pa.array(~which)
    for name in BARED:
        column = rows.column(name)
        nothing = pa.scalar("" if name == "mentioned" else None, column.type)
        rows = rows.set_column(SCHEMA.get_field_index(name), SCHEMA.field(name), pc.if_else(keep, column, nothing))
    return rows


def _times(column: pa.ChunkedArray) -> list[Any]:
    """Milliseconds since 1970 as RFC 3339 in UTC."""
    values = pc.fill_null(column, 0).to_numpy()
    texts = np.datetime_as_string(values.astype("datetime64[ms]"), timezone="UTC").tolist()
    if column.null_count:
        return [text if known else None for text, known in zip(texts, column.is_valid().to_pylist(), strict=True)]
    return cast("list[Any]", texts)


def _is_account(event: Event) -> bool:
    # A report may be about a member: on every platform we know whose accounts begin with @, its events do not.
    return event.kind == "role" or (event.kind == "report" and (event.target or "").startswith("@"))


def _sound(text: str) -> str:
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _maybe(text: str | None) -> str | None:
    return None if text is None else _sound(text)


def _time(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return rfc3339(moment(milliseconds(text)))
    except (ValueError, OverflowError):
        return None
