"""Artifacts: directories whose ``manifest.json``, written last, vouches for every file in them.

A step writes into a temporary sibling directory, then the manifest, then renames the whole, so a
reader sees either nothing or everything. :func:`read` verifies size and SHA-256 of each file and
refuses a partial or altered directory with an error that names the file.
"""

import contextlib
import errno
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from augstudy.errors import DataError, InputError, ServiceError

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
_RECORDED_PACKAGES = ("tensorflow", "jax", "keras", "numpy", "pandas", "scikit-learn", "scipy")
_CHUNK = 1 << 20


class FileRecord(BaseModel):
    """What the manifest promises of one file."""

    model_config = ConfigDict(extra="forbid")

    sha256: str
    size: int


class Manifest(BaseModel):
    """The content of ``manifest.json``.

    ``inputs`` maps the name of each input artifact to its :attr:`content_hash`. ``provenance``
    holds what may differ between two runs with equal content, such as the URI of the source.
    """

    model_config = ConfigDict(extra="forbid")

    schema_version: int = SCHEMA_VERSION
    kind: str
    files: dict[str, FileRecord]
    inputs: dict[str, str]
    config: dict[str, Any]
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
        return json.loads(self.file(name).read_text())


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@lru_cache
def code_version() -> str:
    """Hash of this package's source and data files: changes whenever a step's result may change."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(root).as_posix()} {file_sha256(path)}\n".encode())
    return digest.hexdigest()[:16]


def software() -> dict[str, str]:
    """Versions of Python and of the packages that can change a result."""
    versions = {"python": platform.python_version()}
    for name in _RECORDED_PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


@contextlib.contextmanager
def publish(
    path: Path,
    kind: str,
    *,
    inputs: Mapping[str, Artifact] | None = None,
    config: Mapping[str, Any] | None = None,
    seed: int | None = None,
    provenance: dict[str, Any] | None = None,
) -> Iterator[Path]:
    """Yield a temporary directory to fill; on success seal it and move it to `path`.

    ``provenance`` is read when the block ends, so the block may go on filling it. On any error
    the temporary directory is removed and `path` stays as it was. An older artifact at `path` is
    replaced.

    Raises:
        ServiceError: the disk is full.
        InputError: `path` holds something that is not an artifact.
    """
    if path.exists() and not (path / MANIFEST).exists() and any(path.iterdir()):
        raise InputError(f"{path} is not empty and not an artifact: name another output folder.")
    with _explaining_a_full_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        try:
            draft.chmod(0o755)
            yield draft
            manifest = Manifest(
                kind=kind,
                files=_describe(draft),
                inputs={name: artifact.content_hash for name, artifact in (inputs or {}).items()},
                config=dict(config or {}),
                code=code_version(),
                seed=seed,
                software=software(),
                provenance=provenance or {},
            )
            _write_durably(draft / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
            _replace(draft, path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


@contextlib.contextmanager
def _explaining_a_full_disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if _disk_is_full(error, path.parent):
            raise ServiceError(
                f"No space left while writing {path}: free some disk space and run again."
            ) from error
        raise


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


def find(
    path: Path,
    kind: str,
    *,
    inputs: Mapping[str, Artifact] | None = None,
    config: Mapping[str, Any] | None = None,
) -> Artifact | None:
    """The artifact at `path` if this very step made it of these very inputs; else None."""
    try:
        artifact = read(path, kind)
    except (InputError, DataError):
        return None
    manifest = artifact.manifest
    same = (
        manifest.inputs == {name: item.content_hash for name, item in (inputs or {}).items()}
        and manifest.config == json.loads(json.dumps(dict(config or {})))
        and manifest.code == code_version()
    )
    return artifact if same else None


def _disk_is_full(error: OSError, folder: Path) -> bool:
    if error.errno is None:  # numpy writes arrays without saying why it could not
        return shutil.disk_usage(folder).free < _CHUNK
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def _describe(folder: Path) -> dict[str, FileRecord]:
    return {
        item.relative_to(folder).as_posix(): FileRecord(
            sha256=file_sha256(item), size=item.stat().st_size
        )
        for item in sorted(folder.rglob("*"))
        if item.is_file()
    }


def _verify(path: Path, manifest: Manifest) -> None:
    present = {item.relative_to(path).as_posix() for item in path.rglob("*") if item.is_file()} - {
        MANIFEST
    }
    for name in sorted(present - set(manifest.files)):
        raise DataError(f"{path / name} does not belong to the artifact: make the artifact again.")
    for name, record in manifest.files.items():
        item = path / name
        if name not in present:
            raise DataError(f"{item} is missing from the artifact: make the artifact again.")
        if item.stat().st_size != record.size or file_sha256(item) != record.sha256:
            raise DataError(
                f"{item} differs from what was written (altered or cut short): "
                "make the artifact again."
            )


def _write_durably(path: Path, text: str) -> None:
    with path.open("w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _replace(draft: Path, path: Path) -> None:
    """Move `draft` to `path`; what was there disappears only once the new one is complete."""
    if not path.exists():
        draft.rename(path)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{path.name}-old-", dir=path.parent))
    path.rename(old / "artifact")
    draft.rename(path)
    shutil.rmtree(old, ignore_errors=True)
