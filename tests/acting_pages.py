"""Pages that need an office to be made, and who may see them: written down a second time, on purpose."""

from typing import Final

from comity.core.access import Role

_O, _M, _A = Role.OPERATOR, Role.MODERATOR, Role.AUDITOR
ACTING: Final = {
    "members": {_M},
    "member-file": {_M},
    "member-look": {_M},
    "deputy": {_M},
    "looks": {_O, _A},
    "precision": {_O, _M, _A},
    "charter": {_O, _M},
    "charter-draft": {_O, _M},
    "charter-discard": {_O, _M},
    "charter-clause": {_O, _M},
    "charter-try": {_O, _M},
    "charter-review": {_O, _M},
    "charter-propose": {_O, _M},
    "charter-proposal": {_O, _M},
    "charter-publish": {_O},
    "charter-compare": {_O, _M},
    "charter-comparison": {_O, _M},
    "charter-versions": {_O, _M},
    "charter-version": {_O, _M},
    "clause-shadow": {_O},
}
