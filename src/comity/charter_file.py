"""A charter from its TOML file: read, checked to the last parameter, and refused where it goes beyond what we do."""

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from comity.charter_clauses import ClauseReader
from comity.core.charter import LONGEST_AUTOMATIC, Charter
from comity.core.due_process import BOUNDS as TERMS
from comity.core.due_process import DueProcess
from comity.core.errors import ComityError, SourceError
from comity.core.parameters import BOUNDS, Parameters
from comity.rule_values import read_text
from comity.syntax import duration
from comity.toml_places import read_toml

_CHARTER = ("community", "language", "time_zone", "longest")
_NAMED = re.compile(r"(?:standing\.|due_process\.|\$\.|: )(\w+)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_TOP = ("charter", "clause", "standing", "due_process")


_Figures = TypeVar("_Figures", bound=msgspec.Struct)


class CharterError(ComityError):
    """A charter that cannot be adopted. mistakes: each with file, line, column and what was expected."""

    def __init__(self, mistakes: list[SourceError]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(str(m) for m in mistakes))


def load_charter(path: Path, beside: Path | None = None) -> Charter:
    """The charter in a file; its lists are looked for beside it, or beside another. Raises CharterError."""
    try:
        text = read_text(path)
    except UnicodeDecodeError as e:
        line = path.read_bytes()[: e.start].count(b"\n") + 1
        mistake = SourceError(path, f"byte {e.start} is not UTF-8", line=line, expected="a text file in UTF-8")
        raise CharterError([mistake]) from e
    except OSError as e:
        mistake = SourceError(path, f"the charter cannot be read: {e.strerror}", expected="a charter in TOML")
        raise CharterError([mistake]) from e
    return parse_charter(text, beside or path)


def parse_charter(text: str, path: Path | str = "charter.toml") -> Charter:
    """The charter in a text; lists of its ``file:`` parameters are read beside ``path``. Raises CharterError."""
    try:
        document, places = read_toml(text, str(path))
    except SourceError as e:
        raise CharterError([e]) from e
    reader = _Reader(str(path), document, places)
    charter = reader.charter()
    if reader.mistakes:
        raise CharterError(sorted(reader.mistakes, key=lambda m: (m.line, m.column)))
    return charter


class _Reader(ClauseReader):
    def charter(self) -> Charter:
        self._only(self._document, _TOP)
        head = self._table("charter")
        self._only(head, _CHARTER, "charter")
        clauses = self.clauses()
        return Charter(
            community=self._text(head, "charter", "community", default=""),
            language=self._language(head),
            time_zone=self._zone(head),
            clauses=tuple(clauses),
            longest=self._longest(head),
            standing=self._figures("standing", BOUNDS, Parameters),
            due_process=self._figures("due_process", TERMS, DueProcess),
        )

    def _table(self, name: str) -> Mapping[str, Any]:
        table = self._document.get(name, {})
        if not isinstance(table, dict):
            self._note(f"{name} is no table", name, expected=f"[{name}]")
            return {}
        if name == "charter" and not table:
            self._note("there is no [charter] table", expected="[charter] with the community's name")
        return table

    def _language(self, head: Mapping[str, Any]) -> str:
        tag = self._text(head, "charter", "language", default="en")
        if not _LANGUAGE.fullmatch(tag):
            self._note(
                f"{tag!r} is no language", "charter", "language", expected="a tag such as en or de-AT", value=True
            )
        return tag

    def _zone(self, head: Mapping[str, Any]) -> str:
        name = self._text(head, "charter", "time_zone", default="UTC")
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._note(
                f"there is no time zone {name!r}", "charter", "time_zone", expected="such as Europe/Vienna", value=True
            )
            return "UTC"
        return name

    def _longest(self, head: Mapping[str, Any]) -> dt.timedelta:
        text = self._text(head, "charter", "longest", default="72h")
        try:
            longest = dt.timedelta(milliseconds=duration(text))
        except ValueError as e:
            self._note(str(e), "charter", "longest", value=True)
            return LONGEST_AUTOMATIC
        if longest > LONGEST_AUTOMATIC:
            what = "an automatic measure cannot last longer than 72 hours: what lasts needs a person"
            self._note(what, "charter", "longest", expected="at most 72h", value=True)
        elif not longest:
            self._note("a measure has to last some time", "charter", "longest", expected="more than 0s", value=True)
        return longest

    def _figures(self, name: str, bounds: Mapping[str, object], of: type[_Figures]) -> _Figures:
        """A section of whole numbers."""
        table = self._table(name)
        self._only(table, tuple(bounds), name)
        given = {k: v for k, v in table.items() if k in bounds}
        try:
            return msgspec.convert(given, of)
        except (msgspec.ValidationError, ValueError) as e:
            named = _NAMED.search(str(e))
            wrong = [named[1]] if named and named[1] in given else []
            self._note(str(e).partition(" - at ")[0], name, *wrong, value=True)
            return of()
