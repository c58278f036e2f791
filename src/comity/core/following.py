"""Lists of bans that a community follows: each under a clause of its charter, which says what comes of it."""

from collections.abc import Iterable, Sequence

import msgspec

from comity.core.charter import Charter, Clause
from comity.core.policy import Policy, Response, Subject, response, sentence
from comity.core.policy_list import Change, PolicyList, listed
from comity.core.policy_preview import Present


class Followed(msgspec.Struct, frozen=True):
    """A list that is followed. clause: the id of the clause that adopts it; apply: False to look at it only."""

    list: PolicyList
    clause: str
    apply: bool = True


class Answer(msgspec.Struct, frozen=True):
    """What a community has to say of an account that is listed. sentence: for the finding, without a full stop."""

    policy: Policy
    clause: Clause
    sentence: str
    response: Response


def answer(followed: Sequence[Followed], charter: Charter, account: str, server: str, *, at: int) -> Answer | None:
    """The first list that lists an account, and what the clause that adopted it says, or None.

    Lists that have effect go before those that are looked at only, from which nothing follows. A list whose clause is
    not in the charter any more says nothing: nobody adopted it. at: milliseconds since 1970.
    """
    clauses = {c.id: c for c in charter.clauses}
    for each in sorted(followed, key=lambda f: not f.apply):
        clause = clauses.get(each.clause)
        policy = None if clause is None else listed([each.list], account, server, at=at)
        if clause is not None and policy is not None:
            follows = response(policy, clause, longest=charter.longest) if each.apply else Response()
            return Answer(policy, clause, sentence(policy, each.list.name, charter.zone), follows)
    return None


def meant(policies: Iterable[Policy | None], members: Iterable[Present]) -> list[Present]:
    """The members whom a change of a list can concern: all that its entries mean, whatever they recommend.

    policies: those that count no more and those that do now, as ``PolicyList.apply`` returns them.
    """
    some = PolicyList()
    for n, policy in enumerate(p for p in policies if p is not None):
        some.apply(Change(subject=policy.subject, place=str(n), policy=policy))
    return [m for m in members if some.find(Subject.USER, m.account) or some.find(Subject.SERVER, m.server)]
