"""``comity record``: what is kept of what was said, how long, who looked, and whether it is whole."""

from pathlib import Path
from typing import IO

import click
import msgspec

from comity.cli.common import json_option, now, store_option
from comity.cli.printing import counted, print_json, printable, table
from comity.cli.record_looking import export, prove, search
from comity.cli.record_options import (
    finished_beside,
    folder_option,
    key_option,
    notice,
    settings_option,
    the_keeper,
    the_member,
    the_record,
    where,
)
from comity.cli.record_verdict import tell
from comity.core.errors import ComityError
from comity.core.event import moment, rfc3339
from comity.core.place import Place
from comity.core.retention import DAY, LONGEST, SHORTEST, TERM, Hold
from comity.stores.record.finished import KEPT, sweep
from comity.stores.record.keys import new_key_file
from comity.stores.record.links import read_head
from comity.stores.record.proofs import Proof, check
from comity.stores.record.tending import Tended
from comity.stores.record.verify import verify


@click.group()
def record() -> None:
    """Keep what is said in rooms that agreed to it: encrypted, for a term, and open about who looks."""


for _command in (search, export, prove):
    record.add_command(_command)


@record.command()
@click.argument("file", type=click.Path(path_type=Path))
def key(*, file: Path) -> None:
    """Make the key that wraps all others, in a new FILE. Keep a copy: without it nobody can read the record."""
    made = new_key_file(file)
    click.echo(f"The key {made.id} is in {printable(str(file))}. Keep a copy where the record is not.")


@record.command()
@click.argument("community")
@click.argument("room")
@click.option("--days", type=click.IntRange(SHORTEST, LONGEST), default=TERM, show_default=True, help="Its term.")
@click.option("--stop", is_flag=True, help="Record it no longer; what there is goes when its term is over.")
@store_option
@folder_option
@key_option
def room(
    *, community: str, room: str, days: int, stop: bool, store: Place, folder: str | None, key_at: str | None
) -> None:
    """Record ROOM of COMMUNITY from now on, for so many days. Tell the room first: it says what to tell."""
    with the_record(store, folder, the_keeper(key_at), begin=not stop) as (ledger, kept), ledger.write():
        ledger.community(community)
        if stop:
            kept.end_room(community, room, now())
        else:
            kept.begin_room(community, room, days, now())
    if stop:
        click.echo(f"{printable(room)} is recorded no longer.")
        return
    click.echo(f"{printable(room)} is recorded from now on. Tell the room:")
    click.echo(f"  {notice(days)}")


@record.command()
@store_option
@folder_option
@key_option
@json_option
def status(*, store: Place, folder: str | None, key_at: str | None, as_json: bool) -> None:
    """Show what is kept, since when, how large it is, what goes next, and who holds what."""
    with the_record(store, folder, the_keeper(key_at), read_only=True) as (_, kept):
        s = kept.status(now())
    if as_json:
        print_json(msgspec.to_builtins(s._asdict()))
        return
    size = f"{s.size / 1_000_000:,.1f} MB"
    click.echo(
        f"{counted(s.events, 'event')} in {counted(s.segments, 'segment')}, {s.unsealed:,} not sealed yet, {size}."
    )
    if s.since is not None:
        click.echo(
            f"The oldest is of {_day(s.since)}." + (f" The next goes on {_day(s.goes_next)}." if s.goes_next else "")
        )
    if s.waiting:
        click.echo(f"{counted(s.waiting, 'wish', 'wishes')} to take back or forget still wait to be carried out.")
    rows = [
        [printable(r.community), printable(r.room), f"{r.days} days", _day(r.since), _day(r.until) if r.until else ""]
        for r in s.rooms
    ]
    table("Rooms", ["community", "room", "term", "since", "stopped"], rows)
    for hold in s.holds:
        whose = printable(hold.member or hold.room or "all of it")
        click.echo(f"Held until {_day(hold.until)} by {printable(hold.by)}: {whose}. {printable(hold.reason)}")


@record.command()
@click.option("--all", "whole", is_flag=True, help="Seal everything, however new.")
@store_option
@folder_option
@key_option
@settings_option
@json_option
def tend(
    *, whole: bool, store: Place, folder: str | None, key_at: str | None, settings_path: Path | None, as_json: bool
) -> None:
    """Seal what is complete, destroy what is over, carry out what was asked for. `comity serve` does so every hour."""
    at = where(settings_path, store, folder, key_at)
    with the_record(at.store, at.folder, the_keeper(at.key_at), beside=True) as (_, kept):
        done = kept.tend(now(), whole=whole)
        _sweep(at.store, done)
        if as_json:
            s = kept.status(now())
            print_json(done._asdict() | {"events": s.events, "bytes": s.size})
            return
    _told(done)


