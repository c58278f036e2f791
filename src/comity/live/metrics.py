"""What a live process counts, for Prometheus. No label names a member, a room or a message."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder

from comity import __version__

DECIDE: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
ACT: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0)


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        own = self.registry = CollectorRegistry()
        ProcessCollector(registry=own)
        Gauge("comity_build_info", "Always 1; the label tells the version.", ["version"], registry=own).labels(
            __version__
        ).set(1)
        self.events_received = Counter(
            "comity_events_received", "Events taken in, each once.", ["community", "kind"], registry=own
        )
        self.events_known = Counter("comity_events_known", "Events that came again and were left out.", registry=own)
        self.events_unread = Counter("comity_events_unread", "Events that could not be read.", registry=own)
        self.event_last_received = Gauge(
            "comity_event_last_received_timestamp_seconds", "When the newest event came.", registry=own
        )
        self.findings = Counter("comity_findings", "Findings.", ["community", "rule", "state"], registry=own)
        self.decisions = Counter(
            "comity_decisions",
            "Decisions; by: machine or person; mode: live or dry_run.",
            ["community", "measure", "by", "mode"],
            registry=own,
        )
        self.actions = Counter(
            "comity_actions", "Actions tried; outcome: done, cannot or again.", ["do", "outcome"], registry=own
        )
        self.held = Counter(
            "comity_held", "Messages refused before anybody saw them, joins and invitations.", ["what"], registry=own
        )
        self.outbox_waiting = Gauge("comity_outbox_waiting", "Actions not carried out yet.", registry=own)
        self.outbox_oldest = Gauge(
            "comity_outbox_oldest_seconds", "Age of the oldest action that waits, 0 for none.", registry=own
        )
        self.decide_seconds = Histogram(
            "comity_decide_seconds", "From a batch of events to its commit.", buckets=DECIDE, registry=own
        )
        self.act_seconds = Histogram(
            "comity_act_seconds", "From an event's arrival to its action done.", buckets=ACT, registry=own
        )
        self.homeserver_errors = Counter(
            "comity_homeserver_errors", "Requests the homeserver did not answer well.", ["status"], registry=own
        )
        self.rooms = Gauge("comity_rooms", "Rooms looked after.", ["community"], registry=own)
        self.rooms_not_enforceable = Gauge(
            "comity_rooms_not_enforceable", "Rooms where some measure cannot be carried out.", registry=own
        )
        self.window_cuts = Counter(
            "comity_window_cuts", "Times a window reached its ceiling and forgot its oldest.", ["rule"], registry=own
        )
        self.record_events = Gauge("comity_record_events", "Events in the record.", registry=own)
        self.record_bytes = Gauge("comity_record_bytes", "Bytes of its segments and frames.", registry=own)
        self.record_gone = Counter(
            "comity_record_gone", "Events destroyed; why: term or forgotten.", ["why"], registry=own
        )
        self.record_tended = Gauge(
            "comity_record_tended_timestamp_seconds",
            "When it was last looked after, 0 for never.",
            registry=own,
        )
        self.record_failures = Counter(
            "comity_record_tend_failures", "Times the record could not be looked after.", registry=own
        )
        self.ready = Gauge("comity_ready", "1 if ready, as /readyz says.", registry=own)

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """All of it as Prometheus reads it, and the content type, by what an Accept header asks for."""
        encode, kind = choose_encoder(accept)
        return encode(self.registry), kind
