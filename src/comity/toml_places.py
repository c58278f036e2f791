"""Where each key of a TOML document stands, so that a message can say line and column (tomllib does not tell)."""

import re
import tomllib

from comity.core.errors import SourceError

Key = tuple[str | int, ...]
Place = tuple[int, int]

_SPACE = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_PART = re.compile(r"""[A-Za-z0-9_-]+|'[^'\n]*'|"(?:[^"\\\n]|\\.)*\"""")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}' r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}" r"""|"(?:[^"\\]|\\.)*"|'[^']*'""",
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}#\n]*")
_SYNTAX = re.compile(r"^(.*) \(at line (\d+), column (\d+)\)$", re.DOTALL)
_QUOTES = ('"""', "'''")


class Places:
    """Lines and columns, from 1, of the keys and values of a document that tomllib can read."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._keys: dict[Key, int] = {}
        self._values: dict[Key, int] = {}
        self._arrays: dict[Key, int] = {}
        self._document()

    def key(self, *path: str | int) -> Place:
        """Where a key stands; else the nearest table that holds it; else the beginning."""
        while path and path not in self._keys:
            path = path[:-1]
        return self._place(self._keys.get(path, 0))

    def value(self, *path: str | int) -> Place:
        """Where the first character of a value stands (within its quotes); else ``key``."""
        return self._place(self._values[path]) if path in self._values else self.key(*path)

    def _place(self, at: int) -> Place:
        line = self._text.count("\n", 0, at) + 1
        return line, at - (self._text.rfind("\n", 0, at) + 1) + 1

    def _document(self) -> None:
        at, inside = self._skip(0), Key()
        while at < len(self._text):
            if self._text[at] == "[":
                inside, at = self._header(at)
            else:
                at = self._pair(at, inside)
            at = self._skip(at)

    def _skip(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return found.end() if found else at

    def _names(self, at: int) -> tuple[list[str], int]:
        """The parts of a dotted key, and where what follows stands."""
        names: list[str] = []
        while part := _PART.match(self._text, at):
            raw = part[0]
            names.append(str(tomllib.loads(f"k = {raw}")["k"]) if raw[0] in "\"'" else raw)
            at = self._blank(part.end())
            if self._text[at : at + 1] != ".":
                break
            at = self._blank(at + 1)
        return names, at

    def _blank(self, at: int) -> int:
        found = _BLANK.match(self._text, at)
        return found.end() if found else at

    def _header(self, start: int) -> tuple[Key, int]:
        of_an_array = self._text.startswith("[[", start)
        names, at = self._names(self._blank(start + 1 + of_an_array))
        path = self._under((), names[:-1])
        path = (*path, *names[-1:])
        if of_an_array:
            self._arrays[path] = self._arrays.get(path, -1) + 1
            self._keys.setdefault(path, start)
        if path in self._arrays:
            path = (*path, self._arrays[path])
        self._keys.setdefault(path, start)
        return path, at + 1 + of_an_array

    def _under(self, path: Key, names: list[str]) -> Key:
        """The path of a table; below an array of tables, that of its last one."""
        for name in names:
            path = (*path, name)
            if path in self._arrays:
                path = (*path, self._arrays[path])
        return path

    def _pair(self, start: int, inside: Key) -> int:
        names, at = self._names(start)
        path = (*inside, *names)
        for i in range(len(names)):
            self._keys.setdefault((*inside, *names[: i + 1]), start)
        return self._value(self._blank(at + 1), path)

    def _value(self, at: int, path: Key) -> int:
        """Note where a value and all within it stand; return where it ends."""
        c = self._text[at]
        self._values[path] = at
        if c in "\"'":
            long = self._text[at : at + 3] in _QUOTES
            inner = at + (3 if long else 1)
            self._values[path] = inner + (long and self._text[inner : inner + 1] == "\n")
            found = _STRING.match(self._text, at)
            return found.end() if found else len(self._text)
        if c in "[{":
            return self._several(at, path, "]" if c == "[" else "}")
        found = _BARE.match(self._text, at)
        return found.end() if found else len(self._text)

    def _several(self, at: int, path: Key, closing: str) -> int:
        at, number = self._skip(at + 1), 0
        while at < len(self._text) and self._text[at] != closing:
            if closing == "]":
                self._keys[*path, number] = at
                at = self._value(at, (*path, number))
            else:
                at = self._pair(at, path)
            number += 1
            at = self._skip(at)
            if self._text[at : at + 1] == ",":
                at = self._skip(at + 1)
        return at + 1


def read_toml(text: str, path: str) -> tuple[dict[str, object], Places]:
    """A document and its places. Raises SourceError with line and column of a mistake in the syntax."""
    try:
        return tomllib.loads(text), Places(text)
    except tomllib.TOMLDecodeError as e:
        what = str(e)[:1].lower() + str(e)[1:]
        if found := _SYNTAX.match(what):
            raise SourceError(path, found[1], line=int(found[2]), column=int(found[3])) from e
        raise SourceError(path, what, line=text.rstrip("\n").count("\n") + 1) from e
    except RecursionError as e:
        raise SourceError(path, "values are nested too deeply", line=1, expected="lists of texts at most") from e
