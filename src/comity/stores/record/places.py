"""Where segments lie: a folder, or a bucket of an object store. What is put is there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
from pyarrow import fs

from comity.core.errors import StoreError

SUFFIX: Final = ".parquet"
_PART: Final = ".part"


class Place(Protocol):
    """Files by name. Raises StoreError wherever the place cannot be read or written."""

    def put(self, name: str, data: bytes) -> None:
        """Keep a file; it is on the disk, or with the object store, when this returns."""

    def open(self, name: str) -> pa.NativeFile:
        """A file to read from anywhere. Raises StoreError if there is none."""

    def delete(self, name: str) -> None:
        """Delete a file; nothing happens if there is none."""

    def names(self) -> dict[str, int]:
        """All files with their sizes in bytes."""


class Folder:
    """Files in a folder, made where needed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def put(self, name: str, data: bytes) -> None:
        """See ``Place.put``."""
        with _told(f"{self._path / name}"):
            self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
            part = self._path / (name + _PART)
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path / name)
            self._sync()

    def open(self, name: str) -> pa.NativeFile:
        """See ``Place.open``."""
        with _told(f"{self._path / name}"):
            return pa.memory_map(str(self._path / name))

    def delete(self, name: str) -> None:
        """See ``Place.delete``."""
        with _told(f"{self._path / name}"):
            for each in (name, name + _PART):
                (self._path / each).unlink(missing_ok=True)

    def names(self) -> dict[str, int]:
        """See ``Place.names``."""
        with _told(f"{self._path}"):
            if not self._path.is_dir():
                return {}
            found = {each.name: each.stat().st_size for each in sorted(self._path.iterdir())}
        # What was being written when the process ended counts as the file it was to be, where that is not there.
        parts = {name.removesuffix(_PART): size for name, size in found.items() if name.endswith(_PART)}
        return parts | {name: size for name, size in found.items() if not name.endswith(_PART)}

    def _sync(self) -> None:
        folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Bucket:
    """Objects under a prefix of a bucket, by the S3 API."""

    def __init__(self, files: fs.FileSystem, path: str) -> None:
        self._files, self._path = files, path.strip("/")

    def __str__(self) -> str:
        return f"s3://{self._path}"

    def put(self, name: str, data: bytes) -> None:
        """See ``Place.put``: an object is there once the stream is closed, and not before."""
        with _told(self._at(name)), self._files.open_output_stream(self._at(name)) as file:
            file.write(data)

    def open(self, name: str) -> pa.NativeFile:
        """See ``Place.open``."""
        with _told(self._at(name)):
            return self._files.open_input_file(self._at(name))

    def delete(self, name: str) -> None:
        """See ``Place.delete``."""
        with _told(self._at(name)):
            if self._files.get_file_info(self._at(name)).type == fs.FileType.File:
                self._files.delete_file(self._at(name))

    def names(self) -> dict[str, int]:
        """See ``Place.names``."""
        with _told(self._path):
            found = self._files.get_file_info(fs.FileSelector(self._path, allow_not_found=True))
            return {each.base_name: each.size for each in found if each.type == fs.FileType.File}

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}"


def place(where: str) -> Place:
    """The folder at a path, or ``s3://BUCKET/PREFIX?endpoint=http://HOST:PORT&region=NAME``.

    Who we are to an object store is read from the environment, as its other clients do (AWS_ACCESS_KEY_ID and so on).
    Raises StoreError if the address is none.
    """
    parts = urlsplit(where)
    if parts.scheme != "s3":
        return Folder(Path(where))
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    endpoint = urlsplit(asked.pop("endpoint", ""))
    region = asked.pop("region", None)
    if asked or not parts.netloc:
        raise StoreError(f"{where}: expected s3://BUCKET/PREFIX, perhaps with endpoint= and region=")
    files = fs.S3FileSystem(
        endpoint_override=endpoint.netloc or None,
        scheme=endpoint.scheme or "https",
        region=region,
        allow_bucket_creation=False,
        background_writes=False,
    )
    return Bucket(files, parts.netloc + parts.path)


@contextmanager
def _told(where: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise StoreError(f"{where} is missing: restore a copy; verify says what it held") from error
    except OSError as error:
        raise StoreError(f"{where}: {error.strerror or error}: look at the place, and start again") from error
