"""``comity lists publish``: put an entry on a list of ours, or take it off, for others to read."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import click

from comity.adapters.matrix.client import Homeserver
from comity.adapters.matrix.policy_lists import Published, publish, read_list, withdraw
from comity.cli.common import now
from comity.cli.homeservers import as_bot, asked
from comity.cli.printing import printable
from comity.core.errors import ComityError
from comity.core.policy import Policy, Recommendation, Subject, hash_of
from comity.core.policy_list import PolicyList
from comity.settings_file import load_settings

_DAY: Final = timedelta(days=1) // timedelta(milliseconds=1)


@click.command(
    "publish",
    epilog="""\b
Examples:
  comity lists publish '@robot*:*' --room '#weeds:example.org' --reason 'toothpaste adverts'
  comity lists publish '@bo:weeds.example' --room '#weeds:example.org' --take-off

Comity's account must be allowed to set the state of that room. Whoever follows the list decides what comes of it; an
entry has to say why, or nobody can appeal against it.""",
)
@click.argument("entity")
@click.option("--room", required=True, help="The list's room: an id or alias.")
@click.option(
    "--settings",
    "path",
    type=click.Path(path_type=Path),
    default=Path("comity.toml"),
    show_default=True,
    help="Whose account writes.",
)
@click.option("--reason", default="", help="Why, in one line that everybody may read.")
@click.option("--allow", is_flag=True, help="An exception from the list's other entries.")
@click.option("--days", type=click.IntRange(1, 3650), help="It ends after so many days.")
@click.option("--hide", is_flag=True, help="Write a hash instead of the name, so that an abusive name is not spread.")
@click.option("--take-off", is_flag=True, help="Take it off the list.")
def publish_(
    *, entity: str, room: str, path: Path, reason: str, allow: bool, days: int | None, hide: bool, take_off: bool
) -> None:
    """Put an account or a server on a list of ours, or take it off."""
    if not entity.strip() or entity.startswith(("!", "#")) or any(c.isspace() for c in entity):
        raise click.UsageError(f"{printable(entity)!r} is nobody; expected @name:server or a server, both with * and ?")
    if not reason.strip() and not take_off:
        raise click.UsageError("--reason is missing: nobody can appeal against what nobody says")
    policy = Policy(
        subject=Subject.USER if entity.startswith("@") else Subject.SERVER,
        recommendation=Recommendation.ALLOW if allow else Recommendation.BAN,
        entity=entity,
        reason=" ".join(reason.split()),
        until=None if days is None else now() + days * _DAY,
    )
    try:
        written = publish(policy, hide=hide)
    except ValueError as e:
        raise click.UsageError(str(e)) from e
    settings = load_settings(path)

    async def write(homeserver: Homeserver) -> str:
        joined = await homeserver.join(room)
        each, _ = read_list(await homeserver.whole_state(joined), room=joined)
        found = [p for p in each if p.subject is policy.subject and _same(p, entity)]
        if take_off:
            if not found:
                raise ComityError(f"{entity} is not on the list {each.name}")
            await _put(homeserver, joined, [e for p in found for e in withdraw(each, p)])
            return f"{entity} is off the list “{each.name}”."
        if any(_alike(p, policy) for p in found):
            return f"{entity} is on the list “{each.name}” already, for the same reason."
        await _put(homeserver, joined, [written])
        return _told(entity, each, policy)

    click.echo(printable(asked(as_bot(settings), write)))


async def _put(homeserver: Homeserver, room: str, events: Sequence[Published]) -> None:
    for kind, key, content in events:
        await homeserver.put_state(room, kind, content, key)


def _same(policy: Policy, entity: str) -> bool:
    return policy.entity == entity or policy.hashed == hash_of(entity)


def _alike(a: Policy, b: Policy) -> bool:
    return (a.recommendation, a.reason, a.until) == (b.recommendation, b.reason, b.until)


def _told(entity: str, each: PolicyList, policy: Policy) -> str:
    what = "an exception of" if policy.recommendation is Recommendation.ALLOW else "on"
    return f"{entity} is {what} the list “{each.name}”. Who follows it decides what comes of it."