@record.command("verify")
@click.option("--noted", type=click.File("rb"), help="A head that was published, as `comity record head` writes it.")
@click.option("--deep", is_flag=True, help="Decrypt everything and build the trees of all events anew; needs the key.")
@store_option
@folder_option
@key_option
@json_option
def verify_(
    *, noted: IO[bytes] | None, deep: bool, store: Place, folder: str | None, key_at: str | None, as_json: bool
) -> None:
    """Check that nothing of the record was changed, removed, added or swapped; without --deep it needs no key."""
    head = None if noted is None else read_head(noted.read())
    keeper = the_keeper(key_at) if deep or key_at else None
    with the_record(store, folder, keeper, read_only=True) as (_, kept):
        verdict = verify(kept.parts, noted=head, deep=deep)
    if as_json:
        print_json(verdict._asdict() | {"whole": verdict.whole})
    else:
        tell(verdict, str(kept.parts.place))
    if not verdict.whole:
        raise SystemExit(1)


@record.command()
@store_option
@folder_option
@key_option
def head(*, store: Place, folder: str | None, key_at: str | None) -> None:
    """Print the signed head: publish it, and nobody, not you either, can make another past."""
    with the_record(store, folder, the_keeper(key_at), read_only=True) as (_, kept):
        print_json(msgspec.to_builtins(kept.head(now())))


@record.command("check")
@click.argument("file", type=click.File("rb"))
def check_(*, file: IO[bytes]) -> None:
    """Check a proof that `comity record prove` wrote. It needs neither store nor key."""
    try:
        proof = msgspec.json.decode(file.read(), type=Proof)
    except msgspec.MsgspecError as e:
        raise ComityError(f"this is no proof: {e}") from e
    event = check(proof)
    click.echo(f"It is in the record of the key {proof.head.signs}, as of {proof.head.at}:")
    click.echo(f"  {event.at} {printable(event.room)} {printable(event.member)}: {printable(event.text or event.kind)}")


@record.command()
@click.argument("community")
@click.argument("member")
@click.option("--yes", is_flag=True, help="Do not ask.")
@store_option
@folder_option
@key_option
def forget(*, community: str, member: str, yes: bool, store: Place, folder: str | None, key_at: str | None) -> None:
    """Erase all that MEMBER of COMMUNITY wrote, and which account they are; only what an appeal may be about stays."""
    with the_record(store, folder, the_keeper(key_at)) as (ledger, kept):
        who = the_member(ledger, community, member)
        if not yes:
            click.confirm(f"Erase all that {printable(who.account or who.pseudonym)} wrote?", abort=True, err=True)
        done = kept.forget(community, who.pseudonym, now())
        _sweep(store, done)
        _told(done)
        ledger.forget_account(who.number, now=now())


@record.command()
@click.argument("name")
@click.argument("community")
@click.option("--by", "who", required=True, help="Who orders it.")
@click.option("--reason", required=True, help="Why; everybody who asks for the status reads it.")
@click.option("--days", type=click.IntRange(1, 366), required=True, help="Until when; there is none without an end.")
@click.option("--member", default="", help="Whose, by pseudonym.")
@click.option("--room", default="", help="Of which room.")
@store_option
@folder_option
@key_option
def hold(
    *, name: str, community: str, who: str, reason: str, days: int, member: str, room: str, store: Place,
    folder: str | None, key_at: str | None,
) -> None:  # fmt: skip
    """Keep something beyond its term, by name and until a day. The status shows it, and it ends by itself."""
    since = now()
    held = Hold(name=name, by=who, reason=reason, since=since, until=since + days * DAY, community=community,
                member=member, room=room)  # fmt: skip
    with the_record(store, folder, the_keeper(key_at)) as (_, kept):
        kept.hold(held, since)
    click.echo(f"Held until {_day(held.until)}.")


@record.command()
@click.argument("name")
@click.option("--by", "who", required=True, help="Who ends it.")
@click.option("--reason", required=True, help="Why.")
@store_option
@folder_option
@key_option
def release(*, name: str, who: str, reason: str, store: Place, folder: str | None, key_at: str | None) -> None:
    """End a hold before its day."""
    with the_record(store, folder, the_keeper(key_at)) as (_, kept):
        kept.end_hold(name, who, reason, now())
    click.echo("It is held no longer.")


@record.command()
@click.argument("to")
@store_option
@folder_option
@key_option
def rotate(*, to: str, store: Place, folder: str | None, key_at: str | None) -> None:
    """Wrap all keys by the key at TO instead, file:PATH or env:NAME. Nothing is written again but the keys."""
    with the_record(store, folder, the_keeper(key_at)) as (_, kept):
        keys = kept.rotate(the_keeper(to), now())
    click.echo(f"{counted(keys, 'key')} wrapped anew. Name the new key from now on, and destroy the old one.")


def _sweep(store: Place, done: Tended) -> None:
    """Finished weeks go when they are old; and all of them when anything is gone that they may rest on."""
    if (folder := finished_beside(store)) is not None:
        sweep(folder, None if done.left_out else now() - KEPT)


def _told(done: Tended) -> None:
    gone = "; ".join(f"{n:,} gone ({printable(why)})" for why, n in sorted(done.left_out.items()))
    click.echo(
        f"{counted(done.sealed, 'event')} sealed, {counted(done.made, 'segment')} made, {done.dropped:,} dropped"
        + (f"; {gone}." if gone else ".")
    )


def _day(at: int) -> str:
    return rfc3339(moment(at))[:10]
