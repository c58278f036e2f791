"""One clause of a charter's text changed: the value asked for is there, and everything else is as it was."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.charter_edit import raw_clauses, with_clause

TEXT = '''\
# Ours since spring.
[charter]
community = "Tea"  # with milk

[[clause]]
id = "1.1"
text = "Leave others room."
rule = "flood"
parameters = { allowed = 12, look_back = "30s" } # as agreed
severity = "minor"

[due_process]
appeal_days = 14

[[clause]]   # by Ana
id = "1.2"
text = """
Do not take
[[clause]] a name."""
rule = "look-alike-name"

[clause.parameters]
protected = ["garden desk"]
'''
LINE = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20)


def test_only_the_line_that_was_changed_is_another() -> None:
    """Remarks, order and the other clauses stay as they were written."""
    text = with_clause(TEXT, 0, {"severity": "serious", "text": "Leave others room."}, {"allowed": 12})
    assert text == TEXT.replace('"minor"', '"serious"')
    assert with_clause(TEXT, 1, {"state": None}, {"protected": ["garden desk"]}) == TEXT


def test_a_table_below_a_clause_is_changed_where_it_stands() -> None:
    """Also what looks like a clause within a text is none."""
    text = with_clause(TEXT, 1, {}, {"protected": ["ana"]})
    assert text == TEXT.replace('"garden desk"', '"ana"')
    assert [clause["id"] for clause in raw_clauses(text)] == ["1.1", "1.2"]


def test_what_is_left_out_is_gone() -> None:
    """A figure that is None is the rule's own again; with none left there is no table of them."""
    text = with_clause(TEXT, 0, {"measures": ["hide"]}, {"allowed": None, "look_back": None})
    (first, second) = tomllib.loads(text)["clause"]
    assert "parameters" not in first
    assert first["measures"] == ["hide"]
    assert second == tomllib.loads(TEXT)["clause"][1]


@given(LINE, st.sampled_from([0, 1]), st.one_of(st.none(), st.integers(-9, 9), LINE, st.lists(LINE, max_size=3)))
def test_whatever_is_written_is_read_again(text: str, place: int, value: Any) -> None:  # noqa: ANN401
    """No text or figure can break out of its place, whatever characters it has."""
    clauses = tomllib.loads(with_clause(TEXT, place, {"text": text}, {"extra": value}))["clause"]
    before = tomllib.loads(TEXT)["clause"]
    parameters = {**before[place]["parameters"], **({} if value is None else {"extra": value})}
    before[place] = {**before[place], "text": text, "parameters": parameters}
    assert clauses == before


@pytest.mark.parametrize(("text", "place"), [(TEXT, 2), (TEXT, -1), ("[charter", 0), ("clause = 3", 0), ("", 0)])
def test_what_is_not_there_is_not_changed(text: str, place: int) -> None:
    """A clause that does not exist, and a text that is no TOML."""
    with pytest.raises(LookupError):
        with_clause(text, place, {"state": "live"}, {})
    assert raw_clauses("[charter") == raw_clauses("clause = 3") == raw_clauses("") == []
