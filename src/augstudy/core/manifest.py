"""What an artifact says of itself, and reading it: only what is as it was written is read."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from augstudy.core.errors import DataError, InputError
from augstudy.core.fingerprint import file_sha256

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"


class FileRecord(BaseModel):
    """What the manifest promises of one file."""

    model_config = ConfigDict(extra="forbid")

    sha256: str
    size: int


class Manifest(BaseModel):
    """The content of ``manifest.json``.

    ``inputs`` maps the name of each input artifact to its :attr:`content_hash`, and ``made_of`` is
    a hash of all that decides the content. ``provenance`` holds what may differ between two runs
    with equal content, such as the URI of the source or the time it took.
    """

    model_config = ConfigDict(extra="forbid")

    schema_version: int = SCHEMA_VERSION
    kind: str
    files: dict[str, FileRecord]
    inputs: dict[str, str]
    config: dict[str, Any]
    made_of: str = ""
    code: str
    seed: int | None = None
    software: dict[str, str]
    provenance: dict[str, Any]

    @property
    def content_hash(self) -> str:
        """SHA-256 over the names and hashes of the files: equal if and only if the content is."""
        lines = "".join(f"{name} {record.sha256}\n" for name, record in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()


class Artifact:
    """A verified artifact directory."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest

    @property
    def content_hash(self) -> str:
        """See :attr:`Manifest.content_hash`."""
        return self.manifest.content_hash

    def file(self, name: str) -> Path:
        """Path of one of the files that the manifest lists.

        Raises:
            DataError: the manifest lists no such file.
        """
        if name not in self.manifest.files:
            raise DataError(f"{self.path} ({self.manifest.kind}) holds no {name!r}.")
        return self.path / name

    def json(self, name: str) -> Any:
        """The parsed content of a JSON file of the artifact."""
        return json.loads(self.file(name).read_bytes())


def read(path: Path, kind: str = "") -> Artifact:
    """Open an artifact after verifying every file of it.

    Args:
        path: its folder.
        kind: what it must be; empty means anything.

    Raises:
        InputError: there is no artifact at `path`, or one of another kind.
        DataError: a file is missing, added or altered, or the manifest cannot be read.
    """
    manifest_path = path / MANIFEST
    if not manifest_path.is_file():
        state = "is not a finished artifact (no manifest.json)" if path.exists() else "is missing"
        raise InputError(f"{path} {state}: run the step that makes it.")
    try:
        manifest = Manifest.model_validate_json(manifest_path.read_bytes())
    except ValidationError as error:
        raise DataError(f"{manifest_path} is damaged: make the artifact again.") from error
    if manifest.schema_version != SCHEMA_VERSION:
        raise DataError(
            f"{path} has format {manifest.schema_version}, this version reads {SCHEMA_VERSION}: "
            "make the artifact again."
        )
    if kind and manifest.kind != kind:
        raise InputError(f"{path} holds a {manifest.kind}, but a {kind} is needed here.")
    _verify(path, manifest)
    return Artifact(path, manifest)


def describe_files(folder: Path) -> dict[str, FileRecord]:
    """Hash and size of every file under `folder`."""
    return {
        name: FileRecord(sha256=file_sha256(item), size=item.stat().st_size)
        for name, item in _content(folder)
    }


def _content(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file under `folder` but manifests, whose times and versions are no content.

    That of an artifact within the artifact says of its files what the outer one says, too.
    """
    for item in sorted(folder.rglob("*")):
        if item.is_file() and item.name != MANIFEST:
            yield item.relative_to(folder).as_posix(), item


def _verify(path: Path, manifest: Manifest) -> None:
    present = {name for name, _ in _content(path)}
    for name in sorted(present - set(manifest.files)):
        raise DataError(f"{path / name} does not belong to the artifact: make the artifact again.")
    for name, record in manifest.files.items():
        item = path / name
        if name not in present:
            raise DataError(f"{item} is missing from the artifact: make the artifact again.")
        if item.stat().st_size != record.size or file_sha256(item) != record.sha256:
            raise DataError(
                f"{item} differs from what was written (altered or truncated): "
                "make the artifact again."
            )
