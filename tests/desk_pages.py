"""The pages of the queue, and who may: ``test_web_queue`` asks for each of them as every role."""

from typing import Final

from comity.core.access import Role

_M, _N = Role.MODERATOR, Role.NEUTRAL
DESK: Final = {
    "queue": {_M, _N},
    "together": {_M, _N},
    "undo": {_M, _N},
    "case": {_M, _N},
    "case-decide": {_M, _N},
    "case-preview": {_M, _N},
    "case-lock": {_M, _N},
    "case-release": {_M, _N},
    "case-skip": {_M, _N},
    "templates": {_M},
    "template-check": {_M},
}
