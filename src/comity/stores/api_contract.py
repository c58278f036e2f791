"""What every store promises the API: answers kept for whoever asks twice, webhooks, and what is to be sent to them."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol


class Happened(StrEnum):
    """What a webhook can hear of."""

    MADE = "decision.made"
    REVERSED = "decision.reversed"
    LODGED = "appeal.lodged"
    HEARD = "appeal.heard"
    REPORTED = "report.made"
    SHADOW = "clause.shadow"
    TEST = "webhook.test"  # nothing did: somebody tries the address


class Sent(StrEnum):
    """How far a delivery is."""

    WAITING = "waiting"
    DONE = "done"
    GIVEN_UP = "given up"


class AnsweredRow(NamedTuple):
    """An answer that is given again to whoever sends the same key. asked: hash of the request; at: milliseconds."""

    asked: bytes
    status: int
    etag: str
    body: str
    at: int


class WebhookRow(NamedTuple):
    """An address that hears of what happens.

    secret: what its messages are signed with; kinds: of ``Happened``; at: milliseconds since 1970; ended_at: since when
    nothing is sent any more, None while it is; why: a sentence where it was ended by itself, "" else.
    """

    number: int
    community: int
    url: str
    secret: str
    kinds: tuple[Happened, ...]
    at: int
    by: str
    ended_at: int | None = None
    why: str = ""


class DeliveryRow(NamedTuple):
    """A message to a webhook. id: the same however often it is sent; status: the last answer's, 0 without one."""

    number: int
    id: str
    webhook: int
    kind: Happened
    at: int
    body: str
    tries: int
    next_at: int
    state: Sent
    status: int
    over_at: int | None
    why: str


class Api(Protocol):
    """Joins the store's ``write()``; times are milliseconds since 1970.

    What happens is queued for webhooks in the transaction in which it happens, by the store itself.
    """

    def answered(self, who: str, key: str, since: int) -> AnsweredRow | None:
        """What somebody was answered under a key, not before a time."""

    def keep_answer(self, who: str, key: str, row: AnsweredRow, *, since: int) -> None:
        """Keep an answer in place of an older one, and drop all from before a time."""

    def add_webhook(self, row: WebhookRow) -> int:
        """Keep a webhook; its number, whatever the row says."""

    def webhooks(self, community: int) -> list[WebhookRow]:
        """Those of a community, the newest first."""

    def webhook(self, number: int) -> WebhookRow | None:
        """One webhook."""

    def end_webhook(self, number: int, at: int, why: str) -> bool:
        """Send nothing there any more; what waits is given up. False if it was ended before."""

    def resume_webhook(self, number: int) -> bool:
        """Send there again, from now on; False if it goes on."""

    def send_test(self, webhook: int, at: int, data: Mapping[str, object]) -> None:
        """Queue a message that says nothing, to try an address."""

    def deliveries(self, webhook: int, *, most: int = 20) -> list[DeliveryRow]:
        """What was sent, and is to be, the last first."""

    def deliveries_due(self, now: int, *, each: int = 20, without: Collection[int] = ()) -> Sequence[DeliveryRow]:
        """What is to be sent now, at most so many for each webhook, in the order in which it happened."""

    def note_delivery(self, number: int, state: Sent, *, status: int, why: str, at: int, next_at: int = 0) -> None:
        """Note a try, and what came of it. next_at: of the next one, where it waits."""

    def drop_deliveries(self, before: int) -> int:
        """Drop what was over before a time; how many."""
