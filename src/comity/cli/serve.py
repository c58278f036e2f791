"""``comity serve``: look after communities, live."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from structlog.typing import FilteringBoundLogger

from comity.charter_file import CharterError, load_charter
from comity.cli.charter import clauses_told, longest_told
from comity.cli.printing import counted, printable
from comity.core.charter import Charter
from comity.core.errors import ComityError, SourceError
from comity.core.event import Event
from comity.engine import Engine
from comity.live.logs import configure
from comity.live.metrics import Metrics
from comity.live.process import Service, run
from comity.rule_values import read_text
from comity.settings import Settings
from comity.settings_file import exposed, load_settings
from comity.stores.opening import check_place, open_store
from comity.stores.sql_store import SqlStore
from comity.syntax import nearest

if TYPE_CHECKING:
    from comity.runner.evidence import Evidence  # it brings all of the runner along, and a check needs none of it


@click.command(
    epilog="""\b
Examples:
  comity serve --check                          say what is wrong with settings and charters, and end
  comity serve --settings /etc/comity/comity.toml
  comity serve --dry-run                        decide and show, whatever the settings say

SIGTERM or Ctrl-C ends it gently: what is in hand is finished. A second one ends it at once; what was committed is
carried out after the next start. Exit status: 0 if it was asked to end, 1 for anything else."""
)
@click.option(
    "--settings",
    "path",
    type=click.Path(path_type=Path),
    default=Path("comity.toml"),
    show_default=True,
    help="The settings' file.",
)
@click.option("--check", is_flag=True, help="Check settings and charters, and end.")
@click.option("--dry-run", is_flag=True, help="Carry nothing out, in no community.")
def serve(*, path: Path, check: bool, dry_run: bool) -> None:
    """Look after communities, live: read, find, decide, act, and tell members why."""
    settings = load_settings(path)
    if dry_run:
        settings = settings.dry()
    charters = _charters(settings)
    check_place(settings.store, read_only=False)
    if check:
        _tell(settings, charters)
        return
    log = configure(form=settings.log.form, level=settings.log.level)
    if why := exposed(path):
        log.warning("secrets lie open", why=why)
    metrics = Metrics()
    with open_store(settings.store, durable=True) as store:
        try:
            service = _service(settings, charters, store, metrics, log)
            run(service, host=settings.server.host, port=settings.server.port, metrics=metrics, log=log)
        except (ComityError, OSError):
            raise
        except Exception as e:
            # The error's own words may quote a message; the log tells its type and place.
            log.critical("cannot go on", exc_info=e)
            raise ComityError("it cannot go on; the log says where it failed") from None


def _service(
    settings: Settings,
    charters: Mapping[str, Charter],
    store: SqlStore,
    metrics: Metrics,
    log: FilteringBoundLogger,
) -> Service:
    """The one place where what runs is put together. charters: by their community's id."""
    from comity.cli.with_site import WithSite  # noqa: PLC0415  checking needs none of it
    from comity.runner import Runner  # noqa: PLC0415  the same

    texts = {community.id: read_text(community.charter) for community in settings.communities}
    record, evidence = _record(settings, store, log)
    runner = Runner(
        settings=settings,
        charters=charters,
        store=store,
        metrics=metrics,
        log=log,
        texts=texts,
        record=record,
        evidence=evidence,
    )

    def to_read() -> SqlStore:
        return open_store(settings.store, durable=True, read_only=True)

    service = WithSite(runner, settings, store, to_read, log)
    if settings.record is None:
        return service
    from comity.cli.tending import Tender, WithTender  # noqa: PLC0415  few need it

    return WithTender(service, Tender(settings.path, metrics, log))


def _record(
    settings: Settings, store: SqlStore, log: FilteringBoundLogger
) -> tuple[Callable[[Sequence[Event]], object] | None, "Evidence | None"]:
    """What records a turn's events, and what is asked for evidence; rooms that are new to the record are told."""
    if settings.record is None:
        return None, None
    from comity.cli.record_options import begin_rooms  # noqa: PLC0415  few need it
    from comity.cli.recorded_evidence import RecordedEvidence  # noqa: PLC0415  the same

    record = begin_rooms(settings, store)
    return record.append, RecordedEvidence(settings.store, settings.record, record, log)


def _charters(settings: Settings) -> dict[str, Charter]:
    """The charter of each community, by its id. Raises CharterError with the mistakes of all of them."""
    charters: dict[str, Charter] = {}
    mistakes: list[SourceError] = []
    for community in settings.communities:
        try:
            charters[community.id] = load_charter(community.charter)
        except CharterError as e:
            mistakes += e.mistakes
    for follow in settings.lists:
        charter = charters.get(follow.community)
        ids = [c.id for c in charter.clauses] if charter else []
        if charter and follow.clause not in ids:
            what = f"no clause {follow.clause!r} is in the charter of {follow.community}, to follow {follow.room} by"
            mistakes.append(SourceError(settings.path, what, expected=nearest(follow.clause, ids)))
    if mistakes:
        raise CharterError(mistakes)
    return charters


def _tell(settings: Settings, charters: Mapping[str, Charter]) -> None:
    matrix, server = settings.matrix, settings.server
    host = f"[{server.host}]" if ":" in server.host else server.host
    click.echo(
        f"{printable(str(settings.path))}: {matrix.user} at {matrix.homeserver} ({matrix.mode}), "
        f"listening on {host}:{server.port}."
    )
    for community in settings.communities:
        charter = charters[community.id]
        engine = Engine(charter)
        how = (
            "a dry run: nothing is carried out"
            if community.dry_run
            else f"measures last {longest_told(charter)} at most"
        )
        rooms = counted(len(community.rooms), "room")
        click.echo(f"{community.id}: {clauses_told(charter)}, {rooms} named; {how}.")
        if not community.rooms and not community.inviters:
            click.echo(
                f"{community.id}: it has no rooms and follows nobody's invitation: nothing would be looked after."
            )
        for follow in settings.lists:
            if follow.community == community.id:
                how = f"by clause {follow.clause}" if follow.apply else "to look at only"
                click.echo(f"{community.id}: it follows the list {printable(follow.room)} {how}.")
        for pattern in engine.slow_patterns:
            click.echo(f"{community.id}: slow: the pattern {printable(pattern)!r} is looked for message by message.")
    if why := exposed(settings.path):
        click.echo(f"Secrets lie open: {why}")
