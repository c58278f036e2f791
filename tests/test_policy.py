"""Entries of lists of bans: whom they mean, which of them counts, what follows, and what a preview shows."""

import datetime as dt
import fnmatch
import itertools
import random
import time
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comity.core.charter import BY_A_PERSON, LONGEST_AUTOMATIC, Charter, Clause, Measure, State
from comity.core.following import Followed, answer, meant
from comity.core.harm import Severity
from comity.core.policy import Policy, Recommendation, Response, Subject, hash_of, response, sentence
from comity.core.policy_list import Change, PolicyList, listed
from comity.core.policy_preview import Present, preview

MARCH = 1_772_323_200_000  # 1 March 2026, in milliseconds
DAY = 86_400_000
CLAUSE = Clause(
    id="4.2",
    text="Whoever is on a list of bans that we follow is not welcome here.",
    rule="listed-member",
    harm="tos.ban_evasion",
    severity=Severity.SEVERE,
    measures=(Measure.MUTE, Measure.BAN),
    state=State.LIVE,
    when="member_in(entities)",
    sentence="",
    parameters={},
)
LETTERS = st.text("ab:@*?[.\n", max_size=7)
NAMES = st.text("ab:@*?[.\n", min_size=1, max_size=7)


def entry(entity: str, recommendation: Recommendation = Recommendation.BAN, **more: object) -> Policy:
    """An entry about an account, or what else is said."""
    given_ = {"subject": Subject.USER, "entity": entity, "recommendation": recommendation, "list": "!weeds", **more}
    return msgspec.convert(given_, Policy)


def at(place: str, policy: Policy | None, *, spelling: int = 0, event: str = "") -> Change:
    """A change of a place, about an account."""
    subject = Subject.USER if policy is None else policy.subject
    return Change(subject=subject, place=place, spelling=spelling, policy=policy, event=event or f"${place}{spelling}")


def of(*policies: Policy, id_: str = "!weeds") -> PolicyList:
    """A list of these entries, each in a place of its own."""
    return PolicyList(id_, "Weeds", [at(str(n), p) for n, p in enumerate(policies)])


def means(policy: Policy, account: str) -> bool:
    """Whether an entry means an account, by the standard library's patterns; ``[`` is no pattern in a list."""
    if policy.hashed:
        return policy.hashed == hash_of(account)
    return fnmatch.fnmatchcase(account, policy.entity.replace("[", "[[]"))


@given(NAMES, NAMES)
def test_patterns_mean_whom_the_specification_says(pattern: str, account: str) -> None:
    """``*`` stands for any characters, ``?`` for one, everything else for itself, and case counts."""
    assert bool(of(entry(pattern)).find(Subject.USER, account)) == means(entry(pattern), account)


def test_case_counts() -> None:
    """Accounts that differ in case are different accounts."""
    assert of(entry("@Tea*:*")).find(Subject.USER, "@tea:garden.example") == []


@given(NAMES)
def test_a_hash_means_whom_its_entity_means(account: str) -> None:
    """An entry with a hash means exactly the one account that the plain entry would."""
    hidden = of(entry("", hashed=hash_of(account)))

    assert len(hidden.find(Subject.USER, account)) == 1
    assert hidden.find(Subject.USER, account + "x") == []


@example(writes=[("p", "a*", False), ("q", "::?", False)], accounts=["a"])
@given(
    writes=st.lists(st.tuples(st.sampled_from("pqrs"), st.none() | NAMES, st.booleans()), max_size=12),
    accounts=st.lists(LETTERS, min_size=1, max_size=5),
)
def test_the_quick_way_finds_what_looking_at_each_entry_finds(
    writes: Sequence[tuple[str, str | None, bool]], accounts: Sequence[str]
) -> None:
    """However entries were put on a list, replaced and taken off, who is found is who each entry means by itself."""
    each, stands = PolicyList(), dict[str, Policy]()
    for n, (place, name, hide) in enumerate(writes):
        policy = None
        if name is not None:
            policy = entry("", hashed=hash_of(name), at=n) if hide else entry(name, at=n)
        each.apply(at(place, policy, event=f"${n}"))
        stands.pop(place, None)
        if policy is not None:
            stands[place] = policy

    assert sorted(p.at for p in each) == sorted(p.at for p in stands.values())
    for account in (*accounts, *(n for _, n, _ in writes if n)):
        expected = sorted(p.at for p in stands.values() if account and means(p, account))
        assert expected == sorted(p.at for p in each.find(Subject.USER, account))


