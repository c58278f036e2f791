"""Findings of a run as NDJSON, a line each; the file is there whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from comity.core.errors import ComityError
from comity.engine import Engine, Turn, excerpt


class FindingsFile:
    """Writes findings as they come."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._encode = msgspec.json.Encoder().encode
        self._clauses: list[tuple[str, str, str, str, bool, str]] = []

    @classmethod
    @contextmanager
    def open(cls, path: Path | None) -> Iterator["FindingsFile | None"]:
        """The file at ``path``, put in its place when the run has ended well; None for no path."""
        if path is None:
            yield None
            return
        part = path.with_name(path.name + ".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = cls(part)
        except OSError as e:
            raise ComityError(f"{path}: the findings cannot be written there: {e.strerror}") from e
        try:
            yield file
            file.close()
            part.replace(path)
        except BaseException:
            file.close()
            part.unlink(missing_ok=True)
            raise

    def use(self, engine: Engine) -> None:
        """Name the clauses that findings refer to."""
        self._clauses = [
            (
                c.rule or c.id,
                c.id,
                c.harm,
                c.severity.name.lower(),
                c.counts,
                c.sentence.format_map(_Shown(c.parameters)),
            )
            for c in engine.clauses
        ]

    def write(self, turn: Turn, figures: list[str]) -> None:
        """Write the findings of a turn."""
        lines = []
        events, at = turn.batch.events, turn.findings.rows.tolist()
        for row, clause, figure in zip(at, turn.findings.clauses.tolist(), figures, strict=True):
            event = events[row]
            rule, name, harm, severity, counts, sentence = self._clauses[clause]
            lines.append(
                self._encode(
                    {
                        "event": event.id,
                        "rule": rule,
                        "clause": name,
                        "harm": harm,
                        "severity": severity,
                        "counts": counts,
                        "at": event.at,
                        "community": event.community,
                        "room": event.room,
                        "member": event.member,
                        "sentence": sentence,
                        "figures": msgspec.Raw(figure.encode()),
                        "excerpt": excerpt(event.text),
                    }
                )
            )
        self._file.write(b"\n".join(lines) + b"\n")

    def close(self) -> None:
        """Everything is on its way to the disk."""
        self._file.close()


class _Shown(dict[str, object]):
    """Parameters as a sentence shows them; one that it does not know stays as it is written."""

    def __init__(self, parameters: object) -> None:
        super().__init__(parameters if isinstance(parameters, dict) else {})

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
