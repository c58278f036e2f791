"""``comity user``: the first people of a community's staff; they add the others themselves."""

import datetime as dt
from pathlib import Path

import click

from comity.cli.printing import counted, printable
from comity.core.access import STAFF, Role
from comity.core.errors import ComityError
from comity.settings import Settings
from comity.settings_file import load_settings
from comity.stores.contract import Refusal
from comity.stores.opening import open_store
from comity.stores.sql_store import SqlStore
from comity.web.site.address import site_url
from comity.web.site.sessions import hashed, millis, new_secret
from comity.web.site.staff import ENROL_WITHIN, NAME
from comity.web.site.table import BY_NAME

_BY = "operator of the machine"
_settings = click.option(
    "--settings",
    "path",
    type=click.Path(path_type=Path),
    default=Path("comity.toml"),
    show_default=True,
    help="The settings' file.",
)
_community = click.option("--community", "wanted", help="The community's id; needed where there are several.")


@click.group(
    epilog="""\b
Examples:
  comity user add olive --role operator            make the first operator, and print the link to enrol with
  comity user list
  comity user link olive                           a new link, where the old one is over or a device is lost

While Comity runs it alone writes the store: operators add people in the console then."""
)
def user() -> None:
    """Make the first people who look after a community, and the links with which they enrol."""


@user.command()
@click.argument("name")
@click.option("--role", type=click.Choice([r.value for r in STAFF]), required=True, help="What they are to be.")
@_community
@_settings
def add(*, name: str, role: str, wanted: str | None, path: Path) -> None:
    """Add NAME, a pseudonym of their own choosing, with a role; whoever is there already gets a further role."""
    if not NAME.fullmatch(name):
        raise click.BadParameter(f"{printable(name)!r} is no pseudonym; expected 2 to 32 letters, digits, - or _")
    settings = load_settings(path)
    community, now = _which(settings, wanted), dt.datetime.now(dt.UTC)
    with open_store(settings.store, durable=True) as store, store.write():
        number, known = store.community(community), store.access.person_named(name)
        person = known.number if known else store.access.add_person(name, _BY, millis(now))
        if isinstance(person, Refusal):
            raise ComityError(person.why)
        store.access.grant(person, number, Role(role), _BY, millis(now))
        link = None if known else _link(store, settings, person, now)
    click.echo(f"{name} is {role} of {printable(community)}.")
    if link:
        _tell(name, link)


@user.command("link")
@click.argument("name")
@_settings
def new_link(*, name: str, path: Path) -> None:
    """Print a new link with which NAME enrols; the one before is over."""
    settings = load_settings(path)
    with open_store(settings.store, durable=True) as store, store.write():
        person = store.access.person_named(name)
        if person is None:
            raise ComityError(f"nobody goes by {printable(name)}; `comity user list` says who there is")
        link = _link(store, settings, person.number, dt.datetime.now(dt.UTC))
    _tell(name, link)


@user.command("list")
@_community
@_settings
def list_(*, wanted: str | None, path: Path) -> None:
    """Say who looks after each community."""
    settings = load_settings(path)
    with open_store(settings.store, durable=True, read_only=True) as store:
        for number, name in store.access.communities().items():
            if wanted in {None, name}:
                staff = store.access.staff(number)
                click.echo(f"{printable(name)}: {counted(len(staff), 'person', 'people')}.")
                for row in staff:
                    ways = len(store.access.passkeys(row.person.number)) + len(store.access.subjects(row.person.number))
                    entered = "" if ways else "; has not enrolled yet"
                    click.echo(f"  {row.person.name}: {', '.join(sorted(row.roles))}{entered}")


def _which(settings: Settings, wanted: str | None) -> str:
    ids = [community.id for community in settings.communities]
    if wanted is None and len(ids) == 1:
        return ids[0]
    if wanted not in ids:
        what = "name one of the communities" if wanted is None else f"there is no community {printable(wanted)}"
        raise click.UsageError(f"{what}; expected --community and one of {', '.join(ids)}")
    return wanted


def _link(store: SqlStore, settings: Settings, person: int, now: dt.datetime) -> str:
    secret = new_secret()
    store.access.invite(hashed(secret), person, millis(now + ENROL_WITHIN), _BY, millis(now))
    return site_url(settings.server.public_url, settings.server.port) + BY_NAME["enrol"].path.replace(
        "{secret}", secret
    )


def _tell(name: str, link: str) -> None:
    click.echo(f"{name} enrols here, once, within {ENROL_WITHIN.total_seconds() / 3600:.0f} hours:\n{link}")
