"""The slow, obvious counts by hand that the kernels have to agree with, event by event, in Python's own containers."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median_high

HOUR = 3_600_000
BLOCK = 31


@dataclass
class Said:
    """One row that was inserted: its number, and of its key's run the number of the first row and the latest time."""

    number: int
    key: int
    value: int
    time: int
    latest: int
    run: int
    holds: bool = True  # whether its value stands here at its latest time in the run


@dataclass
class SlowWindow:
    """Both windows: of ``distinct`` values each counts once, otherwise every row does."""

    within: int
    ceiling_rows: int
    distinct: bool = False
    cut: int = 0
    said: list[Said] = field(default_factory=list)  # what is held, in the order of arrival
    times: list[int] = field(default_factory=list)  # of all that was ever inserted
    clocks: list[int] = field(default_factory=list)  # the median of each full block of inserted times

    def turn(self, key: int, value: int, time: int, *, insert: bool, read: bool) -> int:
        """One row: insert, read; then the clock goes on and old blocks are forgotten."""
        if insert:
            self.insert(key, value, time)
        count = self.count(key, time) if read else 0
        if insert and len(self.times) % BLOCK == 0:
            self.clocks.append(median_high(self.times[-BLOCK:]))
            self.forget()
        return count

    def last(self, key: int) -> Said | None:
        """The key's last row that is held."""
        return next((row for row in reversed(self.said) if row.key == key), None)

    def insert(self, key: int, value: int, time: int) -> None:
        """Go on with the key's run, or start anew where the time is a look-back or more away from its latest."""
        if len(self.said) == self.ceiling_rows:
            del self.said[0]
            self.cut += 1
        row, last = Said(len(self.times), key, value, time, time, len(self.times)), self.last(key)
        if last is not None and abs(time - last.latest) < self.within:
            row.run, row.latest = last.run, max(last.latest, time)
        holder = next((r for r in self.said if (r.key, r.run, r.value) == (key, row.run, value) and r.holds), None)
        if holder is not None:
            row.holds = holder.time < time
            holder.holds = not row.holds
        self.said.append(row)
        self.times.append(time)

    def count(self, key: int, time: int) -> int:
        """Rows of the run, or its values at their latest times, in (max(latest, time) - within, time]."""
        last = self.last(key)
        if last is None or abs(time - last.latest) >= self.within:
            return 0
        bound = max(last.latest, time) - self.within
        run = [row for row in self.said if row.key == key and row.run == last.run]
        return sum(bound < row.time <= time and (row.holds or not self.distinct) for row in run)

    def forget(self) -> None:
        """Let the oldest block go while the next one's median lies too far from the clock."""
        oldest, newest = self.said[0].number // BLOCK, len(self.clocks) - 1
        keep = self.within + min(self.within, HOUR)
        while oldest + 1 < newest and abs(self.clocks[newest] - self.clocks[oldest + 1]) >= keep:
            oldest += 1
            self.said = [row for row in self.said if row.number // BLOCK >= oldest]


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
