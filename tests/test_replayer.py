"""Replay of the record over workers: cut wherever it is, it finds what one pass finds."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from comity.book import Book
from comity.core.charter import Charter
from comity.core.event import Event, milliseconds, moment, rfc3339
from comity.core.retention import start_of, week_of
from comity.engine import Engine
from comity.features.registry import EVER, Reach
from comity.replay import Rating
from comity.replay_record import chunks
from comity.replayed import Done, Found, Rated, Run, Version, Work
from comity.replayer import Replayer
from comity.rules import built_in
from comity.stores.record.finished import KEPT, FinishedWeeks
from comity.stores.record.reading import Reading
from comity.stores.sqlite import SqliteStore
from provoking_chats import CLOSELY, NOON, charter, clause, provoking
from record_garden import KEEPER, Here

LAST = week_of(NOON) + 4
NOW = start_of(LAST + 2)


def over_mondays() -> list[Event]:
    """Provoking chats of some ten minutes, each around the moment at which one week becomes the next."""
    events = []
    for n, week in enumerate(range(LAST - 3, LAST + 1)):
        shift = start_of(week) - NOON - 300_000
        for event in provoking(n, 350):
            if event.at != "no time" and abs(milliseconds(event.at) - NOON) < 10 * 3_600_000:
                at = rfc3339(moment(milliseconds(event.at) + shift))
                events.append(msgspec.structs.replace(event, id=f"{n}-{event.id}", at=at))
    return events


class Opened:
    """A record in this process."""

    seed = 7

    def __init__(self, reading: Reading, accounts: Mapping[str, str]) -> None:
        self.reading, self.accounts = reading, accounts

    def versions(self) -> Sequence[Version]:
        """All weeks."""
        return [Version(*v) for v in self.reading.versions()]

    def tables(self, first: int, last: int) -> Iterator[pa.Table]:
        """See ``Weeks``."""
        return self.reading.weeks(since=start_of(first), until=start_of(last))

    def names_of(self, role: str, before: int) -> pa.Table:
        """See ``Weeks``."""
        return self.reading.names_of(role, since=0, before=before)

    @contextmanager
    def open(self) -> Iterator["Opened"]:
        """Itself; fulfils ``Source``."""
        yield self


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Five weeks of a record, of which all but the newest hundred events are sealed."""
    with Here.open(tmp_path_factory.mktemp("replayer")) as here:
        accounts: dict[str, str] = {}
        chat = over_mondays()
        for community in ("tea", "coffee"):
            number, names = here.store.community(community), sorted({e.member for e in chat})
            here.store.members(number, names, [None] * len(names))
            accounts |= here.store.record.accounts(community)
            for room in ("#garden", "#attic", "#cellar"):
                here.record.begin_room(community, room, 366, 0)
        here.say(chat[:-100], a_turn=500)
        here.record.tend(NOW, whole=True)
        here.say(chat[-100:])
        yield Opened(Reading(here.record.parts, NOW), accounts)


def listening_to_all() -> Charter:
    """All built-in rules but the classifier's, listening closely; half a day's difference to the weeks' clock."""
    rules = [r for r in built_in().values() if not r.review]
    clauses = [clause(rule, n, **CLOSELY.get(rule.name, {})) for n, rule in enumerate(rules)]
    return charter(*clauses, time_zone="Pacific/Auckland")


def one_pass(opened: Opened, charter: Charter, path: Path) -> Counter[tuple[object, ...]]:
    """What rating everything at once into a store comes to."""
    with SqliteStore.open(path, durable=False) as store:
        Rating(Engine(charter, seed=opened.seed), store, once=True).run(chunks(opened.reading.weeks(), opened.accounts))
        book, called = Book(store, charter), {a: p for p, a in opened.accounts.items()}
        members = {}
        for number in range(1, book.members + 1):
            row = store.member(number)
            assert row is not None
            assert row.account is not None
            members[number] = called.get(row.account, row.account)
        names = {number: name for name in ("tea", "coffee") for number in [store.community(name)]}
        of = {n: (names[row.community], members[n]) for n in members if (row := store.member(n)) is not None}
        return told(book.findings, book.activity, of, book.lowest, [c.id for c in book.clauses])


