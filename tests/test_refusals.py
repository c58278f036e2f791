"""What we refuse, as far as it is built: each refusal has a test that would fail if somebody gave in."""

import ast
import json
import re
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

import comity
from comity.charter_file import load_charter
from comity.cli.common import DEFAULT_CHARTER
from comity.core.action import Do
from comity.core.charter import BY_A_PERSON, LONGEST_AUTOMATIC, Measure
from comity.core.queue import VERDICTS, Item, Kind
from comity.core.verdicts import (
    Change,
    Confirm,
    Escalate,
    Impose,
    Judge,
    Note,
    Refuse,
    Reverse,
    Uphold,
    name_of,
)
from comity.stores.process_tables import PROCESS
from comity.stores.sqlite import SqliteStore
from commanding import CHARTER, GARDEN, charter, chat, findings, finished, rated, run, written
from fake_homeserver import FakeHomeserver
from office_kit import MEMBERS, OLIVE, TRAP, house

SOURCE = Path(comity.__file__).parent
NETWORK = {
    *("aiohttp", "asyncio", "ftplib", "grpc", "http", "httpx", "imaplib", "multiprocessing", "nntplib", "poplib"),
    *("requests", "smtplib", "uvicorn", "socket", "socketserver", "ssl", "subprocess", "telnetlib", "urllib"),
    *("urllib3",),
    *("webbrowser", "websockets", "xmlrpc"),
}  # fmt: skip
# What each may, and asyncio's waiting, which connects to nothing by itself.
NETWORKING = {
    "adapters/matrix/client.py": {"aiohttp"},
    "cli/homeservers.py": {"asyncio"},
    "cli/recorded_log.py": {"asyncio"},
    "web/site/charter.py": {"asyncio"},
    "web/site/comparing.py": {"asyncio"},
    "live/listen.py": {"socket"},
    "live/notify.py": {"socket"},
    "live/process.py": {"asyncio", "socket", "uvicorn"},
    "replayer.py": {"multiprocessing"},  # its own processes, on this machine
    "web/hooks/addresses.py": {"asyncio", "socket"},  # looks an operator's address up, to refuse what is private
    "web/hooks/sender.py": {"asyncio", "httpx"},
    "web/site/openid.py": {"httpx"},
}
HARMLESS = {"urllib.parse", "http.HTTPStatus"}
WAITING = {"asyncio"}
MAY_WAIT = (
    "runner/",
    "live/",
    "adapters/matrix/",
    "web/site/",
    "cli/with_site.py",
    "cli/recorded_evidence.py",
    "cli/tending.py",
)
# Each starts a command of Comity, and no other program.
OUR_OWN = {("web/site/comparing.py", "create_subprocess_exec"), ("cli/tending.py", "create_subprocess_exec")}
CONNECTING = {
    *("open_connection", "open_unix_connection", "create_connection", "create_unix_connection", "start_server"),
    *("create_server", "create_datagram_endpoint", "create_subprocess_exec", "create_subprocess_shell", "sock_connect"),
}
NO_NETWORK = """
import os, sys
def refuse(event, args):
    if event.split('.')[0] in {'socket', 'urllib', 'http', 'ftplib', 'smtplib'} or event in {
        'subprocess.Popen', 'os.system', 'os.exec', 'os.posix_spawn', 'os.fork', 'webbrowser.open'}:
        os.write(2, f'{event} was called'.encode()); os._exit(99)
sys.addaudithook(refuse)
"""


@pytest.fixture
def by(tmp_path: Path) -> Path:
    """A charter."""
    return charter(tmp_path / "charter.toml")


@pytest.mark.parametrize(
    "harm", ["misinformation", "extremism", "hate.ideology", "political_opinion", "disinformation", "false_information"]
)
def test_no_charter_judges_opinion_viewpoint_or_truth(tmp_path: Path, harm: str) -> None:
    """A clause about what somebody thinks, or about what is true, is no clause, whatever it is called."""
    text = CHARTER.replace('harm = "house"', f'harm = "{harm}"')
    result = run("charter", "check", charter(tmp_path / "opinion.toml", text))
    assert result.exit_code == 1
    assert ":39:" in result.stderr


