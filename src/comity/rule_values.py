"""Values of a rule's parameters: held against their type and bounds, lists read from files."""

from pathlib import Path
from typing import Any

import msgspec

from comity.language import duration
from comity.rules import ParameterSpec

_MOST_BYTES = 64 * 1024 * 1024  # of a list in a file


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
            if not isinstance(value, int | float):
                raise ValueError(f"expected {_like(default)}, got {value!r}")  # noqa: TRY004  the same
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
        """A list given in place, or in a file beside the charter: a line each, or a JSON array. Raises ValueError."""
        if isinstance(value, str) and value.startswith("file:"):
            return self._file(value.removeprefix("file:"))
        if isinstance(value, list) and not all(isinstance(v, str) for v in value):
            raise ValueError("expected a list of texts only")
        if not isinstance(value, str | int | float | bool | list):
            raise ValueError(f"expected a number, truth, text or list of texts, got {value!r}")  # noqa: TRY004  the same
        return value

    def _file(self, name: str) -> list[str]:
        path = self._folder / name
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise ValueError(f"{path} is too large for a list; expected at most 64 MiB")
            text = path.read_text("utf-8")
        except UnicodeDecodeError as e:
            raise ValueError(f"{path} is not UTF-8 at byte {e.start}; expected a text file") from e
        except OSError as e:
            raise ValueError(f"the list {path} cannot be read: {e.strerror}") from e
        if text.lstrip().startswith("["):
            try:
                return msgspec.json.decode(text, type=list[str])
            except msgspec.DecodeError as e:
                raise ValueError(f"{path} is no JSON array of texts: {e}") from e
        lines = (line.split("#", 1)[0].strip() for line in text.splitlines())
        return [line for line in lines if line]


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
