"""The ledger: canonical bytes and seals."""

import struct
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.core import ledger
from comity.core.ledger import ActivityColumns, ClauseRow, Entries, FindingColumns, ReversalRow

SALT = b"salt of 16 bytes"
ANA, FLOOD = b"ana's pseudonym.", b"flood's digest.."
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def ids(*each: bytes) -> ledger.Ids:
    """An array of ids."""
    return np.frombuffer(b"".join(each), ledger.ID)


def one_finding(**other: object) -> FindingColumns:
    """A finding, but for what is named."""
    columns = {
        "at": 1_778_000_000_000,
        "day": 20578,
        "member": 1,
        "room": 2,
        "clause": 1,
        "event": "$tea",
        "excerpt": "thé 🫖",
        "figures": '{"count":11}',
    }
    return FindingColumns(**{name: [value] for name, value in (columns | other).items()})  # type: ignore[arg-type]


def by_hand(*fields: object, member: bytes, clause: bytes, texts: tuple[str, ...], cover: bytes = bytes(32)) -> bytes:
    """Canonical bytes as the module's docstring says them, field by field."""
    number, kind, at, day, room, messages, reverses = fields
    lengths = (len(text) for text in texts)
    return (
        struct.pack(">QBqi", number, kind, at, day)
        + member
        + struct.pack(">I", room)
        + clause
        + struct.pack(">QQ", messages, reverses)
        + cover
        + struct.pack(">4I", *lengths)
        + "".join(texts).encode()
    )


def test_canonical_bytes_are_as_written_down() -> None:
    """Another program can compute every entry's bytes from the description alone."""
    zero = bytes(16)
    finding = by_hand(
        7,
        1,
        1_778_000_000_000,
        20578,
        2,
        0,
        0,
        member=ANA,
        clause=FLOOD,
        texts=("$tea", '{"count":11}', "", ""),
        cover=sha256(SALT + "thé 🫖".encode()).digest(),
    )
    activity = by_hand(8, 2, 0, 20578, 0, 12, 0, member=ANA, clause=zero, texts=("",) * 4)
    reversal = by_hand(9, 3, 5, 0, 0, 0, 7, member=zero, clause=zero, texts=("", "", "it was a quotation", "cleo"))

    assert [finding] == ledger.finding_bytes(7, one_finding(), ids(ANA), ids(FLOOD), [SALT])
    assert [activity] == ledger.activity_bytes(8, ActivityColumns([1], [20578], [12]), ids(ANA))
    assert reversal == ledger.reversal_bytes(9, ReversalRow(5, 7, "it was a quotation", "cleo"))


def test_a_seal_is_the_hash_of_the_seal_before_and_the_entry() -> None:
    """Every seal depends on all entries before it, the first on 32 zero bytes."""
    first = sha256(bytes(32) + b"milk").digest()
    second = sha256(first + b"tea").digest()

    assert [first, second] == ledger.seals(ledger.GENESIS.seal, [b"milk", b"tea"])
    assert [second] == ledger.seals(first, [b"tea"])


@given(st.lists(st.tuples(*[TEXTS] * 4), min_size=2, max_size=2, unique=True))
def test_entries_that_differ_only_in_their_texts_have_different_bytes(texts: list[tuple[str, ...]]) -> None:
    """Nothing can be moved from one text to the next without breaking the seal."""

    def sealed(event: str, figures: str, reason: str, by: str) -> bytes:
        nobody = ids(bytes(16))
        numbers = ([1], [1], [0], [0], nobody, [0], nobody, [0], [0], np.zeros(1, ledger.COVER))
        return ledger.canonical(Entries(*numbers, [event], [figures], [reason], [by]))[0]

    assert sealed(*texts[0]) != sealed(*texts[1])


@pytest.mark.parametrize("column", ["at", "day", "room"])
def test_every_number_of_a_finding_is_sealed(column: str) -> None:
    """A number that is changed by one changes the bytes."""
    changed = one_finding(**{column: getattr(one_finding(), column)[0] + 1})

    assert ledger.finding_bytes(1, changed, ids(ANA), ids(FLOOD), [SALT]) != ledger.finding_bytes(
        1, one_finding(), ids(ANA), ids(FLOOD), [SALT]
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (one_finding()._replace(day=[1, 2]), r"one length, got \[1, 2\]"),
        (one_finding(room=-1), "room must be 0 to 4294967295, got -1"),
        (one_finding(day=2**31), "day must be"),
        (one_finding(excerpt="half a \ud83e"), "surrogates not allowed"),
    ],
)
def test_what_cannot_be_sealed_is_an_error(columns: FindingColumns, message: str) -> None:
    """Numbers are never cut to fit, rows never paired wrongly, texts never guessed."""
    with pytest.raises(ValueError, match=message):
        ledger.finding_bytes(1, columns, ids(ANA), ids(FLOOD), [SALT])


def test_a_cover_tells_nothing_without_its_salt() -> None:
    """The same words have another cover under another salt, and no word can slip into the salt."""
    assert ledger.cover(SALT, "tea") != ledger.cover(SALT[::-1], "tea")
    assert ledger.cover(SALT, "tea") == sha256(SALT + b"tea").digest()
    with pytest.raises(ValueError, match="a salt has 16 bytes, got 17"):
        ledger.cover(SALT + b"t", "ea")


def test_a_clauses_digest_depends_on_all_of_it() -> None:
    """A finding is sealed under the clause as it stood: its severity cannot be changed afterwards."""
    flood = ClauseRow("c0ffee", "3.1", "flood", "spam.flooding", "minor", "live", "No floods.", "hide")
    digests = {ledger.clause_digest(flood._replace(**{name: "severe"})) for name in flood._fields}

    assert ledger.clause_digest(flood) not in digests
    assert len(flood) == len(digests)
