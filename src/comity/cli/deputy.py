"""``comity deputy``: who takes over a room when a manager is suspended."""

from pathlib import Path

import click

from comity.cli.common import now
from comity.cli.printing import printable
from comity.core.errors import ComityError
from comity.settings_file import load_settings
from comity.stores.opening import open_store


@click.command(
    epilog="""\b
Examples:
  comity deputy '!garden:example.org'                                  who is named
  comity deputy '!garden:example.org' @dora:example.org @emil:example.org
  comity deputy '!garden:example.org' @emil:example.org --remove

While Comity runs it alone writes the store: say `!comity deputy ROOM MEMBER` in the management room then."""
)
@click.argument("room")
@click.argument("members", nargs=-1, metavar="MEMBER...")
@click.option("--remove", is_flag=True, help="Take the names back.")
@click.option("--by", "who", default="operator", show_default=True, help="Who names them, for the record.")
@click.option(
    "--settings",
    "path",
    type=click.Path(path_type=Path),
    default=Path("comity.toml"),
    show_default=True,
    help="The settings' file.",
)
def deputy(*, room: str, members: tuple[str, ...], remove: bool, who: str, path: Path) -> None:
    """Name who takes over ROOM, in order, when a manager is suspended; without MEMBER, say who is named."""
    settings = load_settings(path)
    with open_store(settings.store, durable=True, read_only=not members) as store:
        numbers = [number for number, name in store.room_names().items() if name == room]
        if len(numbers) != 1:
            some = ", ".join(printable(name) for name in list(store.room_names().values())[:8])
            raise ComityError(
                f"no room {printable(room)} is looked after; expected the id of one, such as {some or '!id'}"
            )
        for account in members:
            found = [m for m in store.members_named(account) if m.account == account]
            if len(found) != 1:
                raise ComityError(f"{len(found) or 'no'} members have the account {printable(account)}")
            done = store.decisions.name_deputy(numbers[0], found[0].number, who, now(), named=not remove)
            what = ("is no deputy any more" if remove else "takes over") if done else "was so already"
            click.echo(f"{printable(account)} {what}.")
        named = [m.account or m.pseudonym for n in store.decisions.deputies(numbers[0]) if (m := store.member(n))]
        click.echo(f"Deputies of {printable(room)}, in order: {', '.join(map(printable, named)) or 'nobody is named'}.")
