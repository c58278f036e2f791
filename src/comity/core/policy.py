"""An entry of a list of bans: whom it means, what it recommends, and how a community that follows the list answers.

Such a list is kept by somebody else. What it says is a recommendation (Matrix specification, "Moderation policy
lists"); it acts here only through a clause of the community's own charter, and is always shown with its list.
"""

import base64
import datetime as dt
import hashlib
from enum import StrEnum
from typing import Final

import msgspec

from comity.core.charter import BY_A_PERSON, LONGEST_AUTOMATIC, Clause, Measure, State
from comity.core.event import moment


class Subject(StrEnum):
    """What an entry is about. An entry about a room says nothing of a member."""

    USER = "user"
    SERVER = "server"
    ROOM = "room"


class Recommendation(StrEnum):
    """What an entry recommends: ban; takedown, a ban with the removal of everything (MSC4204); allow, to leave be."""

    BAN = "ban"
    TAKEDOWN = "takedown"
    ALLOW = "allow"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a list.

    entity: an account, server or room, in which ``*`` and ``?`` stand for other characters, "" if hashed; hashed: the
    SHA-256 of one whole entity, as ``hash_of`` writes it, else ""; reason: as the list gives it, "" if it gives none;
    list: the platform's id of the list; by: the account that wrote the entry; event: the id of what it was written
    with; at and until: milliseconds since 1970, ``at`` 0 if not known, ``until`` None if it does not end (MSC3908).
    Raises ValueError unless there is either an entity or a hash.
    """

    subject: Subject
    recommendation: Recommendation
    entity: str = ""
    hashed: str = ""
    reason: str = ""
    list: str = ""
    by: str = ""
    event: str = ""
    at: int = 0
    until: int | None = None

    def __post_init__(self) -> None:
        if bool(self.entity) == bool(self.hashed):
            raise ValueError("an entry has either an entity or a hash of one")

    @property
    def shown(self) -> str:
        """The entity, or what is known of a hashed one."""
        return self.entity or f"sha256:{self.hashed}"

    def in_force(self, at: int) -> bool:
        """Whether the entry has not ended at a time, in milliseconds since 1970."""
        return self.until is None or at < self.until


def hash_of(entity: str) -> str:
    """SHA-256 of an entity in base64 without padding, 43 characters (MSC4205)."""
    digest = hashlib.sha256(entity.encode("utf-8", "surrogatepass")).digest()
    return base64.b64encode(digest).decode().rstrip("=")


_SAID: Final = {
    Recommendation.BAN: "a ban",
    Recommendation.TAKEDOWN: "a ban with the removal of what was written",
    Recommendation.ALLOW: "an exception",
}


def sentence(policy: Policy, name: str, zone: dt.tzinfo = dt.UTC) -> str:
    """Why an account is listed, for a finding and its statement: names list, entry, date and reason; no full stop.

    name: the list's, as the community knows it; zone: the charter's.
    """
    who = "the account's server" if policy.subject is Subject.SERVER else "the account"
    day = moment(policy.at).astimezone(zone)
    of = f" of {day.day} {day:%B %Y}" if policy.at else ""
    reason = f"for the reason “{policy.reason}”" if policy.reason else "without a reason"
    return f"{who} is on the list “{name or policy.list}”: {policy.shown}, {_SAID[policy.recommendation]}{of}, {reason}"


class Response(msgspec.Struct, frozen=True):
    """What follows from an entry. now: imposed at once, for ``longest`` at most; proposed: only ever by a person."""

    now: tuple[Measure, ...] = ()
    proposed: tuple[Measure, ...] = ()
    longest: dt.timedelta = LONGEST_AUTOMATIC


def response(policy: Policy, clause: Clause, *, longest: dt.timedelta = LONGEST_AUTOMATIC) -> Response:
    """How a community answers an entry of a list that it follows, by the clause with which it adopted the list.

    Nothing here bans. What the clause lets a machine do is done, for 72 hours at most; what needs a person is
    proposed; and if the clause lets a machine do nothing, the ban itself is what is proposed. A clause that does not
    count yet (draft, shadow) leads to nothing, and neither does an exception. An entry is about membership, so no
    message is hidden for it, also where the clause or a takedown says so.
    """
    if clause.state is not State.LIVE or policy.recommendation is Recommendation.ALLOW:
        return Response()
    now = () if clause.review else tuple(m for m in clause.measures if m not in BY_A_PERSON and m is not Measure.HIDE)
    proposed = tuple(m for m in clause.measures if m in BY_A_PERSON)
    if not now and not proposed:
        proposed = (Measure.BAN,)
    return Response(now, proposed, min(longest, LONGEST_AUTOMATIC))
