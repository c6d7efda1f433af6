"""Artifacts: directories whose ``manifest.json``, written last, vouches for every file in them.

A step writes into a temporary sibling directory, then the manifest, then renames the whole, so a
reader sees either nothing or everything. :func:`read` verifies size and SHA-256 of each file and
refuses a partial or altered directory with an error that names the file.
"""

import contextlib
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from augstudy.core import cache, files, telemetry
from augstudy.core.errors import DataError, InputError, ServiceError, is_full, of_system
from augstudy.core.fingerprint import code_version, is_as_it_was, made_by, software
from augstudy.core.manifest import MANIFEST, Artifact, Manifest, describe_files, read

__all__ = ["MANIFEST", "Artifact", "Manifest", "find", "made_of", "part", "publish", "read"]

CHECKPOINTS = "checkpoints"  # in provenance: keys of what the trainings of a step left in a store
_CHUNK = 1 << 20
_looked_for: set[str] = set()
_used: set[str] = set()

logger = logging.getLogger("augstudy")


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
    replaced. What :func:`find` looked for in vain is kept in the cache as well. What the trainings
    behind `inputs` left in a store of checkpoints is of no more use, see :func:`used_up`.

    Raises:
        ServiceError: the disk is full.
        InputError: `path` holds something that is not an artifact, or cannot be written.
    """
    files.check_place(path, "folder")
    if path.exists() and not (path / MANIFEST).exists() and any(path.iterdir()):
        raise InputError(f"{path} is not empty and not an artifact: name another output folder.")
    with _explaining(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with cache.draft_beside(path) as draft:
            yield draft
            known = {**_left_in_a_store(kind), **(provenance or {})}
            manifest = _manifest(
                draft, kind, inputs=inputs, config=config, seed=seed, provenance=known
            )
            (draft / MANIFEST).write_text(_text(manifest), encoding="utf-8")
            # Other files that a power cut took would show by their hashes, and be made again.
            files.sync(draft / MANIFEST)
            files.sync(draft)
            _replace(draft, path)
        files.sync(path.parent)
    _keep(path, manifest)
    for item in (inputs or {}).values():
        _used.update(map(str, item.manifest.provenance.get(CHECKPOINTS, ())))


def used_up() -> set[str]:
    """Keys of the checkpoints behind the inputs of what was published; told once."""
    told = set(_used)
    _used.clear()
    return told


def _left_in_a_store(kind: str) -> dict[str, Any]:
    """The checkpoints of the trainings of this step, for who reads what it makes."""
    stage = telemetry.running()
    if stage is None or not stage.checkpoints or kind == "checkpoint":
        return {}
    return {CHECKPOINTS: list(stage.checkpoints)}


def _manifest(
    folder: Path,
    kind: str,
    *,
    inputs: Mapping[str, Artifact] | None = None,
    config: Mapping[str, Any] | None = None,
    seed: int | None = None,
    provenance: dict[str, Any] | None = None,
) -> Manifest:
    """The manifest that the files in `folder` have now."""
    return Manifest(
        kind=kind,
        files=describe_files(folder),
        inputs={name: artifact.content_hash for name, artifact in (inputs or {}).items()},
        config=dict(config or {}),
        made_of=made_of(kind, inputs, config),
        code=code_version(),
        seed=seed,
        software=software(),
        provenance={**cost(), **(provenance or {})},
    )


@contextlib.contextmanager
def _explaining(path: Path, *, no_space: bool = False) -> Iterator[None]:
    """Say in a sentence why `path` cannot be written, or only that there is `no_space`."""
    try:
        yield
    except OSError as error:
        if _disk_is_full(error, path.parent):
            raise ServiceError(
                f"No space left while writing {path}: free some disk space and run again."
            ) from error
        if no_space:
            raise
        raise of_system(error, path) or error from error


def find(
    path: Path,
    kind: str,
    *,
    inputs: Mapping[str, Artifact] | None = None,
    config: Mapping[str, Any] | None = None,
) -> Artifact | None:
    """The artifact at `path` if it was made of these very things, perhaps taken from the cache.

    Things are inputs and settings, the step's code, the software under it, and the machine's
    threads, GPUs and bfloat16. What has no inputs comes from outside, so the cache never has it.

    Raises:
        ServiceError: the disk is full.
        InputError: `path` cannot be written, which had better be known before the work.
    """
    files.check_place(path, "folder")
    key = made_of(kind, inputs, config)
    with contextlib.suppress(InputError, DataError):
        artifact = read(path, kind)
        if artifact.manifest.made_of == key:
            return artifact
    manifest = _take(key, kind, path) if inputs else None
    if manifest and (stage := telemetry.running()):
        stage.take_from_cache()
    return Artifact(path, manifest) if manifest else None


def part(
    target: Path,
    kind: str,
    make: Callable[[Path], None],
    *,
    inputs: Mapping[str, Artifact],
    config: Mapping[str, Any],
) -> None:
    """Fill `target`, a folder inside a draft, from the cache or else with `make`.

    For a part that other artifacts may have as well, like one seed of several.
    """
    stage = telemetry.running()
    if manifest := _take(made_of(kind, inputs, config), kind, target):
        (target / MANIFEST).unlink()
        if stage:
            stage.credit(manifest.provenance)
        return
    before = cost()
    target.mkdir(parents=True)
    make(target)
    spent = cost(since=before)
    manifest = _manifest(target, kind, inputs=inputs, config=config, provenance=spent)
    _keep(target, manifest, **{MANIFEST: _text(manifest)})


def cost(since: Mapping[str, float] | None = None) -> dict[str, float]:
    """What the step that is running has cost, or has cost since then; empty if none is."""
    stage, before = telemetry.running(), since or {}
    spent = stage.cost() if stage else {}
    return {name: round(value - before.get(name, 0.0), 3) for name, value in spent.items()}


def made_of(
    kind: str, inputs: Mapping[str, Artifact] | None, config: Mapping[str, Any] | None
) -> str:
    """A hash of all that decides the content of an artifact of the step that is running."""
    known = {
        name: [item.content_hash, item.manifest.config] for name, item in (inputs or {}).items()
    }
    things = {"kind": kind, "inputs": known, "config": dict(config or {})}
    whole = {**things, **made_by(_step(), things)}
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _step() -> str:
    """The name of the step that is running; empty if none is."""
    stage = telemetry.running()
    return stage.name if stage else ""


def _take(key: str, kind: str, path: Path) -> Manifest | None:
    """Put the entry of the cache at `path`, once its content is verified; None if there is none."""
    store = cache.active()
    if store is None:
        return None
    _looked_for.add(key)
    entry = store.entry(key)
    if not os.path.lexists(entry):
        return None
    try:
        manifest = _verified(entry, kind, key)
    except (InputError, DataError, OSError) as error:
        logger.warning("A result in the cache cannot be used and is made again: %s", error)
        store.drop(key)
        return None
    try:
        with _explaining(path, no_space=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            with cache.draft_beside(path) as draft:
                cache.link_tree(entry, draft)
                _replace(draft, path)
    except OSError as error:  # no fault of the entry, which others may use
        logger.warning("%s cannot be taken from the cache and is made again: %s", path, error)
        return None
    store.touch(key)
    return manifest


def _verified(entry: Path, kind: str, key: str) -> Manifest:
    """The manifest of an entry of the cache that is what its key promises.

    Raises:
        InputError: it is no artifact of this kind.
        DataError: it is damaged, or an artifact that belongs under another key.
        OSError: it cannot be read.
    """
    inside = (entry, *entry.rglob("*"))
    if any(item.is_symlink() or not (item.is_dir() or item.is_file()) for item in inside):
        raise DataError(f"{entry} holds something else than files: make the artifact again.")
    manifest = read(entry, kind).manifest
    if manifest.made_of != key:
        raise DataError(f"{entry} holds what was made of other things: make the artifact again.")
    return manifest


def _keep(folder: Path, manifest: Manifest, **texts: str) -> None:
    store = cache.active()
    if store is None or manifest.made_of not in _looked_for:
        return
    if not is_as_it_was(_step()):
        logger.warning("The code changed while the step ran; its result is not cached.")
        return
    try:
        store.keep(manifest.made_of, folder, **texts)
    except OSError as error:
        logger.warning("The cache %s cannot be written (%s): not used.", store.root, error)


def _disk_is_full(error: OSError, folder: Path) -> bool:
    if error.errno is None and shutil.disk_usage(folder).free < _CHUNK:
        return True  # numpy writes arrays without saying why it could not
    return is_full(error)


def _text(manifest: Manifest) -> str:
    return manifest.model_dump_json(indent=1) + "\n"


def _replace(draft: Path, path: Path) -> None:
    """Move `draft` to `path`; what was there disappears only once the new one is complete."""
    if not path.exists():
        draft.rename(path)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{path.name}-old-", dir=path.parent))
    path.rename(old / "artifact")
    draft.rename(path)
    shutil.rmtree(old, ignore_errors=True)
