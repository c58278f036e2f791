"""``when`` expressions: what they mean, what they refuse, and where they say a mistake is."""

import ast
import itertools
import random
import string
import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from comity import logic
from comity.core.event import Event
from comity.engine import Engine
from comity.features.columns import Batch, Column
from comity.features.registry import FEATURES, Evaluate, Plan
from comity.language import FIELDS, Compiler, When, WhenError, duration, parse, rests_on_a_score
from provoking_chats import charter, own_clause

TRUTHS = (True, False, None)


def message(number: int = 0, **fields: object) -> Event:
    """A message of which little is known."""
    return Event(str(number), "2026-05-01T12:00:00Z", "message", "tea", "#garden", "ana", **fields)  # type: ignore[arg-type]


def compiled(when: str, **parameters: object) -> When:
    """The checked expression."""
    return Compiler(Plan(0)).compile(when, parameters)


def mistake(when: str, **parameters: object) -> WhenError:
    """The mistake in an expression."""
    with pytest.raises(WhenError) as raised:
        compiled(when, **parameters)
    return raised.value


def outcome(when: str) -> When | WhenError:
    """The checked expression, or the mistake in it; nothing else may be raised."""
    try:
        return compiled(when, x=1)
    except WhenError as e:
        return e


def fires(when: str, *events: Event, **parameters: object) -> list[bool]:
    """For which events a rule with this expression fires."""
    rows = set(Engine(charter(own_clause(when, **parameters))).turn(events).findings.rows.tolist())
    return [i in rows for i in range(len(events))]


def column(values: list[bool | None]) -> Evaluate:
    """A column of truths, None where it is unknown."""
    known = None if None not in values else np.array([v is not None for v in values])
    return lambda _: Column(np.array([bool(v) for v in values]), known)


def truths(evaluate: Evaluate, length: int) -> list[bool | None]:
    """What a column says, None where it is unknown; where it is unknown it reads as False."""
    batch = Engine(charter()).turn([message(i) for i in range(length)]).batch
    values, known = evaluate(batch)
    assert known is None or not (values & ~known).any()
    return [bool(v) if known is None or known[i] else None for i, v in enumerate(values)]


def test_and_is_false_as_soon_as_one_part_is() -> None:
    """False and unknown is false, true and unknown is unknown, over all triples and every order."""
    rows = list(itertools.product(TRUTHS, repeat=3))
    expected = [False if False in row else None if None in row else True for row in rows]

    parts = [column([row[k] for row in rows]) for k in range(3)]
    assert expected == truths(logic.conjunction(parts), len(rows))
    for row, answer in zip(rows, expected, strict=True):  # alone, so that whole columns are known or false
        assert [answer] == truths(logic.conjunction([column([v]) for v in row]), 1)


def test_or_is_true_as_soon_as_one_part_is() -> None:
    """True or unknown is true, false or unknown is unknown, over all triples and every order."""
    rows = list(itertools.product(TRUTHS, repeat=3))
    expected = [True if True in row else None if None in row else False for row in rows]

    assert expected == truths(logic.disjunction([column([row[k] for row in rows]) for k in range(3)]), len(rows))
    for row, answer in zip(rows, expected, strict=True):
        assert [answer] == truths(logic.disjunction([column([v]) for v in row]), 1)


