"""Seeded chats that provoke every rule, with all that a platform can do to a log, and charters that listen closely."""

import random

from comity.core.charter import Charter, Clause, State
from comity.core.event import Event, Kind, Media, Role, rfc3339
from comity.core.event import moment as moment_of
from comity.core.harm import Severity
from comity.rules import Rule, built_in

NOON = 1_777_636_800_000  # 1 May 2026, 12:00 UTC
CLOSELY: dict[str, dict[str, object]] = {  # parameters under which a short chat is enough
    "flood": {"allowed": 2, "look_back": "20s"},
    "repeated-line": {"allowed": 1, "look_back": "30s", "least_length": 2},
    "repeated-text": {"rooms": 2, "look_back": "40s", "least_length": 2},
    "shouting": {"allowed": 1, "look_back": "60s", "letters": 5},
    "raid": {"joins": 2, "look_back": "80s", "first": 2},
    "unwanted-mentions": {"allowed": 2, "look_back": "60s"},
    "scam-link": {"domains": ["teapots.example", "bücher.example"]},
    "look-alike-name": {"protected": ["help desk"]},
    "mass-mention": {"mentioned": 3},
    "media-hash": {"hashes": ["md5:" + "0" * 32, "pdq:" + "0" * 64]},
    "listed-member": {"entities": ["robot?", "*[x]"]},
    "doxxing": {"least": 1},
    "scam-phrase": {"least": 1},
    "disguised-text": {"least": 1},
}
MEMBERS = ["ana", "bo", "eli", "fay", "0liver", "robot7", "änne", "[x]"]
NAMES = [*MEMBERS, "Oliver", "Help Desk", "h\u0435lp desk", "", "na\0me", "a\ud800b", None]
TEXTS = [
    "tea with milk", "Tea with milk!", "TEA WITH MILK", "WHO TOOK MY TEAPOT", "", "\0", "tea\0with milk", "te\ud800a",
    "grüner tee", "GRÜNER TEE", "te" + "\u0301" * 8 + "a", "c\u0430t te\u0430", "see teapots.example", "\U0001f375" * 3,
    "https://xn--bcher-kva.example/a", "https://bücher.example", "mail tea@garden.example or ring +1 555 123 4567",
    "claim your $50 airdrop at https://gift.example", "join https://discord.gg/tea", "(" * 300, "a" * 3000, None,
]  # fmt: skip
KINDS: list[Kind] = [
    "message", "message", "message", "message", "message", "join", "join", "edit", "rename", "report", "leave", "role",
]  # fmt: skip
ROLES: list[Role | None] = ["member", "member", "manager", "bot", None]


def clause(rule: Rule, number: int, **parameters: object) -> Clause:
    """A live clause of a rule."""
    values = {k: spec.default for k, spec in rule.parameters.items()} | parameters
    return Clause(
        id=str(number), text="a clause", rule=rule.name, harm=rule.harm, severity=Severity.MINOR, measures=(),
        state=State.LIVE, when=rule.when, sentence=rule.sentence, parameters=values, review=rule.review,
    )  # fmt: skip


def own_clause(when: str, **parameters: object) -> Clause:
    """A live clause with an expression of its own."""
    return Clause(
        id="own", text="a clause", rule="", harm="house", severity=Severity.MINOR, measures=(), state=State.LIVE,
        when=when, sentence="", parameters=parameters,
    )  # fmt: skip


def charter(*clauses: Clause, time_zone: str = "UTC") -> Charter:
    """A charter of clauses."""
    return Charter(community="tea", language="en", time_zone=time_zone, clauses=clauses)


def listening(name: str) -> Charter:
    """A charter of one built-in rule that listens closely."""
    return charter(clause(built_in()[name], 1, **CLOSELY.get(name, {})))


def provoking(seed: int, length: int) -> list[Event]:
    """A chat in which a few members in a few rooms do everything: late, at once, with clocks set back and gaps."""
    draw = random.Random(seed)
    now, events = NOON, []
    for i in range(length):
        now += draw.choice([0, 0, 1, 500, 2000, 7000])
        shift = draw.choice([0] * 12 + [-1, -3000, -25_000, -90_000, -7_200_000, 3_600_000, 86_400_000 * 400])
        events.append(_event(draw, i, now + shift))
        if draw.random() < 0.02:
            now += draw.choice([-3_600_000, 3_600_000])
    return events


def _event(draw: random.Random, i: int, at: int) -> Event:
    member = draw.choice(MEMBERS)
    made = draw.choice([None, rfc3339(moment_of(at - 3_600_000)), "2020-01-01T00:00:00Z", "soon"])
    return Event(
        id=f"e{i}",
        at="no time" if draw.random() < 0.01 else rfc3339(moment_of(at)),
        kind=draw.choice(KINDS),
        community=draw.choice(["tea", "tea", "tea", "coffee"]),
        room=draw.choice(["#garden", "#garden", "#attic", "#cellar"]),
        member=member,
        name=draw.choice([member, draw.choice(NAMES)]),
        role=draw.choice(ROLES),
        text=draw.choice(TEXTS),
        mentions=draw.choice([None, [], ["bo"], ["bo", "bo", "eli"], ["bo", "eli", "fay"], ["a\0b", "\ud800"]]),
        target=draw.choice([None, "e1"]),
        media=draw.choice(
            [
                None,
                [],
                [Media("image/png", hash="md5:" + "0" * 32)],
                [Media("application/x-msi; a=b")],
                [Media("image/png", hash="pdq:" + "0" * 63 + "7"), Media("text/plain", hash="?")],
            ]
        ),
        account_created_at=made,
        messages_before=draw.choice([None, 0, 3, 500, -1, 2**70]),
    )
