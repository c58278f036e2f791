"""A segment: the events of one week of some members, sorted, compressed and encrypted under a key of its own.

Two Merkle trees stand for it. One is over the file in pieces of 16 KiB, so that anybody can check it without a key, and
learn where it was changed. The other is over its events, each leaf SHA-256(0x00 || salt || line), so that one event can
be shown to be in it without showing another. The salts come from the segment's key: once that is destroyed, the leaves
that are left somewhere tell nothing.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pyarrow.parquet import encryption

from comity.core import merkle
from comity.core.retention import Named, Said
from comity.stores.record.places import SUFFIX, Place
from comity.stores.record.shape import DICTIONARIES, ORDER, SCHEMA, events_of, line

BUCKETS: Final = 16  # by the first digit of a pseudonym
PIECE: Final = 16_384  # bytes of a file that one leaf stands for
SALT_BYTES: Final = 16
_ROWS: Final = 8192  # of a group: one member's events are found by its statistics; more would save 3 %
_LEVEL: Final = 3  # of zstd: higher saves 2 % and takes twice as long
_PLAIN: Final = {
    **dict.fromkeys(("id", "text", "reply_to", "target", "media", "messages_before"), "PLAIN"),
    **dict.fromkeys(("at", "part", "place", "account_created_at"), "DELTA_BINARY_PACKED"),
}


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a segment without opening it.

    week: see ``retention.week_of``; low, high: buckets, both included; size: bytes; first, last: milliseconds since
    1970; rooms: whose term was not over; beyond: events that are kept though they should be gone, since an appeal may
    be about them; holds: names of those that keep more; file_root, rows_root: of its two trees.
    """

    name: str
    week: int
    low: int
    high: int
    events: int
    size: int
    first: int
    last: int
    rooms: tuple[Named, ...]
    beyond: tuple[Said, ...]
    holds: tuple[str, ...]
    file_root: bytes
    rows_root: bytes

    @property
    def file(self) -> str:
        """The name of its file."""
        return self.name + SUFFIX


class Sealed(NamedTuple):
    """A segment and its bytes, not kept anywhere yet. leaves: of the file's tree, 32 bytes each."""

    segment: Segment
    data: bytes
    leaves: bytes


def card(segment: Segment) -> bytes:
    """What the store keeps of a segment; it is never changed, and its hash stands in the chain."""
    return msgspec.msgpack.encode(segment)


def bucket_of(member: str) -> int:
    """The bucket of a member, 0 to 15, by pseudonym: even, since pseudonyms are hashes."""
    return int(member[0], BUCKETS)


def seal(
    name: str, key: bytes, rows: pa.Table, *, week: int, low: int, high: int, beyond: Sequence[Said] = (),
    holds: Sequence[str] = (), over: Callable[[Named], bool] = lambda _room: False,
) -> Sealed:  # fmt: skip
    """Make a segment of events, at least one, in whatever order. over: whether the term of a room is over."""
    columns = rows.take(pc.sort_indices(rows, [(column, "ascending") for column in ORDER]))
    data = written(columns, name, key)
    at = columns.column("at").to_numpy()
    leaves = file_leaves(data)
    pairs = columns.select(["community", "room"]).group_by(["community", "room"]).aggregate([])
    rooms = set(zip(pairs.column("community").to_pylist(), pairs.column("room").to_pylist(), strict=True))
    made = Segment(
        name=name,
        week=week,
        low=low,
        high=high,
        events=columns.num_rows,
        size=len(data),
        first=int(at.min()),
        last=int(at.max()),
        rooms=tuple(sorted(room for room in rooms if not over(room))),
        beyond=tuple(beyond),
        holds=tuple(holds),
        file_root=merkle.root(leaves),
        rows_root=merkle.root(row_leaves(key, lines_of(columns))),
    )
    return Sealed(made, data, b"".join(leaves))


