"""The closed list of harms."""

import dataclasses

import pytest

from comity.core import harm
from comity.core.harm import HARMS, REFUSED, Severity

# What the DSA Transparency Database accepts since July 2025, less the category that REFUSED names.
CATEGORIES = {
    "STATEMENT_CATEGORY_" + name
    for name in (
        "ANIMAL_WELFARE",
        "CONSUMER_INFORMATION",
        "CYBER_VIOLENCE",
        "CYBER_VIOLENCE_AGAINST_WOMEN",
        "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS",
        "ILLEGAL_OR_HARMFUL_SPEECH",
        "INTELLECTUAL_PROPERTY_INFRINGEMENTS",
        "OTHER_VIOLATION_TC",
        "PROTECTION_OF_MINORS",
        "RISK_FOR_PUBLIC_SECURITY",
        "SCAMS_AND_FRAUD",
        "SELF_HARM",
        "UNSAFE_AND_PROHIBITED_PRODUCTS",
        "VIOLENCE",
    )
}


def test_no_harm_judges_opinion_viewpoint_or_truth() -> None:
    """Identifiers for elections, civic discourse, and creeds stay unused, ours and those we send."""
    for one in HARMS.values():
        sent = {one.id, one.matrix.removeprefix("m."), one.category}
        assert not sent & REFUSED
        assert not harm.refused(one.id)
        assert not harm.refused(one.title)
    assert "spam.election_interference" not in HARMS
    assert "STATEMENT_CATEGORY_NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS" in REFUSED


@pytest.mark.parametrize(
    "word",
    [*sorted(REFUSED), "m.spam.election_interference", "misinformation", "truth", "Viewpoint", "civic_discourse"],
)
def test_nothing_is_suggested_in_place_of_a_refused_harm(word: str) -> None:
    """Who asks for a harm that judges opinion is not led to a near one that would do."""
    assert harm.nearest(word) is None


def test_every_harm_maps_to_a_published_identifier_and_category() -> None:
    """A finding can be told to a Matrix server and to the DSA database without inventing words."""
    for name, one in HARMS.items():
        assert name == one.id
        assert one.matrix.startswith("m.")
        assert name == "house" or one.matrix == f"m.{name}"
        assert harm.unstable(one).startswith("org.matrix.msc4456.")
        assert one.category in CATEGORIES
        assert one.title
        assert one.sentence.endswith(".")


def test_house_rules_are_minor_at_most() -> None:
    """A community's own wishes cannot be made grave; every published harm can."""
    assert {name for name, one in HARMS.items() if one.most < Severity.SEVERE} == {"house"}
    assert HARMS["house"].most == Severity.MINOR


def test_the_list_is_closed() -> None:
    """Nobody adds a harm while the program runs, or alters one."""
    with pytest.raises(TypeError):
        HARMS["spam.tea"] = HARMS["spam"]  # type: ignore[index]
    with pytest.raises((AttributeError, dataclasses.FrozenInstanceError)):
        HARMS["spam"].title = "Tea"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("spam.floding", "spam.flooding"),
        ("m.spam.flooding", "spam.flooding"),
        ("org.matrix.msc4456.spam.flooding", "spam.flooding"),
        ("flood", "spam.flooding"),
        ("doxing", "harassment.doxxing"),
        ("House", "house"),
        ("threat", "violence.threats"),
        ("teapot", None),
    ],
)
def test_a_misspelled_harm_gets_the_nearest_valid_word(word: str, meant: str | None) -> None:
    """An error in a charter can say what was meant, or says nothing."""
    assert meant == harm.nearest(word)
