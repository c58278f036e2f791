"""Features of the displayed name: one of a list, one that looks like a protected name or like a manager's."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from numba import njit

from comity.core.event import ROLES
from comity.features.columns import Batch, Column, texts
from comity.features.kernels.hashing import hash_spans, mixed
from comity.features.memory import UNKNOWN, Memory
from comity.features.registry import Evaluate, Parameter, Plan, Reach, Type, feature
from comity.features.skeleton import both_of, skeletons

_MANAGER = ROLES.index("manager")
_MOST_NAMES = 1 << 20  # remembered with their looks; beyond, they are found out again


@feature(Type.TRUTH, first="names", names=Parameter(Type.WORDS))
def name_in(_plan: Plan, *, names: list[str]) -> Evaluate:
    """Whether the displayed name is one of the names, in any case."""
    wanted = {n.casefold() for n in names}
    return _judged(lambda names: [name.casefold() in wanted for name in names], nothing=not wanted)


@feature(Type.TRUTH, first="names", names=Parameter(Type.WORDS))
def name_like(_plan: Plan, *, names: list[str]) -> Evaluate:
    """Whether the displayed name looks like one of the names to the eye (UTS 39 skeletons), or is one."""
    wanted = frozenset(s for n in names for s in skeletons(n))

    def judge(those: Sequence[str]) -> list[bool]:
        return [a in wanted or b in wanted for a, b in zip(*both_of(those), strict=True)]

    return _judged(judge, nothing=not wanted)


def _judged(judge: Callable[[Sequence[str]], Sequence[bool]], *, nothing: bool) -> Evaluate:
    """A truth about names, found out once for each; nothing: it holds for none."""
    verdicts = Memory()

    def evaluate(batch: Batch) -> Column:
        keys, known = batch.hashes("name")
        if nothing:
            return Column(np.zeros(len(batch), np.bool_), known)
        found = verdicts.find(keys, lambda rows: judge(batch.strings("name")[0].some(rows))) == 1
        return Column(found if known is None else found & known, known)

    return evaluate


@njit(cache=True, nogil=True)
def _has(table, key):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    mask = np.uint64(len(table) - 1)
    slot = key & mask
    while table[slot] != 0:
        if table[slot] == key:
            return True
        slot = (slot + np.uint64(1)) & mask
    return False


@njit(cache=True, nogil=True)
def _add(table, key):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    mask = np.uint64(len(table) - 1)
    slot = key & mask
    while table[slot] != 0:
        if table[slot] == key:
            return 0
        slot = (slot + np.uint64(1)) & mask
    table[slot] = key
    return 1


@njit(cache=True, nogil=True)
def _like_manager(communities, own, members, managing, taken, bears, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """In the order of events: a manager's looks are taken from then on; another member's are held against them."""
    added = 0
    for i in range(len(managing)):
        for k in range(own.shape[0]):
            if own[k, i] == 0:
                continue
            look = mixed(communities[i], own[k, i])
            if managing[i]:
                added += _add(taken, look) + _add(bears, mixed(look, members[i]))
            elif _has(taken, look) and not _has(bears, mixed(look, members[i])):
                out[i] = True
    return added


def _looks(names: Sequence[str], seed: int) -> npt.NDArray[np.uint64]:
    """Hashes of the one or two looks of each name, shape (2, names); 0 for none."""
    both = [look for each in both_of(names) for look in each]
    t = texts(both)
    hashes = np.maximum(hash_spans(t.buffer, t.starts, t.ends, np.uint64(seed)), np.uint64(1))
    return np.where(t.ends > t.starts, hashes, np.uint64(0)).reshape(2, len(names))


class Managers:
    """The looks of managers' names, as far as events told: in each community which are taken, and who may bear them."""

    def __init__(self) -> None:
        self._known, self._looks = Memory(), np.zeros((2, 1), np.uint64)
        self._names = 0
        self._taken, self._bears = np.zeros(64, np.uint64), np.zeros(64, np.uint64)
        self._held = 0

    def turn(self, batch: Batch) -> npt.NDArray[np.bool_]:
        """Whether each event's name looks like that of another member who manages this community, so far."""
        managing = batch.roles.values == _MANAGER
        if not self._held and not np.count_nonzero(managing):
            return np.zeros(len(batch), np.bool_)
        communities, members = batch.hashes("community").values, batch.hashes("member").values
        own = self._of_names(batch)
        self._make_room(2 * int(managing.sum()))
        out = np.zeros(len(batch), np.bool_)
        self._held += _like_manager(communities, own, members, managing, self._taken, self._bears, out)
        return out

    def _of_names(self, batch: Batch) -> npt.NDArray[np.uint64]:
        """The one or two looks of each event's name, shape (2, events); 0 for none."""
        names, known = batch.hashes("name")
        if known is not None:
            names = np.where(known, names, np.uint64(0))
        numbers = self._known.look_up(names)
        unknown = (numbers == UNKNOWN) & (names != 0)
        if unknown.any():
            rows = self._known.firsts(names, unknown)
            if self._names + len(rows) > _MOST_NAMES:
                self._known.clear()
                self._names = 0
                rows = self._known.firsts(names, names != 0)
            looks = _looks(batch.strings("name")[0].some(rows), batch.seed)
            end = self._names + len(rows)
            if end > self._looks.shape[1]:
                larger = np.zeros((2, 2 * end), np.uint64)
                larger[:, : self._names] = self._looks[:, : self._names]
                self._looks = larger
            self._looks[:, self._names : end] = looks
            self._known.put(names[rows], np.arange(self._names, end))
            self._names = end
            numbers = self._known.look_up(names)
        found: npt.NDArray[np.uint64] = np.where(numbers == UNKNOWN, np.uint64(0), self._looks[:, numbers])
        return found

    def _make_room(self, rows: int) -> None:
        if 2 * (self._held + 2 * rows) <= len(self._taken):
            return
        size = 1 << (4 * (self._held + 2 * rows)).bit_length()
        old = (self._taken, self._bears)
        self._taken, self._bears = np.zeros(size, np.uint64), np.zeros(size, np.uint64)
        for source, target in zip(old, (self._taken, self._bears), strict=True):
            for key in source[source != 0]:
                _add(target, key)

    def dump(self) -> bytes:
        """The looks that are taken, and who may bear them."""
        taken, bears = self._taken[self._taken != 0], self._bears[self._bears != 0]
        return msgspec.msgpack.encode((np.sort(taken).tolist(), np.sort(bears).tolist()))

    def load(self, state: bytes) -> None:
        """Go on from ``dump``. Raises ValueError if the state is none of this feature's."""
        try:
            taken, bears = msgspec.msgpack.decode(state, type=tuple[list[int], list[int]])
        except msgspec.MsgspecError as e:
            raise ValueError(f"no looks of managers' names: {e}") from e
        self._taken, self._bears, self._held = np.zeros(64, np.uint64), np.zeros(64, np.uint64), 0
        self._make_room(len(taken) + len(bears))
        for keys, target in ((taken, self._taken), (bears, self._bears)):
            for key in keys:
                self._held += _add(target, np.uint64(key))


@feature(Type.TRUTH, carries=True)
def name_like_manager(plan: Plan, *, signature: str) -> Evaluate:
    """Whether the displayed name looks like that of another member who was seen managing this community."""
    managers = plan.carry(signature, Managers(), Reach(0, names=True))

    def evaluate(batch: Batch) -> Column:
        known = batch.hashes("name").known
        values = managers.turn(batch)
        return Column(values if known is None else values & known, known)

    return evaluate
