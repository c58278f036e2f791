"""``comity init``: settings, a charter, and what the homeserver must know of us, from a few questions."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import click

from comity.adapters.matrix.appservice import Registration
from comity.cli.charter import default_charter
from comity.cli.first_settings import Answers, short_id, text_of
from comity.cli.new_files import OPEN, NewFile, write_together
from comity.cli.printing import printable
from comity.core.errors import ComityError
from comity.settings import Mode, Settings
from comity.settings_file import DEFAULT_BIND, SettingsError, parse_settings

_REGISTRATION: Final = "comity-registration.yaml"
_WHY_NO_ROOMS: Final = """\
# What the homeserver must know of Comity. It holds two tokens: nobody but the homeserver and Comity should read it.
# `rooms` stays empty: the homeserver then sends only rooms where one of our accounts was invited. A pattern there, such
# as "!.*", would send every room of the server, private conversations included.
"""
_OF_LOCAL_SYNAPSE: Final = "http://127.0.0.1:8008"


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked where an option is not given.

    field: of ``Answers``; default: what an empty answer means, a space for nothing, "" if there has to be an answer;
    several: words parted by spaces.
    """

    field: str
    text: str
    default: Callable[[Answers], str]
    several: bool = False


_QUESTIONS: Final = (
    _Question("name", "What is your community called?", lambda _: "Our community"),
    _Question(
        "mode", "Do you run its homeserver (appservice), or only have an account on it (sync)?", lambda a: a.mode
    ),
    _Question("server_name", "What do account names on the homeserver end in, such as example.org?", lambda _: ""),
    _Question(
        "homeserver",
        "Where does Comity reach the homeserver?",
        lambda a: _OF_LOCAL_SYNAPSE if a.mode == Mode.APPSERVICE else f"https://{a.server_name}",
    ),
    _Question("bot", "What is Comity's account to be called, without @ and server?", lambda a: a.bot),
    _Question(
        "inviters",
        "Whose invitations to rooms does it follow? Your account, and others', parted by spaces",
        lambda a: " " if a.rooms else "",
        several=True,
    ),
    _Question(
        "management_room",
        "In which room may its commands be given? An alias or id; empty for none yet",
        lambda _: " ",
    ),
)


@click.command(
    epilog="""\b
Examples:
  comity init                                    asks a few questions
  comity init --folder /etc/comity --store /var/lib/comity/comity.sqlite
  comity init --yes --server-name example.org --inviter @olive:example.org
  comity init --yes --mode sync --server-name example.org --access-token file:token

It begins on a dry run: everything is decided and shown, nothing is carried out. It never overwrites anything without
--force, and a charter that is there never."""
)
@click.option("--folder", type=click.Path(path_type=Path), default=Path(), help="Where to write; here if not given.")
@click.option("--name", help="The community's name, as members read it.")
@click.option("--id", "short", help="Its lasting short name in the store; made from the name if not given.")
@click.option("--mode", type=click.Choice([m.value for m in Mode]), help="How events come in.")
@click.option("--server-name", help="What account names on the homeserver end in.")
@click.option("--homeserver", help="Where Comity reaches the homeserver.")
@click.option("--bot", help="The name of Comity's account, without @ and server.  [default: comity]")
@click.option("--access-token", help="Of mode sync: file:PATH or env:NAME; asked for if not given.")
@click.option("--room", "rooms", multiple=True, help="An id or alias of the community's; many times.")
@click.option("--inviter", "inviters", multiple=True, help="Whose invitations are followed; many times.")
@click.option("--management-room", help="Where commands may be given.")
@click.option("--bind", default=DEFAULT_BIND, show_default=True, help="Where Comity listens.")
@click.option("--reach", help="Where the homeserver reaches Comity.  [default: http:// and --bind]")
@click.option("--public-url", default="", help="Where members reach Comity's pages.")
@click.option("--store", default="comity.sqlite", show_default=True, help="The ledger's file.")
@click.option("--act", is_flag=True, help="Carry decisions out from the beginning.")
@click.option("--yes", "unattended", is_flag=True, help="Ask nothing: take what is given, and defaults.")
@click.option("--force", is_flag=True, help="Replace settings and registration: new tokens.")
def init(
    *,
    folder: Path,
    short: str | None,
    access_token: str | None,
    reach: str | None,
    act: bool,
    unattended: bool,
    force: bool,
    **given: Any,  # noqa: ANN401  the options whose names are those of Answers
) -> None:
    """Write settings, a charter, and the homeserver's registration file."""
    settings_file = folder / "comity.toml"
    if settings_file.exists() and not force:  # before anything is asked
        raise ComityError(f"{settings_file} exists already; name another --folder, or replace it with --force")
    answers = Answers(dry_run=not act, id="community")
    for field, value in given.items():
        if value not in (None, ()):
            answers = replace(answers, **{field: value})
    answers = _asked(answers, given, settings_file, unattended=unattended)
    answers = replace(answers, id=short or short_id(answers.name))
    if answers.mode == Mode.SYNC:
        answers = replace(answers, tokens=_access(access_token, unattended=unattended))
    elif access_token is not None:
        raise click.UsageError("--access-token is of mode sync; an application service gets tokens of its own")
    settings = _hold(answers, settings_file)
    files = [NewFile(settings_file, text_of(answers))]
    if answers.mode == Mode.APPSERVICE:
        files.append(NewFile(folder / _REGISTRATION, _registration(settings, reach)))
    folder.mkdir(parents=True, exist_ok=True)
    charter_file = settings.communities[0].charter
    if not charter_file.exists():
        write_together([*files, NewFile(charter_file, default_charter(answers.name), OPEN)], force=force)
    else:
        write_together(files, force=force)
    click.echo(_next_steps(settings, folder, act=act))


