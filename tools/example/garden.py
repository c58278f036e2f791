"""One run of the example: the platform, its pages and its provider on one port, and a real Comity beside it."""

import asyncio
import contextlib
import datetime as dt
import io
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from aiohttp import web

from comity.cli.user import user
from comity.core.event import Event
from comity.settings import Settings
from comity.settings_file import load_settings
from example import past, recording
from example.api import Api
from example.enrol import enrol
from example.pages import Pages
from example.provider import PATH, Client, SignIns
from example.push import Pusher
from example.rooms import Platform
from local_comity import LocalComity
from local_synapse import free_port

EXAMPLE: Final = Path(__file__).parents[2] / "examples" / "tea-garden"
SERVER: Final = "tea-garden.localhost"
BOT: Final = f"@comity:{SERVER}"
STAFF: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "olive": ("operator", "runs Comity, gives roles, decides no case"),
        "mo": ("moderator", "looks at what waits and decides"),
        "mira": ("moderator", "the same; hears appeals against what Mo decided"),
        "nora": ("neutral", "from outside: hears appeals where nobody else can"),
        "ada": ("auditor", "sees everything that was decided, and decides nothing"),
    }
)
MADE: Final = ("comity", "comity.log")  # in the folder
_SIGN_IN: Final = """
[sign_in]
issuer = "{issuer}"
client_id = "comity"
client_secret = "{secret}"
name = "Tea Garden's door"
"""


class Garden:
    """One run. folder: for all that is made; chat, console: where the platform and Comity listen, as addresses."""

    def __init__(self, folder: Path, *, chat_port: int = 0, console_port: int = 0) -> None:
        self._chat_port, self._console_port = chat_port or free_port(), console_port or free_port()
        self.chat, self.console = (f"http://localhost:{port}" for port in (self._chat_port, self._console_port))
        self._own = folder / "comity"
        self.comity = LocalComity(self._own / "comity.toml", folder / "comity.log")
        self.platform = Platform(SERVER, lambda: int(time.time() * 1000))
        self._secret, self._admin = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._links: dict[str, str] = {}
        self.events = past.read(EXAMPLE / "chat.ndjson")
        members = past.regulars(self.events)
        self.pages = Pages(self.platform, bot=BOT, members=members, address=self.chat, console=self.console)

    @property
    def issuer(self) -> str:
        """The provider's address."""
        return f"{self.chat}{PATH}"

    def prepare(self, now: dt.datetime) -> None:
        """Settings, charter, a store that knows the past, and staff with links to enrol. Raises RuntimeError."""
        self._own.mkdir(parents=True)
        shutil.copy(EXAMPLE / "scam-domains.txt", self._own)
        charter = (EXAMPLE / "charter.toml").read_text("utf-8")
        (self._own / "charter.toml").write_text(past.charter_here(charter, SERVER), "utf-8")
        options: list[str | Path] = ["--yes", "--act", "--folder", self._own, "--name", "Tea Garden"]
        options += ["--server-name", SERVER, "--homeserver", f"http://127.0.0.1:{self._chat_port}"]
        options += ["--bind", f"127.0.0.1:{self._console_port}", "--public-url", self.console]
        options += ["--inviter", f"@{past.MANAGER}:{SERVER}", "--management-room", f"#desk:{SERVER}"]
        for name in past.ROOMS:
            options += ["--room", f"#{name}:{SERVER}"]
        self.comity.run("init", *options)
        made = self.comity.settings.read_text("utf-8")
        made = made.replace("\n[[community]]", f'admin_token = "{self._admin}"\n\n[[community]]')
        made += recording.asked_for(SERVER) + _SIGN_IN.format(issuer=self.issuer, secret=self._secret)
        self.comity.settings.write_text(made, "utf-8")
        moved = past.moved(self.events, now)
        self._rate(moved)
        past.settle(self.platform, moved, BOT)
        past.desk(self.platform, BOT)
        for who, (role, _) in STAFF.items():
            self._links[who] = self._add(who, role)

    @contextlib.asynccontextmanager
    async def living(self) -> AsyncIterator["Garden"]:
        """Everything listens and is ready within; afterwards nothing is left running. Raises RuntimeError."""
        settings = load_settings(self.comity.settings)
        pusher = Pusher(self.platform, BOT, f"http://127.0.0.1:{self._console_port}", _hs_token(settings))
        runner = web.AppRunner(self._application(settings, pusher), shutdown_timeout=0.2)
        await runner.setup()
        pushing = asyncio.create_task(pusher.run())
        try:
            await web.TCPSite(runner, "127.0.0.1", self._chat_port).start()
            await asyncio.to_thread(self.comity.serve)
            for who, link in self._links.items():
                await enrol(link, who)
            yield self
        finally:
            await asyncio.to_thread(self.comity.stop)
            pushing.cancel()
            await asyncio.gather(pushing, return_exceptions=True)
            await runner.cleanup()

    def _rate(self, moved: Sequence[Event]) -> None:
        seed, here = self._own / "past.ndjson", past.as_here(moved, SERVER)
        past.write(here, seed)
        store = load_settings(self.comity.settings).store
        self.comity.run("rate", seed, "--store", store, "--charter", self._own / "charter.toml", "--quiet")
        recording.record_past(self.comity.settings, here)

    def _add(self, who: str, role: str) -> str:
        """Add somebody of the staff; the link to enrol with. The command runs here: five starts would take a while."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            user.main(["add", who, "--role", role, "--settings", str(self.comity.settings)], standalone_mode=False)
        return said.getvalue().splitlines()[-1]

    def _application(self, settings: Settings, pusher: Pusher) -> web.Application:
        api = Api(
            self.platform,
            pusher,
            service=settings.matrix.token.reveal(),
            bot=BOT,
            namespace=rf"@comity(_.*)?:{SERVER}",
            admin=self._admin,
        )
        client = Client("comity", self._secret, f"{self.console}/console/sign-in/provider/back")
        about = {who: f"{role}: {what}" for who, (role, what) in STAFF.items()}
        sign_ins = SignIns(self.issuer, client, about, self.pages.choose)
        app = web.Application(middlewares=[self.pages.guard])
        app.add_routes([*api.routes(), *self.pages.routes(), *sign_ins.routes()])
        return app


def _hs_token(settings: Settings) -> str:
    token = settings.matrix.hs_token
    if token is None:
        raise RuntimeError("these are no settings of an application service")
    return token.reveal()
