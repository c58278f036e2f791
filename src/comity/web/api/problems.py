"""What is wrong with a request, as RFC 9457 (problem details) has it."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.responses import Response

from comity.web.site import render

TYPE: Final = "application/problem+json"


class Problem(msgspec.Struct, frozen=True):
    """What is wrong. title: of the status; detail: a sentence for who asked; errors: one for each mistake."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    errors: tuple[str, ...] = ()


class ProblemError(Exception):
    """Raised where a request cannot be answered. headers: besides the usual ones."""

    def __init__(
        self, status: int, detail: str, *, errors: Sequence[str] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        self.status, self.detail, self.errors, self.headers = status, detail, errors, headers
        super().__init__(detail)

    @property
    def response(self) -> Response:
        """As it goes over the wire."""
        return problem(self.status, self.detail, errors=self.errors, headers=self.headers)


def problem(
    status: int, detail: str, *, errors: Sequence[str] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """An answer that says what is wrong."""
    body = msgspec.json.encode(Problem(HTTPStatus(status).phrase, status, detail, errors=tuple(errors)))
    return Response(body, status, headers={**render.HEADERS, **(headers or {})}, media_type=TYPE)
