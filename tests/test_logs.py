"""The log: words and figures for operators, and never what somebody wrote."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from comity.core.errors import StoreError
from comity.core.event import Event
from comity.live.logs import LEFT_OUT, REFUSED, configure
from comity.settings import Secret

WRITTEN = "the kettle is in the attic"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Other tests find the logs as they were."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    """What was logged as JSON."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_how_grave_and_what() -> None:
    """Each line is one JSON object with time in UTC, level, and the words and figures given."""
    stream = io.StringIO()
    configure(stream=stream).info("committed", events=3, seconds=0.5, rooms=["!a", "!b"], dry=True)
    (line,) = lines(stream)

    assert str(line.pop("at")).endswith("Z")
    assert {"level": "info", "event": "committed", "events": 3, "seconds": 0.5, "rooms": ["!a", "!b"], "dry": True} == (
        line
    )


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("word", sorted(REFUSED))
def test_no_refused_word_has_its_value_logged(word: str, form: str) -> None:
    """Under text, body, excerpt and the like nothing is told, nor under the name of any token."""
    stream = io.StringIO()
    configure(form=form, stream=stream).warning("held", **{word: WRITTEN})

    assert WRITTEN not in stream.getvalue()
    assert LEFT_OUT in stream.getvalue()


def test_a_refused_word_fails_where_tests_look() -> None:
    """Whoever writes such a line is told before it is released."""
    with pytest.raises(ValueError, match="never has body"):
        configure(stream=io.StringIO(), strict=True).info("held", body=WRITTEN)


@pytest.mark.parametrize("form", ["json", "console"])
def test_values_that_could_hold_a_message_are_told_by_their_type(form: str) -> None:
    """Events, mappings, lists of mappings, bytes and secrets do not get in by the side door."""
    event = Event("1", "2026-05-01T12:00:00Z", "message", "tea", "#garden", "ana", text=WRITTEN)
    stream = io.StringIO()
    log = configure(form=form, stream=stream)
    for value in (event, {"a": WRITTEN}, [{"a": WRITTEN}], WRITTEN.encode(), Secret(WRITTEN), {WRITTEN}):
        log.info("taken", got=value)

    assert "kettle" not in stream.getvalue()
    assert "(Event)" in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_error_is_told_by_type_and_place_without_what_it_held(form: str) -> None:
    """Neither an error's quotation nor a variable of its frames is logged; where it happened is, with its causes."""

    def decode(text: str) -> int:
        return int(text)

    stream = io.StringIO()
    log = configure(form=form, stream=stream)
    try:
        try:
            decode(WRITTEN)
        except ValueError as e:
            raise KeyError(WRITTEN) from e
    except KeyError:
        log.exception("a batch failed")

    told = stream.getvalue()
    assert "kettle" not in told
    assert all(word in told for word in ("KeyError", "ValueError", "test_logs.py:", "decode"))


def test_errors_for_people_keep_their_words() -> None:
    """What Comity or the system says of files and addresses is what an operator needs."""
    stream = io.StringIO()
    log = configure(stream=stream)
    log.error("cannot go on", error=StoreError("garden.sqlite: the disk is full"))
    log.error("cannot reach", error=ConnectionRefusedError(111, "Connection refused"))

    assert "StoreError: garden.sqlite: the disk is full" == lines(stream)[0]["error"]
    assert "Connection refused" in str(lines(stream)[1]["error"])


def test_libraries_log_by_the_same_rules() -> None:
    """A library's sentence is told with its name, without the values it would fill in."""
    stream = io.StringIO()
    configure(stream=stream)
    logging.getLogger("somebody").warning("could not read %s", WRITTEN)
    logging.getLogger("somebody").info("chatter")
    try:
        int(WRITTEN)
    except ValueError:
        logging.getLogger("somebody").exception("Exception in ASGI application\n")
    first, second = lines(stream)

    assert ("could not read %s", "somebody", "warning") == (first["event"], first["logger"], first["level"])
    assert ("Exception in ASGI application", "ValueError") == (second["event"], second["error"])
    assert "kettle" not in stream.getvalue()


def test_a_level_leaves_out_what_is_less_grave() -> None:
    """At level warning, what is merely interesting is not written."""
    stream = io.StringIO()
    log = configure(stream=stream, level="warning")
    log.info("a batch")
    log.warning("slow")

    assert ["slow"] == [line["event"] for line in lines(stream)]


def test_a_long_value_is_cut() -> None:
    """A figure or a word is short; what is long could be a text."""
    stream = io.StringIO()
    configure(stream=stream).info("taken", got="tea " * 1000)

    assert len(stream.getvalue()) < 500


def test_what_is_bound_to_a_task_is_in_its_lines() -> None:
    """A community's name, bound once, is in all lines of that task and in no other's."""
    stream = io.StringIO()
    log = configure(stream=stream)

    async def work(name: str) -> None:
        structlog.contextvars.bind_contextvars(community=name)
        await asyncio.sleep(0)
        log.info("done")

    async def both() -> None:
        await asyncio.gather(work("tea-garden"), work("attic"))

    asyncio.run(both())
    assert ["attic", "tea-garden"] == sorted(str(line["community"]) for line in lines(stream))
