"""Looking into the record: for a case or a stated reason, and written down before anything is shown."""

import sys
from pathlib import Path
from typing import IO

import click
import msgspec

from comity.cli.common import now, store_option
from comity.cli.printing import counted, printable
from comity.cli.record_options import folder_option, key_option, the_keeper, the_member, the_record
from comity.core.errors import ComityError
from comity.core.event import Event, milliseconds
from comity.core.looking import Look
from comity.core.place import Place
from comity.core.queue import Item, Kind
from comity.stores.record.proofs import prove as proof_of
from comity.stores.record.reading import Query, Reading
from comity.stores.record.record import Record
from comity.stores.sql_store import SqlStore


@click.command()
@click.argument("community")
@click.option("--by", "who", required=True, help="Who looks.")
@click.option("--case", type=click.IntRange(1), help="The number of the decision that it is about.")
@click.option("--reason", default="", help="Why, where there is no case.")
@click.option("--member", default="", help="Account, name or pseudonym.")
@click.option("--room", default="", help="As the platform names it.")
@click.option("--text", default="", help="What the text contains, in whatever case.")
@click.option("--since", default="", help="RFC 3339, such as 2026-03-01T00:00:00Z.")
@click.option("--until", default="", help="The same.")
@store_option
@folder_option
@key_option
def search(
    *, community: str, who: str, case: int | None, reason: str, member: str, room: str, text: str, since: str,
    until: str, store: Place, folder: str | None, key_at: str | None,
) -> None:  # fmt: skip
    """Search what was said in COMMUNITY, for a case or with a stated reason; as NDJSON. Each look is written down."""
    if case is None and not reason.strip():
        raise click.UsageError("say why you look: --case NUMBER, or --reason")
    with the_record(store, folder, the_keeper(key_at)) as (ledger, kept):
        if case is not None:
            if ledger.decisions.decision(case) is None:
                raise click.UsageError(f"there is no decision {case}")
            reason = f"decision {case}. {reason}".strip() + _waiting(ledger, case)
        found = the_member(ledger, community, member) if member else None
        query = Query(
            community=community,
            member=found.pseudonym if found else "",
            room=room,
            text=text,
            since=_time(since, "--since"),
            until=_time(until, "--until"),
        )
        what = "the record" + (f", for {text!r}" if text else "")
        events = Reading(kept.parts, now()).find(query)
        _note(
            ledger,
            kept,
            query,
            what=what,
            who=who,
            reason=reason,
            shown=len(events),
            number=found.number if found else 0,
        )
        _write(events, sys.stdout)
        click.echo(f"{counted(len(events), 'event')}. That you looked is written down.", err=True)


@click.command()
@click.argument("community")
@click.argument("member")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@store_option
@folder_option
@key_option
def export(*, community: str, member: str, out: Path, store: Place, folder: str | None, key_at: str | None) -> None:
    """Write all that is recorded of MEMBER to OUT, for MEMBER: their own words, under their own account."""
    with the_record(store, folder, the_keeper(key_at)) as (ledger, kept):
        who = the_member(ledger, community, member)
        query = Query(community=community, member=who.pseudonym)
        events = Reading(kept.parts, now()).find(query)
        account = who.account or who.pseudonym
        own = [msgspec.structs.replace(e, member=account) for e in events]
        reason = "a member asked for their own data"
        _note(ledger, kept, query, what="an export", who="operator", reason=reason, shown=len(own), number=who.number)
        with out.open("w", encoding="utf-8") as file:
            _write(own, file)
    click.echo(f"{counted(len(own), 'event')} written to {printable(str(out))}.")


@click.command()
@click.argument("decision", type=click.IntRange(1))
@click.argument("folder_out", metavar="FOLDER", type=click.Path(path_type=Path, file_okay=False))
@store_option
@folder_option
@key_option
def prove(*, decision: int, folder_out: Path, store: Place, folder: str | None, key_at: str | None) -> None:
    """Prove that the messages a DECISION rests on are in the record, word for word: a file each in FOLDER."""
    with the_record(store, folder, the_keeper(key_at), read_only=True) as (ledger, kept):
        d = ledger.decisions.decision(decision)
        member = None if d is None else ledger.member(d.member)
        if d is None or member is None:
            raise click.UsageError(f"there is no decision {decision}")
        community = _community_of(kept, ledger, d.community)
        events = [row.event for row in ledger.findings(d.member) if row.number in d.findings]
        folder_out.mkdir(parents=True, exist_ok=True)
        for n, event in enumerate(dict.fromkeys(events), 1):
            file = folder_out / f"decision-{decision}-{n}.json"
            proof = proof_of(kept.parts, community, member.pseudonym, event, now())
            file.write_bytes(msgspec.json.format(msgspec.json.encode(proof)) + b"\n")
            click.echo(f"{printable(event)}: {printable(str(file))}")


def _note(
    ledger: SqlStore, kept: Record, query: Query, *, what: str, who: str, reason: str, shown: int, number: int
) -> None:
    """Write a look down, committed before anything is shown."""
    community = ledger.community(query.community)
    room = ledger.rooms(community, [query.room])[0] if query.room else 0
    with ledger.write():
        look = Look(number=0, at=now(), community=community, by=who, what=what, reason=reason, member=number, room=room)
        kept.looked(ledger.process.add_look(look), shown)


def _waiting(ledger: SqlStore, decision: int) -> str:
    """What a reason ends with while a decision waits for a person: the member reads of the look once it does not."""
    items = (Item(kind, decision) for kind in (Kind.PROPOSAL, Kind.PROVISIONAL))
    return next((f" Part of the case {item.key}" for item in items if ledger.process.item(item, now())), "")


def _community_of(kept: Record, ledger: SqlStore, number: int) -> str:
    for room in kept.parts.rows.rooms().values():
        if ledger.community(room.community) == number:
            return room.community
    raise ComityError("no room of this decision's community is recorded")


def _time(text: str, option: str) -> int | None:
    if not text:
        return None
    try:
        return milliseconds(text)
    except ValueError as e:
        raise click.UsageError(f"{option}: {e}") from e


def _write(events: list[Event], file: IO[str]) -> None:
    for event in events:
        file.write(msgspec.json.encode(event).decode() + "\n")
