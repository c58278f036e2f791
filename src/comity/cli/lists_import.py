"""``comity lists import``: rooms, lists and clauses from what another bot was set to do, as a proposal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from comity.adapters.matrix.client import Homeserver
from comity.adapters.matrix.migrate import ENABLED, PROTECTED, WATCHED, Migration, draupnir, meowlnir
from comity.adapters.matrix.state_files import state_events
from comity.cli.common import json_option
from comity.cli.homeservers import asked, token
from comity.cli.new_files import OPEN, NewFile, write_together
from comity.cli.printing import counted, print_json, printable
from comity.core.errors import SourceError

_LEFT_OUT: Final = 2  # exit status where something could not be read
_file = click.Path(path_type=Path, dir_okay=False)


@click.command(
    "import",
    epilog="""\b
Examples:
  comity lists import --from draupnir --homeserver https://matrix.example.org \\
      --token file:draupnir-token --management-room '!desk:example.org'
  comity lists import --from meowlnir --state management-room.json

Only read: the other bot goes on as it was. Two files are written, or none: lists for the settings, and clauses for a
charter, all in shadow. Nothing comes of them until you put them where they belong.

The token is the other bot's own. From files: --state is what GET /rooms/ID/state answers of its management room, and
--account-data an object with its account data, content by type.

Exit status: 0 if all was read, 2 if some of it was not.""",
)
@click.option("--from", "bot", type=click.Choice(["draupnir", "mjolnir", "meowlnir"]), required=True, help="The bot.")
@click.option("--homeserver", help="Where its homeserver is reached.")
@click.option("--token", "given", help="Its access token: file:PATH or env:NAME.")
@click.option("--management-room", help="The id of its management room.")
@click.option("--account-data", type=_file, help="Its account data, from a file.")
@click.option("--state", type=_file, help="The state of its management room, from a file.")
@click.option("--config", type=_file, help="Its configuration file as JSON: words and servers stand only there.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Where to write.")
@json_option
def import_(
    *,
    bot: str,
    homeserver: str | None,
    given: str | None,
    management_room: str | None,
    account_data: Path | None,
    state: Path | None,
    config: Path | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Propose rooms, lists and clauses, by what Draupnir, Mjolnir or Meowlnir was set to do."""
    if homeserver is not None:
        if given is None:
            raise click.UsageError("--token is missing: file:PATH or env:NAME of the bot's own")
        if bot == "meowlnir" and management_room is None:
            raise click.UsageError("--management-room is missing: Meowlnir keeps everything there")
        data, events = asked(
            Homeserver(homeserver, token(given)), lambda h: _read(h, management_room, with_data=bot != "meowlnir")
        )
    elif account_data is not None or state is not None:
        data = _object(account_data) if account_data is not None else {}
        events = state_events(state) if state is not None else []
    else:
        raise click.UsageError("name --homeserver and --token, or --state and --account-data")
    configured = _object(config) if config is not None else None
    found = meowlnir(events) if bot == "meowlnir" else draupnir(_by_type(data), events, configured)
    if as_json:
        print_json(msgspec.to_builtins(found))
    else:
        _write(found, bot, folder)
    if found.unread:
        raise SystemExit(_LEFT_OUT)


async def _read(homeserver: Homeserver, room: str | None, *, with_data: bool) -> tuple[Mapping[str, object], list[Any]]:
    data = {k: await homeserver.account_data(k) for k in (PROTECTED, WATCHED, ENABLED)} if with_data else {}
    return data, [] if room is None else list(await homeserver.whole_state(room))


def _object(file: Path) -> dict[str, object]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, object])
    except OSError as e:
        raise SourceError(file, f"it cannot be read: {e.strerror}", expected="a JSON object") from e
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise SourceError(file, f"it cannot be read: {e}", expected="a JSON object") from e


def _by_type(data: Mapping[str, object]) -> Mapping[str, object]:
    """Account data by type, also from the list of events that a sync gives."""
    events = data.get("events")
    if not isinstance(events, list):
        return data
    return {str(e.get("type")): e.get("content") for e in events if isinstance(e, dict)}


def _write(found: Migration, bot: str, folder: Path) -> None:
    settings, clauses = folder / f"{bot}-settings.toml", folder / f"{bot}-clauses.toml"
    folder.mkdir(parents=True, exist_ok=True)
    write_together([NewFile(settings, found.settings(), OPEN), NewFile(clauses, found.toml(), OPEN)])
    said = ", ".join(
        (counted(len(found.rooms), "room"), counted(len(found.lists), "list"), counted(len(found.clauses), "clause"))
    )
    click.echo(f"From {found.bot}: {said}. Nothing is followed yet, and every clause is in shadow.")
    for each in found.without:
        click.echo(f"Not carried over: {printable(each.what)}: {printable(each.why)}")
    click.echo(f"1. Read {printable(str(clauses))} and put what you adopt into your charter: comity charter check")
    click.echo(f"2. Put the lists of {printable(str(settings))} at the end of your settings: comity serve --check")
    for unread in found.unread:
        click.echo(f"Not read: {printable(unread.what)}; expected {printable(unread.expected)}", err=True)
