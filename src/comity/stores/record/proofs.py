"""Proofs: that an event, word for word, is in the record under a signed head; shown without showing anything else."""

import msgspec

from comity.core import merkle
from comity.core.errors import ComityError, StoreError
from comity.core.event import Event
from comity.stores.record.links import DECODER, SealedLink, SignedHead, check_signature
from comity.stores.record.replacing import Parts
from comity.stores.record.segment import bucket_of, lines_of, opened, row_leaves, row_salt, rows_of


class ProofError(ComityError):
    """What a proof says does not follow from it."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is needed to check one event against a signed head; hashes and the salt in hexadecimal.

    line: the event as it is recorded; row, rows: its place in its segment; beside: the hashes on the way to the root of
    the segment's events; link: the link that names that root, number, and the hashes on the way to the head's root.
    """

    line: str
    salt: str
    row: int
    rows: int
    beside: tuple[str, ...]
    link: str
    number: int
    links_beside: tuple[str, ...]
    head: SignedHead


def prove(parts: Parts, community: str, member: str, event: str, now: int) -> Proof:
    """The proof of an event by a member (pseudonym). Raises StoreError if it is in no segment, sealed or destroyed."""
    for segment in parts.rows.segments():
        if not segment.low <= bucket_of(member) <= segment.high:
            continue
        key = parts.keys.get(segment.name)
        found = rows_of(opened(parts.place, segment, key), [member], ["member", "id", "community"])
        if (event, community) not in zip(
            found.column("id").to_pylist(), found.column("community").to_pylist(), strict=True
        ):
            continue
        lines = lines_of(parts.read(segment))
        row = next(i for i, line in enumerate(lines) if _is(line, community, event))
        leaves = row_leaves(key, lines)
        bodies = parts.tables.links()
        number = next(i for i, body in enumerate(bodies, 1) if _seals(body, segment.name))
        return Proof(
            line=lines[row].decode(),
            salt=row_salt(key, row).hex(),
            row=row,
            rows=len(lines),
            beside=tuple(h.hex() for h in merkle.path(leaves, row)),
            link=bodies[number - 1].decode(),
            number=number,
            links_beside=tuple(h.hex() for h in merkle.path([merkle.leaf(b) for b in bodies], number - 1)),
            head=parts.chain.head(now),
        )
    raise StoreError(f"event {event} is in no segment of the record: it is not sealed yet, or its term is over")


def check(proof: Proof) -> Event:
    """The event that a proof shows. Raises ProofError or HeadError, saying what does not follow; needs no record."""
    check_signature(proof.head)
    try:
        beside, above = ([bytes.fromhex(h) for h in some] for some in (proof.beside, proof.links_beside))
        leaf = merkle.leaf(bytes.fromhex(proof.salt) + proof.line.encode())
        link = DECODER.decode(proof.link)
        root = bytes.fromhex(proof.head.root)
        event = msgspec.json.decode(proof.line, type=Event)
    except (ValueError, msgspec.MsgspecError) as error:
        raise ProofError(f"this is no proof: {error}") from error
    if not isinstance(link, SealedLink):
        raise ProofError(f"link {proof.number} seals no segment")
    if not merkle.proves(leaf, proof.row, proof.rows, beside, bytes.fromhex(link.rows_root)):
        raise ProofError("the event is not among those that the link was made for: a letter of it was changed")
    if not merkle.proves(merkle.leaf(proof.link.encode()), proof.number - 1, proof.head.size, above, root):
        raise ProofError("the link is not in the chain that the head was signed for")
    return event


def _is(line: bytes, community: str, event: str) -> bool:
    found = msgspec.json.decode(line, type=_Named)
    return (found.community, found.id) == (community, event)


class _Named(msgspec.Struct):
    id: str
    community: str


def _seals(body: bytes, segment: str) -> bool:
    link = DECODER.decode(body)
    return isinstance(link, SealedLink) and link.segment == segment
