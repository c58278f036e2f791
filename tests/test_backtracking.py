"""Patterns that one crafted message could hold everybody up with are refused, and others are not."""

import re

import pytest

from comity.backtracking import exponential
from comity.charter_file import CharterError, parse_charter
from commanding import CHARTER


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+b",
        r"(?:tea|\w+)*milk!",
        r"(\w+\s?)+sugar",
        r"(a{1,20}){1,20}b",
        r"([a-z]+)*\d",
        r"x(?:[^.]+\.?)+y",
        r"^(?:\s*\w+\s*)+;",
    ],
)
def test_a_pattern_that_doubles_its_time_with_each_letter_is_found(pattern: str) -> None:
    """Letters are named that show it."""
    assert exponential(re.compile(pattern, re.IGNORECASE)).endswith("...")


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}",
        r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b",
        r"(?:tea|milk|sugar)(?:\s+(?:tea|milk|sugar))+",
        r"(?:\d{3} ){2,}",
        r"https?://\S+",
        r"(?:ab+c)+d",
    ],
)
def test_a_repeat_within_a_repeat_that_is_harmless_is_not_refused(pattern: str) -> None:
    """Where letters can be shared out in one way only, a pattern may repeat within a repeat."""
    assert exponential(re.compile(pattern)) == ""


def test_a_charter_with_such_a_pattern_says_where() -> None:
    """Checking a charter names line, column and pattern."""
    text = CHARTER.replace("matches('nobody waters')", "matches('(n+)+x')")
    with pytest.raises(CharterError, match=r"charter\.toml:38:.*twice as long"):
        parse_charter(text, "charter.toml")