def written(rows: pa.Table, name: str, key: bytes | None) -> bytes:
    """Rows as a file, encrypted under a key and bound to a name; None only to measure what encrypting costs."""
    locked = (
        encryption.create_encryption_properties(key, aad_prefix=name.encode(), store_aad_prefix=False) if key else None
    )
    sink = pa.BufferOutputStream()
    pq.write_table(
        rows,
        sink,
        row_group_size=_ROWS,
        compression="zstd",
        compression_level=_LEVEL,
        use_dictionary=[*DICTIONARIES, "mentions"],
        column_encoding=_PLAIN,
        write_statistics=["member", "room", "at"],
        store_schema=False,
        encryption_properties=locked,
    )
    data: bytes = sink.getvalue().to_pybytes()
    return data


def unlocked(name: str, key: bytes | None) -> object:
    """What Arrow needs to read such a file."""
    return encryption.create_decryption_properties(key, aad_prefix=name.encode()) if key else None


def lines_of(rows: pa.Table) -> list[bytes]:
    """The line of each event, in the order of the rows."""
    lines: list[bytes] = []
    for start in range(0, rows.num_rows, _ROWS):
        lines += map(line, events_of(rows.slice(start, _ROWS)))
    return lines


def file_leaves(data: bytes | memoryview) -> list[bytes]:
    """The leaves of a file's tree."""
    view = memoryview(data)
    return [merkle.leaf(view[i : i + PIECE]) for i in range(0, len(view), PIECE)]


def row_leaves(key: bytes, lines: Sequence[bytes]) -> list[bytes]:
    """The leaves of the tree of events, their lines in the order of the rows."""
    salts = _salts(key).encryptor().update(bytes(SALT_BYTES * len(lines)))
    return [merkle.leaf(salts[i * SALT_BYTES : (i + 1) * SALT_BYTES] + each) for i, each in enumerate(lines)]


def row_salt(key: bytes, row: int) -> bytes:
    """The salt of one row."""
    return _salts(key, row).encryptor().update(bytes(SALT_BYTES))


def opened(place: Place, segment: Segment, key: bytes, *, dictionaries: bool = False) -> pq.ParquetFile:
    """The file of a segment, to read from; dictionaries: leave identifiers as they are encoded.

    Raises StoreError if it is missing, OSError if it was changed.
    """
    return pq.ParquetFile(
        place.open(segment.file),
        decryption_properties=unlocked(segment.name, key),
        pre_buffer=False,
        read_dictionary=list(DICTIONARIES) if dictionaries else None,
    )


def rows_of(file: pq.ParquetFile, members: Sequence[str], columns: Sequence[str] | None = None) -> pa.Table:
    """The rows of some members: only the groups that can hold them are read. columns: with ``member`` among them."""
    wanted = sorted(members)
    at = SCHEMA.get_field_index("member")
    groups = []
    for i in range(file.metadata.num_row_groups):
        statistics = file.metadata.row_group(i).column(at).statistics
        if statistics is None or any(statistics.min <= m <= statistics.max for m in wanted):
            groups.append(i)
    if not groups:
        return SCHEMA.empty_table() if columns is None else SCHEMA.empty_table().select(list(columns))
    found = file.read_row_groups(groups, columns=None if columns is None else list(columns), use_threads=False)
    column = found.column("member")
    which = pc.is_in(column, _values(tuple(wanted)))
    rows = np.flatnonzero(which.to_numpy())
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):  # as one member's are: nothing has to be copied
        return found.slice(rows[0], len(rows))
    return found.take(pa.array(rows))


@lru_cache(maxsize=64)
def _values(members: tuple[str, ...]) -> pa.Array:
    return pa.array(members)  # whenever Arrow takes a value of Python's it looks for pandas, in vain, for 1 ms


def _salts(key: bytes, row: int = 0) -> Cipher[modes.CTR]:
    """What makes the salts of rows from one on: a block each of AES in counter mode, all of them in one go."""
    own = blake2b(key=key, person=b"record salts", digest_size=32).digest()
    return Cipher(algorithms.AES256(own), modes.CTR(row.to_bytes(SALT_BYTES, "big")))