@pytest.mark.parametrize("path", [DEFAULT_CHARTER, GARDEN / "charter.toml"], ids=["default", "tea garden"])
def test_no_charter_of_ours_takes_a_right_for_good_by_machine(path: Path) -> None:
    """No automatic measure lasts longer than 72 hours, and what lasts is marked as a person's to decide."""
    found = load_charter(path)
    assert timedelta() < found.longest <= LONGEST_AUTOMATIC == timedelta(hours=72)
    said = run("charter", "check", path).stdout
    for clause in found.clauses:
        for measure in set(clause.measures) & BY_A_PERSON:
            assert f"Clause {clause.id}: " in said
            assert measure in said


@pytest.mark.parametrize("longest", ["73h", "4d", "1000d"])
def test_no_charter_can_let_a_machine_impose_a_lasting_measure(tmp_path: Path, longest: str) -> None:
    """A charter that wants longer automatic measures cannot be adopted, and the place is named."""
    text = CHARTER.replace('time_zone = "Europe/Vienna"', f'longest = "{longest}"')
    result = run("charter", "check", charter(tmp_path / "long.toml", text))
    assert result.exit_code == 1
    assert ":3:" in result.stderr
    assert "72 hours" in result.stderr


def test_no_house_rule_costs_a_right(tmp_path: Path) -> None:
    """A community's own taste is minor and can hide, slow and warn; it can neither weigh more nor mute anybody."""
    for line in ('severity = "serious"', 'measures = ["mute"]', 'measures = ["ban"]'):
        text = CHARTER.replace('harm = "house"', f'harm = "house"\n{line}')
        result = run("charter", "check", charter(tmp_path / "house.toml", text))
        assert result.exit_code == 1
        assert ":40:" in result.stderr


def test_what_the_operator_named_is_all_that_we_talk_to() -> None:
    """Three modules open connections, each to what an operator named: the homeserver, a provider of sign-ins, webhooks.

    One listens, one tells the service manager, one starts our own command. No other module imports what reaches a
    network or starts a program; only texts of links are taken apart, and statuses of answers named.
    """
    wrong = []
    for file in SOURCE.rglob("*.py"):
        name = file.relative_to(SOURCE).as_posix()
        may = NETWORKING.get(name, WAITING if name.startswith(MAY_WAIT) else set())
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            named = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                named += [f"{node.module}.{a.name}" if node.module == "http" else str(node.module) for a in node.names]
            wrong += [
                (name, n) for n in named if (top := n.split(".")[0]) in NETWORK and n not in HARMLESS and top not in may
            ]
            called = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
            wrong += [(name, called)] if called in CONNECTING and (name, called) not in OUR_OWN else []
    assert [] == wrong


def test_the_client_talks_to_its_homeserver_only() -> None:
    """Every request begins with the address of the settings, and is never led on to another; nobody else makes any."""
    client = (SOURCE / "adapters" / "matrix" / "client.py").read_text("utf-8")
    assert 1 == client.count("URL(")
    assert 'URL(f"{self.base_url}{path}"' in client
    assert 1 == client.count("allow_redirects=False") == client.count("ClientSession(")
    made = [
        file.relative_to(SOURCE).as_posix()
        for file in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Homeserver"
    ]
    assert {"runner/service.py", "runner/looking.py", "cli/homeservers.py", "cli/lists_import.py"} >= set(made)


def test_nothing_is_sent_anywhere(tmp_path: Path, by: Path) -> None:
    """With every socket and other program forbidden, a chat is rated, explained, compared and verified."""
    log, store = written(tmp_path / "log.ndjson", chat(3, 60)), tmp_path / "comity.sqlite"
    other = charter(tmp_path / "other.toml", CHARTER.replace("= 4", "= 3"))
    commands = [
        ["rate", log, "--store", store, "--charter", by, "--report", tmp_path / "r.html"],
        ["explain", "ana", "--store", store, "--charter", by],
        ["charter", "compare", by, other, log],
    ]
    before = f"{NO_NETWORK}\nfrom comity.cli import comity\n"
    before += "".join(f"comity.main({[str(a) for a in c]}, standalone_mode=False)\n" for c in commands)
    status, told, said = finished("verify", "--store", store, before=before)
    assert (status, said) == (0, "")
    assert all(
        sentence in told for sentence in ("What was found", "What it is made of", "treated differently", "is whole")
    )
    status, _, said = finished("verify", "--store", store, before=f"{NO_NETWORK}\nimport socket; socket.socket()")
    assert (status, said) == (99, "socket.__new__ was called")  # the guard itself works


