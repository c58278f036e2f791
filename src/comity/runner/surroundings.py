"""What was said around the evidence of a case, for whoever decides it; that they looked is written down."""

from typing import Final

import msgspec

from comity.core.case_file import CaseFile, Said, Shown
from comity.core.looking import Look
from comity.core.who import Who
from comity.core.wording import say
from comity.runner.evidence import Evidence, Sought
from comity.runner.outbox import Outbox
from comity.runner.realm import Realm
from comity.stores.process_contract import ProcessStore

_DAY: Final = 86_400_000  # milliseconds
REPORTED_WITHIN: Final = 28 * _DAY  # how old a message may be that is reported, for us to look for it
AGAIN: Final = 3_600_000  # milliseconds: who looks at the same case meanwhile is still at the same look


class Surroundings:
    """Looks around evidence, for cases. evidence: where it is kept."""

    def __init__(self, store: ProcessStore, evidence: Evidence, outbox: Outbox) -> None:
        self._store, self._evidence, self._outbox = store, evidence, outbox
        self._looks: dict[tuple[str, str], int] = {}  # by item and who looked: when

    async def of(self, file: CaseFile, realm: Realm, member: int, by: Who) -> CaseFile:
        """The file with what was said around its evidence. member: whom it is about, 0 where unknown.

        Nobody who cannot decide the case is shown more than the excerpts. Within a case no reason is asked for; the
        look is kept before anything is given back.
        """
        if file.barred or not file.evidence:
            return file
        sought = [_sought(shown) for shown in file.evidence]
        around = await self._evidence.around(realm.number, sought)
        shown = sum(map(len, around))
        if not shown:
            return file
        self._note(file.item.item.key, realm, member, by, shown)
        return msgspec.structs.replace(file, evidence=tuple(map(_with, file.evidence, map(tuple, around))))

    def _note(self, case: str, realm: Realm, member: int, by: Who, shown: int) -> None:
        """Keep the look, unless it is still the one before."""
        now, key = self._outbox.now(), (case, by.name)
        self._looks = {k: at for k, at in self._looks.items() if at > now - AGAIN}
        if key in self._looks:
            return
        language = realm.charter.language
        look = Look(
            number=0,
            at=now,
            community=realm.number,
            by=by.name,
            what=say(language, "looked around"),
            reason=say(language, "looked in case", case=case),
            member=member,
        )
        with self._store.write():
            self._evidence.looked(self._store.process.add_look(look), shown)
        self._looks[key] = now


def reported(event: str, at: int) -> Sought:
    """A message that was reported at a time, milliseconds since 1970."""
    return Sought(event, at - REPORTED_WITHIN, at + _DAY)  # clocks differ


def _sought(shown: Shown) -> Sought:
    return Sought(shown.event, shown.at - _DAY, shown.at + _DAY) if shown.entry else reported(shown.event, shown.at)


def _with(shown: Shown, around: tuple[Said, ...]) -> Shown:
    excerpt = shown.excerpt or next((said.text for said in around if said.here), "")
    return msgspec.structs.replace(shown, around=around, excerpt=excerpt)
