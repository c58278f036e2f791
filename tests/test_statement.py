"""What a member is told about a decision."""

import re
import string

import msgspec
import pytest

from comity.core.charter import APPEAL_TERM, Measure
from comity.core.decide import Decided
from comity.core.decision import Course
from comity.core.harm import Severity
from comity.core.statement import REASON, anonymised, as_sentence, as_text, state, without_others
from comity.core.wording import TEXTS, say
from deciding import DAY, FLOOD, HOUR, SCAM, START, World, charter

PAGE = "https://garden.example/me"


def one(measure: Measure, language: str = "en", **more: object) -> Decided:
    """A decision about a scam found in a member of long standing."""
    world = World(by=charter(language=language), history={START // DAY - n: 20 for n in range(1, 40)})
    found = msgspec.structs.replace(world.found(SCAM, room=2), **more)
    return next(d for d in world.turn(found) if d.decision.measure is measure)


def test_a_statement_says_all_that_the_law_asks() -> None:
    """Art. 17(3): what, where, until when; facts; how found and decided; the ground; how to appeal; and the figures."""
    decided = one(Measure.SUSPEND)
    told = as_text(state(decided, charter()), page=PAGE)
    assert told.splitlines() == [
        "You cannot manage, be given management, or invite.",
        "Where: all rooms of Tea Garden.",
        "Until 8 May 2026, 18:53 (Europe/Vienna) at the latest.",
        "A person has not looked at this yet; it is provisional until then.",
        "What it rests on:",
        "- 5 May 2026, 18:53 (Europe/Vienna): more than 10 messages in one room within 30 seconds",
        "  you wrote: more tea",
        "Found by a rule, by automated means.",
        "Decided by automated means; no person took part.",
        "The ground is clause 2.1 of the charter: Leave room for others at the tea table (2.1).",
        "Your standing is 31.5 (0 to 67.8); before this it was 96.2. Management needs 70.",
        "You can appeal until 4 November 2026; somebody else will look again.",
        f"Everything about it, and the appeal: {PAGE}",
    ]
    assert decided.decision.at + APPEAL_TERM.total_seconds() * 1000 == state(decided, charter()).appeal_until


def test_what_a_person_decided_and_what_began_with_a_report_is_told_so() -> None:
    """How it was found and how it was decided are two things."""
    decided = one(Measure.MUTE, reported=True)
    d = msgspec.structs.replace(
        decided.decision, by="cleo", provisional=False, course=Course.CONFIRMED, until=None, line=0
    )
    told = as_text(state(msgspec.structs.replace(decided, decision=d), charter()))
    assert "Without an end." in told
    assert "Found because somebody reported it." in told
    assert "Decided by a person." in told
    assert "provisional" not in told
    assert "needs" not in told
    assert "appeal:" not in told


def test_what_cannot_be_undone_is_said_beforehand() -> None:
    """Where the platform brings no hidden message back, the statement says it, and promises no end."""
    decided = one(Measure.HIDE)
    told = as_text(state(decided, charter(), room="#tea", undoable=False))
    assert "no way to bring a hidden message back" in told
    assert "Where: #tea." in told
    assert "Until" not in told
    assert "no way" not in as_text(state(decided, charter()))


@pytest.mark.parametrize(
    "page", ["", PAGE, "https://garden.example/" + "p" * 150, "https://garden.example/" + "p" * 300]
)
@pytest.mark.parametrize("text", ["No traps.", "Leave room for others. " * 30, "Words " * 9], ids=len)
@pytest.mark.parametrize("language", TEXTS)
def test_the_sentence_for_everybody_is_short_and_names_no_figure(page: str, text: str, language: str) -> None:
    """At most 200 characters with clause and term of appeal; no standing, excerpt or name, which others could read."""
    for measure in (Measure.HIDE, Measure.MUTE, Measure.SUSPEND):
        statement = msgspec.structs.replace(state(one(measure, language), charter(language=language)), clause_text=text)
        sentence = as_sentence(statement, page=page)
        assert len(sentence) <= REASON
        assert "2.1" in sentence
        assert "2026" in sentence
        assert "more tea" not in sentence
        assert "31.5" not in sentence
        assert (page in sentence) or len(page) > 100


def test_an_excerpt_shows_nobody_else() -> None:
    """Accounts, addresses and telephone numbers in a member's own words are left out of what is kept for the appeal."""
    text = "ask @ben:example.org or ben@example.org, +43 660 123 45 67, not @cleo; two cups at 12:30"
    assert "ask … or …, …, not …; two cups at 12:30" == without_others(text)
    assert "@ben" not in as_text(state(one(Measure.MUTE, excerpt=text), charter()))


def test_the_public_reads_nothing_about_anybody() -> None:
    """For a report no excerpt, room, moment of a finding, entry or figure is left; clause, measure and means are."""
    whole = state(one(Measure.MUTE, excerpt="my secret teapot"), charter(), room="#tea")
    public = anonymised(whole)
    for secret in ("teapot", "#tea", "31.5", str(whole.facts[0].at)):
        assert secret not in repr(public)
    assert (whole.measure, whole.clause_id) == (public.measure, public.clause_id)
    assert whole.facts[0].sentence == public.facts[0].sentence


def test_a_proposal_has_no_statement() -> None:
    """Nothing is imposed; the statement comes with a person's decision."""
    world = World()
    grave = msgspec.structs.replace(FLOOD, measures=(Measure.BAN,), severity=Severity.SEVERE)
    decided = next(d for d in world.turn(world.found(grave)) if d.decision.proposed)
    with pytest.raises(ValueError, match="proposal"):
        state(decided, charter())


def test_every_language_has_every_text_with_the_same_values() -> None:
    """No member meets a gap because of their language, and an unknown one reads English."""
    fields = {
        language: {k: sorted({f for _, f, _, _ in string.Formatter().parse(t) if f}) for k, t in table.items()}
        for language, table in TEXTS.items()
    }
    assert fields["de"] == fields["en"]
    assert all(len(table["months"].split()) == 12 for table in TEXTS.values())
    assert {str(m) for m in Measure} <= set(TEXTS["en"])
    assert "Du kannst nicht schreiben." == say("de-AT", "mute")
    assert "You cannot write." == say("gsw", "mute")
    told = as_text(state(one(Measure.MUTE, "de"), charter(language="de-AT")))
    assert re.search(r"Längstens bis 8\. Mai 2026, \d\d:\d\d Uhr", told)


def test_a_dry_run_says_that_nothing_was_done() -> None:
    """A trial is called one."""
    world = World(dry_run=True)
    told = as_text(state(world.turn(world.found(SCAM))[0], charter()))
    assert "trial" in told
    assert START + 72 * HOUR == world.decisions[0].until
