"""Features of texts and links: the fast columns equal what plain Python says of each text."""

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from comity.features.keys import plain
from comity.features.registry import FEATURES, Plan
from feature_columns import column, fires, message
from slow_rules import seen

ANY_TEXTS = st.lists(st.text(max_size=40) | st.none(), min_size=1, max_size=12)
ALPHABETS = st.text("aAéÉßюЮoоaα1 _-'\u0301\u0327\u20dd\ufe0f\U0001f375\u200d𝐀Ꭰ", max_size=30)
TEXTS = ANY_TEXTS | st.lists(ALPHABETS, min_size=1, max_size=12)


def upper(text: str) -> int:
    """Capital letters."""
    return sum(unicodedata.category(c) in {"Lu", "Lt"} for c in text)


def lower(text: str) -> int:
    """Small letters."""
    return sum(unicodedata.category(c) == "Ll" for c in text)


def longest_run_of_marks(text: str) -> int:
    """The most marks on one letter."""
    return max((len(m[0]) for m in re.finditer("m+", "".join("m" if is_mark(c) else "-" for c in text))), default=0)


def is_mark(c: str) -> bool:
    """Whether a character is put on the one before it."""
    return unicodedata.category(c) in {"Mn", "Me"} and ord(c) < 0x20000


def mixed(text: str) -> int:
    """Words with letters of two alphabets that look alike; marks do not end a word."""
    letters = [c for c in text if not is_mark(c)]
    count, alphabets = 0, set[str]()
    for c in [*letters, " "]:
        if unicodedata.category(c)[0] == "L":
            alphabets.add(unicodedata.name(c, "").split(" ")[0])
            continue
        count += len(alphabets & {"LATIN", "CYRILLIC", "GREEK", "CHEROKEE"}) > 1
        alphabets = set()
    return count


@settings(max_examples=150, deadline=None)
@given(TEXTS)
@example(["𐐀𐐨", "İı", "ǅ", "\U0001d400", "a\u0301\u0302b\u0303", "\U000e0100"])
def test_letters_are_counted_as_unicode_says(strings: list[str | None]) -> None:
    """Length, capitals, small letters and marks of any text are those of Python's Unicode tables."""
    events = [message(s) for s in strings]
    for name, count in (
        ("length", len), ("uppercase", upper), ("lowercase", lower), ("stacked_marks", longest_run_of_marks),
        ("mixed_words", mixed),
    ):  # fmt: skip
        assert [None if s is None else count(seen(s)) for s in strings] == column(name, events), name


@settings(max_examples=80, deadline=None)
@given(TEXTS, st.integers(0, 12))
def test_the_share_of_capitals_is_known_from_enough_letters_on(strings: list[str | None], least: int) -> None:
    """Capitals among letters with case, unknown under ``least`` of them."""
    expected = []
    for s in strings:
        cased = upper(seen(s or "")) + lower(seen(s or ""))
        expected.append(upper(seen(s or "")) / cased if cased >= max(least, 1) else None)

    assert expected == column("capitals", [message(s) for s in strings], least=least)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
@example(["ﬁne", "FINE", "fine!", "…", "", "Ⅳ", "iv", "straße", "STRASSE", "a_b", "a b", "\u200d"])
def test_texts_have_one_key_if_they_differ_in_case_and_punctuation_only(strings: list[str | None]) -> None:
    """Two texts have the same key just if they are plainly the same; a text of nothing but punctuation has none."""
    keys = column("text_key", [message(s) for s in strings])
    plains = [plain(seen(s or "")) for s in strings]

    assert [not p for p in plains] == [k is None for k in keys]
    for a, p in zip(keys, plains, strict=True):
        assert [a == b for b in keys if a is not None] == [p == q for q in plains if p]


def test_a_phrase_stands_whole_and_in_any_case() -> None:
    """A word within another is not found, nor is one with other words between."""
    events = [message(t) for t in ("Green  TEA!", "greens tea", "green\ntea", "green mint tea", "C++ too", "c+", "")]

    assert [0, 2, 4] == fires("contains(['green tea', 'c++'])", events)


