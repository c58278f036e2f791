"""Write the example community: five weeks of an invented chat about tea and gardens, the same bytes every time.

Who is there stands in ``tea_garden_people.txt`` beside this file, what is said in ``tea_garden_scenes.txt`` and
``tea_garden_conduct.txt``; here is who says what, and when.
"""

import argparse
import datetime as dt
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from comity.core.event import Event, Kind, Media, Role, rfc3339

HERE: Final = Path(__file__).parent
CHAT: Final = HERE.parent / "examples" / "tea-garden" / "chat.ndjson"
COMMUNITY: Final = "tea-garden"
SEED: Final = 20260302
FIRST_DAY: Final = dt.date(2026, 3, 2)
START: Final = dt.datetime.combine(FIRST_DAY, dt.time(), dt.UTC)
DAYS: Final = 35
RAID: Final = dt.datetime(2026, 3, 26, 19, 30, tzinfo=dt.UTC)
# Conversations begin in these hours (UTC), the more often the more often an hour is named.
HOURS: Final = (6, 7, 7, 8, 8, 9, 10, 11, 12, 12, 13, 15, 16, 17, 17, 18, 18, 19, 19, 20, 20, 21, 22)
T = TypeVar("T")


@dataclass
class Person:
    """A member. made: when the account was; often: how often they talk; before: their messages before the first day."""

    id: str
    name: str
    made: dt.datetime
    often: int = 0
    before: int = 0
    role: Role = "member"
    casual: bool = False


_FIRST: Final = ("turbo", "mega", "ultra", "hyper", "super")
_SECOND: Final = ("mug", "bean", "cup", "pot", "tin", "lid", "jar", "tap")
_CRIES: Final = (
    "coffee!", "leaves are for rabbits", "who needs a teapot", "beans beans beans", "espresso time",
    "hello from the other side of the cup", "boring garden", "where is the coffee room", "we are many",
    "wake up, drink coffee",
)  # fmt: skip
_REACTIONS: Final = ("🍵", "🌱", "❤️", "👍", "😄", "🌼")
_LINE: Final = re.compile(
    r"(?P<who>[\w-]+)(?: \[(?P<media>[^\]]+)\])?"
    r"(?: (?P<deed>joins|leaves|reports it|takes it back|"
    r"(?P<role>gives|takes) management (?:to|back from) (?P<whom>\w+)))?"
    r"(?:: (?P<text>.+))?"
)
_HEAD: Final = re.compile(r"== (?P<room>#\w+)(?: (?P<at>\S+))?(?: every (?P<every>\d+)s)?")
_DEEDS: Final[dict[str | None, Kind]] = {
    None: "message", "joins": "join", "leaves": "leave", "reports it": "report", "takes it back": "redaction",
}  # fmt: skip


@dataclass
class Line:
    """One line of a scene. who: a part in capitals, or a member's id; whom, role: who is given which role by it."""

    who: str
    kind: Kind
    text: str | None
    media: list[Media] | None
    whom: str | None
    role: Role


@dataclass
class Scene:
    """A conversation. at: when, None if it may be at any time; every: seconds between lines, None if they take time."""

    room: str
    at: dt.datetime | None
    every: int | None
    lines: list[Line] = field(default_factory=list)


@dataclass
class Told:
    """An event on its way; about: the one it is about, whose id is not known before all are in order of time."""

    event: Event
    at: dt.datetime
    about: "Told | None" = None


class Dice:
    """Chance that falls the same way in every version of Python: only ``random()`` is promised to."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1."""
        return int(self._random() * n)

    def one(self, of: Sequence[T]) -> T:
        """One of several."""
        return of[self.below(len(of))]

    def mixed(self, of: Sequence[T]) -> list[T]:
        """The same in another order."""
        left = list(of)
        return [left.pop(self.below(len(left))) for _ in range(len(left))]


