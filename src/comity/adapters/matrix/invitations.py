"""Being invited: Comity joins rooms only when somebody allowed asks it to, and turns everybody else down."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from comity.adapters.matrix.client import Homeserver, HomeserverError, Json


class Invitation(NamedTuple):
    """Somebody invites us. room: where to; inviter: who."""

    room: str
    inviter: str


def invitations(events: Iterable[Json], account: str) -> list[Invitation]:
    """The invitations of an account among client events as they come in."""
    found = []
    for event in events:
        content, room, inviter = event.get("content"), event.get("room_id"), event.get("sender")
        if (
            event.get("type") == "m.room.member"
            and event.get("state_key") == account
            and isinstance(content, dict)
            and content.get("membership") == "invite"
            and isinstance(room, str)
            and isinstance(inviter, str)
        ):
            found.append(Invitation(room, inviter))
    return found


async def answer(homeserver: Homeserver, asked: Iterable[Invitation], allowed: Callable[[str], bool]) -> list[str]:
    """Join where an allowed account invites us and leave the rest; return the rooms we are in now.

    An invitation that is no more, or that leads nowhere, is passed over: whoever meant it can ask again. Raises
    HomeserverError if the homeserver cannot answer now; the same invitations can come again.
    """
    joined = []
    for invitation in asked:
        try:
            if allowed(invitation.inviter):
                joined.append(await homeserver.join(invitation.room))
            else:
                await homeserver.leave(invitation.room)
        except HomeserverError as error:
            if error.again:
                raise
    return joined
