"""Charters: what a community can adopt, what is refused whoever asks, and where every mistake stands."""

import datetime as dt
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import comity.rule_values
from comity.charter_file import CharterError, load_charter, parse_charter
from comity.core.charter import LONGEST_AUTOMATIC, Charter, Measure, State
from comity.core.harm import Severity
from comity.core.parameters import Parameters
from comity.rules import built_in

DEFAULT = Path(__file__).parents[1] / "src" / "comity" / "data" / "charter.toml"
HEAD = '[charter]\ncommunity = "Tea"\n'
CLAUSE = '[[clause]]\nid = "1"\ntext = "Be kind."\n'


def clause(*lines: str, head: str = HEAD) -> str:
    """A charter of one clause with these lines."""
    return head + CLAUSE + "\n".join(lines) + "\n"


def refusal(text: str, path: Path | str = "charter.toml") -> str:
    """The one mistake in a charter, as people read it."""
    mistakes = refusals(text, path)
    assert len(mistakes) == 1, mistakes
    return mistakes[0]


def refusals(text: str, path: Path | str = "charter.toml") -> list[str]:
    """All mistakes in a charter."""
    with pytest.raises(CharterError) as raised:
        parse_charter(text, path)
    return [str(m) for m in raised.value.mistakes]


# What no charter can do: each refusal of the design by its name.


@pytest.mark.parametrize(
    "harm", ["spam.election_interference", "violence.extremist", "misinformation", "disinformation.health",
             "opinion", "truth", "political", "m.violence.extremist", "civic_discourse", "propaganda"],
)  # fmt: skip
def test_no_clause_can_judge_opinion_or_truth(harm: str) -> None:
    """A harm that would judge what people think, or whether it is true, is refused with the reason."""
    found = refusal(clause('when = "links() > 0"', f'harm = "{harm}"'))

    assert found.startswith("charter.toml:7:9: ")
    assert "opinion or truth" in found
    assert "conduct" in found


@pytest.mark.parametrize(
    ("at", "key"),
    [
        ("clause", "report_to_police"), ("clause", "notify_authorities"), ("clause", "store_real_name"),
        ("clause", "share_score_with"), ("clause", "retain"), ("charter", "report_to_police"), ("charter", "operators"),
        ("top", "authorities"), ("standing", "import_from"), ("clause", "no_appeal"), ("clause", "silent"),
    ],
)  # fmt: skip
def test_nobody_can_be_reported_shared_or_kept_by_a_key_of_a_charter(at: str, key: str) -> None:
    """No key can make a charter report persons, store names, share scores, hide a decision or keep in secret."""
    lines = {"top": f'{key} = "x"\n', "charter": f'{HEAD}{key} = "x"\n', "clause": HEAD, "standing": HEAD}[at]
    text = (lines + HEAD if at == "top" else lines) + CLAUSE + 'rule = "flood"\n'
    text += {"clause": f'{key} = "x"\n', "standing": f'[standing]\n{key} = "x"\n'}.get(at, "")
    found = refusal(text)

    assert f"there is no {key!r} here" in found
    assert re.match(r"charter\.toml:\d+:1: ", found)


@pytest.mark.parametrize("severity", ["serious", "severe"])
def test_a_house_rule_is_minor_at_most(severity: str) -> None:
    """A community's own taste is never serious."""
    found = refusal(clause('when = "links() > 0"', f'severity = "{severity}"'))

    assert "house is minor at most" in found
    assert found.startswith("charter.toml:7:13: ")


@pytest.mark.parametrize("measure", [m.value for m in Measure if m not in {Measure.WARN, Measure.HIDE, Measure.SLOW}])
def test_a_house_rule_cannot_go_beyond_hide_slow_and_warn(measure: str) -> None:
    """A house rule costs nobody a right."""
    found = refusal(clause('when = "links() > 0"', f'measures = ["hide", "{measure}"]'))

    assert f"a house rule cannot {measure}" in found
    assert found.startswith("charter.toml:7:22: ")


@pytest.mark.parametrize("longest", ["73h", "4d", "259200001ms", "9999999d"])
def test_no_automatic_measure_lasts_longer_than_three_days(longest: str) -> None:
    """What lasts needs a person, and no charter can say otherwise."""
    assert "72 hours" in refusal(clause('rule = "flood"', head=f'{HEAD}longest = "{longest}"\n'))


