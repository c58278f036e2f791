"""The chain of the record: what was sealed, destroyed, looked at and changed, each a leaf of one Merkle tree.

A link is JSON, kept as it was written. A head names the tree's size and root, and the ledger's last entry; signed and
published, it holds us to all that came before: whoever changes a link, an entry or a segment cannot make that root
again.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from comity.core import merkle
from comity.core.errors import ComityError
from comity.core.event import moment, rfc3339
from comity.stores.record.keys import Keys
from comity.stores.record.segment import Segment, card
from comity.stores.record_contract import RecordTables

SIGNING: Final = "signing"  # the name of the key that signs heads
_HEAD: Final = "head"
_LINKS: Final = "links"
_SIZE: Final = 8  # bytes
START: Final = bytes(32)  # stands before the first link


class Link(msgspec.Struct, frozen=True, tag_field="what", kw_only=True):
    """Anything in the chain.

    at: milliseconds since 1970; number: from 1 on; before: SHA-256 of the link before, hexadecimal, so that a fault can
    be located. The chain fills in the last two.
    """

    at: int
    number: int = 0
    before: str = ""


class Began(Link, frozen=True, tag="began"):
    """The record began. signs: the public key that heads are signed with, hexadecimal."""

    signs: str


class SealedLink(Link, frozen=True, tag="sealed"):
    """A segment was sealed, or written anew instead of others.

    card: SHA-256 of what the store knows of it; instead_of: names of those, destroyed with their keys; left_out, bared:
    how many events are gone, or lost what was said in them, by reason; entry, entry_seal: the ledger's last one then.
    """

    segment: str
    week: int
    low: int
    high: int
    events: int
    size: int
    card: str
    file_root: str
    rows_root: str
    entry: int
    entry_seal: str
    instead_of: tuple[str, ...] = ()
    left_out: dict[str, int] = {}
    bared: int = 0


class Destroyed(Link, frozen=True, tag="destroyed"):
    """A tombstone: a segment is gone, and its key. why: counts of its events by reason."""

    segment: str
    week: int
    events: int
    why: dict[str, int]


class RoomTold(Link, frozen=True, tag="room"):
    """A room's events are recorded from now on, for so many days, or no longer (0). room: as the store names it."""

    community: str
    room: str
    days: int


class Held(Link, frozen=True, tag="hold"):
    """A hold began, or ended before its time. until: its end."""

    name: str
    by: str
    reason: str
    until: int
    ended: bool = False


class Looked(Link, frozen=True, tag="looked"):
    """Somebody looked into the record. look: number of the look in the store; shown: how many events."""

    look: int
    by: str
    shown: int


class Rotated(Link, frozen=True, tag="rotated"):
    """All keys were wrapped anew. keeper: by which key."""

    keeper: str
    keys: int


AnyLink = Began | SealedLink | Destroyed | RoomTold | Held | Looked | Rotated
DECODER: Final = msgspec.json.Decoder(AnyLink)


class SignedHead(msgspec.Struct, frozen=True, kw_only=True):
    """The record's version at a time, to be published. size, root: of the chain; entry, entry_seal: of the ledger.

    signs: the public key, signature: Ed25519 over the other fields, all hexadecimal.
    """

    at: str
    size: int
    root: str
    entry: int
    entry_seal: str
    signs: str
    signature: str = ""

    def signed_bytes(self) -> bytes:
        """What the signature is over: the head as JSON, without it."""
        return b"comity record head\n" + msgspec.json.encode(msgspec.structs.replace(self, signature=""))


class HeadError(ComityError):
    """A head that is none, or is not signed by the key it names."""


class Chain:
    """The links of a store. Changes belong into its ``write()``."""

    def __init__(self, tables: RecordTables, keys: Keys) -> None:
        self._tables, self._keys = tables, keys

    def add(self, *links: AnyLink) -> None:
        """Append links."""
        before, tree = self.end()
        bodies = []
        for link in links:
            body = msgspec.json.encode(msgspec.structs.replace(link, number=tree.size + 1, before=before.hex()))
            tree.add(merkle.leaf(body))
            before = sha256(body).digest()
            bodies.append(body)
        self._tables.add_links(bodies)
        self._tables.keep(_HEAD, _LINKS, tree.size.to_bytes(_SIZE, "big") + before + tree.dump())

    def end(self) -> tuple[bytes, merkle.Growing]:
        """The hash of the last link, and the tree over all links, as the store's head has them."""
        row = self._tables.row(_HEAD, _LINKS) or bytes(_SIZE + len(START))
        rest = row[_SIZE:]
        return rest[: len(START)], merkle.Growing(int.from_bytes(row[:_SIZE], "big"), rest[len(START) :])

    def links(self) -> list[AnyLink]:
        """All links. Raises StoreError if one cannot be read."""
        return [DECODER.decode(body) for body in self._tables.links()]

    def head(self, at: int) -> SignedHead:
        """The head of now, signed."""
        (_, tree), entry = self.end(), self._tables.head()
        key = Ed25519PrivateKey.from_private_bytes(self._keys.get(SIGNING))
        head = SignedHead(
            at=rfc3339(moment(at)),
            size=tree.size,
            root=tree.root().hex(),
            entry=entry.number,
            entry_seal=entry.seal.hex(),
            signs=key.public_key().public_bytes_raw().hex(),
        )
        return msgspec.structs.replace(head, signature=key.sign(head.signed_bytes()).hex())


def sealed_link(
    segment: Segment, at: int, entry: tuple[int, bytes], *, instead_of: Sequence[str] = (),
    left_out: dict[str, int] | None = None, bared: int = 0,
) -> SealedLink:  # fmt: skip
    """The link of a new segment."""
    return SealedLink(
        at=at,
        segment=segment.name,
        week=segment.week,
        low=segment.low,
        high=segment.high,
        events=segment.events,
        size=segment.size,
        card=sha256(card(segment)).hexdigest(),
        file_root=segment.file_root.hex(),
        rows_root=segment.rows_root.hex(),
        entry=entry[0],
        entry_seal=entry[1].hex(),
        instead_of=tuple(instead_of),
        left_out=left_out or {},
        bared=bared,
    )


def check_signature(head: SignedHead) -> None:
    """Raise HeadError unless the head is signed by the key it names."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(head.signs))
        key.verify(bytes.fromhex(head.signature), head.signed_bytes())
    except (InvalidSignature, ValueError) as error:
        raise HeadError("the head is not signed by the key it names: it was changed, or is no head") from error


def public_key(seed: bytes) -> str:
    """The public key that belongs to a signing key, hexadecimal."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw().hex()


def read_head(text: bytes) -> SignedHead:
    """A head from JSON. Raises HeadError if it is none or its signature is wrong."""
    try:
        head = msgspec.json.decode(text, type=SignedHead)
    except msgspec.MsgspecError as error:
        raise HeadError(f"this is no head of a record: {error}") from error
    check_signature(head)
    return head