def test_an_exception_goes_before_a_ban_of_the_same_list_only() -> None:
    """Who a list excepts, it does not list, in whatever order it said so; another list's ban stands."""
    ban, allow = entry("@*:weeds.example", at=MARCH + DAY), entry("@ana:weeds.example", Recommendation.ALLOW, at=MARCH)
    for order in itertools.permutations([ban, allow]):
        assert listed([of(*order)], "@ana:weeds.example", "weeds.example", at=MARCH) is None
    other = of(entry("@ana:*", list="!slugs"), id_="!slugs")
    found = listed([of(ban, allow), other], "@ana:weeds.example", "weeds.example", at=MARCH)
    assert found is not None
    assert found.list == "!slugs"


def test_the_latest_of_several_entries_counts() -> None:
    """Of the entries of one list the latest is named, and of several lists the first that lists the account."""
    old, new = entry("@*:weeds.example", at=MARCH), entry("@ana:*", at=MARCH + DAY)
    assert listed([of(new, old)], "@ana:weeds.example", "", at=MARCH + DAY) == new
    first = of(old)
    assert listed([first, of(new)], "@ana:weeds.example", "", at=MARCH + DAY) == old


def test_a_server_on_a_list_means_its_members_and_a_room_nobody() -> None:
    """An entry about a server finds the accounts of that server; one about a room finds no account."""
    each = of(entry("*.weeds.example", subject="server"), entry("@bo:*", subject="room"))
    assert listed([each], "@ana:a.weeds.example", "a.weeds.example", at=MARCH) is not None
    assert listed([each], "@bo:garden.example", "garden.example", at=MARCH) is None
    assert listed([each], "@*.weeds.example", "", at=MARCH) is None


def test_an_entry_ends_when_it_says() -> None:
    """An entry with an end counts before it, and no more from then on; so does an exception."""
    each = of(entry("@ana:*", until=MARCH))
    assert listed([each], "@ana:x", "", at=MARCH - 1) is not None
    assert listed([each], "@ana:x", "", at=MARCH) is None
    both = of(entry("@ana:*"), entry("@ana:x", Recommendation.ALLOW, until=MARCH))
    assert listed([both], "@ana:x", "", at=MARCH) is not None


def test_what_was_taken_back_under_the_new_name_does_not_come_back_under_the_old() -> None:
    """An entry under an older name of its kind counts only while its place was never used under a newer one."""
    old, new = entry("@old:*"), entry("@new:*")
    for order in itertools.permutations([at("a", old, spelling=2), at("a", new), at("a", None)]):
        each = PolicyList("!weeds", "", order)
        assert each.find(Subject.USER, "@old:x") == []
    assert PolicyList("!weeds", "", [at("a", old, spelling=2)]).find(Subject.USER, "@old:x") == [old]


def test_a_redaction_takes_an_entry_off_the_list() -> None:
    """The redaction of what stands there empties the place; of what was replaced before, nothing."""
    each = PolicyList("!weeds", "", [at("a", entry("@ana:*"), event="$1"), at("a", entry("@bo:*"), event="$2")])
    assert each.redact("$1") is None
    assert listed([each], "@bo:x", "", at=MARCH) is not None
    gone = each.redact("$2")
    assert gone is not None
    assert gone.entity == "@bo:*"
    assert (listed([each], "@bo:x", "", at=MARCH), len(each), each.redact("$2")) == (None, 0, None)


def test_the_same_change_twice_is_one() -> None:
    """A change that comes again changes nothing; one of two equal entries that goes leaves the other."""
    each = of(entry("@ana:x"), entry("@ana:x"))
    each.apply(at("0", entry("@ana:x")))
    assert len(each.find(Subject.USER, "@ana:x")) == 2
    each.apply(at("0", None))
    assert len(each.find(Subject.USER, "@ana:x")) == 1


