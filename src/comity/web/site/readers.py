"""Reading the store beside the loop: a few threads, each with a connection of its own that cannot write."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, Self, TypeVar

from comity.stores.process_contract import ProcessStore

THREADS: Final = 3
T = TypeVar("T")


class ReadingStore(ProcessStore, Protocol):
    """A store opened for reading only."""

    def close(self) -> None:
        """Close it."""


class Readers:
    """open_: opens the store for reading; called once in each thread, when that is first needed."""

    def __init__(self, open_: Callable[[], ReadingStore], threads: int = THREADS) -> None:
        self._all = [_Reader(open_) for _ in range(threads)]
        self._idle: asyncio.Queue[_Reader] = asyncio.Queue()
        for reader in self._all:
            self._idle.put_nowait(reader)

    async def run(self, ask: Callable[[ReadingStore], T]) -> T:
        """What ``ask`` gives for the store; it runs in another thread, and must not keep the store.

        What was committed before this is called is seen. Raises whatever ``ask`` does, StoreError where the store
        cannot be read.
        """
        reader = await self._idle.get()
        work = asyncio.get_running_loop().run_in_executor(reader.thread, reader.run, ask)
        # Also after a request was given up: a reader is free once its thread is.
        work.add_done_callback(lambda _: self._idle.put_nowait(reader))
        return await asyncio.shield(work)

    def close(self) -> None:
        """Close all connections, once what is being read was read."""
        for reader in self._all:
            reader.thread.submit(reader.close).result()
            reader.thread.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Reader:
    def __init__(self, open_: Callable[[], ReadingStore]) -> None:
        self.thread = ThreadPoolExecutor(1, "reader")
        self._open = open_
        self._store: ReadingStore | None = None

    def run(self, ask: Callable[[ReadingStore], T]) -> T:
        if self._store is None:
            self._store = self._open()
        return ask(self._store)

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
