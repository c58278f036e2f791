"""Members' own pages, which need an office to be made, and who may see them: written down a second time, on purpose."""

from typing import Final

from comity.core.access import Role

_PAGES: Final = (
    *("me", "me-entries", "me-looks", "me-data", "me-download", "me-forget", "me-forget-now"),
    *("me-decisions", "me-decision", "me-decision-appeal"),
    *("me-appeals", "me-appeal", "me-appeal-add", "me-appeal-withdraw"),
    *("me-report", "me-report-send", "me-reported", "me-reported-appeal"),
)
OWN: Final = {name: {Role.MEMBER} for name in _PAGES}
