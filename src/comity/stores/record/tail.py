"""The newest part of the record: a frame for each turn, encrypted, in the transaction of the turn."""

import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final

import msgspec
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comity.core.errors import StoreError
from comity.core.event import Event
from comity.stores.record.keys import NONCE_BYTES, Keys
from comity.stores.record_contract import FrameRow, RecordTables

_HEAD: Final = "head"
_LAST: Final = "frame"  # the last frame's number and seal
_BASE: Final = "frame before"  # of the last one that was sealed into segments
_KEY: Final = "frame key"  # the name of the key that frames are encrypted with now
_NUMBER: Final = 8
_START: Final = (0, bytes(32))
_PACK: Final = zstandard.ZstdCompressor(level=1)
_UNPACK: Final = zstandard.ZstdDecompressor()
_DECODER: Final = msgspec.json.Decoder(Event)
NAME: Final = "frames-"  # how keys of frames are called


class FrameError(StoreError):
    """A frame is not as it was written."""


class Tail:
    """The frames of a store. Changes belong into its ``write()``; nothing is remembered from one to the next."""

    def __init__(self, tables: RecordTables, keys: Keys) -> None:
        self._tables, self._keys = tables, keys

    def add(self, events: Sequence[Event]) -> None:
        """Keep the events of a turn, as they are recorded."""
        number, seal = self.last()
        name = self._key_name()
        body = self._locked(name, number + 1, _PACK.compress(msgspec.json.Encoder().encode_lines(events)))
        frame = FrameRow(number + 1, len(events), name, body, b"")
        seal = frame_seal(seal, frame)
        self._tables.add_frame(frame._replace(seal=seal))
        self._note(_LAST, number + 1, seal)

    def frames(self) -> Iterator[tuple[FrameRow, list[Event]]]:
        """All frames with their events, in order. Raises FrameError at the first that is not as it was written."""
        for frame in self._tables.frames():
            yield frame, self.opened(frame)

    def opened(self, frame: FrameRow) -> list[Event]:
        """The events of a frame. Raises FrameError if it is not as it was written."""
        try:
            nonce, body = frame.body[:NONCE_BYTES], frame.body[NONCE_BYTES:]
            plain = AESGCM(self._keys.get(frame.key)).decrypt(nonce, body, _about(frame.number))
            events = _DECODER.decode_lines(_UNPACK.decompress(plain))
        except (InvalidTag, zstandard.ZstdError, msgspec.MsgspecError, ValueError) as error:
            raise FrameError(f"frame {frame.number} of the record was changed: restore a copy of the store") from error
        if len(events) != frame.events:
            raise FrameError(f"frame {frame.number} of the record should have {frame.events} events")
        return events

    def drop(self, through: FrameRow) -> None:
        """Drop frames up to this one, which are sealed now, and their keys; the next frame gets a key of its own."""
        names = {frame.key for frame in self._tables.frames()}
        left = {frame.key for frame in self._tables.frames(beyond=through.number)}
        self._tables.drop_frames(through.number)
        self._note(_BASE, through.number, through.seal)
        self._keys.destroy(names - left)
        if not left:
            self._tables.drop(_HEAD, [_KEY])

    def last(self) -> tuple[int, bytes]:
        """Number and seal of the last frame there ever was."""
        return self._noted(_LAST)

    def base(self) -> tuple[int, bytes]:
        """Number and seal of the last frame that was dropped."""
        return self._noted(_BASE)

    def _key_name(self) -> str:
        row = self._tables.row(_HEAD, _KEY)
        if row is not None:
            return row.decode()
        name = NAME + os.urandom(6).hex()
        self._keys.new(name)
        self._keys.keep(name)
        self._tables.keep(_HEAD, _KEY, name.encode())
        return name

    def _locked(self, name: str, number: int, plain: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self._keys.get(name)).encrypt(nonce, plain, _about(number))

    def _note(self, name: str, number: int, seal: bytes) -> None:
        self._tables.keep(_HEAD, name, number.to_bytes(_NUMBER, "big") + seal)

    def _noted(self, name: str) -> tuple[int, bytes]:
        row = self._tables.row(_HEAD, name)
        return _START if row is None else (int.from_bytes(row[:_NUMBER], "big"), row[_NUMBER:])


def frame_seal(before: bytes, frame: FrameRow) -> bytes:
    """The seal of a frame after the one with the seal ``before``; it covers every column."""
    header = frame.number.to_bytes(_NUMBER, "big") + frame.events.to_bytes(_NUMBER, "big") + frame.key.encode() + b"\n"
    return sha256(before + header + frame.body).digest()


def _about(number: int) -> bytes:
    return b"comity record frame" + number.to_bytes(_NUMBER, "big")
