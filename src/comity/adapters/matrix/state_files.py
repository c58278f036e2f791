"""State of a room and its members as saved from a homeserver, so that a list can be looked at before it is followed."""

from pathlib import Path
from typing import Any, Final

import msgspec

from comity.core.errors import SourceError

_MOST_BYTES: Final = 256 * 2**20
_WRAPPED: Final = ("state", "events", "chunk", "messages")  # where answers and exports keep their events
_STATE: Final = "the state of a room as JSON: the answer of GET /rooms/ID/state, or one event a line"
_MEMBERS: Final = "the answer of GET /rooms/ID/members or /joined_members, the state of a room, or one account a line"
_JOINED: Final = frozenset({"join", "invite", "knock"})


def state_events(path: Path) -> list[Any]:
    """The events in a file. Raises SourceError if it cannot be read, or holds none."""
    text = _text(path, _STATE)
    found = _events(text, path, _STATE)
    if found is None:
        raise SourceError(path, "there are no events in it", expected=_STATE)
    return found


def accounts(path: Path) -> list[str]:
    """The accounts that are in a room, in the order of the file, each once. Raises SourceError."""
    text = _text(path, _MEMBERS)
    if not text.lstrip().startswith(("[", "{")):
        return _lines(text, path)
    value = _events(text, path, _MEMBERS)
    if value is None:  # joined_members
        value = msgspec.json.decode(text).get("joined")
        if not isinstance(value, dict):
            raise SourceError(path, "there are no members in it", expected=_MEMBERS)
        return list(value)
    state = [e for e in value if isinstance(e, dict) and e.get("type") == "m.room.member"]
    members: dict[str, bool] = {}
    for event in state:
        content, account = event.get("content"), event.get("state_key")
        if isinstance(account, str) and isinstance(content, dict):
            members[account] = content.get("membership") in _JOINED
    return [account for account, there in members.items() if there]


def _text(path: Path, expected: str) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SourceError(path, f"it is larger than {_MOST_BYTES >> 20} MiB", expected=expected)
        return path.read_bytes().decode("utf-8-sig")
    except OSError as e:
        raise SourceError(path, f"it cannot be read: {e.strerror}", expected=expected) from e
    except UnicodeDecodeError as e:
        raise SourceError(path, f"byte {e.start} is not UTF-8", expected="text in UTF-8") from e


def _events(text: str, path: Path, expected: str) -> list[Any] | None:
    """The events of an array, of an object that holds one, or of lines; None of another object."""
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError as whole:
        lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
        events = []
        for number, line in lines:
            try:
                events.append(msgspec.json.decode(line))
            except msgspec.DecodeError:
                # One value over several lines, or lines that are values: the first tells which was meant.
                what = f"it is no JSON: {whole}" if not events else "the line is no JSON"
                raise SourceError(path, what, line=number if events else 0, expected=expected) from None
        return events
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        if isinstance(value.get("type"), str):
            return [value]
        return next((v for key in _WRAPPED if isinstance(v := value.get(key), list)), None)
    raise SourceError(path, "it holds neither events nor an object with events", expected=expected)


def _lines(text: str, path: Path) -> list[str]:
    found = [(n, line.strip()) for n, line in enumerate(text.splitlines(), 1)]
    for number, line in found:
        if line and not line.startswith(("@", "#")):
            raise SourceError(path, "the line is no account", line=number, expected="@name:server")
    return list(dict.fromkeys(line for _, line in found if line.startswith("@")))
