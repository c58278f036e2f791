"""Settings from their TOML file: read, checked whole, every mistake with its place; a secret is in no message."""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from comity.charter_mistakes import Reader, WrongError
from comity.core.errors import ComityError, SourceError
from comity.core.place import Place, is_address
from comity.core.retention import LONGEST, SHORTEST, TERM
from comity.settings import Community, Follow, Log, Matrix, Mode, Recorded, Recording, Secret, Server, Settings, SignIn
from comity.toml_places import Places, read_toml

DEFAULT_BIND: Final = "127.0.0.1:8910"
FORMS: Final = ("json", "console")
LEVELS: Final = ("debug", "info", "warning", "error")
_TOP = ("store", "dry_run", "server", "log", "matrix", "community", "list", "sign_in", "record")
_SERVER = ("bind", "public_url", "proxies", "allow_private_webhooks")
_SIGN_IN = ("issuer", "client_id", "client_secret", "name")
_LOG = ("form", "level")
_RECORD = ("folder", "key", "room")
_RECORDED = ("room", "community", "days")
_MATRIX = (
    *("mode", "homeserver", "user", "as_token", "hs_token", "access_token", "admin_token", "antispam_token"),
    *("management_room", "bridged"),
)
_COMMUNITY = ("id", "charter", "rooms", "inviters", "dry_run")
_LIST = ("room", "clause", "apply", "community", "via")
_OF_MODE = {Mode.APPSERVICE: ("as_token", "hs_token"), Mode.SYNC: ("access_token",)}
_BIND = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9.-]+)):(?P<port>[0-9]{1,5})")
_NAME = r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
_SERVER_NAME = re.compile(_NAME)
_USER = re.compile(rf"@[a-z0-9._=/+-]+:{_NAME}")
_ROOM = re.compile(rf"!\S+|#[^\s:]+:{_NAME}")
_ACCOUNTS = re.compile(r"@\S*:\S+")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]+")
_TOKEN = re.compile(r"[!-~]+")  # what a header can carry
_MOST_PORT = 65_535
_MOST_MATRIX_ID = 255  # bytes, of user ids, room ids and aliases


class SettingsError(ComityError):
    """Settings that nothing can be run by. mistakes: each with file, line, column and what was expected."""

    def __init__(self, mistakes: list[SourceError]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(str(m) for m in mistakes))