def test_a_charter_may_shorten_automatic_measures() -> None:
    """Seventy-two hours are the most, not the least."""
    found = parse_charter(clause('rule = "flood"', head=f'{HEAD}longest = "6h"\n'))

    assert dt.timedelta(hours=6) == found.longest
    assert parse_charter(clause('rule = "flood"')).longest == LONGEST_AUTOMATIC
    assert "some time" in refusal(clause('rule = "flood"', head=f'{HEAD}longest = "0s"\n'))


@pytest.mark.parametrize(
    "when", ["score('x') > 0.5", "links() > 0 or score ( 'x' ) > 0", "score\\t('x') > 0", "\uff53core('x') > 0",
             "not (score(name='x') < 0.5)", "kind == 'message' and 1 - score('x') < 0.1"],
)  # fmt: skip
def test_a_classifier_never_acts_alone(when: str) -> None:
    """Whatever rests on a score is for a person to look at: no measure follows, and it does not count."""
    text = clause(f'when = "{when}"', 'harm = "harassment"')
    found = parse_charter(text).clauses[0]

    assert found.review
    assert not found.counts
    assert "never acts alone" in refusal(text + 'measures = ["hide"]\n')


def test_the_rule_of_classifiers_never_acts_alone() -> None:
    """The same for the built-in rule."""
    text = clause('rule = "classifier-score"')

    assert not parse_charter(text).clauses[0].counts
    assert "never acts alone" in refusal(text + 'measures = ["warn"]\n')


def test_a_rule_brings_its_own_harm() -> None:
    """A charter cannot give a rule another harm than the one that its page names."""
    assert "brings its own harm" in refusal(clause('rule = "flood"', 'harm = "violence"'))


# Mistakes, and where they stand.


