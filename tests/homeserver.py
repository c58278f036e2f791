"""A real Synapse for tests: a process of its own on loopback, in a folder of its own, ready in some seconds.

``make .venv-synapse/installed`` sets its environment up; without it, tests that need it skip and say so.
"""

import hashlib
import hmac
import http.client
import itertools
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from comity.adapters.matrix.appservice import Registration
from comity.adapters.matrix.client import Homeserver

PYTHON = Path(__file__).parents[1] / ".venv-synapse" / "bin" / "python"
SERVER = "garden.example"
SECRET = "for tests only"  # noqa: S105 - guards a homeserver that lives for seconds, on loopback
AS_TOKEN, HS_TOKEN, ANTISPAM_TOKEN = "as-token-of-tests", "hs-token-of-tests", "antispam-token-of-tests"
READY_WITHIN: Final = 60.0
_UNLIMITED = {"per_second": 100_000, "burst_count": 100_000}
_LIMITS = {
    "rc_message": _UNLIMITED,
    "rc_registration": _UNLIMITED,
    "rc_login": {"address": _UNLIMITED, "account": _UNLIMITED, "failed_attempts": _UNLIMITED},
    "rc_admin_redaction": _UNLIMITED,
    "rc_joins": {"local": _UNLIMITED, "remote": _UNLIMITED},
    "rc_joins_per_room": _UNLIMITED,
    "rc_invites": {"per_room": _UNLIMITED, "per_user": _UNLIMITED, "per_issuer": _UNLIMITED},
    "rc_room_creation": _UNLIMITED,
    "rc_reports": _UNLIMITED,
    "rc_presence": {"per_user": _UNLIMITED},
    "rc_user_directory": _UNLIMITED,
}


