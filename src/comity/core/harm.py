"""The closed list of harms a finding can have, in published words, and the three severities a clause can give one.

The identifiers are those of MSC4456 "Harms taxonomy" (Matrix, proposal of April 2026) without the leading ``m.``; each
maps to one category of a statement of reasons in the EU's DSA Transparency Database (schema in force since July 2025),
and to "other violation of the terms" where no narrower category names it. Identifiers that would make us judge opinion,
viewpoint, or truth are refused, though others publish them: see ``REFUSED``.
"""

import difflib
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final

import msgspec


class Severity(IntEnum):
    """How grave a clause holds its breach to be. The numbers are codes for columns; weights are in the charter."""

    MINOR = 1
    SERIOUS = 3
    SEVERE = 6


class Harm(msgspec.Struct, frozen=True):
    """One published category of harm.

    id: ours, as written in rules and charters; title: a few words; sentence: what it covers, for members; matrix: the
    MSC4456 identifier to send (for our own ``house`` the nearest published one, as the proposal asks); category: of a
    DSA statement of reasons; most: the gravest severity a clause may give it.
    """

    id: str
    title: str
    sentence: str
    matrix: str
    category: str
    most: Severity = Severity.SEVERE


# Published lists name these too, and no clause can: each would have us judge what people think, or whether it is true.
REFUSED: Final = frozenset(
    {
        "spam.election_interference",
        "violence.extremist",
        "STATEMENT_CATEGORY_NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
    }
)
_REFUSED_STEMS = (
    "election",
    "civic",
    "misinfo",
    "disinfo",
    "opinion",
    "viewpoint",
    "truth",
    "propaganda",
    "extremis",
    "politic",
)

_OTHER = "OTHER_VIOLATION_TC"
_PRIVACY = "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS"
# id | title | sentence | DSA category without STATEMENT_CATEGORY_
_TABLE = f"""
spam | Spam | Unwanted bulk or promotional messages. | {_OTHER}
spam.fraud | Fraud or phishing | Messages that try to get money, accounts, or data by deceit. | SCAMS_AND_FRAUD
spam.impersonation | Impersonation | Posing as another person or as a manager. | SCAMS_AND_FRAUD
spam.flooding | Flooding | So many messages that others can no longer talk. | {_OTHER}
adult | Adult content | Sexual content where the community does not allow it. | {_OTHER}
adult.sexual_abuse | Sexual abuse | Content that shows or furthers sexual abuse of adults. | VIOLENCE
adult.ncii | Intimate images without consent | Intimate images shared without consent. | CYBER_VIOLENCE
adult.deepfake | Sexual deepfake | Made or altered sexual images of a real person. | CYBER_VIOLENCE
adult.animal_sexual_abuse | Sexual abuse of animals | Content that shows or furthers it. | ANIMAL_WELFARE
adult.sexual_violence | Sexual violence | Content that shows or furthers sexual violence. | VIOLENCE
harassment | Harassment | Conduct meant to hurt or wear down another member. | CYBER_VIOLENCE
harassment.trolling | Trolling | Disrupting a conversation on purpose, again and again. | CYBER_VIOLENCE
harassment.targeted | Targeted harassment | Pursuing one person who does not want it. | CYBER_VIOLENCE
harassment.hate | Hate | Attacking people for what they are. | ILLEGAL_OR_HARMFUL_SPEECH
harassment.doxxing | Personal information | Publishing another person's private details. | {_PRIVACY}
violence | Violence | Content that furthers violence. | VIOLENCE
violence.animal_welfare | Cruelty to animals | Content that shows or furthers cruelty to animals. | ANIMAL_WELFARE
violence.threats | Threats | Threatening somebody with harm. | VIOLENCE
violence.graphic | Graphic violence | Gore and other graphic images of violence. | VIOLENCE
violence.glorification | Promotion of violence | Calling for acts of violence, or praising them. | VIOLENCE
violence.human_trafficking | Human trafficking | Content that furthers trade in people. | VIOLENCE
violence.domestic | Domestic violence | Violence or control in a family or between partners. | VIOLENCE
child_safety | Child safety | Anything else that puts a child at risk. | PROTECTION_OF_MINORS
child_safety.csam | Child sexual abuse material | Sexual depictions of children. | PROTECTION_OF_MINORS
child_safety.grooming | Grooming | Approaching a child for sexual ends. | PROTECTION_OF_MINORS
child_safety.privacy_violation | A child's privacy | Publishing a child's private details. | PROTECTION_OF_MINORS
child_safety.harassment | Harassment of a child | Conduct meant to hurt or wear down a child. | PROTECTION_OF_MINORS
danger | Dangerous conduct | Leading others to endanger themselves. | {_OTHER}
danger.self_harm | Self-harm | Encouraging people to hurt themselves. | SELF_HARM
danger.eating_disorder | Eating disorders | Encouraging disordered eating. | SELF_HARM
danger.challenges | Dangerous challenges | Daring others to do what may injure them. | PROTECTION_OF_MINORS
danger.substance_abuse | Substance abuse | Encouraging abuse of drugs or other substances. | {_OTHER}
tos | Terms of service | A breach of the service's terms that no other harm names. | {_OTHER}
tos.hacking | Hacking | Breaking into computers or accounts, or spreading the means, such as malware. | {_OTHER}
tos.prohibited | Prohibited items | Offering goods that may not be traded. | UNSAFE_AND_PROHIBITED_PRODUCTS
tos.ban_evasion | Evading a measure | Coming back in another way while a measure is in force. | {_OTHER}
"""


def _harm(line: str) -> Harm:
    name, title, sentence, category = (cell.strip() for cell in line.split("|"))
    return Harm(name, title, sentence, f"m.{name}", f"STATEMENT_CATEGORY_{category}")


HOUSE: Final = Harm(
    "house",
    "House rule",
    "A rule this community made for itself; it counts here alone, and is minor at most.",
    "m.tos",
    f"STATEMENT_CATEGORY_{_OTHER}",
    Severity.MINOR,
)
HARMS: Final[Mapping[str, Harm]] = MappingProxyType(
    {h.id: h for h in [*map(_harm, _TABLE.strip().splitlines()), HOUSE]}
)
UNSTABLE: Final = "org.matrix.msc4456."


def unstable(harm: Harm) -> str:
    """The identifier to send while MSC4456 is not merged: its "Unstable prefix" in place of ``m.``."""
    return UNSTABLE + harm.matrix.removeprefix("m.")


def refused(word: str) -> bool:
    """Whether a harm of this name would judge opinion, viewpoint, or truth, in any spelling we know."""
    bare = _bare(word)
    return bare in REFUSED or any(stem in bare for stem in _REFUSED_STEMS)


def nearest(word: str) -> str | None:
    """The id in ``HARMS`` most like a misspelled or foreign word, or None if nothing is near or the word is refused."""
    bare = _bare(word)
    if refused(word):
        return None
    known = {h.id: h.id for h in HARMS.values()}
    for harm in HARMS.values():
        known.setdefault(harm.id.rpartition(".")[2], harm.id)
        known.setdefault(harm.title.lower(), harm.id)
    found = difflib.get_close_matches(bare, known, n=1, cutoff=0.7)
    return known[found[0]] if found else None


def _bare(word: str) -> str:
    return word.strip().lower().removeprefix(UNSTABLE).removeprefix("m.")