def people(dice: Dice) -> tuple[dict[str, Person], list[str], dict[str, Person]]:
    """Everybody there from the start by id; who asks once and no more, in order; and strangers by id.

    A stranger's account was made some hours before they first speak, so ``made`` is set when they come.
    """
    members: dict[str, Person] = {}
    passing, strangers = [], {}
    for line in (HERE / "tea_garden_people.txt").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        who, name, often, age, *how = (cell.strip() for cell in line.split("|"))
        if "stranger" in how:
            strangers[who] = Person(who, name, START - dt.timedelta(hours=int(age)))
            continue
        made = START - dt.timedelta(days=int(age), minutes=dice.below(1440))
        before = 0 if "once" in how else 55 * int(often) + dice.below(60)
        members[who] = Person(who, name, made, int(often), before, casual="casual" in how)
        members[who].role = "manager" if "manager" in how else "bot" if "bot" in how else "member"
        if "once" in how:
            passing.append(who)
    return members, passing, strangers


def scenes(path: Path) -> tuple[list[Scene], dict[str, list[str]]]:
    """The scenes of a file, and its lists of words. Raises ValueError at a line that is none."""
    found: list[Scene] = []
    words: dict[str, list[str]] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if line.startswith("<"):
            name, _, rest = line.partition(" ")
            words[name.strip("<>")] = [w.strip() for w in rest.split("|")]
        elif head := _HEAD.fullmatch(line):
            at = dt.datetime.fromisoformat(head["at"]).replace(tzinfo=dt.UTC) if head["at"] else None
            found.append(Scene(head["room"], at, int(head["every"]) if head["every"] else None))
        elif said := _LINE.fullmatch(line):
            kind, _, file_hash = (said["media"] or "").partition(" ")
            media = [Media(kind, 48_213, file_hash or None)] if kind else None
            found[-1].lines.append(Line(said["who"], _kind(said), said["text"], media, said["whom"], _role(said)))
        else:
            raise ValueError(f"{path.name}, line {number}: {line!r} is no line of a scene")
    return found, words


def _kind(said: re.Match[str]) -> Kind:
    return "role" if said["whom"] else _DEEDS[said["deed"]]


def _role(said: re.Match[str]) -> Role:
    return "manager" if said["role"] == "gives" else "member"


