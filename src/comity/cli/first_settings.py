"""The text of first settings, with a word of explanation beside each."""

import json
import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from comity.settings import Mode
from comity.settings_file import DEFAULT_BIND

_TOKEN_BYTES: Final = 32
_MOST_ID: Final = 40


def _new_tokens() -> dict[str, str]:
    return {name: secrets.token_urlsafe(_TOKEN_BYTES) for name in ("as_token", "hs_token")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What first settings are made of. tokens: by their key, an application service's new ones if not given."""

    name: str = "Our community"
    id: str
    mode: str = Mode.APPSERVICE.value
    server_name: str = "example.org"
    homeserver: str = "http://127.0.0.1:8008"
    bot: str = "comity"
    rooms: tuple[str, ...] = ()
    inviters: tuple[str, ...] = ()
    management_room: str = ""
    bind: str = DEFAULT_BIND
    public_url: str = ""
    store: str = "comity.sqlite"
    dry_run: bool = True
    tokens: Mapping[str, str] = field(default_factory=_new_tokens)


def short_id(name: str) -> str:
    """A community's short name, made from its name: small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:_MOST_ID].strip("-") or "community"


def text_of(answers: Answers) -> str:
    """Settings as TOML."""
    a = answers
    tokens = (
        a.tokens if a.mode == Mode.APPSERVICE or "access_token" in a.tokens else {"access_token": "asked-for-later"}
    )
    secret = "\n".join(f"{key} = {_quoted(token)}" for key, token in tokens.items())
    management = f"management_room = {_quoted(a.management_room)}" if a.management_room else (
        '# management_room = "#desk:example.org"'
    )  # fmt: skip
    public = f"public_url = {_quoted(a.public_url)}" if a.public_url else '# public_url = "https://comity.example.org"'
    return f"""\
# Settings of Comity. `comity serve --check` says what is wrong with them; docs/operating.md explains each.
store = {_quoted(a.store)}  # the ledger; paths are meant beside this file
dry_run = {str(a.dry_run).lower()}  # true: everything is decided and shown, nothing is carried out

[server]
bind = {_quoted(a.bind)}
{public}  # where members reach their pages

[matrix]
mode = {_quoted(a.mode)}
homeserver = {_quoted(a.homeserver)}
user = {_quoted(f"@{a.bot}:{a.server_name}")}
# Tokens stand here, or in a file (file:PATH), or in the environment (env:NAME). Whoever has them can act as Comity.
{secret}
{management}  # where commands are given
# bridged = ["@irc_*:example.org"]  # accounts a bridge speaks for: no measure is carried out on them

[[community]]
id = {_quoted(a.id)}  # its name in the store: never change it
charter = "charter.toml"
rooms = {_listed(a.rooms)}
inviters = {_listed(a.inviters)}  # whose invitations are followed; such a room is this community's too
"""


def _quoted(text: str) -> str:
    """A TOML string; JSON's escapes are a part of TOML's, but for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _listed(texts: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"