@pytest.mark.parametrize(("one", "other"), [("@ana*", "@bob*"), ("*:x.example", "*:y.example")])
def test_a_pattern_that_goes_leaves_the_others(one: str, other: str) -> None:
    """Taking a pattern off a list takes nobody else off who is meant by one like it."""
    each = of(entry(one), entry(other))
    each.apply(at("0", None))
    assert each.find(Subject.USER, one.replace("*", "z")) == []
    assert [p.entity for p in each.find(Subject.USER, other.replace("*", "z"))] == [other]


def test_a_copy_is_a_list_of_its_own() -> None:
    """Changing a copy leaves the list as it was."""
    each = of(entry("@ana:x"))
    each.copy().apply(at("0", None))
    assert len(each) == 1


def test_who_is_on_a_long_list_is_found_at_once() -> None:
    """Thirty thousand entries, two thousand of them patterns, and a thousand accounts: in well under a second."""
    chance = random.Random(7)
    exact = [entry(f"@robot{n}:s{n % 500}.example", at=n) for n in range(28_000)]
    kinds = ("@spam{}*:*", "@*:weeds{}.example", "@*{}*:*.example", "@a?{}*:*")
    patterns = [entry(kinds[n % 4].format(n), at=n) for n in range(28_000, 30_000)]
    each = of(*exact, *patterns)
    accounts = [f"@a{''.join(chance.choices('klmnop', k=8))}:home.example" for _ in range(1000)]

    begin = time.perf_counter()
    assert not any(listed([each], a, "home.example", at=MARCH) for a in accounts)
    assert time.perf_counter() - begin < 1


def test_a_sentence_names_list_entry_reason_and_date() -> None:
    """What a statement cites: which list, by which entry, since when in the charter's zone, and for what reason."""
    policy = entry("@robot*:*", reason="toothpaste adverts", at=MARCH - 1)
    told = sentence(policy, "Weeds")
    assert told == (
        "the account is on the list “Weeds”: @robot*:*, a ban of 28 February 2026, for the reason “toothpaste adverts”"
    )
    vienna = dt.timezone(dt.timedelta(hours=1))
    assert "1 March 2026" in sentence(policy, "Weeds", vienna)
    server = entry("weeds.example", subject="server")
    assert (
        sentence(server, "") == "the account's server is on the list “!weeds”: weeds.example, a ban, without a reason"
    )
    assert "sha256:" in sentence(entry("", hashed=hash_of("@ana:x")), "Weeds")


def test_an_entry_has_an_entity_or_a_hash() -> None:
    """Neither and both are refused."""
    for entity, hashed in (("", ""), ("@ana:x", hash_of("@ana:x"))):
        with pytest.raises(ValueError, match="either an entity or a hash"):
            Policy(subject=Subject.USER, recommendation=Recommendation.BAN, entity=entity, hashed=hashed)


@given(
    measures=st.sets(st.sampled_from(Measure)),
    state=st.sampled_from(State),
    review=st.booleans(),
    recommendation=st.sampled_from(Recommendation),
)
def test_no_list_bans_by_machine(
    *, measures: set[Measure], state: State, review: bool, recommendation: Recommendation
) -> None:
    """Whatever a list and a clause say: what needs a person is proposed, nothing lasts, and shadow does nothing."""
    clause = msgspec.structs.replace(CLAUSE, measures=tuple(measures), state=state, review=review)
    found = response(entry("@ana:x", recommendation), clause, longest=dt.timedelta(days=30))

    assert not BY_A_PERSON & set(found.now)
    assert set(found.proposed) <= BY_A_PERSON
    assert found.longest <= LONGEST_AUTOMATIC
    if state is not State.LIVE or recommendation is Recommendation.ALLOW:
        assert found == Response()
    else:
        assert found.now or found.proposed


