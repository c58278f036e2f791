"""Two charters over the same log: who would be treated differently, and why, before anybody is."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from comity.book import Book
from comity.core.charter import Charter
from comity.core.rights import Band, Right, rights
from comity.engine import Engine
from comity.replay import COMMIT, Chunk, Rating, Summary, batches
from comity.stores.contract import Store

Account = tuple[str, str]  # community and account, as the platform names them


@dataclass(frozen=True, slots=True)
class Treatment:
    """How a charter would have treated a member.

    lowest: the lowest standing, thousandths of a point; band: the band of it; found: counted findings by clause id;
    measures: how often each measure follows from them.
    """

    lowest: int
    band: Band
    found: Counter[str]
    measures: Counter[str]


@dataclass(frozen=True, slots=True)
class Difference:
    """A member whom two charters would treat differently. gains, losses: of rights, at the lowest point."""

    pseudonym: str
    name: str
    old: Treatment
    new: Treatment
    gains: tuple[Right, ...]
    losses: tuple[Right, ...]
    why: tuple[str, ...]

    @property
    def weight(self) -> tuple[int, int]:
        """What matters most comes first: rights, then points."""
        return len(self.gains) + len(self.losses), abs(self.old.lowest - self.new.lowest)


@contextmanager
def compare(
    old: Charter,
    new: Charter,
    chunks: Iterable[Chunk],
    *,
    open_store: Callable[[Path], AbstractContextManager[Store]],
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[list[Difference], Summary, Book]]:
    """Rate a log by both charters in one reading; nothing is kept.

    open_store: makes an empty store at a path. Gives who would be treated differently, the most weighty first; what was
    read; and the book of the new charter, for as long as the context lasts.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="comity-compare-")))
        stores = [stack.enter_context(open_store(folder / name)) for name in ("old.sqlite", "new.sqlite")]
        ratings = [Rating(Engine(c), s) for c, s in zip((old, new), stores, strict=True)]
        _rate(ratings, chunks, stores, progress)
        books = [Book(s, c) for s, c in zip(stores, (old, new), strict=True)]
        differences = _differences(*books)
        summary = ratings[1].summary
        yield differences, summary, books[1]


def _rate(
    ratings: list[Rating],
    chunks: Iterable[Chunk],
    stores: list[Store],
    progress: Callable[[int, int], None] | None,
) -> None:
    source = batches(chunks, ratings[1].summary)
    going = True
    while going:
        going = False
        done = 0
        with stores[0].write(), stores[1].write():
            for pieces, read in source:
                for rating in ratings if pieces else ():
                    rating.take(pieces)
                events = sum(p.n for p in pieces)
                done += events
                if progress is not None:
                    progress(read, events)
                if done >= COMMIT:
                    going = True
                    break
            for rating in ratings:
                rating.settle()


def _differences(old: Book, new: Book) -> list[Difference]:
    treated_old, treated_new = _treatments(old), _treatments(new)
    found = []
    for account in sorted({*treated_old, *treated_new}):
        a, b = treated_old.get(account), treated_new.get(account)
        pseudonym, name = a[:2] if a else b[:2] if b else ("", "")
        before = a[2] if a else _untouched(old)
        after = b[2] if b else _untouched(new)
        why = tuple(_why(before, after, old.charter, new.charter))
        held, kept = rights(before.band, newcomer=False), rights(after.band, newcomer=False)
        if before.found == after.found and before.measures == after.measures and before.band == after.band:
            continue
        gains, losses = (tuple(r for r in Right if r in some) for some in (kept - held, held - kept))
        found.append(Difference(pseudonym, name, before, after, gains, losses, why))
    return sorted(found, key=lambda d: d.weight, reverse=True)


def _treatments(book: Book) -> dict[Account, tuple[str, str, Treatment]]:
    names = book.clauses
    found: dict[int, Counter[str]] = {}
    measures: dict[int, Counter[str]] = {}
    f = book.findings
    for member, clause, counted in zip(f.member.tolist(), f.clause.tolist(), book.counted.tolist(), strict=True):
        if counted:
            found.setdefault(member, Counter())[names[clause - 1].id] += 1
            measures.setdefault(member, Counter()).update(names[clause - 1].measures.split())
    out = {}
    for member, by_clause in found.items():
        row = book.store.member(member)
        if row is None:
            continue
        lowest = book.lowest[member][0]
        band = _band_at(lowest, book)
        account = (str(row.community), row.account or row.pseudonym)
        out[account] = (
            row.pseudonym,
            row.name or row.account or "",
            Treatment(lowest, band, by_clause, measures[member]),
        )
    return out


def _untouched(book: Book) -> Treatment:
    return Treatment(book.charter.standing.start(verified=False), Band.GOOD, Counter(), Counter())


def _band_at(points: int, book: Book) -> Band:
    p = book.charter.standing
    level = sum(points >= 1000 * line for line in (p.muted, p.no_links, p.suspended))
    return Band(level)


def _why(old: Treatment, new: Treatment, before: Charter, after: Charter) -> list[str]:
    texts = {c.id: c.text for c in (*before.clauses, *after.clauses)}
    why = []
    for clause in sorted({*old.found, *new.found}):
        a, b = old.found[clause], new.found[clause]
        if a != b:
            why.append(f"clause {clause}: {b} findings instead of {a} ({texts[clause]})")
    if old.found == new.found and old.measures != new.measures:
        why.append("the same findings have other measures")
    if old.found == new.found and old.lowest != new.lowest:
        why.append("the same findings weigh otherwise")
    return why
