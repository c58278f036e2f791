"""The syntax of ``when`` expressions: text to a tree that is small enough to check, or a mistake and where it is."""

import ast
import difflib
import re
import warnings
from collections.abc import Sequence
from typing import Final

MOST_LENGTH: Final = 4_000
MOST_PARTS: Final = 500
MOST_DEPTH: Final = 40
_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class WhenError(ValueError):
    """A mistake in an expression. line and column: from 1, within the expression; expected: what would be right."""

    def __init__(self, what: str, node: ast.AST | None = None, *, expected: str = "") -> None:
        self.what, self.expected = what, expected
        self.line: int = max(getattr(node, "lineno", 1), 1)
        self.column: int = getattr(node, "col_offset", 0) + 1
        super().__init__(what + (f"; expected {expected}" if expected else ""))


def duration(text: str) -> int:
    """Milliseconds of ``30s``, ``10m``, ``24h``, ``7d`` or ``250ms``. Raises ValueError if it is none of these."""
    if (match := _DURATION.fullmatch(text)) is None:
        raise ValueError(f"{text!r} is no duration; expected a number and ms, s, m, h or d, such as '30s'")
    return int(match[1]) * _MILLISECONDS[match[2]]


def nearest(word: str, words: Sequence[str]) -> str:
    """The one or two valid words that come nearest, as a message says it; all of them where none is near."""
    near = difflib.get_close_matches(word, words, n=2, cutoff=0.6)
    return " or ".join(near) if near else "one of " + ", ".join(sorted(words))


def parse(source: str) -> ast.expr:
    """The syntax tree of an expression, its columns counted in characters.

    Raises WhenError at the place of a mistake, or if it is empty, longer than ``MOST_LENGTH`` characters, or a tree of
    more than ``MOST_PARTS`` parts or ``MOST_DEPTH`` levels.
    """
    if len(source) > MOST_LENGTH:
        raise WhenError(f"the expression has {len(source)} characters", expected=f"at most {MOST_LENGTH}")
    # Within parentheses line breaks mean nothing, and the tree is no deeper for it.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # '\d' in a pattern is read as it stands
            tree = ast.parse(f"(\n{source}\n)", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
        raise _unreadable(source, e) from None
    ast.increment_lineno(tree, -1)
    _hold_to_size(tree)
    if isinstance(tree, ast.Tuple) and not tree.elts:
        raise WhenError("the expression is empty", expected="a truth, such as kind == 'message' and links() > 0")
    if not source.isascii():
        _count_characters(tree, _LINE_BREAK.split(source))
    return tree


def _unreadable(source: str, error: Exception) -> WhenError:
    mistake = WhenError(f"the expression cannot be read: {getattr(error, 'msg', None) or error}")
    lines = _LINE_BREAK.split(source)
    line, column = (getattr(error, "lineno", None) or 2) - 1, getattr(error, "offset", None) or 1
    if (
        not 1 <= line <= len(lines)
    ):  # at one of the parentheses put around it: something in it is not closed, or too much
        line, column = len(lines), len(lines[-1]) + 1
    mistake.line, mistake.column = line, max(column, 1)
    return mistake


def _hold_to_size(tree: ast.expr) -> None:
    """Raises WhenError if there are too many parts or levels; every later step may then go down the tree by calls."""
    parts, level = 0, 0
    deeper: list[ast.AST] = [tree]
    while deeper:
        level, parts = level + 1, parts + len(deeper)
        if level > MOST_DEPTH:
            raise WhenError("the expression is nested too deeply", expected=f"at most {MOST_DEPTH} levels")
        if parts > MOST_PARTS:
            raise WhenError("the expression is too large", expected=f"at most {MOST_PARTS} parts")
        deeper = [child for node in deeper for child in ast.iter_child_nodes(node)]


def _count_characters(tree: ast.expr, lines: Sequence[str]) -> None:
    """Python counts columns in bytes of UTF-8; whoever reads a message counts characters."""
    raw = [line.encode("utf-8", "surrogatepass") for line in lines]
    for node in ast.walk(tree):
        if (column := getattr(node, "col_offset", None)) is not None:
            line = raw[min(max(node.lineno, 1), len(raw)) - 1]  # type: ignore[attr-defined]
            node.col_offset = len(line[:column].decode("utf-8", "ignore"))  # type: ignore[attr-defined]