def test_no_name_is_in_window_states_or_remembered_ids(tmp_path: Path, by: Path) -> None:
    """What is carried between batches, and what tells that an event came before, are keyed hashes."""
    named = {m: f"zinnia-{m}-account" for m in {e["member"] for e in chat(3)}}
    events = [
        e | {"id": f"event-number-{e['id']}", "member": named[e["member"]], "name": f"Zinnia {e['member']}"}
        | {"mentions": [named["hedy"]] if e["mentions"] else []}
        for e in chat(3)
    ]  # fmt: skip
    store = tmp_path / "comity.sqlite"
    rated(written(tmp_path / "log.ndjson", events), "--store", store, "--charter", by)
    db = sqlite3.connect(store)
    carried = [bytes(r[0]) for r in db.execute("SELECT state FROM window UNION ALL SELECT ids FROM seen")]
    everything = repr(db.execute("SELECT * FROM entry").fetchall()) + repr(
        db.execute("SELECT * FROM member").fetchall()
    )
    db.close()
    assert sum(map(len, carried)) > 1000
    for word in (b"zinnia", b"Zinnia", b"event-number", b"#garden", b"hedy"):
        assert not any(word in state for state in carried)
    assert "zinnia" not in everything.lower()


def test_a_forgotten_member_is_in_no_file_of_the_store(tmp_path: Path, by: Path) -> None:
    """After an account is forgotten, its name stands nowhere in the store, and the chain is whole."""
    events = [e | {"member": f"kettle-{e['member']}", "name": None, "mentions": []} for e in chat(3, 100)]
    store = tmp_path / "comity.sqlite"
    rated(written(tmp_path / "log.ndjson", events), "--store", store, "--charter", by)
    assert b"kettle-ana" in store.read_bytes()
    with SqliteStore.open(store, durable=True) as ledger:
        for number in range(1, ledger.counts().members + 1):
            assert ledger.forget_account(number)
    for file in tmp_path.glob("comity.sqlite*"):
        assert b"kettle-" not in file.read_bytes()
    assert run("verify", "--store", store).exit_code == 0
    assert len(findings(store)) > 0


def test_nobody_is_the_same_in_two_communities(tmp_path: Path, by: Path) -> None:
    """The same account has another pseudonym in every community and every store, and a standing in each alone."""
    seen = []
    for store in ("one.sqlite", "two.sqlite"):
        for community in ("tea-garden", "toothpaste"):
            log = written(tmp_path / "log.ndjson", chat(3, 40, community=community))
            rated(log, "--store", tmp_path / store, "--charter", by)
        with SqliteStore.open(tmp_path / store, durable=False, read_only=True) as ledger:
            seen += [m.pseudonym for m in ledger.members_named("ana") if m.account == "ana"]
    assert len(seen) == len(set(seen)) == 4


def test_there_is_no_score_across_stores(tmp_path: Path) -> None:
    """No command takes two stores: asked with two, the last one is meant, and the first is not even opened."""
    result = run("explain", "ana", "--store", tmp_path / "a.sqlite", "--store", tmp_path / "b.sqlite")
    assert result.exit_code == 1
    assert str(tmp_path / "b.sqlite") in result.stderr
    assert str(tmp_path / "a.sqlite") not in result.stderr


def test_no_finding_is_without_evidence(tmp_path: Path, by: Path) -> None:
    """Every finding names its clause, its event, what was said, and the figures that the rule saw."""
    store = tmp_path / "comity.sqlite"
    rated(written(tmp_path / "log.ndjson", chat(3)), "--store", store, "--charter", by)
    found = findings(store)
    assert len(found) > 20
    for event, clause, _, _, room, account, excerpt, figures in found:
        assert all((event, clause, room, account, excerpt))
        assert figures != "{}" or clause == "5"  # a word that is said or not has no figure


def test_a_score_of_a_classifier_never_counts_by_itself(tmp_path: Path) -> None:
    """A clause that looks at a classifier's score finds for a person to look at; with a measure it is refused."""
    own = CHARTER.replace("matches('nobody waters')", "score('kettle') > 0.5").replace('state = "shadow"', "")
    found = load_charter(charter(tmp_path / "score.toml", own))
    assert [c.id for c in found.clauses if not c.counts] == ["5"]
    acting = charter(tmp_path / "acting.toml", own.replace('harm = "house"', 'harm = "house"\nmeasures = ["hide"]'))
    result = run("charter", "check", acting)
    assert result.exit_code == 1
    assert "never acts alone" in result.stderr


