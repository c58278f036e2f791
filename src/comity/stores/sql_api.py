"""What the API keeps, in SQL that every store of ours runs; ``api_contract.Api`` says what the methods promise."""

# ruff: noqa: S608 - what is put into these queries is our own names

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import msgspec

from comity.core.event import moment, rfc3339
from comity.stores.api_contract import AnsweredRow, DeliveryRow, Happened, Sent, WebhookRow
from comity.stores.sql_access import Connection

_HOOK: Final = "SELECT number, community, url, secret, kinds, at, by, ended_at, why FROM webhook"
_COLUMNS: Final = "number, id, webhook, kind, at, body, tries, next_at, state, status, over_at, why"
_DELIVERY: Final = f"SELECT {_COLUMNS} FROM delivery"


class SqlApi:
    """Over a connection. write: the store's transaction; told: turns the database's errors into StoreError."""

    def __init__(
        self,
        db: Connection,
        write: Callable[[], AbstractContextManager[None]],
        told: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._db, self._write, self._told = db, write, told

    def answered(self, who: str, key: str, since: int) -> AnsweredRow | None:
        """See ``Api.answered``."""
        sql = "SELECT asked, status, etag, body, at FROM answered WHERE who = ? AND key = ? AND at >= ?"
        rows = self._all(sql, who, key, since)
        return AnsweredRow(bytes(rows[0][0]), *rows[0][1:]) if rows else None

    def keep_answer(self, who: str, key: str, row: AnsweredRow, *, since: int) -> None:
        """See ``Api.keep_answer``."""
        with self._write():
            self._run("DELETE FROM answered WHERE at < ? OR (who = ? AND key = ?)", since, who, key)
            self._run("INSERT INTO answered (who, key, asked, status, etag, body, at) VALUES (?, ?, ?, ?, ?, ?, ?)", who, key, *row)  # fmt: skip  # noqa: E501

    # Webhooks.

    def add_webhook(self, row: WebhookRow) -> int:
        """See ``Api.add_webhook``."""
        with self._write():
            rows = self._all(
                "INSERT INTO webhook (community, url, secret, kinds, at, by, ended_at, why) "
                "VALUES (?, ?, ?, ?, ?, ?, NULL, '') RETURNING number",
                *(row.community, row.url, row.secret, _json(sorted(map(str, row.kinds))), row.at, row.by),
            )
            return int(rows[0][0])

    def webhooks(self, community: int) -> list[WebhookRow]:
        """See ``Api.webhooks``."""
        return [_hook(row) for row in self._all(f"{_HOOK} WHERE community = ? ORDER BY number DESC", community)]

    def webhook(self, number: int) -> WebhookRow | None:
        """See ``Api.webhook``."""
        rows = self._all(f"{_HOOK} WHERE number = ?", number)
        return _hook(rows[0]) if rows else None

    def end_webhook(self, number: int, at: int, why: str) -> bool:
        """See ``Api.end_webhook``."""
        with self._write():
            ended = self._run(
                "UPDATE webhook SET ended_at = ?, why = ? WHERE number = ? AND ended_at IS NULL", at, why, number
            )
            if ended:
                self._run(
                    "UPDATE delivery SET state = 'given up', over_at = ?, why = CASE WHEN why = '' THEN ? ELSE why END "
                    "WHERE webhook = ? AND state = 'waiting'",
                    *(at, "the webhook was ended", number),
                )
            return ended > 0

    def resume_webhook(self, number: int) -> bool:
        """See ``Api.resume_webhook``."""
        with self._write():
            sql = "UPDATE webhook SET ended_at = NULL, why = '' WHERE number = ? AND ended_at IS NOT NULL"
            return self._run(sql, number) > 0

    # Deliveries.

    def send_test(self, webhook: int, at: int, data: Mapping[str, object]) -> None:
        """See ``Api.send_test``."""
        with self._write(), self._told():
            _queue(self._db, webhook, Happened.TEST, at, body=message(Happened.TEST, at, data), id_=_new_id())

    def deliveries(self, webhook: int, *, most: int = 20) -> list[DeliveryRow]:
        """See ``Api.deliveries``."""
        sql = f"{_DELIVERY} WHERE webhook = ? ORDER BY number DESC LIMIT ?"
        return [_delivery(row) for row in self._all(sql, webhook, most)]

    def deliveries_due(self, now: int, *, each: int = 20, without: Collection[int] = ()) -> Sequence[DeliveryRow]:
        """See ``Api.deliveries_due``."""
        found: list[DeliveryRow] = []
        for (number,) in self._all("SELECT number FROM webhook WHERE ended_at IS NULL ORDER BY number"):
            if number not in without:
                sql = f"{_DELIVERY} WHERE webhook = ? AND state = 'waiting' AND next_at <= ? ORDER BY number LIMIT ?"
                found += [_delivery(row) for row in self._all(sql, number, now, each)]
        return found

    def note_delivery(self, number: int, state: Sent, *, status: int, why: str, at: int, next_at: int = 0) -> None:
        """See ``Api.note_delivery``."""
        with self._write():
            self._run(
                "UPDATE delivery SET state = ?, tries = tries + 1, status = ?, why = ?, over_at = ?, next_at = ? "
                "WHERE number = ? AND state = 'waiting'",
                *(str(state), status, why, None if state is Sent.WAITING else at, next_at, number),
            )

    def drop_deliveries(self, before: int) -> int:
        """See ``Api.drop_deliveries``."""
        with self._write():
            return self._run("DELETE FROM delivery WHERE over_at < ?", before)

    def _all(self, sql: str, *values: object) -> list[Any]:
        with self._told():
            return list(self._db.execute(sql, values).fetchall())

    def _run(self, sql: str, *values: object) -> int:
        with self._told():
            return self._db.execute(sql, values).rowcount


def happened(
    db: Connection, kind: Happened, community: int, at: int, data: dict[str, object], *, member: int = 0
) -> None:
    """Queue a message for every webhook that hears of it; within the transaction in which it happens.

    data: numbers, words of ours and pseudonyms only: nothing that somebody wrote; member: whose pseudonym is put in.
    """
    rows = db.execute(f"{_HOOK} WHERE community = ? AND ended_at IS NULL", (community,)).fetchall()
    hooks = [hook for hook in map(_hook, rows) if kind in hook.kinds]
    if not hooks:
        return
    named = db.execute("SELECT name FROM community WHERE number = ?", (community,)).fetchone()[0]
    whole = {"community": community, "name": named, **data}
    if member:
        whole["member"] = db.execute("SELECT pseudonym FROM member WHERE number = ?", (member,)).fetchone()[0]
    body = message(kind, at, whole)
    id_ = _new_id()
    for hook in hooks:
        _queue(db, hook.number, kind, at, body=body, id_=id_)


def _queue(db: Connection, webhook: int, kind: Happened, at: int, *, body: str, id_: str) -> None:
    db.execute(
        "INSERT INTO delivery (id, webhook, kind, at, body, tries, next_at, state, status, over_at, why) "
        "VALUES (?, ?, ?, ?, ?, 0, ?, 'waiting', 0, NULL, '')",
        (id_, webhook, str(kind), at, body, at),
    )


def _new_id() -> str:
    return f"msg_{secrets.token_hex(16)}"


def message(kind: Happened, at: int, data: Mapping[str, object]) -> str:
    """The body of a message: its type, when it happened, and what. Source: Standard Webhooks, "Payload structure"."""
    return _json({"type": str(kind), "timestamp": rfc3339(moment(at)), "data": data})


def _hook(row: Sequence[Any]) -> WebhookRow:
    kinds = tuple(Happened(kind) for kind in msgspec.json.decode(row[4]))
    return WebhookRow._make(row)._replace(kinds=kinds)


def _delivery(row: Sequence[Any]) -> DeliveryRow:
    return DeliveryRow._make(row)._replace(kind=Happened(row[3]), state=Sent(row[8]))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
