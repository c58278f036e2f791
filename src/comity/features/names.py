"""Features of the displayed name: one of a list, one that looks like a protected name or like a manager's."""

from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from comity.core.event import ROLES
from comity.features.columns import Batch, Column
from comity.features.kernels.hashing import mix
from comity.features.registry import Evaluate, Parameter, Plan, Type, feature
from comity.features.skeleton import skeletons
from comity.features.memory import UNKNOWN, Memory

_MANAGER = ROLES.index("manager")


@feature(Type.TRUTH, first="names", names=Parameter(Type.WORDS))
def name_in(_plan: Plan, *, names: list[str]) -> Evaluate:
    """Whether the displayed name is one of the names, in any case."""
    wanted = {n.casefold() for n in names}
    return _judged(lambda name: name.casefold() in wanted)


@feature(Type.TRUTH, first="names", names=Parameter(Type.WORDS))
def name_like(_plan: Plan, *, names: list[str]) -> Evaluate:
    """Whether the displayed name looks like one of the names to the eye (UTS 39 skeletons), or is one."""
    wanted = frozenset(s for n in names for s in skeletons(n))
    return _judged(lambda name: not wanted.isdisjoint(skeletons(name)))


def _judged(judge: Callable[[str], bool]) -> Evaluate:
    verdicts = Memory()

    def evaluate(batch: Batch) -> Column:
        keys, known = batch.hashes("name")
        values = verdicts.look_up(keys)
        unknown = values == UNKNOWN
        if unknown.any():
            new = verdicts.firsts(keys, unknown)
            verdicts.put(keys[new], np.array([judge(batch.events[i].name or "") for i in new], np.int64))
            values = verdicts.look_up(keys)
        return Column(values == 1 if known is None else (values == 1) & known, known)

    return evaluate


class Managers:
    """The names of managers, as far as the events told: by community, the skeletons and who bears them."""

    def __init__(self) -> None:
        self._verdicts = Memory()
        self._bearers: dict[int, dict[str, set[int]]] = {}

    def turn(self, batch: Batch) -> npt.NDArray[np.bool_]:
        """Whether each event's name looks like that of another member who manages this community, so far."""
        n = len(batch)
        out = np.zeros(n, np.bool_)
        communities, members = batch.hashes("community").values, batch.hashes("member").values
        keys = mix(mix(communities, members), batch.hashes("name").values)
        managing = batch.roles.values == _MANAGER
        start = 0
        while start < n:
            values = self._verdicts.look_up(keys[start:])
            look = (values == UNKNOWN) | (managing[start:] & (values != 2))  # noqa: PLR2004  2: a manager's own name
            rows = start + self._verdicts.firsts(keys[start:], look)
            stop = n
            for i in rows.tolist():
                if managing[i]:
                    # From here on every verdict may be another: look at the rest again.
                    self._add(int(communities[i]), int(members[i]), batch.events[i].name or "")
                    self._verdicts.clear()
                    stop = i
                    break
                verdict = self._like(int(communities[i]), int(members[i]), batch.events[i].name or "")
                self._verdicts.put(keys[i : i + 1], np.array([verdict], np.int64))
            before = self._verdicts.look_up(keys[start:stop])
            out[start:stop] = values[: stop - start] == 1
            out[start:stop] |= before == 1
            if stop < n:
                self._verdicts.put(keys[stop : stop + 1], np.array([2], np.int64))
                stop += 1
            start = stop
        return out

    def _add(self, community: int, member: int, name: str) -> None:
        bearers = self._bearers.setdefault(community, {})
        for skeleton in skeletons(name):
            bearers.setdefault(skeleton, set()).add(member)

    def _like(self, community: int, member: int, name: str) -> int:
        bearers = self._bearers.get(community, {})
        return int(any(s in bearers and member not in bearers[s] for s in skeletons(name)))

    def dump(self) -> bytes:
        """The names of managers by community."""
        return msgspec.msgpack.encode([(c, s, sorted(m)) for c, b in self._bearers.items() for s, m in b.items()])

    def load(self, state: bytes) -> None:
        """Go on from ``dump``. Raises ValueError if the state is none of this feature's."""
        try:
            rows = msgspec.msgpack.decode(state, type=list[tuple[int, str, list[int]]])
        except msgspec.MsgspecError as e:
            raise ValueError(f"no names of managers: {e}") from e
        self._bearers = {}
        for community, skeleton, members in rows:
            self._bearers.setdefault(community, {})[skeleton] = set(members)
        self._verdicts.clear()


@feature(Type.TRUTH, carries=True)
def name_like_manager(plan: Plan, *, signature: str) -> Evaluate:
    """Whether the displayed name looks like that of another member who was seen managing this community."""
    managers = plan.carry(signature, Managers())

    def evaluate(batch: Batch) -> Column:
        known = batch.hashes("name").known
        values = managers.turn(batch)
        return Column(values if known is None else values & known, known)

    return evaluate

