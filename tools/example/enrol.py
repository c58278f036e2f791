"""Enrolling the example's staff at the example's provider, as a browser would: one link each, used once."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import aiohttp

_BOUNCE = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)"')


async def enrol(link: str, who: str) -> None:
    """Enrol somebody at the provider by the link that ``comity user add`` printed. Raises RuntimeError."""
    parts = urlsplit(link)
    console = f"{parts.scheme}://{parts.netloc}"
    from_there = {"Origin": console, "Sec-Fetch-Site": "same-origin"}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.post(f"{link}/provider", headers=from_there) as answer:
            leads = _BOUNCE.search(await answer.text())
        if not answer.ok or leads is None:
            raise RuntimeError(f"{who} cannot enrol: {answer.status}")
        asked = urlsplit(unescape(leads[1]))
        provider = f"{asked.scheme}://{asked.netloc}"
        given = {**dict(parse_qsl(asked.query)), "who": who}
        async with session.post(f"{provider}{asked.path}", data=given, headers={"Origin": provider}) as answer:
            if not answer.ok or not str(answer.url).startswith(console) or "refused" in str(answer.url):
                raise RuntimeError(f"{who} cannot enrol: {answer.status} at {answer.url.path}")
