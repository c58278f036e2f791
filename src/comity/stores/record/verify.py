"""Whether the record is as it was sealed, and if not, where: links, what the store knows of segments, files, frames.

Everything but ``deep`` needs no key, so that it can be left to somebody who cannot read a word of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

import msgspec

from comity.core import merkle
from comity.core.errors import StoreError
from comity.core.ledger import GENESIS
from comity.stores.record.links import (
    DECODER,
    START,
    AnyLink,
    Began,
    Destroyed,
    HeadError,
    SealedLink,
    SignedHead,
    check_signature,
)
from comity.stores.record.places import SUFFIX
from comity.stores.record.replacing import Parts
from comity.stores.record.segment import PIECE, Segment, file_leaves, lines_of, row_leaves
from comity.stores.record.tail import frame_seal
from comity.stores.record_contract import FrameRow


class RecordVerdict(NamedTuple):
    """What reading the whole record showed. faults: sentences, each saying where; size: bytes of files read."""

    links: int
    segments: int
    frames: int
    size: int
    faults: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Nothing is changed, missing, added, or swapped."""
        return not self.faults


def verify(
    parts: Parts,
    *,
    noted: SignedHead | None = None,
    deep: bool = False,
    progress: Callable[[int], None] = lambda _bytes: None,
) -> RecordVerdict:
    """Read everything and name what is not as it was sealed.

    noted: a head that was kept elsewhere; deep: also decrypt every segment and frame, and build the trees of their
    events anew; progress: told the bytes read.
    """
    bodies = parts.tables.links()
    faults, links = _links(parts, bodies, noted)
    live = _live(links)
    size = 0
    cards = parts.rows.cards()
    faults += [f"added: segment {name}, which no link names" for name in sorted(cards.keys() - live.keys())]
    roots = {link.file_root: name for name, link in live.items()}
    sizes = _sizes(parts, faults)
    for name, link in live.items():
        segment = _card(name, link, cards, faults)
        found, read = _file(parts, segment, roots, sizes) if segment else ([], 0)
        faults += found
        size += read
        progress(read)
        if deep and segment and not found:
            faults += _rows(parts, segment)
    known = {name + SUFFIX for name in live} | set(parts.rows.leftovers())
    faults += [f"added: file {name}, which no link names" for name in sizes if name not in known]
    frames, wrong = _frames(parts, deep=deep)
    return RecordVerdict(len(bodies), len(live), frames, size, tuple(faults + wrong))


def _links(parts: Parts, bodies: Sequence[bytes], noted: SignedHead | None) -> tuple[list[str], list[AnyLink]]:
    links: list[AnyLink | None] = []
    faults: list[str] = []
    for place, body in enumerate(bodies, 1):
        try:
            links.append(DECODER.decode(body))
        except msgspec.MsgspecError:
            links.append(None)
            faults.append(f"link {place} was changed: it is no link")
    last, tree = parts.chain.end()
    end_fits = len(bodies) != tree.size or not bodies or sha256(bodies[-1]).digest() == last
    faults += _order(links) or _joints(bodies, links, end_fits=end_fits)
    leaves = [merkle.leaf(body) for body in bodies]
    if tree.size > len(bodies):
        faults.append(f"missing at the end: {_spell('link', len(bodies) + 1, tree.size)}")
    elif tree.size < len(bodies):
        faults.append(f"added after the end: {_spell('link', tree.size + 1, len(bodies))}")
    elif not faults and merkle.root(leaves) != tree.root():
        faults.append("the head of the chain was changed, the links were not")
    if noted is not None:
        faults += _noted(parts, noted, leaves, links)
    for link in links:
        if isinstance(link, SealedLink) and not _follows(parts, link.entry, link.entry_seal):
            faults.append(f"entry {link.entry} of the ledger is not the one that link {link.number} was made after")
    return faults, [link for link in links if link is not None]


def _order(links: Sequence[AnyLink | None]) -> list[str]:
    numbers = [None if link is None else link.number for link in links]
    wrong = [place for place, number in enumerate(numbers, 1) if number not in {place, None}]
    if not wrong:
        return []
    place = wrong[0]
    number = numbers[place - 1] or 0
    if number > place and (number > len(numbers) or numbers[number - 1] != place):
        return [f"missing: {_spell('link', place, number - 1)}"]
    if number > place:
        return [f"swapped: links {place} and {number}"]
    return [f"added: link {place}"]


def _joints(bodies: Sequence[bytes], links: Sequence[AnyLink | None], *, end_fits: bool) -> list[str]:
    """Where a link does not name the one before it; whichever of the two also does not fit its other neighbour.

    end_fits: whether the head of the chain names the last one.
    """
    fits = [True] * len(links) + [end_fits]
    before = START
    for i, (body, link) in enumerate(zip(bodies, links, strict=True)):
        fits[i] = link is None or link.before == before.hex()
        before = sha256(body).digest()
    faults = []
    for i in range(len(links)):
        if fits[i]:
            continue
        itself = i == 0 or not fits[i + 1]
        guilty = i + 1 if itself else i
        if links[guilty - 1] is not None and (fault := f"link {guilty} was changed") not in faults:
            faults.append(fault)
        if itself:
            fits[i + 1] = True
    if not fits[-1] and links[-1] is not None:
        faults.append(f"link {len(links)} was changed, or the head of the chain")
    return faults


