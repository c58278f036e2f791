"""Replay of the record: its columns straight to the engine's, without an event or a line in between."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from comity.core.event import KINDS, ROLES, Media
from comity.features.kernels.woven import ROOM, TIME, length, weave, write_times
from comity.features.pieces import Bools, Ints, Piece, Strings
from comity.replay import BATCH, Pieced

_STRINGS: Final = ("id", "community", "room", "member", "name", "text", "reply_to", "target")
_MEDIA: Final = msgspec.json.Decoder(list[Media])
_CODES: Final = {"kind": KINDS, "role": ROLES}


def chunks(
    weeks: Iterable[pa.Table], accounts: Mapping[str, str] | None = None, sizes: Callable[[pa.Table], int] = len
) -> Iterator[Pieced]:
    """The events of tables in the record's shape, in order of their times, in pieces for ``replay.run``.

    weeks: one after the other, none overlapping the next in time; accounts: by pseudonym, of members whose account is
    still known, so that rules about accounts work; sizes: what ``progress`` is told has been read of a table.
    """
    for week in weeks:
        if week.num_rows == 0:
            continue
        whole = week.combine_chunks()
        order = np.lexsort([whole.column(name).to_numpy() for name in ("place", "part", "at")])
        columns = _Columns(whole, accounts or {})
        read, count = sizes(week), len(order)
        for start in range(0, count, BATCH):
            end = min(start + BATCH, count)
            yield Pieced(columns.piece(order[start:end]), read * end // count - read * start // count)


class _Columns:
    """The columns of a table, ready to be taken from by rows."""

    def __init__(self, table: pa.Table, accounts: Mapping[str, str]) -> None:
        self._strings = {name: _Texts(table.column(name)) for name in _STRINGS}
        self._mentioned = _Texts(table.column("mentioned"))
        if accounts:
            for name in ("member", "target"):
                self._strings[name].rename(lambda name: accounts.get(name, name))
            self._mentioned.rename(lambda names: "\0".join(accounts.get(n, n) for n in names.split("\0")))
        self._codes = {name: _codes(table.column(name), words) for name, words in _CODES.items()}
        self._mentions = _numbers(table.column("mentions"), -1)
        self._before = _numbers(table.column("messages_before"), -1)
        self._at = table.column("at").to_numpy()
        created = table.column("account_created_at")
        self._created, self._created_known = _numbers(created, 0), _valid(created)
        self._media = table.column("media")
        self._media_known = _valid(self._media)

    def piece(self, rows: Ints) -> Piece:
        """Some rows, in the order given."""
        n = len(rows)
        everywhere = np.ones(n, np.bool_)
        strings = {name: column.some(rows) for name, column in self._strings.items()}
        strings["at"] = Strings(_times(self._at[rows], everywhere), None)
        created = self._created_known[rows]
        strings["account_created_at"] = Strings(
            _times(self._created[rows], created), None if created.all() else created
        )
        mentions = self._mentions[rows]
        media_known = self._media_known[rows]
        media = {}
        for i in np.flatnonzero(media_known).tolist():
            files = tuple(_MEDIA.decode(self._media[int(rows[i])].as_py()))
            if files:
                media[i] = files
        return Piece.of_columns(
            strings=strings,
            kinds=self._codes["kind"][rows],
            roles=self._codes["role"][rows],
            mentions=mentions,
            mentioned=self._mentioned.some(rows[mentions > 0]).joined,
            messages_before=self._before[rows],
            media=media,
            media_known=None if media_known.all() else media_known,
        )


class _Texts:
    """A column of strings: the different ones, or all of them, and which of those each row has, -1 for none."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        array = _one(column)
        self._valid: Bools | None = None if array.null_count == 0 else _valid(array)
        self._nothing = array.null_count == len(array)
        self._codes: Ints | None = None
        self._array: pa.Array
        if pa.types.is_dictionary(array.type):
            self._codes = pc.fill_null(array.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
            array = array.dictionary
        self._keep(array)

    def rename(self, to: Callable[[str], str]) -> None:
        """Have other strings instead; each different one is asked for once."""
        if self._codes is None:
            encoded = self._array.dictionary_encode()
            self._codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
            self._array = encoded.dictionary
        self._keep(pa.array([to(name) for name in self._array.to_pylist()], pa.string()))

    def some(self, rows: Ints) -> Strings:
        """The strings of some rows, joined, and where there are any."""
        n = len(rows)
        if self._nothing or n == 0:
            return Strings(b"\0" * max(n - 1, 0), np.zeros(n, np.bool_))
        known = None if self._valid is None else self._valid[rows]
        wanted = rows if self._codes is None else self._codes[rows]
        out = np.empty(length(self._offsets, wanted) + ROOM, np.uint8)
        used = weave(self._data, self._offsets, wanted, out)
        return Strings(out[: used - 1].tobytes(), None if known is None or known.all() else known)

    def _keep(self, array: pa.Array) -> None:
        self._array = array
        _, offsets, data = array.buffers()
        self._offsets = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
        self._data = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)


def _one(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


def _valid(column: pa.ChunkedArray | pa.Array) -> Bools:
    valid: Bools = column.is_valid().to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else (
        column.is_valid().to_numpy()
    )  # fmt: skip
    return valid


def _numbers(column: pa.ChunkedArray, unknown: int) -> Ints:
    values: Ints = pc.fill_null(column.cast(pa.int64()), unknown).to_numpy()
    return values


def _codes(column: pa.ChunkedArray, words: tuple[str, ...]) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    found = pc.fill_null(pc.index_in(column.cast(pa.string()), pa.array(words)), -1)
    codes: np.ndarray[tuple[int], np.dtype[np.int8]] = found.to_numpy().astype(np.int8)
    return codes


def _times(at: Ints, known: Bools) -> bytes:
    out = np.empty(len(at) * (TIME + 1), np.uint8)
    used = write_times(at, known, out)
    return out[: used - 1].tobytes()
