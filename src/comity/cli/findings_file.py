"""Findings of a run as NDJSON, a line each; the file is there whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from comity.cli.common import make_folder
from comity.core.errors import ComityError
from comity.engine import Engine, Turn, excerpt


class FindingsFile:
    """Writes findings as they come. engine: names the clauses that they refer to."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self._file = path.open("wb")
        self._encode = msgspec.json.Encoder().encode
        self._clauses = [
            {
                "rule": c.rule or c.id,
                "clause": c.id,
                "harm": c.harm,
                "severity": c.severity.name.lower(),
                "counts": c.counts,
                "sentence": c.said,
            }
            for c in engine.clauses
        ]

    @classmethod
    @contextmanager
    def open(cls, path: Path | None, engine: Engine) -> Iterator["FindingsFile | None"]:
        """The file at ``path``, put in its place when the run has ended well; None for no path.

        Raises ComityError if it cannot be written; what stood there before then still stands there.
        """
        if path is None:
            yield None
            return
        make_folder(path)
        part = path.with_name(path.name + ".part")
        try:
            with _told(path):
                file = cls(part, engine)
            yield file
            with _told(path):
                file.close()
                part.replace(path)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise

    def write(self, turn: Turn, figures: list[str]) -> None:
        """Write the findings of a turn."""
        lines = []
        events, at = turn.batch.events, turn.findings.rows.tolist()
        for row, clause, figure in zip(at, turn.findings.clauses.tolist(), figures, strict=True):
            event = events[row]
            lines.append(
                self._encode(
                    {
                        "event": event.id,
                        **self._clauses[clause],
                        "at": event.at,
                        "community": event.community,
                        "room": event.room,
                        "member": event.member,
                        "figures": msgspec.Raw(figure.encode()),
                        "excerpt": excerpt(event.text),
                    }
                )
            )
        with _told(Path(self._file.name)):
            self._file.write(b"\n".join(lines) + b"\n")

    def close(self) -> None:
        """Everything is on its way to the disk."""
        self._file.close()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        raise ComityError(f"{path}: the findings cannot be written there: {e.strerror}") from e
