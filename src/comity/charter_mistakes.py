"""Mistakes in a charter, each with its place: what the readers of its parts share."""

from collections.abc import Mapping
from typing import Any, NoReturn

from comity.core.errors import SourceError
from comity.syntax import nearest
from comity.toml_places import Places


class WrongError(Exception):
    """A mistake has been noted; what it is part of cannot be made."""


class Reader:
    """Reads a document and notes its mistakes. path: of the file, for messages."""

    def __init__(self, path: str, document: Mapping[str, Any], places: Places) -> None:
        self._path, self._document, self._places = path, document, places
        self.mistakes: list[SourceError] = []

    def _note(self, what: str, *path: str | int, expected: str = "", value: bool = False) -> None:
        line, column = self._places.value(*path) if value else self._places.key(*path)
        self.mistakes.append(SourceError(self._path, what, line=line, column=column, expected=expected))

    def _wrong(self, what: str, *path: str | int, expected: str = "") -> NoReturn:
        self._note(what, *path, expected=expected, value=True)
        raise WrongError

    def _only(self, table: Mapping[str, Any], known: tuple[str, ...], *path: str | int) -> None:
        for key in table:
            if key not in known:
                self._note(f"there is no {key!r} here", *path, key, expected=nearest(key, known))

    def _text(self, table: Mapping[str, Any], *path: str | int, default: str) -> str:
        value = table.get(str(path[-1]), default)
        if not isinstance(value, str) or (not value.strip() and path[-1] in ("community", "id", "text")):
            self._note(f"{path[-1]} is missing or no text", *path, expected="a text", value=True)
            return default
        return value

    def _one(self, table: Mapping[str, Any], words: Mapping[str, Any], *path: str | int, default: str) -> Any:  # noqa: ANN401
        word = table.get(str(path[-1]), default)
        if not isinstance(word, str) or word not in words:
            self._wrong(f"there is no {path[-1]} {word!r}", *path, expected=nearest(str(word), list(words)))
        return words[word]
