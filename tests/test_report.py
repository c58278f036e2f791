"""The report as a file: nothing from outside, nothing that hurts, sums that add up."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comity.web.report import render, write_report
from comity.web.report_data import Band, CurvePoint, Person, Report, SumLine
from comity.web.report_pack import CHUNK, number, pack, script_json
from report_fixture import garden

HOSTILE = [
    "</script><script>boom()</script>",
    "</script x <script x",
    "<img src=x onerror=boom()>",
    "<!-- <script ",
    "]]>\u2028\u2029",
    "\u202egnip\u2066 tea",
    "half a pair \ud83d",
    "\x00 tea \x1b",
    "{{ 7 * 7 }}",
]


class Outline(HTMLParser):
    """The elements of a page with their attributes, and the text of its script and style blocks."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note the text of a script or style block."""
        if self.elements and self.cdata_elem:
            self.blocks.append((str(self.elements[-1][1].get("id") or self.elements[-1][0]), data))


def empty(**changes: object) -> Report:
    """A report of a group in which nothing happened yet."""
    nothing: dict[str, Any] = dict.fromkeys(["events", "messages", "members", "rooms", "unread"], 0)
    nothing |= dict.fromkeys(["title", "community", "charter_name", "first", "last"], "")
    nothing |= {name: [] for name in ("days", "harms", "clauses", "bands", "people")}
    return msgspec.structs.replace(Report(**nothing, time_zone="UTC"), **changes)


def member(**changes: object) -> Person:
    """Ana, without a finding."""
    ana: dict[str, Any] = {"pseudonym": "a1", "name": "Ana", "first_day": "2025-03-01", "last_day": "2025-03-09"}
    ana |= {"active_days": 3, "messages": 12, "standing": 95_000, "low": 90_000, "high": 98_000, "band": "good"}
    return msgspec.structs.replace(Person(**ana), **changes)


def data(page: str) -> dict[str, Any]:
    """The data blocks of a page, read as its script reads them."""
    return {
        name: json.loads(text) for name, text in Outline(page).blocks if name == "head" or name.startswith("chunk-")
    }


def test_the_file_refers_to_nothing_outside() -> None:
    """No element loads anything, and every link stays on the page."""
    page = render(garden())

    for tag, attributes in Outline(page).elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "source", "use"}
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    styles = [text for name, text in Outline(page).blocks if name == "style"]
    assert not re.search(r"url\(|@import|@font-face", "".join(styles))


def test_the_policy_allows_the_two_blocks_of_the_page_and_nothing_else() -> None:
    """Every hash of the content security policy is that of a block in the file, and there is no exception."""
    page = render(garden())
    outline = Outline(page)
    policy = next(a["content"] for tag, a in outline.elements if a.get("http-equiv") == "Content-Security-Policy")

    hashes = re.findall(r"'sha256-([^']+)'", policy or "")
    blocks = [text for name, text in outline.blocks if name in {"style", "script"}]
    assert [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in blocks] == hashes
    assert len(hashes) == 2
    assert (policy or "").startswith("default-src 'none'; ")
    assert "unsafe" not in (policy or "")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_anybody_becomes_part_of_the_page(text: str) -> None:
    """Whatever a name or a clause says, the page has the same elements, and the data reads back as it was."""
    clauses = [msgspec.structs.replace(garden().clauses[0], text=text, id=text)]

    def page(words: str) -> str:
        said = [msgspec.structs.replace(clause, text=words, id=words) for clause in clauses]
        return render(
            empty(title=words, community=words, charter_name=words, clauses=said, people=[member(name=words)])
        )

    assert [tag for tag, _ in Outline(page("tea")).elements] == [tag for tag, _ in Outline(page(text)).elements]
    assert text == data(page(text))["head"]["people"][0][1]


@example("".join(HOSTILE))
@given(st.text(st.characters(exclude_categories=())))
def test_data_in_a_script_element_reads_back_and_cannot_end_it(text: str) -> None:
    """Any text, half surrogate pairs too, comes back from the script element as it was, in plain UTF-8."""
    written = str(script_json([text]))

    assert [text] == json.loads(written.encode())
    assert not re.search("[<>&\u2028\u2029]", written)


