"""What the default charter finds of spam put into real logs, and what it finds that nobody put there.

Usage: accuracy.py [--data FOLDER] [--seed N]

The folder holds the logs and samples (by default ``../shared/data`` beside the checkout): IRC logs of help channels,
spam and harmless messages of Telegram groups, and a list of scam domains. Half of the domains used are kept off the
charter's list, as new ones are in life.
"""

import argparse
import json
import random
import sys
from collections import Counter, defaultdict
from pathlib import Path

from comity.adapters.exports import Options, read
from comity.charter_file import parse_charter
from comity.core.event import Event
from comity.engine import Engine

HERE = Path(__file__).parent
DEFAULT = HERE.parent / "src/comity/data/charter.toml"
LURES = (
    "hey, have a look at this https://{}/gift before it is gone",
    "they give tea away for nothing: {} just try",
    "https://{}/login",
    "I got mine at http://{}/claim?ref=tea today",
)
LINKS = 500


def injected(data: Path, r: random.Random) -> tuple[list[tuple[str, str]], list[str]]:
    """Messages to put in, as (what it is, text); second, the domains that the charter's list knows."""
    telegram = data / "tg-spam-samples"
    spam = [line for line in (telegram / "spam-samples.txt").read_text("utf-8").splitlines() if line.strip()]
    ham = [line for line in (telegram / "ham-samples.txt").read_text("utf-8").splitlines() if line.strip()]
    listing = json.loads((data / "discord-phishing-links/domain-list.json").read_text("utf-8"))["domains"]
    domains = [d for d in listing if "." in d and "/" not in d]  # a few are pages of a host, not hosts
    chosen = r.sample(sorted(set(domains)), 2 * LINKS)
    unknown = set(chosen[LINKS:])
    put_in = [("spam sample", text) for text in spam]
    put_in += [("harmless sample", text) for text in ham]
    put_in += [("link to a listed domain", r.choice(LURES).format(d)) for d in chosen[:LINKS]]
    put_in += [("link to an unlisted domain", r.choice(LURES).format(d)) for d in chosen[LINKS:]]
    return put_in, [d for d in domains if d not in unknown]


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared/data")
    parser.add_argument("--seed", type=int, default=20260901)
    options = parser.parse_args()
    logs = options.data / "irc-disentanglement/ubuntu"
    if not logs.is_dir():
        sys.exit(f"{logs} is not there: name the folder of the logs with --data")
    r = random.Random(options.seed)
    put_in, listed = injected(options.data, r)
    events = [e for chunk in read([logs], Options()) for e in chunk.events]
    messages = [e for e in events if e.kind == "message"]
    what: dict[str, str] = {}
    for n, (kind, text) in enumerate(put_in):
        at = r.choice(messages)
        what[f"put in {n}"] = kind
        who = f"newcomer{n}"
        events.append(
            Event(
                id=f"put in {n}", at=at.at, kind="message", community=at.community, room=at.room, member=who,
                name=who, text=text, mentions=[],
            )
        )  # fmt: skip
    events.sort(key=lambda e: e.at)
    charter = DEFAULT.read_text("utf-8")
    unset = '# parameters = { domains = "file:scam-domains.txt" }'
    charter = charter.replace(unset, f"parameters = {{ domains = {json.dumps(listed)} }}")
    engine = Engine(parse_charter(charter))
    found: dict[str, set[str]] = defaultdict(set)
    own: Counter[str] = Counter()
    for first in range(0, len(events), 8192):
        turn = engine.turn(events[first : first + 8192])
        ids = turn.batch.strings("id")[0]
        for row, clause in zip(turn.findings.rows.tolist(), turn.findings.clauses.tolist(), strict=True):
            name, rule = ids.string(row), engine.clauses[clause].rule
            if name in what:
                found[name].add(rule)
            else:
                own[rule] += 1
    table(what, found, own, len(messages))


def table(what: dict[str, str], found: dict[str, set[str]], own: Counter[str], messages: int) -> None:
    """Recall by kind, then findings by rule."""
    total = Counter(what.values())
    print("| put in | messages | found | recall |\n| --- | --- | --- | --- |")
    for kind, n in total.items():
        hit = sum(1 for name in found if what[name] == kind)
        print(f"| {kind} | {n} | {hit} | {hit / n:.1%} |")
    bad = {"spam sample", "link to a listed domain", "link to an unlisted domain"}
    rules = sorted({rule for rules in found.values() for rule in rules} | set(own))
    print("\n| rule | of the spam | of the links | of the harmless | in the logs | precision of what was put in |")
    print("| --- | --- | --- | --- | --- | --- |")
    for rule in rules:
        by = Counter(what[name] for name, some in found.items() if rule in some)
        right = sum(n for kind, n in by.items() if kind in bad)
        precision = f"{right / sum(by.values()):.1%}" if by else ""
        links = by["link to a listed domain"] + by["link to an unlisted domain"]
        cells = (by["spam sample"], links, by["harmless sample"], own[rule])
        print(f"| {rule} | " + " | ".join(map(str, cells)) + f" | {precision} |")
    per_mille = 1000 * sum(own.values()) / messages
    print(
        f"\nIn the logs themselves: {sum(own.values())} findings in {messages:,} messages, {per_mille:.2f} per 1,000."
    )


if __name__ == "__main__":
    main()
