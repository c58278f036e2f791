"""The slow, obvious counts by hand that the kernels have to agree with, event by event, in Python's own containers."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median_high

HOUR = 3_600_000
BLOCK = 31


@dataclass
class Held:
    """One key: its clock, where the stream stood at its last insert, and its (time, value) in time order."""

    latest: int
    touched: int
    block: int
    stored: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class SlowWindow:
    """Both windows: ``distinct`` stores a value once, otherwise every event is stored."""

    within: int
    ceiling_rows: int
    per_key: int
    distinct: bool = False
    cut: int = 0
    clock: int | None = None
    blocks: int = 0
    block: list[int] = field(default_factory=list)
    held: OrderedDict[int, Held] = field(default_factory=OrderedDict)  # the key inserted longest ago first

    def turn(self, key: int, value: int, time: int, *, insert: bool, read: bool, clear: bool) -> int:
        """One row: clear, insert, read; then the clock goes on and silent keys are reclaimed."""
        if clear:
            self.held.pop(key, None)
        if insert:
            self.insert(key, value, time)
        count = self.count(key, time) if read else 0
        if insert:
            self.tell_time(time)
            self.reclaim()
        return count

    def insert(self, key: int, value: int, time: int) -> None:
        """Start the key anew if the time is far in its past, else forget what is old; store under both ceilings."""
        held = self.held.get(key)
        if held is None or time <= held.latest - self.within:
            held = Held(time, 0, 0)
        held.latest = max(held.latest, time)
        held.touched = time if self.clock is None else max(time, self.clock)
        held.block = self.blocks
        held.stored = [(at, v) for at, v in held.stored if at > held.latest - self.within]
        self.held[key] = held
        self.held.move_to_end(key)
        if self.distinct and any(v == value for _, v in held.stored):
            if any(v == value and at < time for at, v in held.stored):
                held.stored = self.in_order([(at, v) for at, v in held.stored if v != value], (time, value))
            return
        kept = self.in_order(held.stored, (time, value))[-min(self.per_key, self.ceiling_rows) :]
        if len(kept) > len(held.stored) and sum(len(each.stored) for each in self.held.values()) == self.ceiling_rows:
            self.held.popitem(last=False)
            self.cut += 1
        held.stored = kept

    @staticmethod
    def in_order(stored: list[tuple[int, int]], new: tuple[int, int]) -> list[tuple[int, int]]:
        """A stable sort: of equal times, the one that came last stands last."""
        return sorted([*stored, new], key=lambda row: row[0])

    def count(self, key: int, time: int) -> int:
        """What is stored in (max(latest, time) - within, time]."""
        held = self.held.get(key)
        return 0 if held is None else sum(max(held.latest, time) - self.within < at <= time for at, _ in held.stored)

    def tell_time(self, time: int) -> None:
        """The median of each full block of inserted times is the stream's clock."""
        self.block.append(time)
        if len(self.block) == BLOCK:
            self.clock, self.block, self.blocks = median_high(self.block), [], self.blocks + 1

    def reclaim(self) -> None:
        """Twice: forget the stalest key if a whole block after its last insert says that its look-back has passed."""
        for _ in range(2):
            key, held = next(iter(self.held.items()))
            after = held.block < self.blocks - 1
            if len(self.held) == 1 or not after or self.clock is None:
                return
            if abs(self.clock - held.touched) < self.within + min(self.within, HOUR):
                return
            del self.held[key]


def events_within(events: Iterable[tuple[int, int]], key: int, time: int, within: int) -> int:
    """The count as one would say it, over all (key, time) there ever were: the key's in (time - within, time]."""
    return sum(each == key and time - within < at <= time for each, at in events)


@dataclass
class SlowSeen:
    """All ids of each hour, in a set; what was new since the last take, in order."""

    hours: defaultdict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    new: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def turn(self, number: int, time: int) -> bool:
        """True where the id was not seen before in its hour."""
        hour = time // HOUR
        if number in self.hours[hour]:
            return False
        self.hours[hour].add(number)
        self.new[hour].append(number)
        return True


def xxh64(text: bytes, seed: int) -> int:
    """XXH64 as its description reads, in Python's whole numbers."""
    p1, p2, p3, p4, p5 = (
        11400714785074694791,
        14029467366897019727,
        1609587929392839161,
        9650029242287828579,
        2870177450012600261,
    )
    full = 2**64

    def left(x: int, bits: int) -> int:
        return (x << bits | x >> (64 - bits)) % full

    def lane(start: int, word: int) -> int:
        return left((start + word * p2) % full, 31) * p1 % full

    def number(at: int, size: int) -> int:
        return int.from_bytes(text[at : at + size], "little")

    at, h = 0, (seed + p5) % full
    if len(text) >= 32:
        lanes = [(seed + p1 + p2) % full, (seed + p2) % full, seed, (seed - p1) % full]
        for at in range(0, len(text) - 31, 32):
            lanes = [lane(each, number(at + 8 * i, 8)) for i, each in enumerate(lanes)]
        at += 32
        h = sum(left(each, bits) for each, bits in zip(lanes, (1, 7, 12, 18), strict=True)) % full
        for each in lanes:
            h = ((h ^ lane(0, each)) * p1 + p4) % full
    h = (h + len(text)) % full
    for size in [8] * ((len(text) - at) // 8) + [4] * ((len(text) - at) % 8 // 4) + [1] * ((len(text) - at) % 4):
        word = number(at, size)
        at += size
        if size == 8:
            h = (left(h ^ lane(0, word), 27) * p1 + p4) % full
        elif size == 4:
            h = (left(h ^ word * p1 % full, 23) * p2 + p3) % full
        else:
            h = left(h ^ word * p5 % full, 11) * p1 % full
    h = (h ^ h >> 33) * p2 % full
    h = (h ^ h >> 29) * p3 % full
    return h ^ h >> 32
