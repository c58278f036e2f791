"""Values of a rule's parameters: held against their type and bounds, lists read from files."""

import math
import re
from pathlib import Path
from typing import Any

import msgspec

from comity.language import duration
from comity.rules import ParameterSpec

MOST_BYTES = 64 * 1024 * 1024  # of a list in a file
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")  # from a # at the beginning, or after a space


class RuleValues:
    """Reads parameters. folder: where ``file:`` lists are looked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def value(self, value: object, spec: ParameterSpec) -> Any:  # noqa: ANN401  a parameter is of any type
        """The value in the type and the bounds of its specification. Raises ValueError."""
        default = spec.default
        if isinstance(default, list):
            words = self.words(value)
            if not isinstance(words, list):
                raise ValueError(f"expected a list of texts, or 'file:NAME', got {value!r}")  # noqa: TRY004  a mistake in a file
            return words
        if isinstance(default, bool) or isinstance(value, bool):
            if not (isinstance(value, bool) and isinstance(default, bool)):
                raise ValueError(f"expected {_like(default)}, got {value!r}")  # noqa: TRY004  the same
            return value
        if isinstance(default, int | float):
            if not isinstance(value, int | float) or not math.isfinite(value):
                raise ValueError(f"expected {_like(default)}, got {value!r}")
            if isinstance(default, int) and value != int(value):
                raise ValueError(f"expected a whole number, got {value!r}")
            _within(value, spec.least, spec.most, str(value), spec.unit)
            return value
        if not isinstance(value, str):
            raise ValueError(f"expected {_like(default)}, got {value!r}")  # noqa: TRY004  the same
        if _is_duration(default):
            least = None if spec.least is None else duration(str(spec.least))
            most = None if spec.most is None else duration(str(spec.most))
            _within(duration(value), least, most, value, "", shown=(spec.least, spec.most))
        return value

    def words(self, value: object) -> Any:  # noqa: ANN401  a parameter is of any type
        """A list given in place, or in a file in the charter's folder or below. Raises ValueError.

        Such a file has a line for each text, with # and what follows it left out, or is a JSON array.
        """
        if isinstance(value, str) and value.startswith("file:"):
            return self._file(value.removeprefix("file:"))
        if isinstance(value, list) and not all(isinstance(v, str) for v in value):
            raise ValueError("expected a list of texts only")
        if not isinstance(value, str | int | float | bool | list):
            raise ValueError(f"expected a number, truth, text or list of texts, got {value!r}")  # noqa: TRY004  see above
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"expected a number, got {value!r}")
        return value

    def _file(self, name: str) -> list[str]:
        path = self._folder / name
        try:
            # A charter is no way to look elsewhere, and a pipe or a device has no end.
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise ValueError(f"the list {name!r} is not beside the charter; expected a file in its folder")
            if path.exists() and not path.is_file():
                raise ValueError(f"the list {path} is no file; expected a text file")
            if path.stat().st_size > MOST_BYTES:
                raise ValueError(f"{path} is too large for a list; expected at most {MOST_BYTES >> 20} MiB")
            text = read_text(path)
        except UnicodeDecodeError as e:
            raise ValueError(f"{path} is not UTF-8 at byte {e.start}; expected a text file") from e
        except OSError as e:
            raise ValueError(f"the list {path} cannot be read: {e.strerror}") from e
        if text.lstrip().startswith("["):
            try:
                return msgspec.json.decode(text, type=list[str])
            except msgspec.DecodeError as e:
                raise ValueError(f"{path} is no JSON array of texts: {e}") from e
        lines = (_COMMENT.sub("", line).strip() for line in text.split("\n"))
        return [line for line in lines if line]


def read_text(path: Path) -> str:
    """A text file in UTF-8, with or without a byte order mark, its line ends made line feeds.

    Raises OSError or UnicodeDecodeError.
    """
    return path.read_text("utf-8-sig")


def _is_duration(text: str) -> bool:
    try:
        duration(text)
    except ValueError:
        return False
    return True


def _like(default: object) -> str:
    match default:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str() if _is_duration(default):
            return "a duration such as '30s'"
        case _:
            return "a text"


def _within(
    value: float, least: object, most: object, given: str, unit: str, *, shown: tuple[object, object] | None = None
) -> None:
    low, high = shown or (least, most)
    if (isinstance(least, int | float) and value < least) or (isinstance(most, int | float) and value > most):
        parts = [f"at least {low}" if low is not None else "", f"at most {high}" if high is not None else ""]
        bounds = " and ".join(p for p in parts if p)
        raise ValueError(f"{given} is out of bounds; expected {bounds} {unit}".rstrip())