def test_not_leaves_unknown_unknown() -> None:
    """What is not known to be false is not true."""
    assert [False, True, None] == truths(logic.negation(column([True, False, None])), 3)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("messages_before < 10", [True, False, False]),
        ("not messages_before < 10", [False, True, False]),
        ("not (messages_before < 10)", [False, True, False]),
        ("messages_before < 10 or messages_before >= 10", [True, True, False]),
        ("messages_before < 10 or kind == 'message'", [True, True, True]),
        ("not (messages_before < 10 and kind == 'join')", [True, True, True]),
        ("messages_before * 2 + 1 > 0", [True, True, False]),
        ("messages_before != 3", [False, True, False]),
        ("name == 'bo'", [False, True, False]),
        ("name != 'bo'", [True, False, False]),
        ("not name in ['bo', 'eli']", [True, False, False]),
        ("role not in {'manager', 'bot'}", [True, False, False]),
        ("count(per=name, within='1h') > 0", [True, True, False]),
        ("not count(per=(room, name), within='1h') > 5", [True, True, False]),
        ("distinct(name, per=room, within='1h') <= 1", [True, False, False]),
        ("0 <= messages_before <= 5", [True, False, False]),
        ("10 / messages_before > 1", [True, False, False]),
        ("1 / (messages_before - 3) < 0 or 1 / (messages_before - 3) >= 0", [False, True, False]),
    ],
)
def test_what_needs_a_missing_field_does_not_fire(when: str, expected: list[bool]) -> None:
    """A rule fires only where its expression is known to be true."""
    ana = message(1, messages_before=3, name="ana", role="member")
    bo = message(2, messages_before=80, name="bo", role="manager")

    assert expected == fires(when, ana, bo, message(3))


def test_arithmetic_has_no_edges() -> None:
    """Large figures neither wrap around nor stop anything."""
    most = message(messages_before=2**53)

    assert [True] == fires("messages_before * 9007199254740992 * 9007199254740992 > 1", most)
    assert [True] == fires("messages_before + 1 >= 9007199254740992", most)
    assert [False] == fires("(messages_before - messages_before) / 0 >= 0", most)


@pytest.mark.parametrize(
    ("when", "line", "column", "expected"),
    [
        ("kind == 'mesage'", 1, 9, "message"),
        ("kind == 'message' and\n  lenght() > 3", 2, 3, "length"),
        ("knd == 'message'", 1, 1, "kind"),
        ("'ö' == name and knd == 'message'", 1, 17, "kind"),
        ("name == 'öäü' and\r\n lnks() > 0", 2, 2, "links"),
        ("role in ['manger']", 1, 9, "manager"),
        ("links() > allowd", 1, 11, "allowed"),
        ("count(per=room, withn='1h') > 0", 1, 23, "within"),
        ("count(per=room) > 0", 1, 1, "within"),
        ("count(room, within='1h') > 0", 1, 1, "count("),
        ("matches('a', pattern='b')", 1, 22, "once"),
        ("count(per=room, within='1x') > 0", 1, 24, "such as"),
        ("count(per=room, within=60) > 0", 1, 24, "duration"),
        ("count(per=length(), within='1m') > 0", 1, 11, "identifier"),
        ("count(per=room, within='1m', of=length()) > 0", 1, 33, "truth"),
        ("count(per=room, within='0s') > 0", 1, 1, ""),
        ("matches(name)", 1, 9, "text"),
        ("matches(5)", 1, 9, "text"),
        ("host_in('a.example')", 1, 9, "list"),
        ("host_in(['http://a.example'])", 1, 1, "without http"),
        ("matches('(')", 1, 1, ""),
        ("links", 1, 1, "links(...)"),
        ("links()", 1, 1, "a truth"),
        ("links() and True", 1, 1, "a truth"),
        ("not links()", 1, 5, "a truth"),
        ("links() > 'a'", 1, 11, "a number"),
        ("account_age() < 5", 1, 17, "duration"),
        ("account_age() < 'old'", 1, 17, "such as"),
        ("kind > 'message'", 1, 8, "=="),
        ("kind in 'message'", 1, 9, "list of texts"),
        ("kind == ['message']", 1, 9, "a text"),
        ("links() in [1]", 1, 13, "a text"),
        ("links() is 1", 1, 12, "<"),
        ("length() + 'a' > 1", 1, 12, "a number"),
        ("length() ** 2 > 1", 1, 1, "+ - * /"),
        ("length() > 99999999999999999999", 1, 12, "at most"),
        ("length() > 1e999", 1, 12, "at most"),
        ("capitals(least=length()) > 0", 1, 16, "constant"),
        ("", 1, 1, "a truth"),
        ("# tea", 1, 1, "a truth"),
        ("kind == ", 1, 9, ""),
        ("kind == 'message' and\n(links() > 0", 2, 13, ""),
        ("links() > 0)", 1, 13, ""),
        ("kind = 'message'", 1, 1, ""),
    ],
)
def test_a_mistake_is_named_where_it_stands(when: str, line: int, column: int, expected: str) -> None:
    """Every kind of mistake says line and column, in characters, and what would have been right."""
    found = mistake(when, allowed=3)

    assert (line, column) == (found.line, found.column), str(found)
    assert expected in str(found)
    assert found.what


