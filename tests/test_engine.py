"""The engine: batches change nothing, slow counts agree, and no text stops it."""

import itertools
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from comity.charter_file import load_charter
from comity.core.charter import Charter, State
from comity.core.event import Event, milliseconds
from comity.engine import Engine
from comity.rules import built_in
from provoking_chats import CLOSELY, NOON, charter, clause, listening, own_clause, provoking
from slow_rules import SLOW_RULES

DEFAULT = Path(__file__).parents[1] / "src" / "comity" / "data" / "charter.toml"
CHARTERS = {
    **{name: listening(name) for name in built_in()},
    "every rule": charter(*(clause(r, i, **CLOSELY.get(n, {})) for i, (n, r) in enumerate(built_in().items()))),
    "default": load_charter(DEFAULT),
}
Found = list[tuple[str, str, str]]


def found(engine: Engine, events: Sequence[Event]) -> Found:
    """Each finding as (event, clause, figures), and each event left out."""
    turn = engine.turn(events)
    ids = [turn.batch.events[i].id for i in turn.findings.rows.tolist()]
    clauses = [engine.clauses[i].id for i in turn.findings.clauses.tolist()]
    left_out = [(e.id, "no time", "") for e in turn.unreadable]
    return [*zip(ids, clauses, engine.figures(turn), strict=True), *left_out]


class Runner:
    """Two engines of one charter, made once, that start anew or go on from each other's carried state."""

    def __init__(self, name: str) -> None:
        self.engines = [Engine(CHARTERS[name], seed=7), Engine(CHARTERS[name], seed=7)]
        self.fresh = self.engines[0].dump()

    def start(self) -> Engine:
        """An engine that has seen nothing."""
        assert self.engines[0].load(self.fresh) == []
        return self.engines[0]

    def restart(self) -> Engine:
        """The other engine, gone on from the state of the last one."""
        states = self.engines[0].dump()
        self.engines.reverse()
        assert self.engines[0].load(states) == []
        assert self.engines[0].dump() == states
        return self.engines[0]


RUNNERS = cache(Runner)


@pytest.mark.parametrize("name", CHARTERS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), cuts=st.sets(st.integers(1, 119), max_size=5), every=st.integers(0, 40))
def test_cutting_the_log_anywhere_changes_no_finding(name: str, seed: int, cuts: set[int], every: int) -> None:
    """One batch, batches cut anywhere, single events, and restarts from the carried state find the same."""
    events, runner = provoking(seed, 120), RUNNERS(name)
    whole = sorted(found(runner.start(), events))
    edges = sorted({0, len(events), *(range(every, every + 10) if every else ()), *cuts})
    engine, parts = runner.start(), Found()
    for number, (start, end) in enumerate(itertools.pairwise(edges)):
        parts += found(engine, events[start:end])
        if number % 4 == 3:
            engine = runner.restart()

    assert whole == sorted(parts)


@pytest.mark.parametrize("name", [n for n in built_in() if n != "classifier-score"])
def test_the_chats_provoke_every_rule(name: str) -> None:
    """The chats of these tests are findings to every rule, and not every event is one."""
    events = provoking(1, 600)
    rows = Engine(listening(name)).turn(events).findings.rows

    assert 0 < len(rows) < len(events) / 2


@pytest.mark.parametrize("name", SLOW_RULES)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_rule_over_time_finds_what_a_slow_count_by_hand_finds(name: str, seed: int) -> None:
    """Every rule over time agrees with an obvious count of what was said, event by event."""
    events = [e for e in provoking(seed, 150) if e.at != "no time"]
    turn = RUNNERS(name).start().turn(events)
    expected = SLOW_RULES[name]([(milliseconds(e.at), e) for e in events], **CLOSELY[name])

    assert expected == turn.findings.rows.tolist()


@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_findings_come_in_the_order_of_events(seed: int) -> None:
    """Findings are in the order in which events arrived, and of one event in the order of the clauses."""
    findings = RUNNERS("every rule").start().turn(provoking(seed, 120)).findings
    pairs = list(zip(findings.rows.tolist(), findings.clauses.tolist(), strict=True))

    assert pairs == sorted(set(pairs))


HOSTILE = [
    "(" * 50_000, "\0" * 1000, "\ud800" * 500, "a" * 200_000, "\u0301" * 20_000, "@a." * 20_000, "https://" * 9000,
    "a.a:" * 15_000, "x@" * 30_000, "\U0001f469\u200d" * 9000, " " * 60_000, "\n" * 60_000, "+1 555 " * 9000, "",
    "бк." * 20_000, "e" * 70_000 + "!", "\u202e\u2066" * 9000, "1." * 40_000, "\x1b[2J", "$99 " * 9000,
]  # fmt: skip


def message(text: str | None, number: int = 0, **fields: object) -> Event:
    """A message."""
    common = {"kind": "message", "community": "tea", "room": "#garden", "member": "ana"}
    return Event(id=str(number), at="2026-05-01T12:00:00Z", text=text, **{**common, **fields})  # type: ignore[arg-type]