@pytest.mark.parametrize(
    ("lines", "where", "what"),
    [
        (['rule = "floood"'], "6:9", "expected flood"),
        (['rule = "flood"', "parameters = { alowed = 3 }"], "7:25", "expected allowed"),
        (['rule = "flood"', "parameters = { allowed = 0 }"], "7:26", "at least 1 and at most 4000 messages"),
        (['rule = "flood"', "parameters = { allowed = 4001 }"], "7:26", "4001 is out of bounds"),
        (['rule = "flood"', "parameters = { allowed = 2.5 }"], "7:26", "whole number"),
        (['rule = "flood"', "parameters = { allowed = nan }"], "7:26", "a number"),
        (['rule = "flood"', "parameters = { allowed = inf }"], "7:26", "a number"),
        (['rule = "flood"', "parameters = { allowed = true }"], "7:26", "a number"),
        (['rule = "flood"', 'parameters = { allowed = "3" }'], "7:27", "a number"),
        (['rule = "flood"', "parameters = { allowed = [3] }"], "7:26", "a number"),
        (['rule = "flood"', 'parameters = { look_back = "25h" }'], "7:29", "25h is out of bounds"),
        (['rule = "flood"', 'parameters = { look_back = "1 h" }'], "7:29", "no duration"),
        (['rule = "flood"', "parameters = { look_back = 30 }"], "7:28", "a duration"),
        (['rule = "flood"', "parameters = 3"], "7:14", "no table"),
        (['rule = "mass-mention"', "parameters = { mentioned = 99999999999999999999 }"], "7:14", "too large"),
        (['rule = "scam-link"', 'parameters = { domains = "a.example" }'], "7:27", "list of texts"),
        (['rule = "scam-link"', "parameters = { domains = [1] }"], "7:26", "list of texts"),
        (['rule = "scam-link"', 'parameters = { domains = ["http://a.example"] }'], "7:14", "without http"),
        (['rule = "doxxing"', 'parameters = { details = ["("] }'], "7:14", "cannot be read"),
        (['rule = "invite-spam"', "parameters = { invitation = 5 }"], "7:29", "a text"),
        (['rule = "media-hash"', 'parameters = { hashes = ["tea"] }'], "7:14", "no hash"),
        (['rule = "flood"', 'severity = "sever"'], "7:13", "severe"),
        (['rule = "flood"', "severity = 3"], "7:12", "minor"),
        (['rule = "flood"', 'severity = ["minor"]'], "7:12", "minor"),
        (['rule = "flood"', 'state = "lve"'], "7:10", "live"),
        (['rule = "flood"', 'measures = "hide"'], "7:13", "no list"),
        (['rule = "flood"', 'measures = ["hide", "jail"]'], "7:22", "there is no measure 'jail'"),
        (['rule = "flood"', "measures = [3]"], "7:13", "there is no measure 3"),
        (['rule = "flood"', 'serverity = "minor"'], "7:1", "expected severity"),
        (['rule = "flood"', 'when = "True"'], "3:1", "either a rule or a when"),
        ([], "3:1", "either a rule or a when"),
        (["rule = 5"], "6:8", "no text"),
        (['when = "links() > 0"', 'harm = "harasment"'], "7:9", "expected harassment"),
        (['when = "lnks() > 0"'], "6:9", "expected links"),
        (["when = 'kind == \"message\" and lnks() > 0'"], "6:31", "expected links"),
        (['when = """', "kind == 'message'", '  and lnks() > 0"""'], "8:7", "expected links"),
        (['when = "links() > most"', "parameters = { mst = 3 }"], "6:19", "expected mst"),
        (['when = "links() > links"', "parameters = { links = 3 }"], "7:24", "a name of its own"),
        (['when = "links() > 0"', "parameters = { x = 1979-05-27 }"], "7:20", "expected a number"),
        (['when = "links() > 0"', "parameters = { x = nan }"], "7:20", "expected a number"),
        (['when = ""'], "6:9", "empty"),
        (["when = 5"], "6:8", "no text"),
    ],
)
def test_a_mistake_in_a_clause_is_named_where_it_stands(lines: list[str], where: str, what: str) -> None:
    """File, line and column, what is wrong, and the nearest word or the bounds."""
    found = refusals(clause(*lines))[0]

    assert found.startswith(f"charter.toml:{where}: "), found
    assert what in found, found


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("", "1:1", "no [charter] table"),
        (CLAUSE + 'rule = "flood"', "1:1", "no [charter] table"),
        (HEAD, "1:1", "no [[clause]]"),
        ("clause = 3\n" + HEAD, "1:1", "no [[clause]]"),
        ("clause = [1]\n" + HEAD, "1:1", "no table"),
        ("clause = []\n" + HEAD, "1:1", "no [[clause]]"),
        ("charter = 3\n" + CLAUSE + 'rule = "flood"', "1:1", "no table"),
        (clause('rule = "flood"', head='[charter]\ncommunity = ""\n'), "2:14", "missing or no text"),
        (clause('rule = "flood"', head="[charter]\ncommunity = 3\n"), "2:13", "missing or no text"),
        (clause('rule = "flood"', head='[charter]\nlanguage = "en"\n'), "1:1", "community is missing"),
        (clause('rule = "flood"', head=f'{HEAD}time_zone = "Europe/Wien"\n'), "3:14", "no time zone"),
        (clause('rule = "flood"', head=f'{HEAD}time_zone = "../UTC"\n'), "3:14", "no time zone"),
        (clause('rule = "flood"', head=f'{HEAD}time_zone = ""\n'), "3:14", "no time zone"),
        (clause('rule = "flood"', head=f'{HEAD}language = "very english"\n'), "3:13", "no language"),
        (clause('rule = "flood"', head=f'{HEAD}longest = "soon"\n'), "3:12", "no duration"),
        (clause('rule = "flood"', head=f'{HEAD}comunity = "x"\n'), "3:1", "expected community"),
        (clause('rule = "flood"', "[standing]", "half_life = 0"), "8:13", "half_life"),
        (clause('rule = "flood"', "[standing]", "prior_verified = 2000"), "8:18", "prior_verified"),
        (clause('rule = "flood"', "[standing]", "prior = 30", "prior_verified = 2000"), "9:18", "prior_verified"),
        (clause('rule = "flood"', "[standing]", 'minor = "1"'), "8:10", "int"),
        (clause('rule = "flood"', "[standing]", "minor = true"), "8:9", "int"),
        (clause('rule = "flood"', "[standing]", "half_lief = 3"), "8:1", "expected half_life"),
        (clause('rule = "flood"', "[standing]", "minor = 9", "serious = 2"), "7:1", "must not weigh less"),
        (HEAD + '[[clause]]\ntext = "x"\nrule = "flood"', "3:1", "id is missing"),
        (HEAD + '[[clause]]\nid = "1"\nrule = "flood"', "3:1", "text is missing"),
        (HEAD + '[[clause]]\nid = 1\ntext = "x"\nrule = "flood"', "4:6", "id is missing or no text"),
        ("[charter\n", "1:9", "expected"),
        (HEAD + "x = 'a\n", "3: ", "at end of document"),
        (HEAD + 'community = "twice"\n', "3:20", "overwrite"),
        (HEAD + "a = [1,\n\n2", "5:", "unclosed"),
        ("a = " + "[" * 50_000, "1:", "nested too deeply"),
    ],
)
def test_a_mistake_around_the_clauses_is_named_where_it_stands(text: str, where: str, what: str) -> None:
    """The same for the head, for standing, and for what is no TOML at all."""
    found = refusals(text)[0]

    assert found.startswith(f"charter.toml:{where}"), found
    assert what.lower() in found.lower(), found