REFUSED = [
    "kind.upper() == 'MESSAGE'", "().__class__", "''.join(['a'])", "(lambda: True)()", "kind[0] == 'm'",
    "[k for k in 'ab']", "f'{kind}' == 'message'", "(k := 1) > 0", "open('a')", "__import__('os')", "eval('1')",
    "print()", "links.__call__()", "links()()", "True if links() else False", "kind == 'a' 'b'.x", "{**{}}",
    "{'a': 1}", "await links()", "yield", "*kind", "links(*[1])", "links(**{'a': 1})", "matches(b'a')", "1j > 0",
    "... == 1", "None", "~links() > 0", "+True", "-True > 0", "links() @ 2", "links() // 2 > 0", "links() % 2 > 0",
    "links() << 2 > 0", "2 ** 9999999 > 1", "'a' * 999999999 == name", "__builtins__", "__class__", "Engine",
    "self", "np", "kind == 'message';links()", "import os", "links() > 0, True", "[1]", "'a'", "5", "member", "per",
    "within", "True.real", "not", "links() if", "\0", "'\ud800'.a", "count(per=(room, [member]), within='1m') > 0",
    "count(per=room, within='1m', of=count) > 0", "print", "(yield)",
]  # fmt: skip


@pytest.mark.parametrize("when", REFUSED)
def test_nothing_but_the_allowed_syntax_gets_through(when: str) -> None:
    """No attribute, subscript, lambda, loop, call of anything but a feature, or name of Python's own."""
    assert mistake(when).what


@pytest.mark.parametrize(
    "when",
    [
        "(" * 10_000 + "True" + ")" * 10_000,
        "(" * 1_900 + "True" + ")" * 1_900,
        "not " * 900 + "True",
        "-" * 3_000 + "1 > 0",
        "1" * 3_900 + " > 0",
        "0x" + "f" * 3_900 + " > 0",
        " and ".join(["True"] * 600),
        "1 < " * 900 + "1",
        "1 + (" * 150 + "1" + ")" * 150 + " > 0",
        "[" * 1_500,
        "links() > 0 and (" * 100 + "True" + ")" * 100,
        "x" * 5_000,
        "9" * 10 + "**" + "9" * 10 + " > 0",
    ],
    ids=range(13),
)
def test_a_huge_expression_is_refused_at_once(when: str) -> None:
    """Depth, size and giant numbers are refused by what they are, before anything is worked out."""
    assert len(str(mistake(when))) < 5_000