def told(findings, activity, of, lowest, clauses) -> Counter[tuple[object, ...]]:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Everything that was found, by names; findings with how many are of the same event."""
    f = findings
    same = Counter(f.message.tolist())
    out: Counter[tuple[object, ...]] = Counter()
    for at, day, member, clause_, message in zip(
        *(c.tolist() for c in (f.at, f.day, f.member, f.clause, f.message)), strict=True
    ):
        out["finding", at, day, of[member], clauses[clause_ - 1], same[message]] += 1
    for member, day, messages in zip(*(c.tolist() for c in activity[1:]), strict=True):
        out["active", of[member], day] += messages
    for member, figures in lowest.items():
        out["lowest", of[member], *figures] += 1
    return out


def of_rated(rated: Rated) -> Counter[tuple[object, ...]]:
    """The same of what was put together from weeks."""
    sheet = rated.sheet()
    of = dict(enumerate(rated.members, 1))
    return told(sheet.findings, sheet.activity, of, sheet.lowest, [c.id for c in sheet.clauses])


def cut(versions: Sequence[Version], draw: random.Random) -> list[Run]:
    """Runs of one charter, cut anywhere."""
    ends = sorted({0, len(versions), *(n for n in range(1, len(versions)) if draw.random() < 0.5)})
    return [Run((0,), tuple(versions[a:b])) for a, b in pairwise(ends)]


def test_every_cut_finds_what_one_pass_finds(opened: Opened, tmp_path: Path) -> None:
    """Every rule, though what each counts began in another worker's week: findings, activity, and lowest standings."""
    charter, versions = listening_to_all(), opened.versions()
    whole = one_pass(opened, charter, tmp_path / "whole.sqlite")

    assert len(versions) == 5
    for seed in range(3):
        runs = cut(versions, random.Random(seed)) if seed else [Run((0,), (v,)) for v in versions]
        random.Random(seed).shuffle(runs)
        work = Work(opened, [charter])
        found = {t.week: t.found for run in runs for t in work.rate(run) if isinstance(t, Done)}
        assert whole == of_rated(Rated(Engine(charter), [found[v.week] for v in versions]))
    kinds = {key[4] for key in whole if key[0] == "finding"}
    assert len(kinds) >= len(charter.clauses) - 3


def test_what_a_run_has_not_seen_is_missed_without_what_came_before(opened: Opened, tmp_path: Path) -> None:
    """Weeks do rest on one another here: rated as though nothing came before, they tell something else."""
    charter, versions = listening_to_all(), opened.versions()

    class Forgetful(Opened):
        def versions(self) -> Sequence[Version]:
            return []

    forgetful = Forgetful(opened.reading, opened.accounts)
    found = [t.found for v in versions for t in Work(forgetful, [charter]).rate(Run((0,), (v,))) if isinstance(t, Done)]
    whole = one_pass(opened, charter, tmp_path / "whole.sqlite")
    assert whole != of_rated(Rated(Engine(charter), found))


def test_a_count_says_how_far_back_it_looks(opened: Opened) -> None:
    """Counts that rest on counts add up; a state of which nothing is known needs all that ever was."""
    reach = Engine(charter(clause(built_in()["raid"], 1))).plan.reach
    assert reach.back is not None
    assert reach.back >= 2 * 60_000
    assert Engine(charter(clause(built_in()["look-alike-name"], 1))).plan.reach == Reach(0, names=True)
    engine = Engine(listening_to_all())
    engine.plan.carry("anything", next(iter(engine.plan.carried.values())))
    assert engine.plan.reach == EVER
    assert opened.versions()


def test_finished_weeks_are_used_again(opened: Opened, tmp_path: Path) -> None:
    """Stopped anywhere, it goes on from there; another severity or figure of standing rates nothing anew."""
    charter, versions = listening_to_all(), opened.versions()
    finished = FinishedWeeks(tmp_path / "finished", KEEPER, NOW)
    steps: list[tuple[int, int]] = []

    def stop(done: int, rated: int) -> None:
        steps.append((done, rated))
        if sum(r for _, r in steps) > sum(v.events for v in versions[:3]):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Replayer(opened, workers=1, finished=finished, progress=stop).rate([charter], versions)
    assert not list((tmp_path / "finished").glob("*.new"))
    steps.clear()
    (rated,) = Replayer(opened, workers=1, finished=finished, progress=lambda *s: steps.append(s)).rate(
        [charter], versions
    )
    total = sum(v.events for v in versions)
    assert of_rated(rated) == one_pass(opened, charter, tmp_path / "whole.sqlite")
    assert sum(done for done, _ in steps) == total
    assert 0 < sum(r for _, r in steps) < total

    steps.clear()
    milder = msgspec.structs.replace(charter, standing=msgspec.structs.replace(charter.standing, muted=1))
    Replayer(opened, workers=1, finished=finished, progress=lambda *s: steps.append(s)).rate([milder], versions)
    assert sum(r for _, r in steps) == 0


def test_what_is_kept_is_locked_and_goes_after_a_week(tmp_path: Path) -> None:
    """Nothing can be read without the key, what was changed is as though it was not there, and what is old is gone."""
    finished = FinishedWeeks(tmp_path, KEEPER, 0)
    finished.keep("a", b"the tea is in the attic")
    (file,) = tmp_path.iterdir()

    assert b"attic" not in file.read_bytes()
    assert finished.get("a") == b"the tea is in the attic"
    assert finished.get("b") is None
    changed = bytearray(file.read_bytes())
    changed[-1] ^= 1
    file.write_bytes(changed)
    assert finished.get("a") is None
    FinishedWeeks(tmp_path, KEEPER, round(file.stat().st_mtime * 1000) + KEPT + 1)
    assert not list(tmp_path.iterdir())


def test_a_found_week_says_nothing_that_was_said(opened: Opened) -> None:
    """What is kept of a week names members by pseudonym, and holds no text, room, name or account."""
    versions = opened.versions()
    kept = b"".join(
        msgspec.msgpack.encode(t.found)
        for t in Work(opened, [listening_to_all()]).rate(Run((0,), tuple(versions)))
        if isinstance(t, Done)
    )
    for word in (b"garden", b"teapot", b"Oliver", b"fay", b"robot7"):
        assert word not in kept
    assert Found.__struct_fields__ == ("events", "members", "activity", "findings")
