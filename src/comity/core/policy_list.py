"""A list of bans as it stands, entry by entry as they come, and who is on it: quickly, however long the list."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

import msgspec

from comity.core.globs import form, is_glob
from comity.core.policy import Policy, Recommendation, Subject, hash_of

_T = TypeVar("_T")

SPELLINGS: Final = 3
"""How many names a kind of entry has had; 0 is today's."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a place of a list from now on. policy: the entry, or None if the place is empty.

    place: the list's own key of the entry; spelling: which name of the kind was used, 0 is today's; event: the id of
    what the change was made with.
    """

    subject: Subject
    place: str
    spelling: int = 0
    policy: Policy | None = None
    event: str = ""


class PolicyList:
    """One list: for each place what was written there last. Carried from change to change, as windows are.

    An entry written under an older name of its kind counts only while nothing was written in its place under a newer
    one: what was taken back under the new name does not come back under the old.
    """

    def __init__(self, id_: str = "", name: str = "", changes: Iterable[Change] = ()) -> None:
        self.id, self.name = id_, name or id_
        self._held: dict[tuple[Subject, str, int], Change] = {}
        self._events: dict[str, tuple[Subject, str, int]] = {}
        self._index = {subject: _Index() for subject in Subject}
        for change in changes:
            self.apply(change)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Policy]:
        """The entries that count, in the order in which their places were first used."""
        for subject, place in dict.fromkeys((s, p) for s, p, _ in self._held):
            if (policy := self._standing(subject, place)) is not None:
                yield policy

    def apply(self, change: Change) -> tuple[Policy | None, Policy | None]:
        """Let a change take its place; returns what counted there before and what counts now."""
        key = change.subject, change.place, change.spelling
        before = self._standing(change.subject, change.place)
        if (old := self._held.get(key)) is not None:
            self._events.pop(old.event, None)
        self._held[key] = change
        if change.event:
            self._events[change.event] = key
        after = self._standing(change.subject, change.place)
        if before is not after:
            index = self._index[change.subject]
            if before is not None:
                index.remove(before)
            if after is not None:
                index.add(after)
        return before, after

    def redact(self, event: str) -> Policy | None:
        """Empty the place that an event filled; returns the entry that counts no more, if there was one."""
        if (key := self._events.get(event)) is None:
            return None
        subject, place, spelling = key
        before, after = self.apply(Change(subject=subject, place=place, spelling=spelling, event=event))
        return before if before is not after else None

    def of_event(self, event: str) -> Policy | None:
        """The entry that an event made, None if it counts no more."""
        key = self._events.get(event)
        policy = self._held[key].policy if key is not None else None
        return policy if key is not None and policy is self._standing(key[0], key[1]) else None

    def places(self, policy: Policy) -> list[tuple[str, int]]:
        """Where an entry's place is filled, as (place, spelling) under every name: all to be emptied to remove it."""
        of = {place for (_, place, _), change in self._held.items() if change.policy == policy}
        filled = (key for key, change in self._held.items() if change.policy is not None)
        return [(place, n) for subject, place, n in filled if subject is policy.subject and place in of]

    def find(self, subject: Subject, entity: str) -> list[Policy]:
        """Every entry that means an account, server or room, whatever it recommends. Case counts."""
        return self._index[subject].find(entity) if entity else []

    def entry(self, account: str, server: str, *, at: int) -> Policy | None:
        """The entry for which an account is on the list at a time (milliseconds since 1970), or None.

        Of several the latest counts, and an exception of the same list goes before them all.
        """
        found = [*self.find(Subject.USER, account), *self.find(Subject.SERVER, server)]
        found = [p for p in found if p.in_force(at)]
        if not found or any(p.recommendation is Recommendation.ALLOW for p in found):
            return None
        return max(found, key=lambda p: (p.at, p.event))

    def copy(self) -> "PolicyList":
        """The same list, to be changed on its own."""
        return PolicyList(self.id, self.name, self._held.values())

    def _standing(self, subject: Subject, place: str) -> Policy | None:
        for spelling in range(SPELLINGS):
            if (change := self._held.get((subject, place, spelling))) is not None:
                return change.policy
        return None


