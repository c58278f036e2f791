"""What the protections of Draupnir, Mjolnir and Meowlnir are as clauses of a charter, and which are none.

Names, settings and defaults are those of their sources; a name with and without "Protection" behind it is the same. A
figure is carried over as what it means there, which is not always what it is called.
"""

import functools
import json
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from typing import Any, Final

import msgspec

_DAY, _HOUR = 86_400, 3_600  # seconds
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_MOST_ALLOWED: Final = 4_000  # what a rule over time can count to
_MOST_MENTIONED: Final = 1 << 16  # an event has no more bytes than that


class NoCounterpartError(Exception):
    """A protection that is no clause; the text says why, or what does its work."""


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """A clause that is proposed: of a built-in rule, or with a ``when`` of its own as a house rule."""

    text: str
    rule: str = ""
    when: str = ""
    parameters: Mapping[str, Any] = {}
    severity: str = "minor"
    measures: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


class Settings:
    """The settings of a protection. wrong: those that could not be read, and what was expected."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given, self.wrong = given, list[tuple[str, str]]()

    def number(self, key: str, default: int) -> int:
        """A whole number of 1 or more."""
        value = self.given.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self.wrong.append((key, f"a whole number of 1 or more; {default} was taken"))
            return default
        return value

    def words(self, key: str) -> list[str]:
        """A list of texts, without empty ones."""
        value = self.given.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self.wrong.append((key, "a list of texts"))
            return []
        return [v for v in value if v]

    def truth(self, key: str) -> bool:
        """Whether something is switched on."""
        return self.given.get(key) is True


def written(clause: Clause, id_: str, source: str) -> str:
    """The clause as TOML, in shadow, with where it came from."""
    lines = ["[[clause]]", f"# From {line(source)}.", *(f"# {line(r)}" for r in clause.remarks)]
    lines += [f"id = {_text(id_)}", f"text = {_text(clause.text)}"]
    lines.append(f"rule = {_text(clause.rule)}" if clause.rule else f"when = {_text(clause.when)}")
    if clause.parameters:
        inner = ", ".join(f"{k} = {_value(v)}" for k, v in clause.parameters.items())
        lines.append(f"parameters = {{ {inner} }}")
    if not clause.rule:
        lines.append('harm = "house"')
    lines += [f"severity = {_text(clause.severity)}", f"measures = {_value(list(clause.measures))}", 'state = "shadow"']
    return "\n".join(lines) + "\n"


def draupnirs(name: str, settings: Settings, config: Mapping[str, object]) -> list[Clause]:
    """The clauses of a protection of Draupnir or Mjolnir. Raises NoCounterpartError."""
    bare = name.removesuffix("Protection")
    if bare in _DRAUPNIR:
        return _DRAUPNIR[bare](settings, config)
    raise NoCounterpartError(_NOT_DRAUPNIR.get(bare, "it is not known here; please look at what it did"))


def meowlnirs(name: str, settings: Settings) -> list[Clause]:
    """The clauses of a protection of Meowlnir. Raises NoCounterpartError."""
    if name in _MEOWLNIR:
        return _MEOWLNIR[name](settings)
    raise NoCounterpartError(_NOT_MEOWLNIR.get(name, "it is not known here; please look at what it did"))


_BANS = "{} bans here, which needs a person: with ban among the measures, it is proposed to one."
_PER_ROOM = "Counted in each room by itself."


def proposed(template: str, parameters: Mapping[str, Any], remarks: Iterable[str]) -> Clause:
    """A clause from the file of templates, with its figures and some more remarks."""
    clause = _templates()[template]
    return msgspec.structs.replace(clause, parameters=parameters, remarks=(*remarks, *clause.remarks))


@functools.cache
def _templates() -> dict[str, Clause]:
    text = resources.files("comity.adapters.matrix").joinpath("clauses.toml").read_text("utf-8")
    return msgspec.toml.decode(text, type=dict[str, Clause])


def _flood(allowed: int, seconds: int, remarks: Iterable[str]) -> Clause:
    kept, within = min(max(allowed, 1), _MOST_ALLOWED), min(seconds, _DAY)
    told = () if (kept, within) == (allowed, seconds) else (f"It was more than {allowed} in {seconds} seconds.",)
    return proposed("messages", {"allowed": kept, "look_back": f"{within}s"}, (*remarks, *told))


def _mentions(most: int, remarks: Iterable[str]) -> Clause:
    return proposed("mentions", {"mentioned": min(max(most + 1, 2), _MOST_MENTIONED)}, remarks)


def _raid(joins: int, seconds: int, remarks: Iterable[str]) -> Clause:
    kept, within = min(max(joins, 2), _MOST_ALLOWED), min(max(seconds, 5), _HOUR)
    told = () if (kept, within) == (joins, seconds) else (f"It was more than {joins} in {seconds} seconds.",)
    return proposed("joins", {"joins": kept, "look_back": f"{within}s"}, (*remarks, *told))


def _house(text: str, when: str, parameters: Mapping[str, Any] | None = None, remarks: Iterable[str] = ()) -> Clause:
    return msgspec.structs.replace(proposed("house", parameters or {}, remarks), text=text, when=when)


def _media(types: list[str], what: str, extra: str = "", parameters: Mapping[str, Any] | None = None) -> Clause:
    when = "kind == 'message' and media_type_in(types)" + extra
    return _house(f"Do not post {what} here.", when, {"types": types, **(parameters or {})})


# The first thing said after joining, for a day after it.
_FIRST = (
    " and count(per=(room, member), within='24h', of=kind == 'join') > 0"
    " and count(per=(room, member), within='24h') <= 1"
)


def _in_config(config: Mapping[str, object], section: str, key: str) -> Any:  # noqa: ANN401  checked by who asks
    part = config.get(section)
    return part.get(key) if isinstance(part, Mapping) else None


def _words_of(config: Mapping[str, object], section: str, key: str = "words") -> list[str]:
    words = _in_config(config, section, key)
    found = [w for w in words if isinstance(w, str) and w] if isinstance(words, list) else []
    if not found:
        raise NoCounterpartError(f"protections.{section}.{key} stands in the configuration file: give that too")
    return found


def _word_list(_settings: Settings, config: Mapping[str, object]) -> list[Clause]:
    words = _words_of(config, "wordlist")
    minutes = _in_config(config, "wordlist", "minutesBeforeTrusting")
    when, remarks = "kind == 'message' and matching(patterns) > 0", ["Draupnir bans here."]
    if isinstance(minutes, int | float) and not isinstance(minutes, bool) and minutes > 0:
        seconds = min(max(int(minutes * 60), 1), _DAY)
        when += f" and count(per=(room, member), within='{seconds}s', of=kind == 'join') > 0"
        remarks.append(f"Only within {seconds} seconds after joining, as it was.")
    return [_house("Do not use these words here.", when, {"patterns": [_escaped(w) for w in words]}, remarks)]


def _first_words(_settings: Settings, config: Mapping[str, object]) -> list[Clause]:
    patterns = [_escaped(w) for w in _words_of(config, "firstMessageIsWordProtection")]
    when = "kind == 'message' and matching(patterns) > 0" + _FIRST
    remark = "Draupnir removes from the room here, which needs a person."
    return [_house("Do not begin with these words.", when, {"patterns": patterns}, [remark])]


def _new_joiners(_settings: Settings, config: Mapping[str, object]) -> list[Clause]:
    servers = _words_of(config, "newJoinerProtection", "serverNames")
    return [proposed("servers", {"entities": [f"@*:{s}" for s in servers]}, ["Draupnir bans here at once."])]


def _churn(settings: Settings, _config: Mapping[str, object]) -> list[Clause]:
    most, minutes = settings.number("maxChangesPerUser", 7), settings.number("timescaleMinutes", 60)
    within = f"{min(minutes * 60, _DAY)}s"
    when = (
        f"(kind == 'join' or kind == 'leave') and count(per=(room, member), within='{within}', "
        "of=kind == 'join' or kind == 'leave') > allowed"
    )
    text = "Do not join and leave again and again."
    return [_house(text, when, {"allowed": min(most, _MOST_ALLOWED)}, ["Draupnir bans here."])]


_PICTURES = ["image/*", "video/*"]
_DRAUPNIR: Final[Mapping[str, Callable[[Settings, Mapping[str, object]], list[Clause]]]] = {
    "BasicFlooding": lambda s, _: [_flood(s.number("maxPerMinute", 10) - 1, 60, [_BANS.format("Draupnir"), _PER_ROOM])],
    "MentionLimit": lambda s, _: [
        _mentions(s.number("maxMentions", 3), ["Draupnir bans at the second time within half an hour."])
    ],
    "MentionSpam": lambda s, _: [_mentions(s.number("maxMentions", 10), ["Display names in the text do not count."])],
    "MentionFlood": lambda s, _: [
        _mentions(s.number("maxMentionsPerMessage", 20), ["It was for those who had just joined; here it is for all."])
    ],
    "JoinWaveShortCircuit": lambda s, _: [
        _raid(
            s.number("maxPer", 50) - 1,
            s.number("timescaleMinutes", 60) * 60,
            ["Draupnir closes the room to joins; Comity does not."],
        )
    ],
    "WordList": _word_list,
    "FirstMessageIsWord": _first_words,
    "NewJoiner": _new_joiners,
    "MembershipChange": _churn,
    "MessageIsMedia": lambda _s, _c: [_media(_PICTURES, "pictures or videos")],
    "MessageIsVideo": lambda _s, _c: [_media(["video/*"], "videos")],
    "MessageIsVoice": lambda _s, _c: [_media(["audio/*"], "voice messages")],
    "FirstMessageIsImage": lambda _s, _c: [_media(_PICTURES, "pictures or videos as the first thing", _FIRST)],
    "FirstMessageIsLink": lambda _s, _c: [
        _house("Do not begin with a link.", "kind == 'message' and links() > 0" + _FIRST)
    ],
}
_REPORTS = "reports go to a person, whoever they are from, and never move standing or act by themselves"
_SERVER = "it governs a homeserver, and Comity governs communities; keep it, or use the homeserver's own means"
_ROOMS = "which rooms Comity looks after is set in its own settings"
_NOT_DRAUPNIR: Final = {
    "BanPropagation": "a ban that a person imposes here can be published on a list of your own",
    "PropagateRoomBan": "a ban that a person imposes here can be published on a list of your own",
    "MemberBanSynchronisation": "the lists above and the clause listed-member do its work",
    "ServerBanSynchronisation": "members of a listed server are found by listed-member; Comity writes no server ACLs",
    "RedactionSynchronisation": "messages are hidden one by one, by the clause that finds them",
    "RedactPolicyServerFlaggedEvents": "Comity does not look at what a policy server flagged",
    "PolicyChangeNotification": "changes of a list are shown to managers, with who would be affected",
    "TrustedReporters": _REPORTS,
    "LocalAbuseReports": _REPORTS,
    "Nsfw": "a classifier's score can be looked at by a person (rule classifier-score), and never acts alone",
    "InvalidEvent": "an event that cannot be read is named as such, and nobody is judged by it",
    "DetectFederationLag": "it watches the homeserver, not conduct",
    "BlockInvitationsOnServer": _SERVER,
    "HomeserverUserPolicy": _SERVER,
    "RoomTakedown": _SERVER,
    "JoinRoomsOnInvite": _ROOMS,
    "RoomsSetBehaviour": _ROOMS,
    "DraupnirNews": "it tells news of Draupnir",
}


def _anti_flood(settings: Settings) -> list[Clause]:
    limit, per = settings.number("limit", 10), settings.number("per", 60)
    remarks = [_BANS.format("Meowlnir"), f"{_PER_ROOM} Meowlnir counts all its rooms together."]
    return [_flood(limit, per, remarks)]


def _max_mentions(settings: Settings) -> list[Clause]:
    limit, per = settings.number("limit", 10), settings.number("per", 60)
    remarks = [f"Meowlnir adds up {per} seconds; here one message counts.", _BANS.format("Meowlnir")]
    return [_mentions(limit, remarks)]


def _join_rate(settings: Settings) -> list[Clause]:
    limit, per = settings.number("limit", 50), settings.number("per", 60)
    return [_raid(limit, per, ["Meowlnir removes those who join beyond it, which needs a person here."])]


def _bad_words(settings: Settings) -> list[Clause]:
    patterns = [p.removeprefix("(?i)") for p in settings.words("patterns")]
    fit = [p for p in patterns if _fits(p)]
    if not fit:
        raise NoCounterpartError("it has no pattern that can be read here")
    remarks = [f"Left out, since it cannot be read here or finds everything: {p!r}" for p in patterns if p not in fit]
    when = "(kind == 'message' or kind == 'edit') and matching(patterns) > 0"
    return [_house("Do not use these words here.", when, {"patterns": fit}, remarks)]


def _no_media(settings: Settings) -> list[Clause]:
    sorts = {"allow_images": "image/*", "allow_videos": "video/*", "allow_audio": "audio/*"}
    types = [t for key, t in sorts.items() if not settings.truth(key)]
    users = settings.words("ignore_users")
    extra, parameters = (" and not member_in(exempt)", {"exempt": users}) if users else ("", {})
    remarks = ["Stickers, custom reactions and pictures within a text are not told apart here."]
    if settings.truth("allow_files"):
        if not types:
            raise NoCounterpartError("it allowed every sort of media")
        clause = _media(types, "such media", extra, parameters)
    elif len(types) == len(sorts):
        clause = _house("Do not post media here.", "kind == 'message' and files() > 0" + extra, parameters)
    else:
        allowed = [t for t in sorts.values() if t not in types]
        when = "kind == 'message' and files() > 0 and not media_type_in(allowed)" + extra
        clause = _house("Do not post such media here.", when, {"allowed": allowed, **parameters})
    return [msgspec.structs.replace(clause, remarks=(*remarks, *clause.remarks))]


_MEOWLNIR: Final[Mapping[str, Callable[[Settings], list[Clause]]]] = {
    "anti_flood": _anti_flood,
    "max_mentions": _max_mentions,
    "join_rate": _join_rate,
    "bad_words": _bad_words,
    "no_media": _no_media,
}
_NOT_MEOWLNIR: Final = {
    "bad_displaynames": "no clause looks for patterns in names; the rule look-alike-name knows names like a manager's",
    "insecure_registration": "how another server registers accounts says nothing about a member's conduct",
}


def _fits(pattern: str) -> bool:
    """Whether a charter takes a pattern: without control characters, readable, and not found in an empty text."""
    if _CONTROL.search(pattern):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python doubts, a charter refuses
            return re.compile(pattern, re.IGNORECASE).search("") is None
    except (re.error, Warning, OverflowError, RecursionError):
        return False


def _escaped(word: str) -> str:
    """A pattern that is found where the word is."""
    plain = re.sub(r"[.*+?^${}()|\[\]\\]", r"\\\g<0>", _whole(word))
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", plain)


def _value(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return _text(value) if isinstance(value, str) else str(value)


def _text(text: str) -> str:
    """A TOML basic string: what JSON escapes, TOML reads the same, and one character more must be escaped."""
    return json.dumps(_whole(text), ensure_ascii=False).replace("\x7f", "\\u007f")


def _whole(text: str) -> str:
    """The text without halves of characters, which JSON can hold and TOML cannot."""
    return text.encode("utf-8", "replace").decode()


def line(text: str) -> str:
    """The text as one line that can stand behind a ``#``."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