def test_two_clauses_with_one_id_are_refused() -> None:
    """A finding names its clause by id, so each id stands once; the second is the mistake."""
    found = refusal(clause('rule = "flood"') + CLAUSE + 'rule = "raid"\n')

    assert found == "charter.toml:8:7: two clauses have the id '1'; expected each id once"


def test_all_mistakes_are_named_at_once() -> None:
    """Nobody has to correct a charter one mistake at a time."""
    found = refusals(clause('rule = "floood"', head=f'{HEAD}longest = "9d"\n') + CLAUSE + 'rule = "raod"\n' + CLAUSE)

    assert ["3:12", "7:9", "11:9", "12:1"] == [f.split(": ")[0].removeprefix("charter.toml:") for f in found]


def test_strange_lines_do_not_move_the_places() -> None:
    """Line separators within a text, arrays over several lines and keys in quotes leave every place right."""
    text = f'''{HEAD}[[clause]]
id = "a" # [[clause]]
text = "one\u2028two\x85three"
"rule" = "flood"
measures = [
  "hide", # ]
  "jail",
]
[clause.parameters]
allowed = 0
[[clause]]
id = "b"
text = """
[[clause]]
id = 3"""
rule = "raod"
'''
    assert ["12:11", "18:9"] == [f.split(": ")[0].removeprefix("charter.toml:") for f in refusals(text)]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="[]{}=\"'#,.\n\r\t ab1é\u2028\\", max_size=60))
def test_whatever_is_written_is_a_charter_or_a_mistake_with_a_place(text: str) -> None:
    """No file makes the check stop with anything but mistakes."""
    for each in refusals(text):
        assert re.match(r"charter\.toml:\d+(:\d+)?: ", each)


def test_the_lines_of_a_damaged_charter_end_in_mistakes_only() -> None:
    """The default charter with any one line cut out, cut short or said twice is a charter or has mistakes."""
    lines = DEFAULT.read_text("utf-8").splitlines()
    for i, line in enumerate(lines):
        for changed in ([], [line[: len(line) // 2]], [line, line], [line.replace('"', "", 1)]):
            try:
                parse_charter("\n".join([*lines[:i], *changed, *lines[i + 1 :]]))
            except CharterError as e:
                assert e.mistakes  # noqa: PT017  either way is right


# Files.


def test_an_unreadable_charter_is_named(tmp_path: Path) -> None:
    """A missing file, a folder and bytes that are no UTF-8 are errors that name the file and the place."""
    for path, what in ((tmp_path / "none.toml", "cannot be read"), (tmp_path, "cannot be read")):
        with pytest.raises(CharterError, match=what):
            load_charter(path)
    path = tmp_path / "latin.toml"
    path.write_bytes(HEAD.encode() + b'# caf\xe9\n[[clause]]\nid = "1"\n')
    with pytest.raises(CharterError, match=r"latin\.toml:3: byte 33 is not UTF-8"):
        load_charter(path)


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    """A charter written with Notepad is the same charter, and its mistakes stand on the same lines."""
    path = tmp_path / "charter.toml"
    text = clause('rule = "flood"', 'when2 = "x"')
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    with pytest.raises(CharterError, match=r"charter\.toml:7:1: there is no 'when2'"):
        load_charter(path)
    assert "charter.toml:7:1: " in refusal(text.replace("\n", "\r\n"))

    path.write_bytes(b"\xef\xbb\xbf" + clause('rule = "flood"').replace("\n", "\r\n").encode())
    assert load_charter(path) == parse_charter(clause('rule = "flood"'))


def listed(tmp_path: Path, content: bytes, name: str = "list.txt") -> list[str]:
    """The domains that a charter reads from a file beside it."""
    (tmp_path / name).write_bytes(content)
    text = clause('rule = "scam-link"', f'parameters = {{ domains = "file:{name}" }}')
    found: list[str] = parse_charter(text, tmp_path / "charter.toml").clauses[0].parameters["domains"]
    return found


def test_a_list_is_read_from_a_file_beside_the_charter(tmp_path: Path) -> None:
    """A line each with comments, or a JSON array; Windows line ends and a byte order mark change nothing."""
    expected = ["a.example", "b.example"]

    assert expected == listed(tmp_path, b"# scams\na.example\n\n  b.example  # since May\n")
    assert expected == listed(tmp_path, b"\xef\xbb\xbfa.example\r\nb.example\r\n")
    assert expected == listed(tmp_path, b'["a.example", "b.example"]')
    assert [] == listed(tmp_path, b"")


def test_a_hash_within_a_word_is_no_comment(tmp_path: Path) -> None:
    """A # begins a comment at the beginning of a line or after a space only."""
    (tmp_path / "names.txt").write_text("tea#1\n# all of them\nhelp desk # ours\n")
    text = clause('rule = "look-alike-name"', 'parameters = { protected = "file:names.txt" }')

    found = parse_charter(text, tmp_path / "charter.toml").clauses[0].parameters["protected"]
    assert ["tea#1", "help desk"] == found


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"caf\xe9.example", "not UTF-8 at byte 3"),
        (b'["a.example", 3]', "no JSON array of texts"),
        (b'["a.example"', "no JSON array of texts"),
        (b"[" * 100_000, "no JSON array of texts"),
        (b"https://a.example/b", "no domain"),
        (b"a.example\n" * 20, "too large"),
    ],
)
def test_a_list_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, what: str
) -> None:
    """What is wrong with the file stands in the message, at the place in the charter that names it."""
    if what == "too large":
        monkeypatch.setattr(comity.rule_values, "MOST_BYTES", 100)
    with pytest.raises(CharterError, match=what) as raised:
        listed(tmp_path, content)
    assert raised.value.mistakes[0].line == 7


