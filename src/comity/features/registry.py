"""The register of features: names, types and parameters, and how one is made ready to look at batches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol, TypeVar

import numpy as np

from comity.features.columns import Batch, Column
from comity.features.patterns import PatternSet
from comity.features.pieces import Bools

Evaluate = Callable[[Batch], Column]


class Type(StrEnum):
    """What an expression is made of; its value is the word that error messages use."""

    TRUTH = "a truth"
    NUMBER = "a number"
    DURATION = "a duration such as '30s', '10m', '24h' or '7d'"
    TEXT = "a text"
    WORDS = "a list of texts"
    KEY = "an identifier (member, room, community, name, reply_to, target, text_key())"
    KEYS = "identifiers in parentheses, such as (room, member)"
    KIND = "a kind of event"
    ROLE = "a role"


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a feature can be told. default None: it must be told; ``optional`` may be left out without a default."""

    type: Type
    default: Any = None
    optional: bool = False


class Carried(Protocol):
    """State that goes on from batch to batch, and can be stored between runs."""

    def dump(self) -> bytes:
        """All of the state that can still change a count."""

    def load(self, state: bytes, /) -> None:
        """Go on from a state that ``dump`` gave. Raises ValueError if it is none of this feature's."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Which events of the past, in order, are enough to make a carried state that answers as if it had seen all.

    back: those of so many milliseconds, None: all there ever were; names: also, of each manager, one event with each
    name that they bore before.
    """

    back: int | None = None
    names: bool = False


EVER: Final = Reach()
C = TypeVar("C", bound=Carried)


class Plan:
    """What all features of a charter share: one multi-pattern scan, the carried states, the seed of the hashes."""

    def __init__(self, seed: int, patterns: PatternSet | None = None) -> None:
        self.seed = seed
        self.patterns = PatternSet() if patterns is None else patterns
        self.carried: dict[str, Carried] = {}
        self.reaches: dict[str, Reach] = {}
        self._asked: dict[str, list[Evaluate | None]] = {}

    def ask(self, signature: str, guard: Evaluate | None) -> None:
        """Note that a rule asks for what is carried only where its guard holds; None: everywhere."""
        self._asked.setdefault(signature, []).append(guard)

    def asked(self, signature: str, batch: Batch) -> Bools:
        """The rows at which some rule asks for what is carried under a signature; others need no look."""
        rows = np.zeros(len(batch), np.bool_)
        for guard in self._asked.get(signature, [None]):
            if guard is None:
                return np.ones(len(batch), np.bool_)
            rows |= guard(batch).values
        return rows

    def carry(self, name: str, state: C, reach: Reach = EVER) -> C:
        """Register a carried state under a name that tells what it counts, and how far back it reaches."""
        self.carried[name], self.reaches[name] = state, reach
        return state

    @property
    def reach(self) -> Reach:
        """How far back all that is carried reaches, one resting on another or not."""
        reaches = self.reaches.values()
        if any(r.back is None for r in reaches):
            return EVER
        return Reach(sum(r.back or 0 for r in reaches), names=any(r.names for r in reaches))


@dataclass(frozen=True, slots=True)
class Feature:
    """A word that a ``when`` expression can call.

    carries: it keeps state, and so sees every batch, whether or not a clause asks for it. build: makes it ready once
    for a charter; it gets the plan and the arguments (constants, or ``Evaluate`` for identifiers and truths).
    """

    name: str
    returns: Type
    doc: str
    parameters: Mapping[str, Parameter]
    positional: tuple[str, ...]
    carries: bool
    build: Callable[..., Evaluate]


FEATURES: dict[str, Feature] = {}


def feature(
    returns: Type, *, first: str | None = None, carries: bool = False, **parameters: Parameter
) -> Callable[[Callable[..., Evaluate]], Callable[..., Evaluate]]:
    """Register a feature under its function's name; its docstring's first line is its documentation.

    first: the parameter that may be given without its name. Raises ValueError if the name is taken.
    """

    def register(build: Callable[..., Evaluate]) -> Callable[..., Evaluate]:
        name = build.__name__
        if name in FEATURES:
            raise ValueError(f"there is a feature {name!r} already")
        doc = (build.__doc__ or "").strip().splitlines()[0]
        FEATURES[name] = Feature(name, returns, doc, parameters, (first,) if first else (), carries, build)
        return build

    return register