def _noted(parts: Parts, noted: SignedHead, leaves: Sequence[bytes], links: Sequence[AnyLink | None]) -> Iterator[str]:
    try:
        check_signature(noted)
    except HeadError as error:
        yield str(error)
        return
    first = links[0] if links else None
    if not isinstance(first, Began) or first.signs != noted.signs:
        yield "the head that was noted is signed by another record's key, or link 1 was changed"
    if noted.size > len(leaves):
        yield f"missing at the end: {_spell('link', len(leaves) + 1, noted.size)}, which the noted head counts"
    elif merkle.root(leaves[: noted.size]).hex() != noted.root:
        yield f"a link up to {noted.size} was changed and all made anew: the head that was noted has another root"
    if not _follows(parts, noted.entry, noted.entry_seal):
        yield f"entry {noted.entry} of the ledger is not the one that the noted head names"


def _follows(parts: Parts, entry: int, seal: str) -> bool:
    found = GENESIS.seal if entry == 0 else parts.tables.seal_of(entry)
    return found is not None and found.hex() == seal


def _live(links: Sequence[AnyLink]) -> dict[str, SealedLink]:
    live: dict[str, SealedLink] = {}
    for link in links:
        if isinstance(link, SealedLink):
            live[link.segment] = link
            for name in link.instead_of:
                live.pop(name, None)
        elif isinstance(link, Destroyed):
            live.pop(link.segment, None)
    return live


def _card(name: str, link: SealedLink, cards: Mapping[str, bytes], faults: list[str]) -> Segment | None:
    body = cards.get(name)
    if body is None:
        faults.append(f"missing: what the store knows of segment {name} (link {link.number})")
        return None
    if sha256(body).hexdigest() != link.card:
        faults.append(f"what the store knows of segment {name} was changed (link {link.number})")
        return None
    return msgspec.msgpack.decode(body, type=Segment)


def _sizes(parts: Parts, faults: list[str]) -> dict[str, int]:
    try:
        return parts.place.names()
    except StoreError as error:
        faults.append(str(error))
        return {}


def _file(parts: Parts, segment: Segment, roots: Mapping[str, str], sizes: Mapping[str, int]) -> tuple[list[str], int]:
    """What is wrong with a segment's file, and how many bytes were read."""
    name = segment.name
    if segment.file not in sizes:
        return [f"missing: the file of segment {name}"], 0
    kept = parts.rows.leaves(name)
    leaves = [kept[i : i + 32] for i in range(0, len(kept), 32)]
    faults = []
    if merkle.root(leaves) != segment.file_root:
        faults.append(f"the leaves of segment {name} were changed in the store")
        leaves = []
    try:
        with parts.place.open(segment.file) as file:
            found = file_leaves(file.read_buffer())
    except (StoreError, OSError, ValueError) as error:
        return [*faults, f"the file of segment {name} cannot be read: {error}"], 0
    size = sizes[segment.file]
    root = merkle.root(found).hex()
    if root == segment.file_root.hex():
        return faults, size
    if root in roots:
        return [*faults, f"swapped: the file of segment {name} is that of segment {roots[root]}"], size
    for i, (is_, was) in enumerate(zip(found, leaves, strict=False)):
        if is_ != was and not (i == len(found) - 1 and size < segment.size):
            end = min((i + 1) * PIECE, segment.size) - 1
            faults.append(f"the file of segment {name} was changed within bytes {i * PIECE} to {end}")
    if size < segment.size:
        faults.append(f"the file of segment {name} has lost its end, from byte {size} on")
    elif size > segment.size:
        faults.append(f"something was added to the file of segment {name}, from byte {segment.size} on")
    return faults or [f"the file of segment {name} was changed"], size


def _rows(parts: Parts, segment: Segment) -> list[str]:
    try:
        lines = lines_of(parts.read(segment))
        leaves = row_leaves(parts.keys.get(segment.name), lines)
    except (StoreError, OSError) as error:
        return [f"segment {segment.name} cannot be read: {error}"]
    if merkle.root(leaves) == segment.rows_root:
        return []
    return [f"the events of segment {segment.name} are not those that were sealed"]


def _frames(parts: Parts, *, deep: bool) -> tuple[int, list[str]]:
    """How many frames are whole before the first fault, and that fault."""
    first, seal = parts.tail.base()
    end, end_seal = parts.tail.last()
    number = first
    for frame in parts.tables.frames():
        if fault := _frame(parts, frame, number, seal, end, deep=deep):
            return number - first, [fault]
        number, seal = frame.number, frame.seal
    if number < end:
        return number - first, [f"missing at the end: {_spell('frame', number + 1, end)}"]
    if seal != end_seal:
        return number - first, [f"the head of the frames was changed, or frame {number}"]
    return number - first, []


def _frame(parts: Parts, frame: FrameRow, before: int, seal: bytes, end: int, *, deep: bool) -> str:
    if frame.number > end or frame.number <= before:
        return f"added: frame {frame.number}"
    if frame.number > before + 1:
        return f"missing: {_spell('frame', before + 1, frame.number - 1)}"
    if frame_seal(seal, frame) != frame.seal:
        return f"frame {frame.number} was changed"
    if deep:
        try:
            parts.tail.opened(frame)
        except StoreError as error:
            return str(error)
    return ""


def _spell(what: str, first: int, last: int) -> str:
    return f"{what} {first}" if first == last else f"{what}s {first} to {last}"