def load_settings(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in a file; ``env:`` secrets are from ``environment``, else the process's. Raises SettingsError."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as e:
        raise SettingsError([SourceError(path, f"byte {e.start} is not UTF-8", expected="a file in UTF-8")]) from None
    except FileNotFoundError:
        hint = "write it with `comity init`, or name --settings"
        raise SettingsError([SourceError(path, "there are no settings", expected=hint)]) from None
    except OSError as e:
        raise SettingsError([SourceError(path, f"the settings cannot be read: {e.strerror}")]) from e
    return parse_settings(text, path, os.environ if environment is None else environment)


def parse_settings(text: str, path: Path, environment: Mapping[str, str]) -> Settings:
    """The settings in a text; paths in it are meant beside ``path``. Raises SettingsError with all its mistakes."""
    try:
        document, places = read_toml(text, str(path))
    except SourceError as e:
        raise SettingsError([e]) from e
    reader = _Reader(path, document, places, environment)
    try:
        settings = reader.settings(path)
    except WrongError:
        settings = None
    if settings is None or reader.mistakes:
        raise SettingsError(sorted(reader.mistakes, key=lambda m: (m.line, m.column)))
    return settings


def exposed(path: Path) -> str:
    """Why strangers can read the file's secrets, as a sentence that says what to do; "" if they cannot."""
    if path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        return f"{path} can be read by everybody on this machine: chmod o-rwx {path}"
    return ""


class _Reader(Reader):
    def __init__(self, path: Path, document: Mapping[str, Any], places: Places, environment: Mapping[str, str]) -> None:
        super().__init__(str(path), document, places)
        self._folder, self._environment = path.parent, environment

    def settings(self, path: Path) -> Settings:
        top = self._document
        self._only(top, _TOP)
        dry_run = self._flag(top, "dry_run")
        store = self._place(top, "store", default="comity.sqlite")
        server, log = self._server(), self._log()
        communities = self._communities(dry_run=dry_run)
        lists = self._lists(communities)
        matrix = self._matrix()
        sign_in = self._sign_in()
        if sign_in and not server.public_url:
            what = "a provider leads people back to an address of ours, and there is none"
            self._note(what, "sign_in", expected="public_url under [server]")
        return Settings(
            path=path,
            store=store,
            server=server,
            matrix=matrix,
            communities=communities,
            lists=lists,
            log=log,
            sign_in=sign_in,
            record=self._record(communities),
        )

    def _record(self, communities: tuple[Community, ...]) -> Recording | None:
        table = self._table("record", _RECORD)
        if not table:
            return None
        key = self._text(table, "record", "key", default="")
        if not key.startswith(("file:", "env:")):
            self._note(
                "the record needs a key", "record", "key", expected="file:PATH or env:NAME", value="key" in table
            )
        folder = self._text(table, "record", "folder", default="record")
        if not folder.startswith("s3://"):
            folder = str(self._folder / folder)
        kind, _, rest = key.partition(":")
        rooms = table.get("room", [])
        if not isinstance(rooms, list) or not all(isinstance(r, dict) for r in rooms):
            self._note("room is no list of tables", "record", "room", expected="[[record.room]] with room", value=True)
            rooms = []
        return Recording(
            folder=folder,
            key=f"file:{self._folder / rest}" if kind == "file" else key,
            rooms=tuple(self._recorded(i, r, [c.id for c in communities]) for i, r in enumerate(rooms)),
        )

    def _recorded(self, i: int, table: Mapping[str, Any], communities: list[str]) -> Recorded:
        at = ("record", "room", i)
        self._only(table, _RECORDED, *at)
        room = self._text(table, *at, "room", default="")
        if not room.startswith("!"):
            self._note(f"{room!r} is no room's id", *at, "room", expected="!id:example.org", value="room" in table)
        name = self._text(table, *at, "community", default=communities[0] if len(communities) == 1 else "")
        if communities and name not in communities:
            what = f"there is no community {name!r}"
            self._note(what, *at, "community", expected=", ".join(communities), value="community" in table)
        days = table.get("days", TERM)
        if type(days) is not int or not SHORTEST <= days <= LONGEST:
            self._note(f"{days!r} is no term", *at, "days", expected=f"{SHORTEST} to {LONGEST} days", value=True)
            days = TERM
        return Recorded(room=room, community=name, days=days)

    def _sign_in(self) -> SignIn | None:
        table = self._table("sign_in", _SIGN_IN)
        if not table:
            return None
        for key, example in (("client_id", '"comity"'), ("client_secret", "a secret, file:PATH or env:NAME")):
            if key not in table:
                self._note(f"{key} is missing", "sign_in", expected=example)
        issuer = self._url(table, "sign_in", "issuer")
        secret = self._secret(table["client_secret"], "sign_in", "client_secret") if "client_secret" in table else None
        return SignIn(
            issuer=issuer,
            client_id=self._text(table, "sign_in", "client_id", default=""),
            client_secret=secret or Secret(""),
            name=self._text(table, "sign_in", "name", default=urlsplit(issuer).hostname or ""),
        )

    def _table(self, name: str, known: tuple[str, ...]) -> Mapping[str, Any]:
        table = self._document.get(name, {})
        if not isinstance(table, dict):
            self._wrong(f"{name} is no table", name, expected=f"[{name}]")
        self._only(table, known, name)
        return table

    def _server(self) -> Server:
        table = self._table("server", _SERVER)
        bind = self._text(table, "server", "bind", default=DEFAULT_BIND)
        found = _BIND.fullmatch(bind)
        if not found or not 0 < int(found["port"]) <= _MOST_PORT:
            what = f"{bind!r} is nothing to listen on"
            self._note(what, "server", "bind", expected=f"address:port, such as {DEFAULT_BIND}", value=True)
            return Server(host="", port=0)
        public = self._url(table, "server", "public_url") if "public_url" in table else ""
        return Server(
            host=found["six"] or found["host"],
            port=int(found["port"]),
            public_url=public,
            proxies=self._list(table, _ADDRESS, "127.0.0.1", "server", "proxies"),
            allow_private_webhooks=self._flag(table, "server", "allow_private_webhooks"),
        )

    def _log(self) -> Log:
        table = self._table("log", _LOG)
        try:
            form = self._one(table, {f: f for f in FORMS}, "log", "form", default="json")
            level = self._one(table, {w: w for w in LEVELS}, "log", "level", default="info")
        except WrongError:
            return Log()
        return Log(form=form, level=level)

    def _matrix(self) -> Matrix:
        table = self._table("matrix", _MATRIX)
        if not table:
            self._wrong("there is no [matrix] table", "matrix", expected="[matrix] with homeserver, user and tokens")
        mode: Mode = self._one(table, {m.value: m for m in Mode}, "matrix", "mode", default="appservice")
        user = self._text(table, "matrix", "user", default="")
        if not _USER.fullmatch(user) or len(user) > _MOST_MATRIX_ID:
            what = "user is missing" if "user" not in table else f"{user!r} is no user id"
            self._note(what, "matrix", "user", expected="the bot's, such as @comity:example.org", value=True)
        tokens = self._tokens(table, mode)
        management = self._text(table, "matrix", "management_room", default="")
        if management:
            self._hold(_ROOM, management, "matrix", "management_room", expected="!id or #alias:example.org")
        return Matrix(
            mode=mode,
            homeserver=self._url(table, "matrix", "homeserver"),
            user=user,
            token=tokens[_OF_MODE[mode][0]],
            hs_token=tokens.get("hs_token"),
            admin_token=tokens.get("admin_token"),
            antispam_token=tokens.get("antispam_token"),
            management_room=management,
            bridged=self._list(table, _ACCOUNTS, "@irc_*:example.org", "matrix", "bridged"),
        )

    def _tokens(self, table: Mapping[str, Any], mode: Mode) -> dict[str, Secret]:
        tokens: dict[str, Secret] = {}
        for name in ("as_token", "hs_token", "access_token", "admin_token", "antispam_token"):
            of_other = [m for m, names in _OF_MODE.items() if name in names and m is not mode]
            if name in table and of_other:
                self._note(f"{name} is of mode {of_other[0]}, this is {mode}", "matrix", name, expected=f"no {name}")
            elif name in table:
                tokens[name] = self._secret(table[name], "matrix", name)
            elif name in _OF_MODE[mode]:
                self._note(f"{name} is missing", "matrix", expected="a token, file:PATH or env:NAME")
                tokens[name] = Secret("")
        revealed = [t.reveal() for t in tokens.values() if t.reveal()]
        if len(set(revealed)) < len(revealed):
            self._note("two tokens are the same", "matrix", expected="each token a secret of its own")
        return tokens

    def _secret(self, given: object, *at: str) -> Secret:
        name, kind, rest = at[-1], "", ""
        if isinstance(given, str):
            kind, _, rest = given.partition(":")
        token = given if isinstance(given, str) else ""
        if kind == "file":
            file = self._folder / rest
            try:
                token = file.read_text("utf-8").strip()
            except (OSError, ValueError) as e:
                why = getattr(e, "strerror", None) or "it is no text"
                self._note(f"{file}, where {name} should be, cannot be read: {why}", *at, value=True)
                return Secret("")
        elif kind == "env":
            token = self._environment.get(rest, "").strip()
            if not token:
                self._note(f"the environment has no {rest}, where {name} should be", *at, value=True)
                return Secret("")
        if not _TOKEN.fullmatch(token):
            self._note(f"{name} is no token", *at, expected="letters, digits and signs, file:PATH or env:NAME")
        return Secret(token)

    def _communities(self, *, dry_run: bool) -> tuple[Community, ...]:
        tables = self._document.get("community", [])
        if not isinstance(tables, list) or not tables or not all(isinstance(t, dict) for t in tables):
            self._note("there is no [[community]]", "community", expected="at least one [[community]]")
            return ()
        communities = tuple(self._community(i, table, dry_run=dry_run) for i, table in enumerate(tables))
        ids, rooms = set[str](), set[str]()
        for i, community in enumerate(communities):
            if community.id in ids:
                what = f"two communities have the id {community.id!r}"
                self._note(what, "community", i, "id", expected="each id once", value=True)
            ids.add(community.id)
            for n, room in enumerate(community.rooms):
                if room in rooms:
                    what = f"{room} is named twice"
                    self._note(what, "community", i, "rooms", n, expected="each room in one community", value=True)
                rooms.add(room)
        return communities

    def _community(self, i: int, table: Mapping[str, Any], *, dry_run: bool) -> Community:
        at = ("community", i)
        self._only(table, _COMMUNITY, *at)
        name = self._text(table, *at, "id", default="")
        if name:
            self._hold(_ID, name, *at, "id", expected="small letters, digits and hyphens, such as tea-garden")
        return Community(
            id=name,
            charter=self._file(table, *at, "charter", default="charter.toml"),
            rooms=self._list(table, _ROOM, "!id or #alias:example.org", *at, "rooms"),
            inviters=self._list(table, _ACCOUNTS, "@olive:example.org or @*:example.org", *at, "inviters"),
            dry_run=self._flag(table, *at, "dry_run") or dry_run,
        )

    def _lists(self, communities: tuple[Community, ...]) -> tuple[Follow, ...]:
        tables = self._document.get("list", [])
        if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
            self._note("list is no list of tables", "list", expected="[[list]] with room and clause", value=True)
            return ()
        lists = tuple(self._followed(i, table, [c.id for c in communities]) for i, table in enumerate(tables))
        seen = set[tuple[str, str]]()
        for i, each in enumerate(lists):
            if (each.room, each.community) in seen:
                self._note(f"{each.room} is followed twice", "list", i, "room", expected="each list once", value=True)
            seen.add((each.room, each.community))
        return lists

    def _followed(self, i: int, table: Mapping[str, Any], communities: list[str]) -> Follow:
        at = ("list", i)
        self._only(table, _LIST, *at)
        for key, example in (("room", "#weeds:example.org"), ("clause", "4.2")):
            if key not in table:
                self._note(f"{key} is missing", *at, expected=f'{key} = "{example}"')
        room, clause = self._text(table, *at, "room", default=""), self._text(table, *at, "clause", default="")
        if "room" in table:
            self._hold(_ROOM, room, *at, "room", expected="!id or #alias:example.org")
        # With one community there is no doubt whose list it is.
        name = communities[0] if len(communities) == 1 else ""
        if "community" in table:
            name = self._text(table, *at, "community", default=name)
        if communities and name not in communities:
            what = "community is missing" if "community" not in table else f"there is no community {name!r}"
            self._note(what, *at, "community", expected=", ".join(communities), value=True)
        apply = "apply" not in table or self._flag(table, *at, "apply")
        return Follow(
            room=room,
            community=name,
            clause=clause,
            apply=apply,
            via=self._list(table, _SERVER_NAME, "example.org", *at, "via"),
        )

    def _place(self, table: Mapping[str, Any], name: str, *, default: str) -> Place:
        text = self._text(table, name, default=default)
        return text if is_address(text) else self._file(table, name, default=default)

    def _file(self, table: Mapping[str, Any], *path: str | int, default: str) -> Path:
        name = self._text(table, *path, default=default)
        if not name.strip() or not name.isprintable():
            self._note(f"{path[-1]} is no file", *path, expected=f"a file's name, such as {default}", value=True)
            return self._folder / default
        return self._folder / name

    def _hold(self, form: re.Pattern[str], value: str, *path: str | int, expected: str) -> None:
        if not form.fullmatch(value) or len(value.encode()) > _MOST_MATRIX_ID:
            name = next(p for p in reversed(path) if isinstance(p, str))
            self._note(f"{value!r} does not fit {name}", *path, expected=expected, value=True)

    def _list(
        self, table: Mapping[str, Any], form: re.Pattern[str], expected: str, *path: str | int
    ) -> tuple[str, ...]:
        given = table.get(str(path[-1]), [])
        if not isinstance(given, list) or not all(isinstance(v, str) for v in given):
            self._note(f"{path[-1]} is no list of texts", *path, expected=f'["{expected}"]', value=True)
            return ()
        for n, value in enumerate(given):
            self._hold(form, value, *path, n, expected=expected)
        return tuple(given)

    def _flag(self, table: Mapping[str, Any], *path: str | int) -> bool:
        given = table.get(str(path[-1]), False)
        if not isinstance(given, bool):
            self._note(f"{path[-1]} is neither true nor false", *path, expected="true or false", value=True)
            return True  # nothing is carried out where it is not clear whether it may be
        return given

    def _url(self, table: Mapping[str, Any], *path: str) -> str:
        given = self._text(table, *path, default="")
        try:
            parts = urlsplit(given)
            sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port that is no number, brackets that do not close
            sound = False
        if not sound or parts.query or parts.fragment or "@" in parts.netloc or not _TOKEN.fullmatch(given):
            what = f"{path[-1]} is missing" if path[-1] not in table else f"{path[-1]} is no address to reach"
            self._note(what, *path, expected="https://host or http://host:port", value=True)
        return given.rstrip("/")