class World:
    """The community as it comes to be. told: all events so far, in no order."""

    def __init__(self, seed: int = SEED) -> None:
        self.dice = Dice(seed)
        self.people, self.passing, self.strangers = people(self.dice)
        self.told: list[Told] = []
        self._said: set[str] = set()
        self._busy: dict[str, list[tuple[dt.datetime, dt.datetime]]] = {}
        self.words: dict[str, list[str]] = {}

    def write(self) -> bytes:
        """All events as NDJSON: in order of time, with their ids, and each member's messages counted."""
        self.told.sort(key=lambda t: t.at)
        counts = {p.id: p.before for p in self.people.values()}
        roles = {p.id: p.role for p in self.people.values()}
        for number, told in enumerate(self.told, 1):
            told.event.id = f"tea-{number:05}"
        lines = []
        for told in self.told:
            event = told.event
            if event.kind == "role" and event.target and event.role:
                roles[event.target] = event.role
            else:
                event.role = roles[event.member]
                event.target = told.about.event.id if told.about and event.kind != "message" else None
            event.reply_to = told.about.event.id if told.about and event.kind == "message" else None
            event.messages_before = counts[event.member]
            counts[event.member] += event.kind == "message"
            given = {k: v for k, v in msgspec.to_builtins(event).items() if v is not None}
            if event.media:
                given["media"] = [{k: v for k, v in m.items() if v is not None} for m in given["media"]]
            lines.append(msgspec.json.encode(given))
        return b"\n".join(lines) + b"\n"

    def tell(
        self, at: dt.datetime, kind: Kind, room: str, who: Person, text: str | None = None, *, about: Told | None = None
    ) -> Told:
        """Note an event; mentions are read from the text."""
        mentions = None
        if text is not None and kind in ("message", "edit"):
            mentions = [m for m in re.findall(r"@([\w-]+)", text) if m in self.people]
            text = re.sub(r"@([\w-]+)", lambda m: "@" + self.people[m[1]].name if m[1] in self.people else m[0], text)
        event = Event(
            id="", at=rfc3339(at), kind=kind, community=COMMUNITY, room=room, member=who.id, name=who.name,
            role=who.role, text=text, mentions=mentions, account_created_at=rfc3339(who.made),
        )  # fmt: skip
        told = Told(event, at, about)
        self.told.append(told)
        return told

    def come(self, stranger: Person, at: dt.datetime) -> Person:
        """A stranger comes: the account is as old at ``at`` as it was to be at the start."""
        stranger.made += at - START
        self.people[stranger.id] = stranger
        return stranger

    def fits(self, room: str, start: dt.datetime, end: dt.datetime) -> bool:
        """Whether nobody else talks in the room then; if so, it is taken."""
        taken = self._busy.setdefault(room, [])
        if any(start < b and a < end for a, b in taken):
            return False
        taken.append((start, end))
        return True

    def play(self, scene: Scene, at: dt.datetime) -> dt.datetime:
        """Play a scene from ``at`` on; returns when it ended."""
        cast = self._cast(scene, at)
        slots = {name: self.dice.one(of) for name, of in self.words.items()}
        last: Told | None = None
        for line in scene.lines:
            who = cast[line.who]
            text = None if line.text is None else self._words(line, slots, cast)
            about = self._about(line, last, scene)
            told = self.tell(at, line.kind, scene.room, who, text, about=about)
            told.event.media = line.media
            if line.whom:
                told.event.target, told.event.role = line.whom, line.role
            if line.kind == "message":
                last = told
                if scene.every is None:
                    self._echo(told)
            at += dt.timedelta(seconds=scene.every or 14 + len(text or "") // 3 + self.dice.below(110))
        return at

    def _cast(self, scene: Scene, at: dt.datetime) -> dict[str, Person]:
        named = {line.who for line in scene.lines}
        cast = {who: self.people[who] for who in named if who in self.people}
        often = [p for p in self.people.values() for _ in range(p.often) if p.id not in cast]
        for part in sorted(named - cast.keys()):
            if part == "N":
                cast[part] = self.people[self.passing.pop(0)]
                self.tell(at - dt.timedelta(seconds=40 + self.dice.below(200)), "join", scene.room, cast[part])
                continue
            cast[part] = self.dice.one([p for p in often if p not in cast.values()])
        return cast

    def _words(self, line: Line, slots: dict[str, str], cast: dict[str, Person]) -> str:
        """What is said this time; said before by anybody, it is put in other words, if there are some."""
        text = ""
        for _ in range(6):
            text = re.sub(r"\{([^{}]*)\}", lambda m: self.dice.one(m[1].split("|")), line.text or "")
            text = re.sub(r"<(\w+)>", lambda m: slots[m[1]], text)
            text = re.sub(r"([@%])([A-D])\b", lambda m: "@" + cast[m[2]].id if m[1] == "@" else cast[m[2]].name, text)
            text = re.sub(r"(^|[.!?] )([a-z])", lambda m: m[1] + m[2].upper(), text) if line.who.isupper() else text
            if text not in self._said:
                break
        self._said.add(text)
        if cast[line.who].casual and line.who.isupper():
            text = re.sub(r"^([A-HJ-Z])(?=[a-z])", lambda m: m[1].lower(), text).removesuffix(".")
        return text

    def _about(self, line: Line, last: Told | None, scene: Scene) -> Told | None:
        if last is None:
            return None
        if line.kind == "message":
            return last if scene.every is None and last.event.member != line.who and self.dice.below(6) == 0 else None
        strangers = [t for t in self.told if t.event.room == scene.room and t.event.kind == "message"]
        blamed = scene.lines[0].who if scene.lines[0].kind != "join" else scene.lines[1].who
        return next((t for t in reversed(strangers) if t.event.member == blamed), None)

    def _echo(self, told: Told) -> None:
        """What often follows a message: a reaction, seldom a mistyped word that is put right, or a word taken back."""
        event, fate = told.event, self.dice.below(100)
        soon = told.at + dt.timedelta(seconds=5 + self.dice.below(80))
        if fate < 9:  # in a hundred
            often = [p for p in self.people.values() for _ in range(p.often) if p.id != event.member]
            self.tell(soon, "reaction", event.room, self.dice.one(often), self.dice.one(_REACTIONS), about=told)
        elif fate == 99 and event.text and len(event.text) > 20 and not event.mentions:
            right, at = event.text, len(event.text) // 2
            event.text = right[:at] + right[at + 1] + right[at] + right[at + 2 :]
            if event.text != right:
                self.tell(soon, "edit", event.room, self.people[event.member], right, about=told)


def almanac(world: World) -> None:
    """The bot that tells the sun and the cold every morning."""
    bot = world.people["almanac"]
    for day in range(DAYS):
        date = FIRST_DAY + dt.timedelta(days=day)
        minutes = 6 * 60 + 44 - 2 * day - (day * 5) // 20
        cold = world.dice.below(8) - 1 + day // 9
        frost = "Frost: cover the pots." if cold <= 1 else "No frost tonight."
        text = f"{date:%A}. Sunrise {minutes // 60:02}:{minutes % 60:02} (UTC), lowest tonight {cold} °C. {frost}"
        world.tell(dt.datetime.combine(date, dt.time(5, 45), dt.UTC), "message", "#garden", bot, text)


def raid(world: World) -> None:
    """Forty accounts join within a minute; two dozen of them cry something, then all leave."""
    for number, name in enumerate(world.dice.mixed([a + b for a in _FIRST for b in _SECOND])):
        joined = RAID + dt.timedelta(seconds=number)
        who = world.come(Person(name, name, START - dt.timedelta(hours=1 + world.dice.below(20))), joined)
        world.tell(joined, "join", "#garden", who)
        if number % 5 < 3:  # three in five speak
            cry = world.dice.one(_CRIES)
            world.tell(RAID + dt.timedelta(seconds=42 + number), "message", "#garden", who, cry)
        world.tell(RAID + dt.timedelta(seconds=150 + 4 * number), "leave", "#garden", who)


def five_weeks() -> bytes:
    """The whole chat as NDJSON."""
    world = World()
    talk, world.words = scenes(HERE / "tea_garden_scenes.txt")
    conduct, _ = scenes(HERE / "tea_garden_conduct.txt")
    around = dt.timedelta(minutes=12)
    world.fits("#garden", RAID - around, RAID + around)
    almanac(world)
    raid(world)
    for scene in sorted([s for s in [*talk, *conduct] if s.at], key=lambda s: s.at or RAID):
        start = scene.at or RAID
        for line in scene.lines:
            if line.who in world.strangers:
                world.come(world.strangers.pop(line.who), start)
        end = world.play(scene, start)
        world.fits(scene.room, start - around, end + around)
    for scene, at in _plan(world, [s for s in talk if s.at is None]):
        world.play(scene, at)
    return world.write()


def _plan(world: World, free: Sequence[Scene]) -> Iterator[tuple[Scene, dt.datetime]]:
    """Eight conversations a day or so, ten at weekends, each kind as often as the others."""
    bag: list[Scene] = []
    for day in range(DAYS):
        date = FIRST_DAY + dt.timedelta(days=day)
        for _ in range((10 if date.weekday() > 4 else 7) + world.dice.below(3)):  # Saturday is 5
            bag = bag or world.dice.mixed(free)
            scene = bag.pop()
            if any(line.who == "N" for line in scene.lines) and not world.passing:
                continue
            for _ in range(20):
                clock = dt.time(world.dice.one(HOURS), world.dice.below(60), world.dice.below(60))
                at = dt.datetime.combine(date, clock, dt.UTC)
                if world.fits(scene.room, at - dt.timedelta(minutes=5), at + dt.timedelta(minutes=15)):
                    yield scene, at
                    break


def main() -> int:
    """Write the chat, or with ``--check`` say whether the file is what would be written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is another")
    parser.add_argument("file", nargs="?", type=Path, default=CHAT)
    args = parser.parse_args()
    made = five_weeks()
    if not args.check:
        args.file.write_bytes(made)
        return 0
    if not args.file.exists() or args.file.read_bytes() != made:
        print(f"{args.file} is not what tools/tea_garden.py writes; run it once more", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