def listed(lists: Sequence[PolicyList], account: str, server: str, *, at: int) -> Policy | None:
    """The entry for which an account is listed, of the first list that lists it, or None.

    lists: those the community follows, in its order; server: the account's, "" where a platform has none; at: now, in
    milliseconds since 1970. An exception in one list does not undo what another says.
    """
    return next((p for each in lists if (p := each.entry(account, server, at=at)) is not None), None)


class _Glob:
    """A policy with a pattern that is compiled when it is first needed.

    piece: what it means nobody without, besides the end by which it is filed.
    """

    __slots__ = ("_match", "piece", "policy")

    def __init__(self, policy: Policy, end: str) -> None:
        self.policy = policy
        pieces = re.split(r"[*?]", policy.entity)
        pieces.remove(end)
        self.piece = max(pieces, key=len)
        self._match: Callable[[str], object] | None = None

    def means(self, entity: str) -> bool:
        if self._match is None:
            self._match = re.compile(form(self.policy.entity), re.DOTALL).fullmatch
        return self._match(entity) is not None


class _Index:
    """Entries about one subject, by what is certain of whom they mean: all of it, a hash, the beginning, or the end."""

    def __init__(self) -> None:
        self._exact: dict[str, list[Policy]] = {}
        self._hashed: dict[str, list[Policy]] = {}
        # By their longer literal end, and how many ends of each length there are: an entity has few beginnings and
        # ends, however many patterns there are. An end of length 0 is every entity's.
        self._heads: dict[str, list[_Glob]] = {}
        self._tails: dict[str, list[_Glob]] = {}
        self._head_lengths: Counter[int] = Counter()
        self._tail_lengths: Counter[int] = Counter()

    def add(self, policy: Policy) -> None:
        if policy.hashed:
            self._hashed.setdefault(policy.hashed, []).append(policy)
        elif is_glob(policy.entity):
            end, ends, lengths = self._end(policy.entity)
            ends.setdefault(end, []).append(_Glob(policy, end))
            lengths[len(end)] += 1
        else:
            self._exact.setdefault(policy.entity, []).append(policy)

    def remove(self, policy: Policy) -> None:
        if is_glob(policy.entity):
            end, ends, lengths = self._end(policy.entity)
            _drop(ends, end, lambda glob: glob.policy is policy)
            lengths[len(end)] -= 1
            if not lengths[len(end)]:
                del lengths[len(end)]
        else:
            where, key = (self._hashed, policy.hashed) if policy.hashed else (self._exact, policy.entity)
            _drop(where, key, lambda p: p is policy)

    def find(self, entity: str) -> list[Policy]:
        found = list(self._exact.get(entity, ()))
        if self._hashed:
            found += self._hashed.get(hash_of(entity), ())
        for n in (n for n in self._head_lengths if n <= len(entity)):  # a longer one would be the whole entity again
            found += [g.policy for g in self._heads.get(entity[:n], ()) if g.piece in entity and g.means(entity)]
        for n in (n for n in self._tail_lengths if n <= len(entity)):
            found += [g.policy for g in self._tails.get(entity[-n:], ()) if g.piece in entity and g.means(entity)]
        return found

    def _end(self, entity: str) -> tuple[str, dict[str, list[_Glob]], Counter[int]]:
        head, tail = re.split(r"[*?]", entity, maxsplit=1)[0], re.split(r"[*?]", entity)[-1]
        if len(tail) > len(head):
            return tail, self._tails, self._tail_lengths
        return head, self._heads, self._head_lengths


def _drop(of: dict[str, list[_T]], key: str, is_it: Callable[[_T], bool]) -> None:
    left = [each for each in of[key] if not is_it(each)]
    if left:
        of[key] = left
    else:
        del of[key]