def test_a_hostile_text_stops_nothing() -> None:
    """Texts that are deep, long or no text at all are looked at, and change nothing for the messages beside them."""
    honest = [message("claim your $50 airdrop, earn money, dm me", i, member=f"m{i}") for i in range(len(HOSTILE))]
    events = [e for i, text in enumerate(HOSTILE) for e in (message(text, 100 + i, member=f"h{i}"), honest[i])]
    alone = found(Engine(CHARTERS["default"]), honest)
    together = found(Engine(CHARTERS["default"]), events)

    assert alone == [f for f in together if int(f[0]) < 100]
    assert len(alone) == len(HOSTILE)


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", ""]
)
def test_a_time_at_the_edge_of_the_calendar_stops_nothing(at: str) -> None:
    """An event at the beginning or end of all years is rated or left out, in any zone, and so are its neighbours."""
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12", "Africa/Monrovia"):
        events = [message("tea", 1), message("tea", 2, account_created_at=at), message("tea", 3)]
        events.insert(1, Event("x", at, "message", "tea", "#garden", "ana", text="tea"))
        turn = Engine(charter(own_clause("account_age() < '2d' or links() == 0"), time_zone=zone)).turn(events)

        assert len(turn.batch.days) + len(turn.unreadable) == 4
        assert len(turn.batch) >= 3


def test_identifiers_with_a_nul_or_a_surrogate_are_read() -> None:
    """No identifier, name or mention can pass for two or stop a batch."""
    odd = "a\0b\ud800"
    event = Event(
        odd, "2026-05-01T12:00:00Z", "message", odd, odd, odd, name=odd, text=odd, mentions=[odd, ""], target=odd
    )

    assert [("a\ufffdb?", "own", '{"mentions":2}')] == found(Engine(charter(own_clause("mentions == 2"))), [event])


def test_no_events_are_no_findings() -> None:
    """An empty batch finds nothing and forgets nothing."""
    engine = Engine(CHARTERS["every rule"])
    before = engine.dump()

    assert [] == found(engine, [])
    assert before == engine.dump()


def test_a_draft_clause_does_nothing() -> None:
    """A draft is not even looked at."""
    draft = clause(built_in()["mass-mention"], 1, mentioned=2)
    events = [message("tea", mentions=["bo", "eli"])]

    for state, findings in ((State.DRAFT, 0), (State.SHADOW, 1), (State.LIVE, 1)):
        value = Charter(community="t", language="en", time_zone="UTC", clauses=(replace(draft, state=state),))
        assert findings == len(Engine(value).turn(events).findings)


def test_figures_are_json_whatever_the_expression_says() -> None:
    """The figures a rule saw are valid JSON also where its expression has quotes and per cent signs in it."""
    engine = Engine(charter(own_clause("""matching(['"50%"', 'te%']) * 100 + 0.5 > 0 and length() > 2""")))
    turn = engine.turn([message('te%" "50%" tea')])

    (figures,) = map(json.loads, engine.figures(turn))
    assert [200.5, 14] == list(figures.values())


def test_a_finding_shows_every_figure_its_rule_compared() -> None:
    """A rule that compares three counts shows all three."""
    when = "count(per=room, within='1m') >= 1 and count(per=member, within='1h') >= 1"
    engine = Engine(charter(own_clause(when)))
    turn = engine.turn([message("tea", 1), message("tea", 2, room="#attic")])

    assert ['{"count":1,"count 2":1}', '{"count":1,"count 2":2}'] == engine.figures(turn)


def test_two_charters_do_not_share_answers() -> None:
    """Two engines that look at one batch each give their own answer."""
    a, b = Engine(charter(own_clause("length() > 2"))), Engine(charter(own_clause("links() > 2")))
    batch = a.turn([message("milk")]).batch

    assert [0, 1] == [len(b.find(batch)), len(a.find(batch))]


def test_a_state_of_other_counts_is_refused() -> None:
    """A damaged carried state is an error, and a state of another charter starts anew, by name."""
    engine = Engine(CHARTERS["every rule"])
    states = engine.dump()

    assert list(states) == engine.load({})
    for name in states:
        with pytest.raises(ValueError, match=r"\w"):
            engine.load({name: b"\x93no state"})
    assert states == engine.dump()


def test_a_constant_holds_for_every_event() -> None:
    """A comparison of two constants holds everywhere or nowhere, alone and within what counts."""
    events = [message("tea", i) for i in range(5)]
    for when, rows in (("1 < 2", 5), ("2 < 1", 0), ("1 / 0 > 0", 0), ("not 1 / 0 > 0", 0), ("True", 5)):
        assert rows == len(Engine(charter(own_clause(when))).turn(events).findings), when
    counting = charter(own_clause("count(per=room, within='1m', of=1 < 2) > 3"))
    assert [3, 4] == Engine(counting).turn(events).findings.rows.tolist()


def test_a_count_within_a_count_sees_every_event() -> None:
    """What is counted does not depend on where the rest of the rule holds, but only whether it fires does."""
    again = "count(per=member, within='1m') > 1"
    when = f"count(per=room, within='1m', of={again}) > 1 and length() > 5"
    events = [message(text, i) for i, text in enumerate(["tea", "tea", "tea", "green tea", "milk"])]

    assert [3] == Engine(charter(own_clause(when))).turn(events).findings.rows.tolist()


def test_a_day_is_one_of_the_charters_zone() -> None:
    """Days of a batch are days on the wall clock of the charter's time zone."""
    engine = Engine(charter(own_clause("True"), time_zone="Pacific/Auckland"))

    assert NOON // 86_400_000 + 1 == int(engine.turn([message("tea")]).batch.days[0])
    assert np.int64 == engine.turn([message("tea")]).batch.days.dtype
