"""What is decided on: the new findings of some members, what they amount to, and what is in force already."""

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from comity.core.charter import Charter, Clause
from comity.core.decision import Decision
from comity.core.event import Kind, Role
from comity.core.parameters import DEFAULT, Parameters
from comity.core.rights import Band, band_after
from comity.core.standing import Counted, Standing, active, standing_of, weights


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A new finding.

    entry: its number in the ledger; at: milliseconds since 1970; room, number: of the room and the clause in the store;
    event: the platform's id; kind, role: of the event and of who caused it; of_others: whether it is about somebody
    else's message (a redaction, an edit by a manager); excerpt: as the ledger keeps it; sentence: what the rule says,
    filled in; obtained: whether we ever saw the content; reported: whether a report began it; listed: whether all
    it says is that a list which the community follows names the account.
    """

    entry: int
    at: int
    room: int
    number: int
    clause: Clause
    event: str
    kind: Kind = "message"
    role: Role | None = None
    of_others: bool = False
    excerpt: str = ""
    sentence: str = ""
    obtained: bool = True
    reported: bool = False
    listed: bool = False


class Rated(msgspec.Struct, frozen=True):
    """A member's standing and band, and the band as it would be without any house finding: what costs a right."""

    standing: Standing
    band: Band
    firm: Band


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A member with new findings.

    member: number; before, now: rated without and with the new findings; decisions: those about the member that are
    proposed, in force, or were made within ``decide.REMEMBERED``, of dry runs too; exempt: why nothing is decided about
    this one, empty if it is (see ``exempt``).
    """

    member: int
    found: Sequence[Found]
    before: Rated
    now: Rated
    decisions: Sequence[Decision] = ()
    exempt: str = ""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What one turn asks to decide.

    at: milliseconds since 1970; community: its number; head: number of the ledger's last entry, the new findings among
    those before it; first: the number the first decision gets; muted: how many are muted in each room now; most_muted:
    how many a room can have (a Matrix room's power levels are bounded to 64 KiB); dry_run: of the whole community.
    """

    at: int
    charter: Charter
    community: int
    head: int
    first: int
    people: Sequence[Person]
    muted: Mapping[int, int] = {}
    most_muted: int = 500
    dry_run: bool = False


def exempt(
    account: str,
    role: Role | None,
    *,
    ours: Collection[str],
    ghost: Callable[[str], bool],
    named: Collection[str] = (),
) -> str:
    """Why an account is not governed, or "" if it is.

    ours: our own accounts, never governed; ghost: whether an account is a bridge's; named: bots and ghosts that the
    community wants governed all the same.
    """
    if account in ours:
        return "our own account"
    if account in named:
        return ""
    if role == "bot":
        return "a bot"
    return "a bridge's account" if ghost(account) else ""


def leads_nowhere(found: Found) -> str:
    """Why nothing may follow from a finding, or "" if it may. The runner posts no such finding as one that counts."""
    if not found.clause.counts:
        return "its clause does not count"
    if not found.obtained:
        return "its content was gone before we saw it"
    if found.role == "manager" and (found.kind == "redaction" or found.of_others):
        return "a manager cleaned up"
    return ""


def is_house(clause: Clause) -> bool:
    """Whether a clause is a community's own taste, which costs nobody a right."""
    return clause.harm == "house"


def rated(
    activity: Mapping[int, int],
    findings: Sequence[Counted],
    house: Collection[int],
    day: int,
    *,
    verified: bool = False,
    parameters: Parameters = DEFAULT,
) -> Rated:
    """A member's standing and bands on a day.

    activity: own messages by day; findings: those in force that count; house: entries of those under house clauses.
    """
    known = set(house)
    firm = [f for f in findings if f.entry not in known]
    now, band = _band(activity, findings, day, verified=verified, parameters=parameters)
    if len(firm) == len(findings):
        return Rated(now, band, band)
    return Rated(now, band, _band(activity, firm, day, verified=verified, parameters=parameters)[1])


def _band(
    activity: Mapping[int, int], findings: Sequence[Counted], day: int, *, verified: bool, parameters: Parameters
) -> tuple[Standing, Band]:
    """Standing and band; the days before are gone through only where the band depends on them."""
    by_day, weighed = active(activity), weights(findings, parameters)

    def on(when: int) -> Standing:
        return standing_of(by_day, weighed, when, verified=verified, parameters=parameters)

    now = on(day)
    lowest, highest = band_after(Band.MUTED, now), band_after(Band.GOOD, now)
    if lowest == highest:
        return now, highest
    level = Band.GOOD
    memory = parameters.forgotten
    # On every other day no finding is remembered, and standing is above every line.
    for before in sorted({d for f in findings for d in range(f.day, min(f.day + memory + 1, day))}):
        level = band_after(level, on(before))
    return now, band_after(level, now)