def test_a_sum_that_does_not_add_up_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    """A report whose addition is wrong by a thousandth is not written, and leaves nothing behind."""
    path = tmp_path / "report.html"
    path.write_text("the report of yesterday")
    lines = [
        SumLine("start", 95_000, "start"),
        SumLine("finding", -1_001, "finding"),
        SumLine("today", 94_000, "total"),
    ]

    with pytest.raises(ValueError, match=r"sum of a1 must end with a total.*got lines of 93999 and a total of 94000"):
        write_report(empty(people=[member(standing=94_000, sum=lines)]), path)

    assert "the report of yesterday" == path.read_text()
    assert [path] == list(tmp_path.iterdir())


def test_a_disk_that_fails_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file changes whole or not at all, and no draft is left lying about."""
    path = tmp_path / "report.html"
    write_report(garden(), path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_report(empty(), path)

    assert before == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    """A file with names and quotations is not readable by others on the machine."""
    write_report(garden(), tmp_path / "report.html")

    assert 0o600 == (tmp_path / "report.html").stat().st_mode & 0o777


def test_curves_keep_every_thousandth() -> None:
    """A curve packed as differences adds up to the very points it was made of."""
    curve = [CurvePoint("2025-03-01", 95_000, 90_001, 98_999, "good"), CurvePoint("2024-12-31", 1, 0, 100_000, "muted")]
    curve += [CurvePoint("2025-08-31", 69_999, 50_000, 80_000, "suspended")]
    bands = ["newcomer", "trusted", "good", "suspended", "no_links", "muted"]

    chunks = pack(empty(people=[member(curve=curve)]))[1]

    flat = json.loads(chunks[0])[0][3]
    now = [0, 0, 0, 0, 0]
    for start, point in zip(range(0, len(flat), 5), curve, strict=True):
        now = [value + step for value, step in zip(now, flat[start : start + 5], strict=True)]
        assert [number(point.day), point.standing, point.low, point.high, bands.index(point.band)] == now


def test_every_member_is_found_in_their_chunk() -> None:
    """Details lie in the chunk and at the place that the member's row number says."""
    people = [member(pseudonym=f"a{n}", missing=f"nothing, {n}") for n in range(2 * CHUNK + 1)]

    head, chunks = pack(empty(people=people))

    rows = json.loads(head)
    assert 3 == len(chunks)
    for index in (0, CHUNK - 1, CHUNK, 2 * CHUNK):
        detail = json.loads(chunks[index // CHUNK])[index % CHUNK]
        assert f"nothing, {index}" == rows["texts"][detail[2]]
        assert f"a{index}" == rows["people"][index][0]


def test_an_unknown_band_is_named() -> None:
    """A band the page could not draw is refused with the bands it knows."""
    odd: Any = "excellent"

    with pytest.raises(ValueError, match=r"one of newcomer, trusted.*got 'excellent'"):
        render(empty(people=[member(band=odd)]))


def test_a_group_without_events_has_a_report() -> None:
    """Nothing happened, and the page says so instead of failing."""
    page = render(empty(title="A new garden"))

    assert "no events" in page
    assert "No rule found anything." in page


def test_the_span_is_told_in_the_charters_days() -> None:
    """A message shortly before midnight UTC belongs to the next day where the clocks are ahead."""
    late = empty(first="2025-03-01T23:30:00.000Z", last="2025-03-05T12:00:00.000Z")

    assert "1 March 2025 to 5 March 2025, days in UTC" in render(late)
    assert "2 March 2025 to 5 March 2025" in render(msgspec.structs.replace(late, time_zone="Europe/Helsinki"))
    assert "days in UTC" in render(msgspec.structs.replace(late, time_zone="Garden/Shed"))


def test_those_left_out_are_said_to_be() -> None:
    """A page that lists some of the members says how many it does not list."""
    assert "1 are, 4,711 are not" in " ".join(render(empty(people=[member()], people_left_out=4_711)).split())


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, 0 to 1. Source: WCAG 2.2, definition of relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_colour_of_a_chart_stands_out_from_the_paper(scheme: int) -> None:
    """Areas, bars and borders have at least 3:1 against the page, in the light and in the dark (WCAG 2.2, 1.4.11)."""
    style = (resources.files("comity.web") / "report" / "page.css").read_text()
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", style)
    colours = {name: (light, dark)[scheme] for name, light, dark in pairs}
    drawn = [name for name in colours if name.startswith(("harm-", "band-")) or name in {"accent", "edge", "focus"}]

    assert 8 + len(get_args(Band)) + 3 == len(drawn)
    for name in drawn:
        light, dark = sorted([luminance(colours[name]), luminance(colours["paper"])], reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, name