@pytest.mark.parametrize("name", ["none.txt", "../list.txt", "/etc/hostname", "pipe", "folder", "a\\u0000b", ""])
def test_a_list_elsewhere_or_of_another_kind_is_refused(tmp_path: Path, name: str) -> None:
    """A charter reads no file but a text beside it: not above its folder, no pipe that never ends, no device."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    text = clause('rule = "scam-link"', f'parameters = {{ domains = "file:{name}" }}')

    assert ":7:27: " in refusal(text, tmp_path / "charter.toml")


# What a charter is.


def test_the_default_charter_is_valid() -> None:
    """The charter that Comity brings has no mistake, judges conduct only, and is ready to count."""
    found = load_charter(DEFAULT)

    assert len(found.clauses) > 10
    assert all(c.rule in built_in() for c in found.clauses)
    assert any(c.counts for c in found.clauses)
    assert found.longest <= LONGEST_AUTOMATIC


def test_the_digest_differs_if_anything_differs() -> None:
    """Every field of a charter and of a clause is in its digest; the same charter has the same."""
    charter = parse_charter(clause('rule = "flood"'))
    (one,) = charter.clauses
    changed: list[Charter] = [
        charter,
        replace(charter, community="Coffee"),
        replace(charter, language="de"),
        replace(charter, time_zone="Europe/Vienna"),
        replace(charter, longest=dt.timedelta(hours=1)),
        replace(charter, standing=Parameters(half_life=31)),
        replace(charter, clauses=()),
        replace(charter, clauses=(one, one)),
        *(
            replace(charter, clauses=(replace(one, **{key: value}),))
            for key, value in {
                "id": "2", "text": "x", "rule": "", "harm": "spam", "severity": Severity.SERIOUS, "when": "True",
                "measures": (Measure.WARN,), "state": State.SHADOW, "sentence": "x", "review": True,
                "parameters": {**one.parameters, "allowed": 11},
            }.items()
        ),
    ]  # fmt: skip

    assert len({c.digest() for c in changed}) == len(changed)
    assert charter.digest() == parse_charter(clause('rule = "flood"')).digest()
    assert set(one.__struct_fields__) == {
        "id", "text", "rule", "harm", "severity", "measures", "state", "when", "sentence", "parameters", "review",
    }  # fmt: skip


def test_only_live_clauses_count() -> None:
    """A shadow finds but does not count; a draft does neither."""
    for state, counts in (("live", True), ("shadow", False), ("draft", False)):
        assert counts == parse_charter(clause('rule = "flood"', f'state = "{state}"')).clauses[0].counts


def test_measures_stand_in_the_order_of_the_ladder() -> None:
    """However a charter names them, the lightest comes first, and each once."""
    found = parse_charter(clause('rule = "raid"', 'measures = ["mute", "warn", "hide", "warn"]')).clauses[0]

    assert (Measure.WARN, Measure.HIDE, Measure.MUTE) == found.measures


def test_an_own_expression_takes_its_own_parameters() -> None:
    """A clause with an expression of its own names its figures, and its lists may be files as well."""
    text = clause('when = "links() > most and name in friends"', 'parameters = { most = 2, friends = ["bo"] }')
    found = parse_charter(text).clauses[0]

    assert ("house", "Be kind.", {"most": 2, "friends": ["bo"]}) == (found.harm, found.sentence, found.parameters)