@pytest.mark.parametrize(
    ("measures", "now", "proposed"),
    [
        ((Measure.MUTE, Measure.BAN), (Measure.MUTE,), (Measure.BAN,)),
        ((Measure.MUTE,), (Measure.MUTE,), ()),
        ((), (), (Measure.BAN,)),
        ((Measure.HIDE,), (), (Measure.BAN,)),
    ],
)
def test_the_clause_says_what_follows(
    measures: tuple[Measure, ...], now: tuple[Measure, ...], proposed: tuple[Measure, ...]
) -> None:
    """A mute alone is a mute; where nothing is left for a machine, the ban is proposed; no message is hidden."""
    found = response(entry("@ana:x"), msgspec.structs.replace(CLAUSE, measures=measures))
    assert (found.now, found.proposed) == (now, proposed)


def test_a_preview_says_who_is_affected_by_which_entry_and_why() -> None:
    """Who comes on the list, who goes off it, who stays for another entry; nobody else has a row."""
    before = of(entry("@ana:*"), entry("@bo:*"), entry("@eli:*"))
    after = of(entry("@bo:x", at=MARCH), entry("@cleo:*", reason="weeds"), entry("@eli:*"))
    members = [Present(a, "x", ("garden",)) for a in ("@eli:x", "@dora:x", "@cleo:x", "@bo:x", "@ana:x")]

    rows = preview([before], [after], members, at=MARCH)

    assert [(r.account, r.change, r.policy.entity) for r in rows] == [
        ("@ana:x", "freed", "@ana:*"),
        ("@bo:x", "otherwise", "@bo:x"),
        ("@cleo:x", "listed", "@cleo:*"),
    ]
    assert rows[0].why.startswith("no longer listed; before, the account is on the list “Weeds”")
    assert rows[2].why.endswith("for the reason “weeds”")
    assert rows[2].rooms == ("garden",)


def test_following_a_second_list_changes_nothing_for_those_on_the_first() -> None:
    """A list that says of a member what another says already affects nobody."""
    first, second = of(entry("@ana:*")), of(entry("@ana:*", list="!slugs"), id_="!slugs")
    assert preview([first], [first, second], [Present("@ana:x", "x")], at=MARCH) == []


def test_a_list_acts_through_the_clause_that_adopted_it() -> None:
    """The answer names the clause and the list; a list that is looked at only, or that nobody adopted, does nothing."""
    charter = Charter(
        community="Tea garden", language="en", time_zone="UTC", clauses=(CLAUSE,), longest=dt.timedelta(hours=24)
    )
    weeds = of(entry("@robot*:*"))

    found = answer([Followed(weeds, "4.2")], charter, "@robot7:x", "x", at=MARCH)
    assert found is not None
    assert (found.clause.id, found.policy.list) == ("4.2", "!weeds")
    assert found.response == Response((Measure.MUTE,), (Measure.BAN,), dt.timedelta(hours=24))
    assert "the list “Weeds”" in found.sentence

    looked = answer([Followed(weeds, "4.2", apply=False)], charter, "@robot7:x", "x", at=MARCH)
    assert looked is not None
    assert looked.response == Response()
    both = answer([Followed(weeds, "4.2", apply=False), Followed(weeds, "4.2")], charter, "@robot7:x", "x", at=MARCH)
    assert both is not None
    assert both.response.now == (Measure.MUTE,)
    assert answer([Followed(weeds, "9.9")], charter, "@robot7:x", "x", at=MARCH) is None
    assert answer([Followed(weeds, "4.2")], charter, "@ana:x", "x", at=MARCH) is None


def test_a_change_of_a_list_concerns_whom_it_means() -> None:
    """Who was meant before and who is meant now, by account, server or hash; nobody else."""
    members = [Present(f"@{name}:x.example", "x.example") for name in ("ana", "bo", "cleo")] + [Present("@d:y", "y")]
    each = of(entry("@ana:*"))
    changed = each.apply(at("0", entry("", hashed=hash_of("@bo:x.example"))))

    assert [m.account for m in meant(changed, members)] == ["@ana:x.example", "@bo:x.example"]
    assert meant([entry("y", subject="server")], members) == members[3:]
    assert meant([None, None], members) == []
