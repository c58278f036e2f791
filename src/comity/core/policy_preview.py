"""Who would be affected, by which entry and why, before a list is followed, left, or changed."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from comity.core.policy import Policy, sentence
from comity.core.policy_list import PolicyList, listed


class Present(msgspec.Struct, frozen=True):
    """An account in our rooms. server: its own, "" where a platform has none."""

    account: str
    server: str
    rooms: tuple[str, ...] = ()


class Row(msgspec.Struct, frozen=True):
    """One account for whom something changes.

    change: listed (was not), freed (was listed), otherwise (by another entry than before); policy: the entry, of
    ``freed`` the one that counts no more; why: a sentence without a full stop.
    """

    account: str
    rooms: tuple[str, ...]
    change: Literal["listed", "freed", "otherwise"]
    policy: Policy
    why: str


def preview(
    before: Sequence[PolicyList],
    after: Sequence[PolicyList],
    members: Iterable[Present],
    *,
    at: int,
    zone: dt.tzinfo = dt.UTC,
) -> list[Row]:
    """What would change for whom if ``after`` were followed and not ``before``, by account.

    before and after: all lists that are followed, in the community's order; to look at one list before following it,
    ``before`` is what is followed today, and ``after`` the same with it. at: milliseconds since 1970.
    """
    names = {each.id: each.name for each in (*before, *after)}
    rows = []
    for member in sorted(members, key=lambda m: m.account):
        was = listed(before, member.account, member.server, at=at)
        now = listed(after, member.account, member.server, at=at)
        if was == now or (policy := now or was) is None:
            continue
        why = sentence(policy, names.get(policy.list, policy.list), zone)
        if now is None:
            rows.append(Row(member.account, member.rooms, "freed", policy, f"no longer listed; before, {why}"))
        else:
            rows.append(Row(member.account, member.rooms, "listed" if was is None else "otherwise", policy, why))
    return rows