def test_nobody_can_be_reported_to_an_authority() -> None:
    """No action leaves the platform, and no verdict of a person means anything but what happens in the community."""
    assert {str(do) for do in Do} == {"hide", "level", "remove", "ban", "unban", "tell", "say"}
    said = {name_of(kind) for kinds in VERDICTS.values() for kind in kinds}
    assert said == {"confirm", "change", "reverse", "refuse", "impose", "uphold", "escalate", "note", "judge"}


@pytest.mark.parametrize("reason", ["", " ", "\n"])
def test_no_person_decides_without_a_reason(reason: str) -> None:
    """Whatever a person says about a case says why; without a reason it is no value at all."""
    for make in (Confirm, Change, Reverse, Refuse, Uphold, Escalate, Note):
        with pytest.raises(ValueError, match="says why"):
            make(reason)
    for whole in (
        lambda: Impose(reason, clause="1", measure=Measure.WARN),
        lambda: Judge(reason, right=True),
    ):
        with pytest.raises(ValueError, match="says why"):
            whole()


def test_due_process_stores_no_names() -> None:
    """No table of it has a column for an account, an address or a real name: members are numbers, staff pseudonyms."""
    columns = {
        word
        for table in re.findall(r"CREATE TABLE \w+ \((.*?)\) STRICT", PROCESS, re.DOTALL)
        for word in re.findall(r"(?:^|,)\s*(\w+) (?:INTEGER|TEXT|BLOB)", table, re.MULTILINE)
    }
    assert {"reporter", "member", "by", "reason"} <= columns
    assert not columns & {"account", "email", "mail", "address", "phone", "real_name", "ip", "display_name"}


@pytest.mark.anyio
async def test_no_number_of_reports_moves_a_standing(fake: FakeHomeserver, tmp_path: Path) -> None:
    """However many report somebody, nothing follows until a person looks: no point lost, no right, no decision."""
    async with house(tmp_path, fake) as live:
        ana, before = live.number(MEMBERS[0]), live.points(MEMBERS[0])
        for n, reporter in enumerate(MEMBERS[1:]):
            for event in (f"$one-{n}", "$same"):
                await live.office.report(
                    1, live.number(reporter), member=ana, room=1, event=event, harm="child_safety", text="!"
                )
        live.wait(60_000)
        assert live.points(MEMBERS[0]) == before
        assert live.decisions(MEMBERS[0]) == []
        assert live.runner._realms["tea-garden"].in_force == {}


@pytest.mark.anyio
async def test_no_person_removes_somebody_of_whom_too_little_is_known(fake: FakeHomeserver, tmp_path: Path) -> None:
    """While a standing may be much better than it seems, not even a person removes or bans for less than severe."""
    async with house(tmp_path, fake) as live:
        for measure, clause, why in (
            (Measure.REMOVE, "3.1", "too little is known"),
            (Measure.BAN, "3.1", "too little is known"),
            (Measure.MUTE, "9.1", "a house rule costs nobody a right"),
            (Measure.WARN, "7.7", "there is no clause 7.7"),
        ):
            report = await live.office.report(
                1, live.number(MEMBERS[1]), member=live.number(MEMBERS[0]), room=1, event=f"${clause}{measure}",
                harm="", text="",
            )  # fmt: skip
            until = live.now() + 86_400_000
            verdict = Impose("so it is", clause=clause, measure=measure, until=until, excerpt="my gnomes are for sale")
            refused = await live.decide(Item(Kind.REPORT, report.number), verdict)
            assert why in refused.outcome
        assert live.decisions(MEMBERS[0]) == []
        assert live.store.findings(live.number(MEMBERS[0])) == []  # nothing half done


@pytest.mark.anyio
async def test_nothing_is_kept_quietly_about_a_member(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Notes about somebody, and who looked at them and why, are in what they take along."""
    async with house(tmp_path, fake) as live:
        await live.say(MEMBERS[0], TRAP)
        item = (await live.waits(Kind.PROVISIONAL))[0]
        await live.office.decide(item, Note("she is new here"), OLIVE, "")
        await live.office.look(1, OLIVE, "a question of hers", what="messages", member=live.number(MEMBERS[0]))
        taken = json.loads(await live.office.everything_about(1, live.number(MEMBERS[0])))
        assert [n["text"] for n in taken["notes"]] == ["she is new here"]
        assert [x["reason"] for x in taken["looks"]] == ["a question of hers"]
        assert [e["excerpt"] for e in taken["entries"]] == [TRAP]