def _asked(answers: Answers, given: dict[str, Any], path: Path, *, unattended: bool) -> Answers:
    """The answers, those asked for that were not given; each is held to what settings can be."""
    for question in _QUESTIONS:
        if given[question.field] not in (None, ()):
            continue
        default = question.default(answers)
        if unattended:
            if not default:
                option = "--" + {"inviters": "inviter"}.get(question.field, question.field).replace("_", "-")
                raise click.UsageError(f"{option} is missing: with --yes nothing is asked")
            answers = _with(answers, question, default)
            continue

        def read(text: str, question: _Question = question, answers: Answers = answers) -> Answers:
            changed = _with(answers, question, text)
            _hold(changed, path)
            return changed

        answers = click.prompt(
            question.text, default=default or None, value_proc=read, show_default=bool(default.strip())
        )
    return answers


def _with(answers: Answers, question: _Question, text: str) -> Answers:
    value: Any = tuple(text.split()) if question.several else text.strip()
    return replace(answers, **{question.field: value})


def _hold(answers: Answers, path: Path) -> Settings:
    """The settings that answers make. Raises click.UsageError with what is wrong, in words that name no line."""
    if not answers.name.strip() or not answers.name.isprintable():
        raise click.UsageError("the community's name is empty or has control characters in it; expected a name")
    try:
        return parse_settings(text_of(answers), path, _SetLater())
    except SettingsError as e:
        told = (m.what + (f"; expected {m.expected}" if m.expected else "") for m in e.mistakes)
        raise click.UsageError("\n".join(told)) from e


class _SetLater(Mapping[str, str]):
    """An environment that will have everything once Comity is started in it."""

    def __getitem__(self, name: str) -> str:
        return f"set-later-{name}"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _access(given: str | None, *, unattended: bool) -> dict[str, str]:
    if given is None:
        if unattended:
            raise click.UsageError("--access-token is missing: name file:PATH or env:NAME")
        given = click.prompt("The account's access token (it is not shown)", hide_input=True)
    elif not given.startswith(("file:", "env:")):
        raise click.UsageError("a token on the command line can be read by others: name file:PATH or env:NAME")
    return {"access_token": given}


def _registration(settings: Settings, reach: str | None) -> str:
    matrix, server = settings.matrix, settings.server
    host = f"[{server.host}]" if ":" in server.host else server.host
    made = Registration(
        server=matrix.server_name,
        url=reach or f"http://{host}:{server.port}",
        as_token=matrix.token.reveal(),
        hs_token=matrix.hs_token.reveal() if matrix.hs_token else "",
        localpart=matrix.localpart,
    )
    return _WHY_NO_ROOMS + made.text()


def _next_steps(settings: Settings, folder: Path, *, act: bool) -> str:
    """What is to be done now, in plain words."""
    shown, charter = printable(str(settings.path)), printable(str(settings.communities[0].charter))
    steps = [f"Read {charter} and change what you like. Then: comity charter check {charter}"]
    if settings.matrix.mode is Mode.APPSERVICE:
        where = printable(str((folder / _REGISTRATION).absolute()))
        steps += [
            (
                f"Give {where} to your homeserver, and let nobody else read it. For Synapse, add to homeserver.yaml:\n"
                f"     app_service_config_files: [{where}]"
            ),
            "Restart the homeserver: it reads that file at its start only.",
        ]
    steps += [
        f"Check everything: comity serve --settings {shown} --check\n     Then start the same without --check.",
        f"Invite {settings.matrix.user} to your rooms, and give it more power there than those it is to look after.",
    ]
    if not act:
        steps.append(
            "It begins on a dry run: it decides and shows, and changes nothing. When you are content with what it "
            f"shows, set dry_run = false in {shown} and start it again."
        )
    numbered = "\n".join(f"  {n}. {step}" for n, step in enumerate(steps, 1))
    return f"{shown} is written, readable by you only. What to do next:\n{numbered}"
