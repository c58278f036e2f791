"""The log: JSON or for a console, and never what somebody wrote.

Three things keep messages out: a value under a word such as ``text`` is left out, a value that is no plain word or
figure is told by its type only, and of an error its own words are told only where they cannot quote a message.
"""

import logging
import sys
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from comity.core.errors import ComityError

REFUSED: Final = frozenset(
    {
        *("text", "body", "formatted_body", "excerpt", "content", "caption", "topic", "display_name", "displayname"),
        *("message", "messages", "reason", "evidence", "said", "quote", "raw", "payload", "request", "response"),
        *("token", "as_token", "hs_token", "access_token", "admin_token", "antispam_token", "authorization", "secret"),
    }
)
LEFT_OUT: Final = "(left out)"
_MOST: Final = 300  # characters of a value: the log has words and figures, no texts
_MOST_FRAMES: Final = 12
_MOST_CAUSES: Final = 5
_PLAIN = (str, int, float, bool, type(None))
Said = MutableMapping[str, Any]


def configure(
    *, form: str = "json", level: str = "info", stream: TextIO | None = None, strict: bool = False
) -> FilteringBoundLogger:
    """Set up the one log of the process, that of libraries included, and return it.

    form: ``json``, a line each, or ``console``; level: ``debug``, ``info``, ``warning`` or ``error``; stream: standard
    error if not given; strict: a refused word raises ValueError (for tests), otherwise its value is left out.
    """
    file = sys.stderr if stream is None else stream
    least = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            tell_errors,
            refuse_strictly if strict else refuse,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _renderer(form, file),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(file=file),
        cache_logger_on_first_use=False,
    )
    log: FilteringBoundLogger = structlog.get_logger()
    root = logging.getLogger()
    root.handlers[:] = [_OfLibraries(log)]
    root.setLevel(max(least, logging.WARNING))
    return log


def refuse(_logger: object, _method: str, said: Said) -> Said:
    """Leave out what a log must not have; a processor for structlog."""
    for key, value in said.items():
        said[key] = LEFT_OUT if key in REFUSED else _plain(value)
    return said


def refuse_strictly(logger: object, method: str, said: Said) -> Said:
    """The same, but raise ValueError for a refused word: whoever wrote that line can mend it."""
    if wrong := REFUSED & set(said):
        raise ValueError(f"the log never has {', '.join(sorted(wrong))}")
    return refuse(logger, method, said)


def tell_errors(_logger: object, _method: str, said: Said) -> Said:
    """Tell an error by its type and place; a processor for structlog. What its frames held is never told."""
    error = said.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        said["error"] = error
        said["where"] = [_place(e) for e in _causes(error)]
    return said


def _plain(value: object) -> object:
    if isinstance(value, BaseException):
        return _plain(_named(value))
    if isinstance(value, str):
        return value if len(value) <= _MOST else value[:_MOST] + "..."
    if isinstance(value, list | tuple) and all(isinstance(v, _PLAIN) for v in value):
        return [_plain(v) for v in value]
    return value if isinstance(value, _PLAIN) else f"({type(value).__name__})"


def _named(error: BaseException) -> str:
    """An error's type, and its words where they are ours or the system's; others may quote what they choked on."""
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, ComityError | OSError) else name


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, nearest first."""
    cause: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _place(error: BaseException) -> str:
    """``ValueError at runner.py:120 turn < runner.py:88 take``, the innermost place first."""
    places = []
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return f"{type(error).__name__} at {' < '.join(reversed(places[-_MOST_FRAMES:])) or 'an unknown place'}"


def _renderer(form: str, file: TextIO) -> Processor:
    if form == "json":
        return structlog.processors.JSONRenderer()
    # Its tracebacks would show the values of variables; errors are told by now, and nothing is left for it to show.
    return structlog.dev.ConsoleRenderer(colors=file.isatty(), exception_formatter=structlog.dev.plain_traceback)


class _OfLibraries(logging.Handler):
    """What libraries say, by the same rules: their sentence without the values they would fill in."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record on."""
        level = logging.ERROR if record.levelno >= logging.ERROR else logging.WARNING
        self._log.log(level, str(record.msg).strip(), logger=record.name, exc_info=record.exc_info)
