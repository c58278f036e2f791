"""``comity lists``: look at lists of bans before following them, come from another bot, publish one of our own."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from comity.adapters.matrix.policy_lists import read_list, server_of
from comity.adapters.matrix.state_files import accounts, state_events
from comity.cli.common import json_option, now
from comity.cli.lists_import import import_
from comity.cli.lists_publish import publish_
from comity.cli.printing import counted, print_json, printable, table
from comity.core.event import Unread, moment
from comity.core.policy import Policy, sentence
from comity.core.policy_list import PolicyList, listed
from comity.core.policy_preview import Present, Row, preview

_SHOWN = 40  # entries in a table; --json gives all
_LEFT_OUT = 2  # exit status where something could not be read
_file = click.Path(path_type=Path, dir_okay=False)


@click.group()
def lists() -> None:
    """Look at a list of bans before you follow it, come from another bot, publish a list of your own."""


lists.add_command(import_)
lists.add_command(publish_)


@lists.command(
    epilog="""\b
Examples:
  comity lists show list-state.json
  comity lists show list-state.json --account @ana:garden.example

The file is the state of the list's room, as GET /_matrix/client/v3/rooms/ID/state answers it.

Exit status: 0 if every entry was read, 2 if some were not."""
)
@click.argument("file", type=_file)
@click.option("--account", help="Say whether this account is listed, and for which entry.")
@json_option
def show(*, file: Path, account: str | None, as_json: bool) -> None:
    """Show what a list of bans says, and what of it cannot be read."""
    each, unread = _read(file)
    at = now()
    if account is not None:
        entry = listed([each], account, server_of(account), at=at)
        if as_json:
            why = None if entry is None else sentence(entry, each.name)
            print_json({"account": account, "entry": _entry(entry, at), "why": why})
        elif entry is None:
            click.echo(f"{printable(account)} is not on {_named(each)}.")
        else:
            click.echo(f"{printable(account)}: {printable(sentence(entry, each.name))}.")
    elif as_json:
        print_json({"list": each.id, "name": each.name, "entries": [_entry(p, at) for p in each], "unread": unread})
    else:
        _show(each, at)
    _told(unread, quiet=as_json)


@lists.command(
    "preview",
    epilog="""\b
Examples:
  comity lists preview list-state.json --members garden.json --members attic.json
  comity lists preview list-state.json --members garden.json --followed other-list.json

Members: what GET /_matrix/client/v3/rooms/ID/members or /joined_members answers, or one account a line.

Exit status: 0 if every entry was read, 2 if some were not.""",
)
@click.argument("file", type=_file)
@click.option(
    "--members", type=_file, multiple=True, required=True, help="Members of one of your rooms; once for each."
)
@click.option("--followed", type=_file, multiple=True, help="A list that you follow already; once for each.")
@json_option
def look(*, file: Path, members: tuple[Path, ...], followed: tuple[Path, ...], as_json: bool) -> None:
    """Show who of your members would be on a list, by which entry, and why. Nothing is done to anybody."""
    read = [_read(f) for f in (*followed, file)]
    every = [each for each, _ in read]
    present = _present(members)
    at = now()
    rows = preview(every[:-1], every, present, at=at)
    unread = [u for _, found in read for u in found]
    if as_json:
        shown = [{**_row(r), "entry": _entry(r.policy, at)} for r in rows]
        print_json({"list": every[-1].id, "members": len(present), "affected": shown, "unread": unread})
    else:
        _preview(every[-1], rows, len(present))
    _told(unread, quiet=as_json)


def _read(file: Path) -> tuple[PolicyList, list[Unread]]:
    return read_list(state_events(file), room=str(file))


def _present(files: Sequence[Path]) -> list[Present]:
    rooms: dict[str, list[str]] = {}
    for file in files:
        for account in accounts(file):
            rooms.setdefault(account, []).append(file.stem)
    return [Present(account, server_of(account), tuple(of)) for account, of in rooms.items()]


def _show(each: PolicyList, at: int) -> None:
    policies = list(each)
    kinds = Counter(f"{p.subject}: {p.recommendation}" for p in policies)
    said = ", ".join(f"{kind} {n:,}" for kind, n in sorted(kinds.items())) or "it is empty"
    click.echo(f"{_named(each)}: {counted(len(policies), 'entry', 'entries')} ({said}).")
    newest = sorted(policies, key=lambda p: (p.at, p.event), reverse=True)
    rows = [
        [
            p.subject,
            printable(p.shown),
            p.recommendation,
            _day(p),
            printable(p.reason),
            "" if p.in_force(at) else "ended",
        ]
        for p in newest[:_SHOWN]
    ]
    if rows:
        table("Newest first", ["about", "entry", "recommends", "of", "reason", ""], rows)
    if len(policies) > _SHOWN:
        click.echo(f"{counted(len(policies) - _SHOWN, 'older entry', 'older entries')}: comity lists show --json")


def _preview(each: PolicyList, rows: Sequence[Row], members: int) -> None:
    if not rows:
        click.echo(f"Nobody of {counted(members, 'member')} would be affected by {_named(each)}.")
        return
    click.echo(f"{len(rows):,} of {counted(members, 'member')} would be affected by {_named(each)}. Nothing was done.")
    shown = [
        [printable(cell) for cell in (r.account, ", ".join(r.rooms), r.change, p.shown, _day(p), p.reason)]
        for r in rows[:_SHOWN]
        for p in [r.policy]
    ]
    table("Who, and why", ["account", "rooms", "becomes", "entry", "of", "reason"], shown)
    if len(rows) > _SHOWN:
        click.echo(f"{len(rows) - _SHOWN:,} more: --json")
    (policy, most), *_ = Counter(r.policy for r in rows).most_common(1)
    if most > 1:
        click.echo(f"The entry {printable(policy.shown)} alone means {most:,} of them.")


def _named(each: PolicyList) -> str:
    return f"“{printable(each.name)}”"


def _day(policy: Policy) -> str:
    return moment(policy.at).date().isoformat() if policy.at else ""


def _row(row: Row) -> dict[str, Any]:
    return {"account": row.account, "rooms": row.rooms, "change": row.change, "why": row.why}


def _entry(policy: Policy | None, at: int) -> dict[str, Any] | None:
    if policy is None:
        return None
    return {**msgspec.to_builtins(policy), "in_force": policy.in_force(at)}


def _told(unread: Iterable[Unread], *, quiet: bool) -> None:
    """Name what could not be read; exit status 2 if there was any."""
    unread = list(unread)
    for each in () if quiet else unread:
        click.echo(f"Not read: {printable(each.what)}; expected {printable(each.expected)}", err=True)
    if unread:
        raise SystemExit(_LEFT_OUT)
