"""Telegram Desktop's JSON export: one chat, or a whole account with ``chats.list``."""

import contextlib
import datetime as dt
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import ijson
import msgspec

from comity.adapters.jsonstream import Feed, JsonReader, items, parts
from comity.adapters.order import Later, edit, in_time_order
from comity.adapters.reader import HEAD, Head
from comity.adapters.stable import plausible
from comity.core.event import Event, Media, Unread, moment, rfc3339

_FIRST = re.compile(rb'"messages".*?"date_unixtime":\s*"(\d+)"', re.DOTALL)
_CHATS = "chats.list.item"
_LEFT_CHATS = "left_chats.list.item"
_JOINS = {"join_group_by_link", "join_group_by_request", "joined_telegram"}
_EXPECTED = "a message as Telegram Desktop writes it"


class _Part(msgspec.Struct):
    type: str = ""
    text: str = ""
    user_id: int | None = None
    href: str | None = None


class _Poll(msgspec.Struct):
    question: str = ""
    answers: list[dict[str, object]] = []


class _Message(msgspec.Struct, rename={"from_": "from"}):
    id: int
    type: str
    date: str | None = None
    date_unixtime: str | None = None
    edited: str | None = None
    edited_unixtime: str | None = None
    from_: str | None = None
    from_id: str | int | None = None
    actor: str | None = None
    actor_id: str | int | None = None
    action: str | None = None
    members: list[str | None] | None = None
    text: str | list[str | _Part] = ""
    reply_to_message_id: int | None = None
    reply_to_peer_id: str | None = None
    photo: str | None = None
    photo_file_size: int | None = None
    file: str | None = None
    file_size: int | None = None
    mime_type: str | None = None
    poll: _Poll | None = None


@dataclass(slots=True)
class _Chat:
    """The chat now read. ids: members by the name they last wrote under, for service messages that say names only."""

    id: str
    name: str
    ids: dict[str, str]


