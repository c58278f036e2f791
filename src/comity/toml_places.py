"""Where each key of a TOML document stands, so that a message can say line and column (tomllib does not tell)."""

import re
import tomllib

from comity.core.errors import SourceError

Key = tuple[str | int, ...]
Place = tuple[int, int]

_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\"' -]+?)\s*\]\]?\s*(?:#.*)?$")
_PAIR = re.compile(r"\s*((?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*=\s*")
_INLINE = re.compile(r"(?:^|[{,])\s*([A-Za-z0-9_-]+)\s*=\s*")
_SYNTAX = re.compile(r"^(.*) \(at line (\d+), column (\d+)\)$", re.DOTALL)
_QUOTES = ('"""', "'''")


class Places:
    """Lines and columns, from 1, of the keys and values of a document that tomllib can read."""

    def __init__(self, text: str) -> None:
        self._keys: dict[Key, Place] = {}
        self._values: dict[Key, Place] = {}
        self._tables: dict[str, int] = {}
        inside: Key = ()
        closing = ""
        for number, line in enumerate(text.splitlines(), 1):
            if closing:
                closing = "" if closing in line else closing
                continue
            if header := _HEADER.match(line):
                inside = self._header(header[1], header[2], number, line)
            elif pair := _PAIR.match(line):
                closing = self._pair(inside, pair, number, line)

    def key(self, *path: str | int) -> Place:
        """Where a key stands; else the nearest table that holds it; else the beginning."""
        while path and path not in self._keys:
            path = path[:-1]
        return self._keys.get(path, (1, 1))

    def value(self, *path: str | int) -> Place:
        """Where the first character of a value stands (within its quotes); else ``key``."""
        return self._values.get(path) or self.key(*path)

    def _header(self, brackets: str, name: str, number: int, line: str) -> Key:
        path: list[str | int] = []
        parts = [part.strip().strip("\"'") for part in name.split(".")]
        for i, part in enumerate(parts):
            path.append(part)
            last = i == len(parts) - 1
            if last and brackets == "[[":
                self._tables[name] = self._tables.get(name, -1) + 1
                path.append(self._tables[name])
            elif not last and ".".join(parts[: i + 1]) in self._tables:
                path.append(self._tables[".".join(parts[: i + 1])])
        place = (number, line.index("[") + 1)
        self._keys.setdefault(tuple(path), place)
        return tuple(path)

    def _pair(self, inside: Key, pair: re.Match[str], number: int, line: str) -> str:
        names = [part.strip().strip("\"'") for part in pair[1].split(".")]
        path = (*inside, *names)
        self._keys[path] = (number, pair.start(1) + 1)
        value = line[pair.end() :]
        for quotes in _QUOTES:
            if value.startswith(quotes):
                rest = value[3:]
                at_once = rest.strip() != ""
                self._values[path] = (number, pair.end() + 4) if at_once else (number + 1, 1)
                return "" if quotes in rest else quotes
        self._values[path] = (number, pair.end() + (2 if value[:1] in "\"'" else 1))
        if value.startswith("{"):
            for inner in _INLINE.finditer(value):
                self._keys[(*path, inner[1])] = (number, pair.end() + inner.start(1) + 1)
                self._values[(*path, inner[1])] = (number, pair.end() + inner.end() + 1)
        return ""


def read_toml(text: str, path: str) -> tuple[dict[str, object], Places]:
    """A document and its places. Raises SourceError with line and column of a mistake in the syntax."""
    try:
        return tomllib.loads(text), Places(text)
    except tomllib.TOMLDecodeError as e:
        if found := _SYNTAX.match(str(e)):
            raise SourceError(path, found[1].lower(), line=int(found[2]), column=int(found[3])) from e
        raise SourceError(path, str(e).lower(), line=max(text.count("\n"), 1)) from e
