"""A live loop in small, in a process of its own: decides, says what is committed, acts, notes; goes on after a kill.

Usage: deciding_child.py STORE PLATFORM TURNS. PLATFORM: a folder in which each id that was carried out is a line of a
file of its own, so that a deed done twice is seen.
"""

import sys
from pathlib import Path

from comity.core.action import DONE
from comity.core.carried import Carried
from comity.core.handover import Touched
from comity.stores.opening import open_store
from store_decisions import a_decision, a_mute, a_statement
from store_entries import MORNING, garden, post_findings


def live(path: str, platform: Path, turns: int) -> None:
    """Findings, decision, statement and actions of a turn in one transaction; then what is due, one after the other."""
    with open_store(path, durable=False) as store:
        garden(store)
        while True:
            turn = store.decisions.last()
            if turn < turns:
                with store.write():
                    head = post_findings(store, 2, start=2 * turn)
                    decision = a_decision(turn + 1, head.number, findings=(head.number - 1, head.number))
                    promote = a_mute(f"d{turn + 1}-1", decision=turn + 1)
                    demote = a_mute(f"d{turn + 1}-2", "#attic", decision=turn + 1, after=[promote.id])
                    carried = Carried(actions=(promote, demote), touched=(Touched(1, 1, promote.id),))
                    store.decisions.add([decision], [a_statement(decision)], carried, at=MORNING, after=head)
                print(turn + 1, flush=True)  # noqa: T201 - the parent waits for it
            due = store.decisions.actions_due(MORNING)
            if turn >= turns and not due:
                return
            for action in due:
                with (platform / action.id).open("a") as deed:  # a transaction id: a second try finds it done
                    deed.write(f"{' '.join(action.after)}\n")
                store.decisions.note_outcome(action.id, DONE, MORNING)


if __name__ == "__main__":
    live(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