WORDS = [
    *FIELDS, *FEATURES, "and", "or", "not", "in", "is", "if", "else", "for", "lambda", "None", "True", "==", "<",
    ">=", "!=", "(", ")", "[", "]", "{", "}", ",", ".", ":", ":=", "=", "+", "-", "*", "**", "/", "@", "'a'",
    "'1h'", "'message'", "per=", "within=", "of=", "1", "0.5", "1e9", "b''", "f'{x}'", "\n", "\\", "#", "'", '"""',
    "\0", "é", "\ud800", "~", "%", "await", "count(per=room, within='1m')", "kind == 'message'", "x", "__class__",
    ";", "\t", "\f", "...", "0o7", "1_0", "1j",
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text(max_size=40))
@example("\x0c")
@example("'''")
def test_whatever_is_written_is_an_expression_or_a_mistake(when: str) -> None:
    """Random Python raises nothing but a mistake with a place in the text, and warns of nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = outcome(when)
    if isinstance(found, When):
        assert found.signature
    else:
        assert found.what
        assert 1 <= found.line <= when.count("\n") + when.count("\r") + when.count("\f") + 1
        assert 1 <= found.column <= len(when) + 2


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6))
def test_the_source_of_any_python_is_an_expression_or_a_mistake(seed: int) -> None:
    """The same for whole syntax trees of Python, with every node there is."""
    draw = random.Random(seed)
    found = outcome(some_python(draw, 4))
    assert isinstance(found, When) or found.what


def some_python(draw: random.Random, depth: int) -> str:
    """A random Python expression."""
    name = draw.choice([*FIELDS, *FEATURES, "x", "os", "__name__", "kind"])
    if depth == 0:
        return draw.choice([name, "1", "'1h'", "'message'", "2.5", "None", f"{name}()"])
    one, two = some_python(draw, depth - 1), some_python(draw, depth - 1)
    return draw.choice(
        [
            f"({one} and {two})", f"not ({one})", f"({one}) < ({two})", f"({one}) in [{two}]",
            f"{name}({one}, within={two})",
            f"({one}) + ({two})", f"[{one}, {two}]", f"({one}).{name}", f"(lambda: {one})", f"[{one} for y in {two}]",
            f"({one})[{two}]", f"({one} if {two} else 1)", f"{{{one}: {two}}}", f"-({one})", f"(y := {one})",
            f"({one})({two})",
            f"count(per=({name}, {one}), within='1m', of={two})", f"{name} == ({one})",
        ]
    )  # fmt: skip


def test_columns_are_counted_in_characters() -> None:
    """A letter beyond ASCII is one column, as an editor shows it."""
    tree = parse("'ööö' == name")

    assert isinstance(tree, ast.Compare)
    assert 9 == tree.comparators[0].col_offset


def test_clauses_that_ask_the_same_share_one_answer() -> None:
    """Equal parts of two expressions are worked out once for a batch, and count once."""
    compiler = Compiler(Plan(0))
    for allowed in (1, 2):
        compiler.compile("count(per=(room, member), within='30s') > allowed", {"allowed": allowed})

    assert 1 == len(compiler.every_batch) == len(compiler.plan.carried)


def test_a_score_is_known_by_any_spelling() -> None:
    """However the call of a classifier is written, it is one; a text that says so is none."""
    spellings = [
        "score('a') > 0",
        "score\n(\t'a') > 0",
        "\uff53core('a') > 0",
        "not (length() > 1 or score(name='a') < 1)",
    ]

    assert all(rests_on_a_score(s) for s in spellings)
    assert not rests_on_a_score("matches('score(')")


def test_a_pattern_with_a_backslash_warns_nobody() -> None:
    r"""Patterns are written as '\d' by people who know patterns and not Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [True, False] == fires(r"matches('\d{3}')", message(1, text="tea 123"), message(2, text="tea"))


@pytest.mark.parametrize(("text", "expected"), [("250ms", 250), ("30s", 30_000), ("10m", 600_000), ("7d", 604_800_000)])
def test_a_duration_is_a_number_and_a_unit(text: str, expected: int) -> None:
    """Durations are written as in every rule."""
    assert expected == duration(text)


@pytest.mark.parametrize("text", ["", "30", "s", "-1s", "1.5h", "1 h", "1w", "٣s", "1h30m", "9999999999s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Anything else is an error that shows one that is right."""
    with pytest.raises(ValueError, match="such as '30s'"):
        duration(text)


def test_every_feature_says_what_it_is() -> None:
    """Every feature has a sentence, and every name is one that an expression can call."""
    for name, feature in FEATURES.items():
        assert feature.doc.endswith("."), name
        assert set(name) <= set(string.ascii_lowercase + "_")
        assert name not in FIELDS


def test_a_batch_keeps_what_was_worked_out() -> None:
    """A column is worked out once for a batch, and anew for the next."""
    compiler = Compiler(Plan(0))
    when = compiler.compile("length() > 2", {})
    batches: list[Batch] = [Engine(charter()).turn([message(text=t)]).batch for t in ("tea", "a")]

    assert when.evaluate(batches[0]) is when.evaluate(batches[0])
    assert [True, False] == [bool(when.evaluate(b).values[0]) for b in batches]
