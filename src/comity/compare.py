"""Two charters over the same log: who would be treated differently, and why, before anybody is."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from comity.book import Book, Sheet
from comity.core.charter import Charter
from comity.core.rights import Band, Right, rights
from comity.engine import Engine
from comity.replay import Chunk, Rating, Summary, run
from comity.stores.contract import Store

Account = tuple[str, str]  # community and account, as the platform names them


class Named(NamedTuple):
    """Who a member is. account: the same on both sheets."""

    account: Account
    pseudonym: str
    name: str


Naming = Callable[[int], Named | None]  # by number; None: nobody knows any more


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
    """A member whom two charters would treat differently.

    gains, losses: rights at the lowest point under the new one; why: sentences.
    """

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
    not_after: int | None = None,
) -> Iterator[tuple[list[Difference], Summary, Book]]:
    """Rate a log by both charters in one reading; nothing is kept.

    open_store: makes an empty store at a path; not_after: see ``Book``. Gives who would be treated differently, the
    most weighty first; what was read; and the book of the new charter, for as long as the context lasts.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="comity-compare-")))
        stores = [stack.enter_context(open_store(folder / name)) for name in ("old.sqlite", "new.sqlite")]
        ratings = [Rating(Engine(c), s) for c, s in zip((old, new), stores, strict=True)]
        run(ratings, chunks, progress)
        books = [Book(s, c, not_after=not_after) for s, c in zip(stores, (old, new), strict=True)]
        before, after = ((book, _by_account(book.store)) for book in books)
        differences = differing(before, after)
        summary = ratings[1].summary
        yield differences, summary, books[1]


def differing(old: tuple[Sheet, Naming], new: tuple[Sheet, Naming]) -> list[Difference]:
    """Who is treated differently on one sheet than on another, the most weighty first; with who members are on each."""
    treated_old, treated_new = _treatments(*old), _treatments(*new)
    found = []
    for account in sorted({*treated_old, *treated_new}):
        who, before = treated_old.get(account, (None, _untouched(old[0])))
        who, after = treated_new.get(account, (who, _untouched(new[0])))
        if who is None or (before.found, before.measures, before.band) == (after.found, after.measures, after.band):
            continue
        held, kept = rights(before.band, newcomer=False), rights(after.band, newcomer=False)
        gains, losses = (tuple(r for r in Right if r in some) for some in (kept - held, held - kept))
        why = tuple(_why(before, after, old[0].charter, new[0].charter))
        found.append(Difference(who.pseudonym, who.name, before, after, gains, losses, why))
    return sorted(found, key=lambda d: d.weight, reverse=True)


def _by_account(store: Store) -> Naming:
    """Members of a store; pseudonyms differ from store to store, but both know a member by community and account."""

    def naming(member: int) -> Named | None:
        row = store.member(member)
        if row is None:
            return None
        return Named((str(row.community), row.account or row.pseudonym), row.pseudonym, row.name or row.account or "")

    return naming


def _treatments(sheet: Sheet, naming: Naming) -> dict[Account, tuple[Named, Treatment]]:
    """Who they are and how they are treated, of all members with findings that count and whose standing they moved."""
    found: dict[int, Counter[str]] = {}
    measures: dict[int, Counter[str]] = {}
    f = sheet.findings
    for member, clause, counted in zip(f.member.tolist(), f.clause.tolist(), sheet.counted.tolist(), strict=True):
        if counted:
            found.setdefault(member, Counter())[sheet.clauses[clause - 1].id] += 1
            measures.setdefault(member, Counter()).update(sheet.clauses[clause - 1].measures.split())
    out = {}
    p = sheet.charter.standing
    for member, (lowest, _) in sheet.lowest.items():
        if (who := naming(member)) is not None:
            band = Band(sum(lowest >= 1000 * line for line in (p.muted, p.no_links, p.suspended)))
            out[who.account] = who, Treatment(lowest, band, found[member], measures[member])
    return out


def _untouched(sheet: Sheet) -> Treatment:
    return Treatment(sheet.charter.standing.start(verified=False), Band.GOOD, Counter(), Counter())


def _why(old: Treatment, new: Treatment, before: Charter, after: Charter) -> list[str]:
    texts = {c.id: c.text for c in (*before.clauses, *after.clauses)}
    why = []
    for clause in sorted({*old.found, *new.found}):
        a, b = old.found[clause], new.found[clause]
        if a != b:
            findings = "1 finding" if b == 1 else f"{b:,} findings"
            why.append(f"clause {clause}: {findings} instead of {a:,} ({texts[clause]})")
    if old.found == new.found and old.measures != new.measures:
        why.append("the same findings have other measures")
    if old.found == new.found and old.lowest != new.lowest:
        why.append("the same findings weigh otherwise")
    if old.found == new.found and old.lowest == new.lowest and old.band != new.band:
        why.append("the same standing lies in another band")
    return why
