"""Sends what is queued for webhooks: each message until it arrives, for a day, and always with the same id."""

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final, NamedTuple

import httpx
from structlog.typing import FilteringBoundLogger

from comity.stores.api_contract import DeliveryRow, Sent, WebhookRow
from comity.stores.live_contract import LiveStore
from comity.web.hooks.addresses import AddressError, found
from comity.web.hooks.signing import signed

EVERY: Final = 1.0  # seconds between two looks at what is due
WITHIN: Final = 10.0  # seconds that an address may take to answer
DAY: Final = 24 * 3_600_000  # milliseconds that a message is tried
KEPT: Final = 30 * DAY  # that what was sent is remembered
_FIRST: Final = 5_000  # milliseconds until the second try; each next one waits four times as long
_LONGEST: Final = 2 * 3_600_000
_GONE: Final = 410
_GOOD: Final = range(200, 300)


class Came(NamedTuple):
    """What came of a try. status: of the answer, 0 without one; why: a sentence, "" if it arrived."""

    status: int
    why: str


class Sender:
    """Sends for all communities; a slow or broken address holds up no other.

    private: local networks may be reached; said: told in a sentence when a webhook was ended.
    """

    def __init__(
        self,
        store: LiveStore,
        log: FilteringBoundLogger,
        *,
        private: bool = False,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        said: Callable[[int, str], None] = lambda _community, _text: None,
    ) -> None:
        self._store, self._log, self._private, self._now, self._said = store, log, private, now, said
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._swept = 0

    async def run(self) -> None:
        """Send, until it is cancelled; what was under way is then sent again with the next start, with its id."""
        try:
            while True:
                self.begin()
                await asyncio.sleep(EVERY)
        finally:
            for task in self._busy.values():
                task.cancel()
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    def begin(self) -> None:
        """Begin to send what is due."""
        at = self._at()
        for number, some in groupby(self._store.api.deliveries_due(at, without=self._busy), lambda d: d.webhook):
            hook = self._store.api.webhook(number)
            if hook is not None:
                task = asyncio.create_task(self._send_all(hook, list(some)))
                self._busy[number] = task
                task.add_done_callback(lambda done, of=number: self._over(done, of))  # type: ignore[misc]
        if at - self._swept > DAY:
            self._swept = at
            self._store.api.drop_deliveries(at - KEPT)

    def _over(self, task: asyncio.Task[None], number: int) -> None:
        self._busy.pop(number, None)
        if not task.cancelled() and (error := task.exception()):
            self._log.error("a webhook could not be served", webhook=number, exc_info=error)

    async def _send_all(self, hook: WebhookRow, some: Sequence[DeliveryRow]) -> None:
        limits = httpx.Timeout(WITHIN)
        async with httpx.AsyncClient(timeout=limits, trust_env=False, follow_redirects=False) as client:
            for delivery in some:
                came = await self._send(client, hook, delivery)
                if not self._note(hook, delivery, came):
                    return

    async def _send(self, client: httpx.AsyncClient, hook: WebhookRow, delivery: DeliveryRow) -> Came:
        try:
            async with asyncio.timeout(WITHIN):
                return await self._post(client, hook, delivery)
        except TimeoutError:
            return Came(0, f"no answer within {WITHIN:.0f} seconds")
        except AddressError as error:
            return Came(0, str(error))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Came(0, f"not reached: {type(error).__name__}")

    async def _post(self, client: httpx.AsyncClient, hook: WebhookRow, delivery: DeliveryRow) -> Came:
        url = httpx.URL(hook.url)
        ip = await found(hook.url, private=self._private)
        headers = {
            **signed(hook.secret, delivery.id, self._at() // 1000, delivery.body),
            "Content-Type": "application/json",
            "User-Agent": "Comity",
            "Host": url.netloc.decode("ascii"),
        }
        extensions = {"sni_hostname": url.host} if url.scheme == "https" else {}
        request = client.build_request(
            "POST", url.copy_with(host=ip), content=delivery.body.encode(), headers=headers, extensions=extensions
        )
        answer = await client.send(request, stream=True)  # what it says is nothing to us
        await answer.aclose()
        good = answer.status_code in _GOOD
        return Came(answer.status_code, "" if good else f"it answered {answer.status_code}")

    def _note(self, hook: WebhookRow, delivery: DeliveryRow, came: Came) -> bool:
        """Note what came of a try; whether to go on with this webhook now."""
        at, api = self._at(), self._store.api
        over = came.status == _GONE or at - delivery.at >= DAY
        with self._store.write():
            if not came.why:
                api.note_delivery(delivery.number, Sent.DONE, status=came.status, why="", at=at)
                return True
            if not over:
                wait = min(_FIRST * 4**delivery.tries, _LONGEST)
                api.note_delivery(
                    delivery.number, Sent.WAITING, status=came.status, why=came.why, at=at, next_at=at + wait
                )
                return False
            api.note_delivery(delivery.number, Sent.GIVEN_UP, status=came.status, why=came.why, at=at)
            gone = "the address says that it is gone (410)"
            why = gone if came.status == _GONE else f"nothing arrived for a day: {came.why}"
            ended = api.end_webhook(hook.number, at, why)
        if ended:
            self._log.warning("a webhook was ended", webhook=hook.number, why=why)
            self._said(hook.community, f"The webhook to {hook.url} was ended: {why}.")
        return False

    def _at(self) -> int:
        return round(self._now().timestamp() * 1000)
