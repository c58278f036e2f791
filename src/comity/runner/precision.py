"""How often clauses are right, watched: one that is sure to be wrong too often only finds from then on."""

from collections.abc import Sequence

from comity.core.charter import State
from comity.core.decision import MACHINE
from comity.core.errors import ComityError
from comity.core.review import Precision, precision
from comity.core.who import Who
from comity.core.wording import say
from comity.runner.persons import Persons
from comity.runner.realm import Realm
from comity.runner.telling import Telling
from comity.runner.turn import Turns
from comity.stores.process_contract import ProcessStore


class Watch:
    """Watches the precision of all communities' clauses."""

    def __init__(self, store: ProcessStore, persons: Persons, turns: Turns, telling: Telling) -> None:
        self._store, self._persons, self._turns, self._telling = store, persons, turns, telling
        persons.judged |= {realm.number for realm in persons.realms.values()}  # what was judged before a crash

    def of(self, realm: Realm) -> list[Precision]:
        """The precision of every clause that can be found by a rule, in the charter's order."""
        judged = {j.clause_id: j for j in self._store.process.judged(realm.number)}
        found = []
        for clause in realm.adopted.clauses:
            j = judged.get(clause.id)
            right, wrong, dropped = (j.correct, j.wrong, j.dropped_at) if j else (0, 0, None)
            terms = realm.charter.due_process
            found.append(precision(clause.id, clause.rule, right, wrong, terms, dropped_at=dropped))
        return found

    def look(self, now: int) -> Sequence[str]:
        """Let clauses that are sure to be under their floor only find from now on; their ids."""
        dropped: list[str] = []
        while self._persons.judged:
            realm = self._persons.realms.get(self._persons.judged.pop())
            for p in self.of(realm) if realm is not None else ():
                if realm is not None and p.under and self._counts(realm, p.clause_id):
                    self._drop(realm, p, now)
                    dropped.append(p.clause_id)
        return dropped

    def _counts(self, realm: Realm, clause_id: str) -> bool:
        return any(c.id == clause_id and c.state is State.LIVE for c in realm.charter.clauses)

    def _drop(self, realm: Realm, p: Precision, now: int) -> None:
        with self._store.write():
            self._store.process.drop(realm.number, p.clause_id, now, p.right, p.wrong)
            why = f"{p.right} of {p.right + p.wrong} right"
            self._store.charters.add_clause_act(realm.number, p.clause_id, MACHINE, why, now, shadow=True)
            self._set(realm, p.clause_id, on=True)
        text = say(realm.charter.language, "back in shadow", id=p.clause_id, judged=p.right + p.wrong, wrong=p.wrong)
        self._telling.notice(f"{realm.id}: {text}")

    def shadow(self, realm: Realm, clause_id: str, on: bool, by: Who, reason: str = "") -> None:  # noqa: FBT001 - as the command is written
        """A person lets a clause only find, or find and count again. Raises ComityError if there is no such clause."""
        if not any(c.id == clause_id for c in realm.adopted.clauses):
            raise ComityError(f"there is no clause {clause_id} in the charter of {realm.id}")
        now = self._persons.outbox.now()
        with self._store.write():
            if not on:
                self._store.process.put_back(realm.number, clause_id, by.name, reason or "put back", now)
            self._store.charters.add_clause_act(realm.number, clause_id, by.name, reason, now, shadow=on)
            self._set(realm, clause_id, on=on)

    def _set(self, realm: Realm, clause_id: str, *, on: bool) -> None:
        self._turns.settle()
        with self._store.write():
            realm.shadow(clause_id, on=on)
