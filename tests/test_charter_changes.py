"""What two charters say differently, told so that everybody may read it."""

from comity.charter_file import parse_charter
from comity.core.charter_changes import Change, What, changes

ONE = """\
[charter]
community = "Tea"

[[clause]]
id = "1.1"
text = "Leave others room."
rule = "flood"
parameters = { allowed = 12 }
severity = "minor"
measures = ["hide"]

[[clause]]
id = "1.2"
text = "Do not take a manager's name."
rule = "look-alike-name"
parameters = { protected = ["Ana Gardener", "Bo"] }

[[clause]]
id = "1.3"
text = "No gnomes."
when = "matches('gnome')"
"""


def test_every_difference_is_told_once_and_nothing_else() -> None:
    """Clauses that came, went and changed, by field; a charter and itself differ in nothing."""
    old = parse_charter(ONE)
    text = (
        ONE.replace("allowed = 12", 'allowed = 20, look_back = "1m"')
        .replace('severity = "minor"', 'severity = "serious"')
        .replace('measures = ["hide"]', 'measures = ["hide", "slow"]')
        .replace('id = "1.3"', 'id = "1.4"')
    )
    new = parse_charter(text + "\n[standing]\nhalf_life = 40\n")

    assert changes(old, old) == ()
    assert set(changes(old, new)) == {
        Change(what=What.SEVERITY, clause_id="1.1", old="minor", new="serious"),
        Change(what=What.MEASURES, clause_id="1.1", old="hide", new="hide slow"),
        Change(what=What.PARAMETER, clause_id="1.1", name="allowed", old="12", new="20"),
        Change(what=What.PARAMETER, clause_id="1.1", name="look_back", old="30s", new="1m"),
        Change(what=What.ADDED, clause_id="1.4", new="No gnomes."),
        Change(what=What.REMOVED, clause_id="1.3", old="No gnomes."),
        Change(what=What.FIGURE, name="standing.half_life", old="30", new="40"),
    }
    assert [c.what for c in changes(None, old)] == [What.ADDED] * 3


def test_names_in_lists_are_not_told() -> None:
    """Of a list everybody learns how long it is, of an expression that it changed."""
    old = parse_charter(ONE)
    new = parse_charter(ONE.replace('"Ana Gardener", "Bo"', '"Ana Gardener", "Bo", "Cleo"').replace("gnome'", "elf'"))

    assert changes(old, new) == (
        Change(what=What.LIST, clause_id="1.2", name="protected", old="2", new="3"),
        Change(what=What.EXPRESSION, clause_id="1.3"),
    )
