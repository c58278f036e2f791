"""Who may do what in the console: five roles, held in one community at a time."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Role(StrEnum):
    """What a person is in a community. A member is everybody the charter is for; the others are its staff."""

    OPERATOR = "operator"
    MODERATOR = "moderator"
    NEUTRAL = "neutral"
    AUDITOR = "auditor"
    MEMBER = "member"


class May(StrEnum):
    """One thing that a role may do."""

    DECIDE = "decide"  # see the queue and its cases, and decide them
    HEAR = "hear"  # hear appeals; never one of the own decisions, whatever the role
    SECOND = "second"  # look at samples a second time, without the first verdict
    LOOK = "look"  # at a member outside a case, with a reason that is recorded
    AUDIT = "audit"  # see everything that was decided, and who looked at whom
    FIGURES = "figures"  # see the overview's figures and the precision of rules
    CHARTER = "charter"  # write and compare charters
    ADOPT = "adopt"  # put a charter in force, and a clause back from shadow
    STAFF = "staff"  # give and take roles
    TOKENS = "tokens"  # make tokens for the API
    OWN = "own"  # the member's own page: standing, decisions, appeals, everything about them


# Whoever gives roles decides no case: an operator who wants to moderate is given that role too, and it shows.
ROLES: Final[Mapping[Role, frozenset[May]]] = MappingProxyType(
    {
        Role.OPERATOR: frozenset({May.FIGURES, May.CHARTER, May.ADOPT, May.STAFF, May.TOKENS, May.AUDIT}),
        Role.MODERATOR: frozenset({May.DECIDE, May.HEAR, May.SECOND, May.LOOK, May.FIGURES, May.CHARTER}),
        Role.NEUTRAL: frozenset({May.HEAR, May.SECOND}),
        Role.AUDITOR: frozenset({May.AUDIT, May.FIGURES}),
        Role.MEMBER: frozenset({May.OWN}),
    }
)
STAFF: Final = tuple(role for role in Role if role is not Role.MEMBER)


class Scope(StrEnum):
    """What a token of the API may be used for."""

    READ = "read"  # figures, standings, decisions
    REPORT = "report"  # send reports in
    DECIDE = "decide"  # decide cases in the name of whoever made the token


# A token can do no more than whoever made it, at the moment it is used.
SCOPES: Final[Mapping[Scope, frozenset[May]]] = MappingProxyType(
    {
        Scope.READ: frozenset({May.FIGURES, May.AUDIT, May.CHARTER}),
        Scope.REPORT: frozenset(),
        Scope.DECIDE: frozenset({May.DECIDE, May.HEAR, May.LOOK}),
    }
)


def may(roles: Iterable[Role], what: May) -> bool:
    """Whether one of these roles, all held in one community, may do it."""
    return any(what in ROLES[role] for role in roles)


def roles_that(what: May) -> frozenset[Role]:
    """The roles that may do it."""
    return frozenset(role for role in Role if what in ROLES[role])