def free_port() -> int:
    """A port on loopback that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Synapse:
    """One running Synapse.

    base_url: where it listens; app_service: its registration of Comity, pushing to ``push_port``; antispam_port: where
    its module asks, the same port, for one process answers both; 0 without the module; limited: with the rate limits
    that Synapse comes with.
    """

    def __init__(self, folder: Path, *, limited: bool = False, antispam: bool = False) -> None:
        self.folder = folder
        self.port, self.push_port = free_port(), free_port()
        self.antispam_port = self.push_port if antispam else 0
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.app_service = Registration(
            server=SERVER, url=f"http://127.0.0.1:{self.push_port}", as_token=AS_TOKEN, hs_token=HS_TOKEN
        )
        self._names = (f"m{n}" for n in itertools.count())
        self._write(limited=limited)
        self._run("--generate-keys").wait(READY_WITHIN)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bot(self) -> str:
        """The account of the application service."""
        return f"@comity:{SERVER}"

    def start(self) -> None:
        """Start it, and wait until it answers. Raises RuntimeError with the end of its log if it does not."""
        self._process = self._run()
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self.call("GET", "/_matrix/client/versions")
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.stop()
        raise RuntimeError(f"Synapse did not start:\n{(self.folder / 'out.txt').read_text('utf-8')[-2000:]}")

    def stop(self, *, kill: bool = False) -> None:
        """Stop it by its own process, in peace or at once; stopping twice is stopping once."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)

    def restart(self) -> None:
        """Stop it and start it again on the same port and database."""
        self.stop()
        self.start()

    def register(self, name: str = "", *, admin: bool = False) -> tuple[str, str]:
        """A new account, with a name that nobody had before unless one is given; its identifier and a token."""
        name = name or next(self._names)
        nonce = self.call("GET", "/_synapse/admin/v1/register")["nonce"]
        mac = hmac.new(
            SECRET.encode(),
            b"\0".join([nonce.encode(), name.encode(), b"pw", b"admin" if admin else b"notadmin"]),
            hashlib.sha1,
        ).hexdigest()
        body = {"nonce": nonce, "username": name, "password": "pw", "admin": admin, "mac": mac}
        answer = self.call("POST", "/_synapse/admin/v1/register", body)
        return answer["user_id"], answer["access_token"]

    def member(self, name: str = "", *, admin: bool = False) -> Homeserver:
        """A client of a new account."""
        account, token = self.register(name, admin=admin)
        return Homeserver(self.base_url, token, account=account)

    def as_comity(self, name: str = "comity") -> Homeserver:
        """A client of the application service, acting as its bot or another account of its own."""
        return Homeserver(self.base_url, AS_TOKEN, as_user=f"@{name}:{SERVER}")

    def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON of any shape
        """One request without Comity's client. Raises OSError unless it is answered with a 2xx."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise OSError(f"{method} {path}: {answer.status} {text!r}")
        return json.loads(text)

    def _run(self, *options: str) -> subprocess.Popen[bytes]:
        with (self.folder / "out.txt").open("ab") as out:
            return subprocess.Popen(
                [str(PYTHON), "-m", "synapse.app.homeserver", "-c", str(self.folder / "homeserver.yaml"), *options],
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
            )

    def _write(self, *, limited: bool) -> None:
        """The configuration, as JSON, which is YAML."""
        folder = self.folder
        log = {
            "version": 1,
            "handlers": {"file": {"class": "logging.FileHandler", "filename": str(folder / "synapse.log")}},
            "root": {"level": "WARNING", "handlers": ["file"]},
            "disable_existing_loggers": False,
        }
        (folder / "log.yaml").write_text(json.dumps(log), "utf-8")
        (folder / "comity.yaml").write_text(self.app_service.text(), "utf-8")
        resources = [{"names": ["client"], "compress": False}]
        listener = {"port": self.port, "tls": False, "type": "http", "bind_addresses": ["127.0.0.1"]}
        config = {
            "server_name": SERVER,
            "public_baseurl": self.base_url,
            "pid_file": str(folder / "homeserver.pid"),
            "signing_key_path": str(folder / "signing.key"),
            "media_store_path": str(folder / "media"),
            "log_config": str(folder / "log.yaml"),
            "report_stats": False,
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "listeners": [{**listener, "x_forwarded": False, "resources": resources}],
            "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
            "registration_shared_secret": SECRET,
            "macaroon_secret_key": "x",
            "form_secret": "y",
            "bcrypt_rounds": 4,
            "enable_registration": False,
            "presence": {"enabled": False},
            "url_preview_enabled": False,
            "app_service_config_files": [str(folder / "comity.yaml")],
            **({} if limited else _LIMITS),
        }
        if self.antispam_port:
            callbacks = ["check_event_for_spam", "user_may_join_room", "user_may_invite"]
            module = {
                "base_url": f"http://127.0.0.1:{self.antispam_port}/antispam",
                "authorization": ANTISPAM_TOKEN,
                "do_ping": True,
                "enabled_callbacks": callbacks,
                "fail_open": dict.fromkeys(callbacks, True),
            }
            config["modules"] = [{"module": "synapse_http_antispam.HTTPAntispam", "config": module}]
        (folder / "homeserver.yaml").write_text(json.dumps(config), "utf-8")


def _running(factory: pytest.TempPathFactory, **options: bool) -> Iterator[Synapse]:
    if not PYTHON.exists():
        pytest.skip("there is no Synapse here: `make .venv-synapse/installed` sets one up")
    synapse = Synapse(factory.mktemp("synapse"), **options)
    try:
        synapse.start()
        yield synapse
    finally:
        synapse.stop()


@pytest.fixture(scope="session")
def synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    """A Synapse without rate limits, with Comity's application service.

    One for each worker and session: tests make rooms and accounts of their own, and leave it running.
    """
    yield from _running(tmp_path_factory)


@pytest.fixture(scope="session")
def asking_synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    """The same with the module that asks before it accepts; where nobody listens, asking costs it a third of a second.

    For that it has its own process: other tests should not wait for it.
    """
    yield from _running(tmp_path_factory, antispam=True)


@pytest.fixture(scope="session")
def limited_synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    """The same with the rate limits that Synapse comes with."""
    yield from _running(tmp_path_factory, limited=True)
