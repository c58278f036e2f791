"""A real Synapse for tests: a process of its own on loopback, in a folder of its own, ready in some seconds.

``make .venv-synapse/installed`` sets its environment up; without it, tests that need it skip and say so.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from comity.adapters.matrix.appservice import Registration
from comity.adapters.matrix.client import Homeserver
from local_synapse import LocalSynapse, free_port

__all__ = ["ANTISPAM_TOKEN", "AS_TOKEN", "HS_TOKEN", "PYTHON", "SERVER", "Registration", "Synapse", "free_port"]

PYTHON = Path(__file__).parents[1] / ".venv-synapse" / "bin" / "python"
SERVER = "garden.example"
PASSWORD = "pw"  # noqa: S105 - guards a homeserver that lives for seconds, on loopback
AS_TOKEN, HS_TOKEN, ANTISPAM_TOKEN = "as-token-of-tests", "hs-token-of-tests", "antispam-token-of-tests"


class Synapse(LocalSynapse):
    """One running Synapse.

    base_url: where it listens; app_service: its registration of Comity, pushing to ``push_port``; antispam_port: where
    its module asks, the same port, for one process answers both; 0 without the module; limited: with the rate limits
    that Synapse comes with.
    """

    def __init__(self, folder: Path, *, limited: bool = False, antispam: bool = False) -> None:
        super().__init__(PYTHON, folder, SERVER)
        self.base_url, self.push_port = self.address, free_port()
        self.antispam_port = self.push_port if antispam else 0
        self.app_service = Registration(
            server=SERVER, url=f"http://127.0.0.1:{self.push_port}", as_token=AS_TOKEN, hs_token=HS_TOKEN
        )
        self._names = (f"m{n}" for n in itertools.count())
        registration = folder / "comity.yaml"
        registration.write_text(self.app_service.text(), "utf-8")
        self.configure(registration, limited=limited, **(self._asking() if antispam else {}))

    @property
    def bot(self) -> str:
        """The account of the application service."""
        return f"@comity:{SERVER}"

    def restart(self) -> None:
        """Stop it and start it again on the same port and database."""
        self.stop()
        self.start()

    def register(self, name: str = "", password: str = PASSWORD, *, admin: bool = False) -> tuple[str, str]:
        """A new account, with a name that nobody had before unless one is given; its identifier and a token."""
        return super().register(name or next(self._names), password, admin=admin)

    def member(self, name: str = "", *, admin: bool = False) -> Homeserver:
        """A client of a new account."""
        account, token = self.register(name, admin=admin)
        return Homeserver(self.base_url, token, account=account)

    def as_comity(self, name: str = "comity") -> Homeserver:
        """A client of the application service, acting as its bot or another account of its own."""
        return Homeserver(self.base_url, AS_TOKEN, as_user=f"@{name}:{SERVER}")

    def _asking(self) -> dict[str, object]:
        """The settings of the module that asks before it accepts."""
        callbacks = ["check_event_for_spam", "user_may_join_room", "user_may_invite"]
        module = {
            "base_url": f"http://127.0.0.1:{self.antispam_port}/antispam",
            "authorization": ANTISPAM_TOKEN,
            "do_ping": True,
            "enabled_callbacks": callbacks,
            "fail_open": dict.fromkeys(callbacks, True),
        }
        return {"modules": [{"module": "synapse_http_antispam.HTTPAntispam", "config": module}]}


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
