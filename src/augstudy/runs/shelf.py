"""The artifacts of a run, wherever they lie: found by kind and arm, and read from this machine."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from augstudy.core.artifacts import MANIFEST, Manifest
from augstudy.core.errors import DataError, InputError
from augstudy.objects import Store
from augstudy.objects.parallel import side_by_side
from augstudy.settings.arms import spelled


@dataclass(frozen=True)
class Found:
    """An artifact: its folder in the store, its manifest and, where it has one, its arm."""

    folder: str
    manifest: Manifest
    arm: str | None

    @property
    def kind(self) -> str:
        """What it is."""
        return self.manifest.kind


class Shelf:
    """What one run left in a store; what lies elsewhere is fetched once, when it is asked for."""

    def __init__(self, store: Store, key: str) -> None:
        self.store = store
        self.key = key
        self._cache: tempfile.TemporaryDirectory[str] | None = None

    @cached_property
    def keys(self) -> Sequence[str]:
        """Keys of all objects of the run."""
        return self.store.keys(f"{self.key}/")

    @cached_property
    def found(self) -> list[Found]:
        """The whole artifacts of the run, a later try of a step after an earlier one."""
        folders = [key.removesuffix(f"/{MANIFEST}") for key in self.keys if _is_manifest(key)]
        return list(side_by_side(self._describe, folders))

    def path(self, kind: str, arm: str | None = None) -> Path:
        """Folder of an artifact on this machine; the last one where there are several.

        Raises:
            InputError: the run has none, for example because it took over another run's.
        """
        fitting = self.of(kind, arm)
        if not fitting:
            of = f" of arm {arm}" if arm else ""
            raise InputError(
                f"{self.store.uri}/{self.key} holds no {kind}{of}: the step did not finish, or "
                "took over what another run had made."
            )
        return self.fetched(fitting[-1].folder)

    def arms(self, kind: str) -> list[str]:
        """The arms of which there is an artifact of a kind."""
        return sorted({item.arm for item in self.found if item.kind == kind and item.arm})

    def of(self, kind: str, arm: str | None = None) -> list[Found]:
        """The artifacts of a kind, and of an arm if one is named."""
        return [item for item in self.found if item.kind == kind and arm in (None, item.arm)]

    def fetched(self, folder: str) -> Path:
        """A folder of the store on this machine."""
        local = self.store.local(folder)
        if local is not None:
            return local
        if self._cache is None:
            self._cache = tempfile.TemporaryDirectory(prefix="augstudy-")
        target = Path(self._cache.name) / folder
        if not target.exists():
            self.store.download(folder, target)
        return target

    def _describe(self, folder: str) -> Found:
        key = f"{folder}/{MANIFEST}"
        try:
            manifest = Manifest.model_validate_json(self.store.read(key))
            named = "arm.json" in manifest.files
            arm = json.loads(self.store.read(f"{folder}/arm.json"))["label"] if named else None
            return Found(folder, manifest, arm if arm is None else spelled(arm))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise DataError(f"{self.store.uri}/{key} is damaged: run the study again.") from error


def of_store(store: Store) -> Callable[[Mapping[str, Any]], Shelf]:
    """What opens the artifacts of a run by its record, where those of all runs are in one store."""
    return lambda record: Shelf(store, record["key"])


def _is_manifest(key: str) -> bool:
    """Whether a key is the manifest of a published artifact; drafts are hidden folders."""
    parts = key.split("/")
    return parts[-1] == MANIFEST and not any(part.startswith(".") for part in parts)
