"""What an operator sets: where things lie, where to listen, and how to reach the homeserver. Values only."""

from enum import StrEnum
from pathlib import Path
from typing import NoReturn

import msgspec

from comity.core.place import Place


class Secret:
    """A token. It is told by ``reveal`` and nowhere else: not when printed, formatted, logged, compared or encoded."""

    __slots__ = ("_hidden",)

    def __init__(self, hidden: str) -> None:
        self._hidden = hidden

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not copied out of the process")

    def reveal(self) -> str:
        """The token itself, for a request's header or a comparison in constant time."""
        return self._hidden


class Mode(StrEnum):
    """How events come in: pushed by the homeserver, or asked for as any client does."""

    APPSERVICE = "appservice"
    SYNC = "sync"


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Where we listen.

    public_url: what the console and members' pages are reached by, without a slash at its end, "" if not from outside;
    proxies: addresses of those before us whose ``X-Forwarded-For`` says who asks; allow_private_webhooks: webhooks may
    lead to local networks.
    """

    host: str
    port: int
    public_url: str = ""
    proxies: tuple[str, ...] = ()
    allow_private_webhooks: bool = False


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """How the log is written. form: ``json`` or ``console``; level: of the standard library, in small letters."""

    form: str = "json"
    level: str = "info"


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach the homeserver, and as whom.

    homeserver: its address, without a slash at its end; user: the bot's whole id; token: of the application service or
    the account, by mode; hs_token: what the homeserver proves itself with, only of an application service; admin_token:
    of a server admin, to read what was redacted before it came; antispam_token: of synapse-http-antispam; None where
    not used; management_room: id or alias, "" for none; bridged: globs of accounts that a bridge speaks for.
    """

    mode: Mode
    homeserver: str
    user: str
    token: Secret
    hs_token: Secret | None = None
    admin_token: Secret | None = None
    antispam_token: Secret | None = None
    management_room: str = ""
    bridged: tuple[str, ...] = ()

    @property
    def localpart(self) -> str:
        """The bot's name on its homeserver."""
        return self.user[1:].partition(":")[0]

    @property
    def server_name(self) -> str:
        """The homeserver's name, as user ids end in it."""
        return self.user.partition(":")[2]


class Community(msgspec.Struct, frozen=True, kw_only=True):
    """A community. id: its lasting name in the store; charter: the file; rooms: ids or aliases.

    inviters: globs of accounts whose invitations are followed: such a room is this community's too, and where two
    communities would follow, the first does; dry_run: everything is decided and shown, nothing is carried out.
    """

    id: str
    charter: Path
    rooms: tuple[str, ...] = ()
    inviters: tuple[str, ...] = ()
    dry_run: bool = False


class Follow(msgspec.Struct, frozen=True, kw_only=True):
    """A list of bans that a community follows.

    room: the list's, id or alias; via: servers through which it can be joined, for an id of another server; community:
    whose it is; clause: the id of the clause that adopts it; apply: False to look at it only.
    """

    room: str
    community: str
    clause: str
    apply: bool = True
    via: tuple[str, ...] = ()


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A room whose events are recorded. room: its id; days: the term."""

    room: str
    community: str
    days: int


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """Where the record lies, and what is recorded. folder: a path or s3://...; key: file:PATH or env:NAME."""

    folder: str
    key: str
    rooms: tuple[Recorded, ...]


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """A provider at which staff may sign in (OpenID Connect). issuer: its address; name: what people call it."""

    issuer: str
    client_id: str
    client_secret: Secret
    name: str


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings. path: the file they are from, beside which their other paths are meant; store: the ledger.

    lists: in the order in which they are asked.
    """

    path: Path
    store: Place
    server: Server
    matrix: Matrix
    communities: tuple[Community, ...]
    lists: tuple[Follow, ...] = ()
    log: Log = Log()
    sign_in: SignIn | None = None
    record: Recording | None = None

    def dry(self) -> "Settings":
        """The same, every community on a dry run."""
        replaced = tuple(msgspec.structs.replace(c, dry_run=True) for c in self.communities)
        return msgspec.structs.replace(self, communities=replaced)
