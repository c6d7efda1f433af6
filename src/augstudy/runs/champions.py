"""The classifiers that have been in force, and the pointer to the one that is.

``<store>/champions/<id>/`` holds one champion each, an artifact of kind ``champion``; none is ever
removed. ``<store>/champion.json`` names the one in force. It is written last and only if it is
still what the comparison was made with, so an interrupted promotion leaves the old champion in
force, and of two at once one is refused.
"""

import datetime
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augstudy.core import artifacts
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import DataError, InputError
from augstudy.objects import ABSENT, ConflictError, MissingError, check_address, open_store

KIND = "champion"
POINTER = "champion.json"
FOLDER = "champions"
_ID = re.compile(r"[\w][\w.-]*")


@dataclass(frozen=True)
class Current:
    """The champion in force; ``version`` is that of the pointer."""

    id: str
    version: str


class Champions:
    """The champions in a store, ``gs://bucket/folder`` or the like."""

    def __init__(self, uri: str) -> None:
        here = check_address(uri).scheme == "file"
        if here and os.environ.get("KUBERNETES_SERVICE_HOST"):
            raise InputError(
                f"The champion's store {uri} would vanish with the pod: use gs://, s3:// or minio://."
            )
        self._store = open_store(uri)
        self.uri = self._store.uri

    def current(self) -> Current | None:
        """The champion in force, if there is one.

        Raises:
            DataError: the pointer names nothing.
        """
        found = self._store.lookup(POINTER)
        if found is None:
            return None
        try:
            name = json.loads(found.data)["champion"]
            if _ID.fullmatch(name):
                return Current(name, found.version)
        except (ValueError, TypeError, KeyError):
            pass
        raise DataError(
            f"{self.uri}/{POINTER} names no champion: write one into it, as in "
            '{"champion": "<a folder of champions/>"}.'
        )

    def fetch(self, name: str, folder: Path) -> Artifact:
        """Download a champion and verify it.

        Raises:
            DataError: it is not there, or not whole.
        """
        try:
            self._store.download(f"{FOLDER}/{name}", folder)
        except MissingError as error:
            raise DataError(
                f"{self.uri}/{POINTER} names {name!r}, which is not in {FOLDER}/: write the name "
                "of one that is."
            ) from error
        return artifacts.read(folder, KIND)

    def promote(self, champion: Artifact, name: str, before: Current | None, **more: Any) -> None:
        """Store `champion` under `name`, then put it in force instead of `before`.

        Args:
            champion: the artifact.
            name: unique; a second promotion of the same name changes nothing.
            before: the champion that it was compared with.
            **more: kept in the pointer, for people.

        Raises:
            ConflictError: another champion has come into force since.
        """
        now = self.current()
        if now is not None and now.id == name:
            return
        if now != before:
            raise self._conflict(now)
        self._store.upload(champion.path, f"{FOLDER}/{name}")
        self._point(champion, name, before, more)

    def use(self, name: str, **more: Any) -> None:
        """Put a champion that is stored already in force again.

        Raises:
            InputError: there is no such champion.
            DataError: it is not whole.
            ConflictError: another champion has come into force meanwhile.
        """
        if name not in (known := self.names()):
            raise InputError(
                f"There is no champion {name!r} in {self.uri}; there are: "
                f"{', '.join(known) or 'none'}."
            )
        with tempfile.TemporaryDirectory() as folder:
            champion = self.fetch(name, Path(folder) / "champion")
            self._point(champion, name, self.current(), more)

    def names(self) -> list[str]:
        """All champions that are whole, oldest first."""
        parts = [key.split("/") for key in self._store.keys(f"{FOLDER}/")]
        return sorted(part[1] for part in parts if part[2:] == [artifacts.MANIFEST])

    def pointer(self) -> dict[str, Any]:
        """All that the pointer says; empty if there is none."""
        found = self._store.lookup(POINTER)
        return dict(json.loads(found.data)) if found and self.current() else {}

    def _point(
        self, champion: Artifact, name: str, before: Current | None, more: Mapping[str, Any]
    ) -> None:
        classifier = artifacts.read(champion.path / "classifier", "classifier")
        training = classifier.json("training.json")
        best = max(training, key=lambda item: (item["val_accuracy"], -item["seed"]))
        pointer = {
            "champion": name,
            "before": before and before.id,
            "model": f"{FOLDER}/{name}/classifier/seed-{best['seed']}/model.keras",
            "classes": classifier.json("classes.json"),
            "since": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            **more,
        }
        text = json.dumps(pointer, indent=1, allow_nan=False) + "\n"
        self._store.replace(POINTER, text.encode(), before.version if before else ABSENT)

    def _conflict(self, now: Current | None) -> ConflictError:
        who = f"{now.id} has come" if now else "the champion has gone out"
        return ConflictError(
            f"{self.uri}: {who}{' into' if now else ' of'} force since this one was compared: "
            "run again."
        )
