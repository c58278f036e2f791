"""A Synapse of one's own: on loopback only, with everything it keeps in one folder."""

import hashlib
import hmac
import http.client
import json
import secrets
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

READY_WITHIN: Final = 90.0
_UNLIMITED: Final = {"per_second": 100_000, "burst_count": 100_000}
_LIMITS: Final = {
    **dict.fromkeys(("rc_message", "rc_registration", "rc_admin_redaction", "rc_joins_per_room"), _UNLIMITED),
    **dict.fromkeys(("rc_reports", "rc_user_directory"), _UNLIMITED),
    "rc_presence": {"per_user": _UNLIMITED},
    "rc_login": dict.fromkeys(("address", "account", "failed_attempts"), _UNLIMITED),
    "rc_joins": dict.fromkeys(("local", "remote"), _UNLIMITED),
    "rc_invites": dict.fromkeys(("per_room", "per_user", "per_issuer"), _UNLIMITED),
    "rc_room_creation": _UNLIMITED,
}


def free_port() -> int:
    """A port on loopback that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class LocalSynapse:
    """One Synapse. python: of the environment it is installed in; server: what account names end in.

    address: where it listens.
    """

    def __init__(self, python: Path, folder: Path, server: str) -> None:
        self.python, self.folder, self.server = python, folder, server
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._secret = secrets.token_urlsafe()
        self._process: subprocess.Popen[bytes] | None = None

    def configure(self, registration: Path, *, limited: bool = False, **more: object) -> None:
        """Write its configuration, and make its keys.

        registration: of an application service; limited: with the rate limits that Synapse comes with; more: further
        settings.
        """
        self._write(registration, {**({} if limited else _LIMITS), **more})
        self._run("--generate-keys").wait(READY_WITHIN)

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

    def register(self, name: str, password: str, *, admin: bool = False) -> tuple[str, str]:
        """A new account; its id and an access token."""
        path = "/_synapse/admin/v1/register"
        nonce = self.call("GET", path)["nonce"]
        rank = b"admin" if admin else b"notadmin"
        said = b"\0".join([nonce.encode(), name.encode(), password.encode(), rank])
        mac = hmac.new(self._secret.encode(), said, hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": name, "password": password, "admin": admin, "mac": mac}
        answer = self.call("POST", path, body)
        return answer["user_id"], answer["access_token"]

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
                [self.python, "-m", "synapse.app.homeserver", "-c", self.folder / "homeserver.yaml", *options],
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C is ours: it ends last
            )

    def _write(self, registration: Path, more: Mapping[str, object]) -> None:
        """The configuration, as JSON, which is YAML."""
        folder = self.folder
        handler = {"class": "logging.FileHandler", "filename": str(folder / "synapse.log")}
        log = {
            "version": 1,
            "handlers": {"file": handler},
            "root": {"level": "WARNING", "handlers": ["file"]},
            "disable_existing_loggers": False,
        }
        (folder / "log.yaml").write_text(json.dumps(log), "utf-8")
        listener = {
            "port": self.port,
            "tls": False,
            "type": "http",
            "bind_addresses": ["127.0.0.1"],
            "x_forwarded": False,
            "resources": [{"names": ["client"], "compress": False}],
        }
        config = {
            "server_name": self.server,
            "public_baseurl": f"{self.address}/",
            "pid_file": str(folder / "homeserver.pid"),
            "signing_key_path": str(folder / "signing.key"),
            "media_store_path": str(folder / "media"),
            "log_config": str(folder / "log.yaml"),
            "report_stats": False,
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "listeners": [listener],
            "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
            "registration_shared_secret": self._secret,
            "macaroon_secret_key": secrets.token_urlsafe(),
            "form_secret": secrets.token_urlsafe(),
            "bcrypt_rounds": 4,
            "enable_registration": False,
            "presence": {"enabled": False},
            "url_preview_enabled": False,
            "app_service_config_files": [str(registration)],
            **more,
        }
        file = folder / "homeserver.yaml"
        file.touch(0o600)
        file.write_text(json.dumps(config, indent=1), "utf-8")
