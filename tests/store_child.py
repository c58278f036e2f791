"""A rating in small, in a process of its own: says each batch it committed, goes on where the store stands.

Usage: store_child.py STORE BATCHES [BYTES], the last a limit of the size of files.
"""

import resource
import sys

import numpy as np

from comity.core.errors import StoreError
from comity.stores.contract import SourceRow
from comity.stores.opening import open_store
from store_entries import MORNING, garden, some_activity, some_findings

ROWS = 40


def rate(path: str, batches: int) -> None:
    """Everything of a batch in one transaction, its place in the log among it."""
    with open_store(path, durable=False) as store:
        here = garden(store)
        run = store.runs()[0].number if store.runs() else store.start_run("c0ffee", MORNING)
        sources = store.runs()[0].sources
        for batch in range(sources[0].position if sources else 0, batches):
            with store.write():
                start = batch * ROWS
                (member,) = store.members(here.community, [f"@guest{batch % 7}:example.org"], [f"Guest {batch}"])
                hashes = np.arange(start, start + ROWS, dtype=np.uint64)
                store.add_seen([(batch // 4, hashes)])
                activity = some_activity(ROWS, start=start)
                head = store.post(some_findings(ROWS, start=start), activity, after=store.head())
                store.post(some_findings(0), activity._replace(member=[member] * ROWS), after=head)
                store.save_window_states({"flood": b"%d" % batch * 2000})
                store.save_source(run, SourceRow("chat.ndjson", batch + 1, start + ROWS, start + ROWS, 0))
            print(batch, flush=True)  # noqa: T201 - the parent waits for it


if __name__ == "__main__":
    if len(sys.argv) > 3:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
    try:
        rate(sys.argv[1], int(sys.argv[2]))
    except StoreError as error:
        sys.exit(str(error))