LINK = re.compile(r"https?://[^/\x00-\x20][^\x00-\x20)>]+", re.IGNORECASE)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("hHttpPsS:/. ab)>@\né", max_size=40), min_size=1, max_size=6))
@example(
    [
        "http://a",
        "http://ab",
        "xhttps://ab",
        "https://ab)https://cd",
        "https://a.bhttps://c.d",
        "http:///ab",
        "(http://a>",
    ]
)
def test_links_are_counted_as_a_pattern_counts_them(strings: list[str]) -> None:
    """As many links as the pattern of a link is found in each text, none of them across two texts."""
    strings = [s.replace("http", "http://") if i % 2 else s for i, s in enumerate(strings)]

    assert [len(LINK.findall(s)) for s in strings] == column("links", [message(s) for s in strings])


LISTED = ["bad.example", "bücher.example", "straße.example", "xn--caf-dma.example", "*.Wild.Example.", "192.0.2.7"]


@pytest.mark.parametrize(
    "text",
    [
        "https://bad.example/x", "HTTP://BAD.EXAMPLE", "see bad.example", "a.b.c.bad.example", "bad.example.",
        "(bad.example)", "https://bad.example:8080/a", "https://github.com@bad.example/",
        "https://me:word@bad.example", "//bad.example/a",
        "https://a.example/?to=bad.example", "_bad.example_", "**bad.example**", "→bad.example←", "bad.example。",
        "https://bücher.example", "BÜCHER.example", "bu\u0308cher.example", "www.xn--bcher-kva.example",
        "XN--BCHER-KVA.EXAMPLE",
        "straße.example", "strasse.example", "xn--strae-oqa.example", "café.example", "wild.example",
        "x.wild.example",
        "ｂａｄ.example", "www。bad.example", "http://192.0.2.7/a", ".".join("abcdefghijklm") + ".bad.example",
    ],
)  # fmt: skip
def test_a_listed_domain_is_found(text: str) -> None:
    """Below it, bare, with a port or a name before an @, in any case and in either spelling of its letters."""
    assert [1] == fires("host_in(domains)", [message("tea.example"), message(text), message("tea")], domains=LISTED)


@pytest.mark.parametrize(
    "text",
    [
        "notbad.example", "bad.example.org", "bad.examples", "bad example", "mail@bad.example",
        "mail tea@x.bad.example",
        "@bad.example", "https://a.example/tea@bad.example", "https://bad.example@a.example/",
        "https://bad.example:1@a.example",
        "übad.example", "bücher-example", "привет.Как дела", "1.192.0.2.70", "", "...", "-.-", "@", "bad.",
        ".example",
    ],
)  # fmt: skip
def test_what_is_no_listed_domain_is_not_found(text: str) -> None:
    """Other domains, addresses of mail, and what only stands before an @."""
    events = [message("a/"), message(text), message("//")]

    assert [] == fires("host_in(domains)", events, domains=LISTED)
    assert [] == fires("host_in(domains)", [message(text)], domains=LISTED)


@pytest.mark.parametrize(
    "bad", ["example", "http://a.example", "a.example/b", "a@b.example", "a.example:80", "", "a b.c"]
)
def test_what_is_no_domain_is_refused(bad: str) -> None:
    """A list entry that is none could never be found, and is an error that names it."""
    with pytest.raises(ValueError, match="is no domain"):
        FEATURES["host_in"].build(Plan(0), domains=["a.example", bad])


def test_texts_of_nothing_but_signs_take_no_longer_than_others() -> None:
    """Looking for hosts takes time in the length of a text, whatever stands in it."""
    for piece in ("@a.", "a.a:", "//a.b@", "https://", "x@", "1."):
        assert [] == fires("host_in(domains) or links() > 90000", [message(piece * 60_000)], domains=LISTED)
