"""The charter: a community's adopted clauses, what each finds, how grave it is, and what may follow. Values only."""

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from comity.core.due_process import DEFAULT as DEFAULT_TERMS
from comity.core.due_process import DueProcess
from comity.core.harm import Severity
from comity.core.parameters import DEFAULT, Parameters


class State(StrEnum):
    """Where a clause stands: draft does nothing, shadow finds but does not count, live finds and counts."""

    DRAFT = "draft"
    SHADOW = "shadow"
    LIVE = "live"


class Measure(StrEnum):
    """What a decision can impose, in the order of the ladder."""

    WARN = "warn"
    HIDE = "hide"
    SLOW = "slow"
    NO_LINKS = "no_links"
    MUTE = "mute"
    SUSPEND = "suspend_management"
    REVOKE = "revoke_management"
    REMOVE = "remove"
    BAN = "ban"


# No lasting loss of rights by machine alone: these need a person, whatever a charter says.
BY_A_PERSON: Final = frozenset({Measure.REVOKE, Measure.REMOVE, Measure.BAN})
# House rules act lightly: a community's own taste costs nobody a right.
OF_THE_HOUSE: Final = frozenset({Measure.WARN, Measure.HIDE, Measure.SLOW})
LONGEST_AUTOMATIC: Final = dt.timedelta(hours=72)
APPEAL_TERM: Final = dt.timedelta(days=183)  # six months, DSA Art. 20(1)

_NAME: Final = re.compile(r"\{(\w+)\}")
SEVERITIES: Final[Mapping[str, Severity]] = MappingProxyType({s.name.lower(): s for s in Severity})


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """One clause. text: what members read; rule: the name of a built-in rule, or "" for an own expression.

    when: the expression; parameters: its values; sentence: what a finding says, with {names} of parameters in it;
    review: findings are for a person to look at and never count by themselves.
    """

    id: str
    text: str
    rule: str
    harm: str
    severity: Severity
    measures: tuple[Measure, ...]
    state: State
    when: str
    sentence: str
    parameters: Mapping[str, Any]
    review: bool = False

    @property
    def counts(self) -> bool:
        """Whether its findings move standing."""
        return self.state is State.LIVE and not self.review

    @property
    def said(self) -> str:
        """The sentence with its parameters filled in; a name that is none of theirs stays as it is written."""
        return _NAME.sub(lambda found: str(self.parameters.get(found[1], found[0])), self.sentence)


class Charter(msgspec.Struct, frozen=True, kw_only=True):
    """A charter. language: BCP 47; time_zone: of the tz database, its days are the days of the ledger.

    longest: of an automatic measure, at most 72 hours; standing, due_process: the figures of the sections so named.
    """

    community: str
    language: str
    time_zone: str
    clauses: tuple[Clause, ...]
    longest: dt.timedelta = LONGEST_AUTOMATIC
    standing: Parameters = DEFAULT
    due_process: DueProcess = DEFAULT_TERMS

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.time_zone)

    def digest(self) -> str:
        """32 hexadecimal digits that name exactly this charter (BLAKE2b over its canonical form)."""
        form = msgspec.json.encode(self, order="sorted")
        return hashlib.blake2b(form, digest_size=16).hexdigest()