class Telegram(JsonReader):
    """``result.json`` of Telegram Desktop."""

    name: ClassVar = "telegram"
    title: ClassVar = "Telegram Desktop JSON"
    fills: ClassVar = frozenset(
        {"id", "at", "kind", "community", "room", "member", "name", "text", "mentions", "reply_to", "target", "media"}
    )
    kinds: ClassVar = frozenset({"message", "edit", "join", "leave"})

    @classmethod
    def recognises(cls, head: Head) -> bool:
        """Whether it is an object with the keys of one chat, or of an account."""
        one = head.keys >= {"type", "id", "messages"}
        account = bool(head.keys & {"chats", "left_chats"}) or head.keys >= {"about", "personal_information"}
        return one or account

    def starts(self) -> int | None:
        """Time of the first message of a single chat."""
        found = _FIRST.search(self.inputs[0].head(HEAD))
        if not found or self._account():
            return None
        try:
            return self._at(found[1].decode(), None)
        except ValueError:
            return None

    def _account(self) -> bool:
        return "messages" not in Head("", self.inputs[0].head(HEAD)).keys

    def events(self, feed: Feed) -> Iterator[Event | Unread | None]:
        """Messages in the file's order; those of an account in time order across its chats."""
        return in_time_order(self._all_chats(feed)) if self._account() else self._one_chat(feed)

    def _one_chat(self, feed: Feed) -> Iterator[Event | Unread]:
        said: dict[str, object] = {}
        with contextlib.suppress(ijson.JSONError, UnicodeDecodeError):  # the head ends somewhere
            parsed = ijson.parse(self.inputs[0].head(HEAD), use_float=True)
            said.update((prefix, value) for prefix, _, value in parsed if prefix in {"id", "name"})
        yield from self._messages(_chat(said), items(feed, "messages.item", self.block))

    def _all_chats(self, feed: Feed) -> Iterator[Event | Unread]:
        wanted = frozenset(
            f"{chats}.{key}" for chats in (_CHATS, _LEFT_CHATS) for key in ("id", "name", "messages.item")
        )
        said: dict[str, object] = {}
        chat: _Chat | None = None
        for prefix, value in parts(feed, wanted, self.block):
            key = prefix.rsplit(".", 1)[1]
            if key == "item":
                chat = chat or _chat(said)
                yield from self._messages(chat, iter([value]))
            else:
                said, chat = (said | {key: value} if chat is None else {key: value}), None

    def _messages(self, chat: _Chat, messages: Iterator[object]) -> Iterator[Event | Unread]:
        later = Later()
        for item in messages:
            try:
                message = msgspec.convert(item, _Message)
                if message.type == "unsupported":
                    yield self.unread(f"message {message.id}: Telegram Desktop could not export it", _EXPECTED)
                    continue
                at = self._at(message.date_unixtime, message.date)
                changed = message.edited_unixtime or message.edited
                edited = self._at(message.edited_unixtime, message.edited) if changed else None
            except (msgspec.ValidationError, ValueError, OverflowError) as error:
                number = item.get("id") if isinstance(item, dict) else None
                where = f"message {number}: " if isinstance(number, int) else ""
                yield self.unread(f"{where}{error}", _EXPECTED)
                continue
            yield from later.due(at)
            if message.type == "service":
                yield from self._service(chat, message, at)
            elif message.type == "message":
                event = self._message(chat, message, at)
                yield event
                if edited is not None:
                    later.put(edited, edit(event, edited))
        yield from later.due()

    def _at(self, unixtime: str | None, date: str | None) -> int:
        """Milliseconds since 1970. Exports before 2021 have only the local time of the machine that wrote them."""
        if unixtime:
            return plausible(int(unixtime) * 1000)
        if not date:
            raise ValueError("it has no date")
        local = dt.datetime.fromisoformat(date)
        return plausible(int(local.replace(tzinfo=local.tzinfo or self.options.time_zone).timestamp() * 1000))

    def _event(
        self,
        chat: _Chat,
        number: str,
        at: int,
        kind: Literal["message", "join", "leave"],
        member: str,
        *,
        name: str | None,
    ) -> Event:
        community = self.options.community or chat.id
        return Event(f"telegram:{chat.id}/{number}", rfc3339(moment(at)), kind, community, chat.id, member, name)

    def _message(self, chat: _Chat, message: _Message, at: int) -> Event:
        member = _member(message.from_id) or f"name:{message.from_ or chat.name}"
        if message.from_:
            chat.ids[message.from_] = member
        event = self._event(chat, str(message.id), at, "message", member, name=message.from_)
        written = [message.text] if isinstance(message.text, str) else message.text
        event.text = "".join(map(_plain, written))
        if message.poll is not None:
            answers = (str(answer.get("text", "")) for answer in message.poll.answers)
            event.text = "\n".join([message.poll.question, *answers])
        event.mentions = [one for part in written if isinstance(part, _Part) for one in _mentioned(part)]
        if message.reply_to_message_id is not None:
            there = re.sub(r"^\D+", "", message.reply_to_peer_id or "") or chat.id
            event.reply_to = f"telegram:{there}/{message.reply_to_message_id}"
        if message.photo is not None:
            event.media = [Media("image/jpeg", message.photo_file_size)]
        elif message.file is not None:
            kind = message.mime_type or mimetypes.guess_type(message.file)[0] or "application/octet-stream"
            event.media = [Media(kind, message.file_size)]
        return event

    def _service(self, chat: _Chat, message: _Message, at: int) -> Iterator[Event | Unread]:
        """Joins and leaves. Who was invited or removed is told by name only: the name's last known account is taken."""
        actor = _member(message.actor_id)
        if message.actor and actor:
            chat.ids[message.actor] = actor
        if message.action in _JOINS and actor:
            yield self._event(chat, str(message.id), at, "join", actor, name=message.actor)
        elif message.action in {"invite_members", "remove_members", "create_group"}:
            kind: Literal["join", "leave"] = "leave" if message.action == "remove_members" else "join"
            for place, name in enumerate(message.members or []):
                if name is None:
                    yield self.unread(f"message {message.id}: a {kind} of an account without a name", _EXPECTED)
                    continue
                number = f"{message.id}.{place}" if place else str(message.id)
                yield self._event(chat, number, at, kind, chat.ids.get(name) or f"name:{name}", name=name)


def _chat(said: dict[str, object]) -> _Chat:
    number = said.get("id")
    name = said.get("name")
    name = name if isinstance(name, str) else ""
    return _Chat(str(number) if number is not None else name or "chat", name, {})


def _member(identifier: str | int | None) -> str | None:
    """Exports before 2021 wrote a bare number."""
    return f"user{identifier}" if isinstance(identifier, int) else identifier


def _plain(part: str | _Part) -> str:
    """The text as read; a link's address, which readers do not see, follows in brackets."""
    if isinstance(part, str):
        return part
    return f"{part.text} ({part.href})" if part.href and part.href != part.text else part.text


def _mentioned(part: _Part) -> list[str]:
    if part.type == "mention_name" and part.user_id is not None:
        return [f"user{part.user_id}"]
    return [part.text] if part.type == "mention" else []
