"""What is handed to the readers: plain or packed, whole or broken, one file or a folder."""

import gzip
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.adapters import source
from comity.adapters.exports import Options, formats, read, total_bytes
from comity.core.errors import SourceError
from reading import EXPORTS, found

LINE = (
    b'{"id":"%d","at":"2026-03-01T12:00:%02dZ","kind":"message",'
    b'"community":"c","room":"r","member":"m%d","text":"%d"}\n'
)


def log(count: int) -> bytes:
    """NDJSON of so many events, numbered from 0."""
    return b"".join(LINE % (n, n % 60, n * 7919 % 1000, n * n) for n in range(count))


def zipped(data: bytes) -> bytes:
    """Zstandard, one frame."""
    return zstandard.ZstdCompressor().compress(data)


@pytest.mark.parametrize(
    "pack", [gzip.compress, zipped, lambda data: gzip.compress(data[:999]) + gzip.compress(data[999:])]
)
def test_packed_files_read_like_plain_ones(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """Gzip and zstd are told by content, whatever the name, and made of any number of parts."""
    plain, packed = tmp_path / "plain.ndjson", tmp_path / "packed.ndjson"
    plain.write_bytes(log(20_000))
    packed.write_bytes(pack(log(20_000)))

    everything = found(packed)

    assert not everything.unread
    assert found(plain).events == everything.events


@pytest.mark.parametrize(("pack", "name"), [(gzip.compress, "gzip"), (zipped, "zstd")])
@pytest.mark.parametrize("cut", [1, 9, 30_000])
def test_a_packed_file_that_ends_too_early(tmp_path: Path, pack: Callable[[bytes], bytes], name: str, cut: int) -> None:
    """What stands before the end is read up to its last whole line, and the break is named."""
    path = tmp_path / "log.ndjson"
    path.write_bytes(pack(log(60_000))[:-cut])

    everything = found(path)

    assert [f"the {name} file ends too early"] == [one.what for one in everything.unread]
    assert len(everything.events) > 1000
    assert [str(n) for n in range(len(everything.events))] == [event.id for event in everything.events]


@pytest.mark.parametrize("pack", [gzip.compress, zipped])
def test_a_packed_file_damaged_in_the_middle(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """A damaged file is read up to the damage, which is named; nothing is raised."""
    path = tmp_path / "log.ndjson"
    data = bytearray(pack(log(60_000)))
    data[len(data) // 2 : len(data) // 2 + 64] = b"\xff" * 64
    path.write_bytes(data)

    everything = found(path)

    assert everything.unread
    assert len(everything.events) < 60_000


@pytest.mark.parametrize("pack", [gzip.compress, zipped])
def test_a_bomb_is_stopped(tmp_path: Path, pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that expands out of all proportion is left at a stated size, in bounded memory; the rest stays."""
    monkeypatch.setattr(source, "MOST_EXPANDED", 2**24)
    path = tmp_path / "log.ndjson"
    path.write_bytes(pack(log(10) + b" " * 2**27))

    tracemalloc.start()
    everything = found(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 10 == len(everything.events)
    assert any("expands to more than 200 times its size" in one.what for one in everything.unread)
    assert peak < 80 * 2**20


def test_a_zip_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same holds for a member of a zip, and the members beside it are read."""
    monkeypatch.setattr(source, "MOST_EXPANDED", 2**24)
    path = tmp_path / "logs.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.ndjson", log(10) + b" " * 2**26)
        archive.writestr("b.ndjson", log(20))

    everything = found(path)

    assert 30 == len(everything.events)
    assert any("200 times its size" in one.what and one.path.endswith("!a.ndjson") for one in everything.unread)


def test_text_that_packs_well_is_no_bomb(tmp_path: Path) -> None:
    """A long log that says the same over and over passes below the ceiling."""
    path = tmp_path / "log.ndjson"
    path.write_bytes(zipped(LINE % (1, 1, 1, 1) * 100_000))

    assert 100_000 == len(found(path).events)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (b"milk, sugar\n2, 3\n", "the format is not known"),
        (b'{"tea": 1}', "the format is not known"),
        ("12/03/2026, 21:04 - Ana: tea\n".encode("utf-16"), "the text is UTF-16"),
        (b"PK\x03\x04 not a zip", "the zip is damaged or ends too early"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, content: bytes, what: str) -> None:
    """A file that nobody could read is named, with what was expected."""
    path = tmp_path / "file"
    path.write_bytes(content)

    everything = found(path)

    assert [(str(path), what)] == [(one.path, one.what) for one in everything.unread]
    assert everything.unread[0].expected


def test_a_folder_is_read_through_and_sorted(tmp_path: Path) -> None:
    """Every file below a folder is read, hidden ones are not, and pictures are counted together."""
    (tmp_path / "b").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "b" / "two.ndjson").write_bytes(log(2))
    (tmp_path / "a.ndjson").write_bytes(log(1))
    (tmp_path / ".hidden" / "three.ndjson").write_bytes(log(3))
    (tmp_path / ".four.ndjson").write_bytes(log(4))
    for name in ("one.jpg", "two.jpg"):
        (tmp_path / name).write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF")

    everything = found(tmp_path)

    assert 3 == len(everything.events)
    assert [(str(tmp_path), "files that are no text were passed over: 2")] == [
        (o.path, o.what) for o in everything.unread
    ]


def test_a_folder_with_nothing_in_it(tmp_path: Path) -> None:
    """An empty folder is named."""
    assert ["the folder holds no file that can be read"] == [one.what for one in found(tmp_path).unread]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    """A file that may not be opened is named, and those beside it are read."""
    (tmp_path / "a.ndjson").write_bytes(log(1))
    locked = tmp_path / "b.ndjson"
    locked.write_bytes(log(2))
    locked.chmod(0)

    everything = found(tmp_path)

    assert 1 == len(everything.events)
    assert [(str(locked), "it cannot be opened: Permission denied")] == [
        (one.path, one.what) for one in everything.unread
    ]


def test_a_file_the_system_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal while reading is named in the system's words; nothing is raised."""
    path = tmp_path / "a.ndjson"
    path.write_bytes(log(3))

    def refuse(_: Path, *_rest: object, **_more: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)

    assert [(str(path), "it cannot be opened: Permission denied")] == [(o.path, o.what) for o in found(path).unread]


def test_a_pipe_is_named(tmp_path: Path) -> None:
    """What is no file does not hang the reading."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    assert ["it is no regular file"] == [one.what for one in found(pipe).unread]


def test_a_missing_path_is_an_error_before_anything_is_read(tmp_path: Path) -> None:
    """A mistyped path or format is told at once, not after the rest was read."""
    (tmp_path / "a.ndjson").write_bytes(log(1))

    with pytest.raises(SourceError, match="there is nothing here"):
        read([tmp_path / "a.ndjson", tmp_path / "b.ndjson"], Options())
    with pytest.raises(SourceError, match="ndjson, telegram"):
        read([tmp_path / "a.ndjson"], Options(format="tea"))


def test_a_format_can_be_forced(tmp_path: Path) -> None:
    """A given format is used whatever the content looks like."""
    path = tmp_path / "garden.2026-03-01.log"
    path.write_text('{"at":"","kind":"","member":""}\n[12:00] <ana> tea\n')

    everything = found(path, options=Options(format="irc"))

    assert (["tea"], [1]) == ([e.text for e in everything.events], [o.line for o in everything.unread])


def test_every_format_says_what_it_tells() -> None:
    """Each reader fills what every event needs, and what its fixture shows is what it says it tells."""
    examples = {"irc": "irc", "whatsapp": "whatsapp", "telegram": "telegram", "discord": "discord", "slack": "slack"}
    for name, folder in {**examples, "matrix": "matrix"}.items():
        reader = formats()[name]
        events = found(EXPORTS / folder).events
        filled = {
            field for event in events for field in type(event).__struct_fields__ if getattr(event, field) is not None
        }
        assert reader.name == name
        assert filled == reader.fills
        assert {event.kind for event in events} <= reader.kinds


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(file for file in EXPORTS.rglob("*") if file.is_file())),
    st.lists(
        st.tuples(
            st.integers(0, 8000), st.integers(0, 40), st.sampled_from([b"", b"\xff", b"9" * 20, b"null", b"{", b"\n"])
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([None, *formats()]),
)
def test_nothing_that_a_file_holds_stops_the_reading(
    tmp_path_factory: pytest.TempPathFactory,
    example: Path,
    damage: list[tuple[int, int, bytes]],
    forced: str | None,
) -> None:
    """However an export is damaged, and whichever reader it is given to, nothing is raised and no byte is lost."""
    data = example.read_bytes()
    for at, size, put in damage:
        data = data[:at] + put + data[at + size :]
    path = tmp_path_factory.mktemp("damaged") / example.name
    path.write_bytes(data)

    found(path, options=Options(format=forced))


@pytest.mark.parametrize("number", ["99999999999999999999", "-5", "tea"])
def test_a_time_that_does_not_exist_costs_one_message(tmp_path: Path, number: str) -> None:
    """A time outside the calendar is named, and the messages around it are read."""
    path = tmp_path / "result.json"
    path.write_text((EXPORTS / "telegram" / "account.json").read_text().replace('"1772367000"', f'"{number}"'))

    everything = found(path)

    assert (2, 1) == (len(everything.events), len(everything.unread))


def test_every_example_at_once() -> None:
    """Exports of all platforms can be read together, in time order across all of them."""
    everything = found(EXPORTS)

    times = [event.at for event in everything.events]
    assert times == sorted(times)
    assert total_bytes([EXPORTS]) == sum(file.stat().st_size for file in EXPORTS.rglob("*") if file.is_file())
