"""The tables of a store in PostgreSQL: made, step by step, from those in SQLite, so that the two cannot drift apart."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
from alembic import command, op
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from comity.stores.sqlite_schema import FORMAT, STEPS, first_row, statements

MARK: Final = "Comity: a ledger of conduct"  # the comment of the table ``meta``, by which a store of ours is known
_MIGRATIONS: Final = Path(__file__).with_name("migrations")
_TYPES: Final = {"INTEGER": "bigint", "BLOB": "bytea", "TEXT": 'text COLLATE "C"'}
_KEY: Final = re.compile(r'CREATE TABLE "?(\w+)"? \(\s*(\w+) INTEGER PRIMARY KEY')
_TRIGGER: Final = re.compile(
    r"CREATE TRIGGER (\w+) BEFORE (UPDATE|DELETE)((?: OF [\w, ]+)?) ON (\w+)\s*(?:WHEN (.*?))?\s*"
    r"BEGIN SELECT raise\(ABORT, ('[^']*')\); END;",
    re.DOTALL,
)
# A key that is left out is given as SQLite gives it: the number after the highest, without gaps.
_FUNCTIONS: Final = (
    """
CREATE FUNCTION following(of_table text, of_key text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE found bigint;
BEGIN
  EXECUTE 'SELECT coalesce(max(' || quote_ident(of_key) || '), 0) + 1 FROM ' || quote_ident(of_table) INTO found;
  RETURN found;
END $$
""",
    """
CREATE FUNCTION cover_of(salt bytea, excerpt text) RETURNS bytea IMMUTABLE STRICT LANGUAGE sql
AS $$ SELECT sha256(salt || convert_to(excerpt, 'UTF8')) $$
""",
)


def take(number: int) -> None:
    """Take step ``number``, from 1 on, within a migration of Alembic's."""
    connection = op.get_bind()
    if number == 1:
        for function in _FUNCTIONS:
            connection.exec_driver_sql(function)
    for statement in spelled(STEPS[number - 1]):
        connection.exec_driver_sql(statement)


def migrate(conninfo: str, found: int) -> None:
    """Take the store from a format, 0 for an empty database, to ours: in one transaction, all steps or none.

    Raises psycopg's errors.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if found == 0:
                connection.exec_driver_sql(f"COMMENT ON TABLE meta IS '{MARK}'")
                connection.exec_driver_sql("INSERT INTO meta VALUES (%s, %s, %s, %s, %s, %s, %s)", first_row())
            connection.exec_driver_sql(f"UPDATE meta SET format = {FORMAT}")  # noqa: S608 - our own number
    except DBAPIError as error:
        raise error.orig or error from error


def spelled(step: str) -> Iterator[str]:
    """The statements of a step as PostgreSQL spells them. Raises ValueError for one it has no words for."""
    for statement in statements(re.sub(r"--.*", "", step)):
        if statement.startswith("CREATE TRIGGER"):
            yield from _trigger(statement)
        elif statement.startswith("CREATE TABLE"):
            yield _table(statement)
        elif statement.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX", "CREATE VIEW", "ALTER TABLE")):
            yield _typed(statement)
        else:
            raise ValueError(f"PostgreSQL has no words for {statement.partition('(')[0]!r} yet")


def _typed(statement: str) -> str:
    return re.sub(r"\b(?:INTEGER|BLOB|TEXT)\b", lambda found: _TYPES[found[0]], statement)


def _table(statement: str) -> str:
    bare = re.sub(r"\)\s*STRICT(?:, WITHOUT ROWID)?;$", ")", statement)
    if (key := _KEY.match(bare)) and key[1] != "meta":
        given = f"{key[0]} DEFAULT following('{key[1]}', '{key[2]}')"
        bare = bare.replace(key[0], given, 1)
    return _typed(bare)


def _trigger(statement: str) -> Iterator[str]:
    found = _TRIGGER.fullmatch(statement)
    if not found:
        raise ValueError(f"PostgreSQL has no words for the trigger {statement.split()[2]} yet")
    name, deed, columns, table, condition, message = found.groups()
    refuse = f"RAISE EXCEPTION USING MESSAGE = {message}, ERRCODE = 'integrity_constraint_violation';"
    if condition:
        said = re.sub(r"\bIS (OLD|NEW)\.", r"IS NOT DISTINCT FROM \1.", condition)
        said = re.sub(r"\b(OLD|NEW)\.(\w+)", r'\1."\2"', said)  # plpgsql finds no column called by otherwise
        refuse = f"IF {said} THEN {refuse} END IF;"
    yield (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {refuse} RETURN {'OLD' if deed == 'DELETE' else 'NEW'}; END $$"
    )
    yield f"CREATE TRIGGER {name} BEFORE {deed}{columns} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
    if deed == "DELETE" and not condition:
        yield f"CREATE TRIGGER {name}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
