"""Checkpoints from which a training ends bit for bit where it would have ended undisturbed.

A checkpoint is an artifact (so half-written ones are never read) that holds all variables of model
and optimizer, the states of random generators among them, and the state of the callbacks. Two
slots take turns: while one is written, the other holds the last good checkpoint.

``AUGSTUDY_CHECKPOINTS`` may name a folder of a store (``gs://bucket/checkpoints``), where a pod
that takes the place of a lost one finds them; trainings are told apart there by what they do.

A training that has ended may still be lost: on a cluster KFP uploads its artifact only after the
step. So the training itself leaves its checkpoints there, and names them in the manifest of the
artifact. A later step that has made something of that artifact has proof that it was published, and
removes them. What a run leaves that never comes so far, a later one of the same training takes up
and removes; for the rest the bucket needs a life cycle rule.
"""

import contextlib
import hashlib
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from augstudy.core import artifacts, cache, telemetry
from augstudy.core.errors import AugstudyError, DataError, InputError
from augstudy.core.files import write_arrays
from augstudy.core.fingerprint import made_by
from augstudy.core.manifest import MANIFEST
from augstudy.objects import Store, open_store

STORE_VARIABLE = "AUGSTUDY_CHECKPOINTS"
_SLOTS = ("a", "b")
_KEY = re.compile("[0-9a-f]{32}")  # a manifest may have been written by anybody
EVERY_S = 10.0
EVERY_S_STORED = 60.0  # with a store each checkpoint is an upload

Array = npt.NDArray[Any]
Snapshot = dict[str, Any]
logger = logging.getLogger("augstudy")


class Stateful(Protocol):
    """Something whose state a checkpoint holds: JSON values and lists of arrays."""

    def state(self) -> Snapshot:
        """The state."""

    def restore(self, state: Snapshot) -> None:
        """Take up a state again."""


class Remembering:
    """Gives an object the state that its attributes in ``_STATE`` make; lists are copied."""

    _STATE: tuple[str, ...]

    def state(self) -> Snapshot:
        """The state."""
        values = {name: getattr(self, name) for name in self._STATE}
        return {name: list(v) if isinstance(v, list) else v for name, v in values.items()}

    def restore(self, state: Snapshot) -> None:
        """Take up a state again."""
        for name, value in state.items():
            setattr(self, name, value)


@dataclass
class _Kept:
    step: int
    state: Snapshot
    written: bool = False


class Keeper:
    """Keeps the checkpoints of one training in a folder, and in a store if one is set."""

    def __init__(
        self, folder: Path, identity: Mapping[str, Any], *, every_s: float | None = None
    ) -> None:
        """Name the training by `identity`: checkpoints of another one are not read.

        `every_s` is the least time between two writes; the newest state is kept in memory.
        """
        self._folder = folder
        self._key = _key(identity)
        root = os.environ.get(STORE_VARIABLE)
        self._store: Store | None = open_store(root) if root else None
        if root and (stage := telemetry.running()):
            stage.checkpoints.append(self._key)
        usual = EVERY_S_STORED if root else EVERY_S
        self._every_s = usual if every_s is None else every_s
        self._training: cache.Training | None = None
        self._before: dict[str, float] = {}
        self._kept: _Kept | None = None
        self._last_write = time.monotonic()

    @classmethod
    def beside(
        cls,
        out: Path,
        name: str,
        inputs: Mapping[str, artifacts.Artifact],
        config: Mapping[str, Any],
    ) -> "Keeper":
        """The keeper of training `name`, which goes into the artifact that `out` will be.

        Its folder is in the cache if there is one, where the next run finds it, else beside `out`.
        """
        hashes = {key: item.content_hash for key, item in inputs.items()}
        identity = {"name": name, "inputs": hashes, "config": dict(config)}
        store = cache.active()
        if store and (training := store.training(_key(identity))):
            keeper = cls(training.path, identity)
            keeper._training = training
            return keeper
        return cls(out.with_name(f".{out.name}-checkpoints") / name, identity)

    def within(self, name: str) -> "Keeper":
        """The keeper of a training that comes before this one, and goes with it."""
        return Keeper(self._folder / name, {"of": self._key, "name": name}, every_s=self._every_s)

    def latest(self) -> tuple[int, Snapshot] | None:
        """Step and state of the newest good checkpoint."""
        if self._store:
            self._fetch(self._store)
        found = [item for item in map(self._open, _SLOTS) if item]
        newest = max(found, key=_step, default=None)
        self._before = artifacts.cost()
        if newest is None:
            return None
        if stage := telemetry.running():
            stage.credit(newest.manifest.provenance)
        with np.load(newest.file("arrays.npz"), allow_pickle=False) as arrays:
            return _step(newest), _join(newest.json("state.json"), dict(arrays))

    def offer(self, step: int, state: Snapshot) -> None:
        """Keep `state` in memory, and write it if enough time has passed."""
        self._kept = _Kept(step, state)
        if time.monotonic() - self._last_write >= self._every_s:
            self.write()

    def write(self) -> None:
        """Write what is kept, unless it is written; a bad disk costs a warning, no training."""
        if self._kept is None or self._kept.written:
            return
        slot = self._free_slot()
        try:
            self._publish(slot, self._kept)
            if self._store:
                self._store.upload(self._folder / slot, f"{self._key}/{slot}")
            self._kept.written = True
        except (AugstudyError, OSError) as error:
            logger.warning("No checkpoint at step %d: %s", self._kept.step, error)
        self._last_write = time.monotonic()

    def clear(self) -> None:
        """Forget the training: it is done. What the store holds, who reads its artifact removes."""
        shutil.rmtree(self._folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # trainings beside this one are not done
            self._folder.parent.rmdir()
        if self._training:
            self._training.release()

    def _publish(self, slot: str, kept: _Kept) -> None:
        plain, arrays = _split(kept.state)
        config = {"training": self._key, "step": kept.step}
        folder, spent = self._folder / slot, artifacts.cost(since=self._before)
        with artifacts.publish(folder, "checkpoint", config=config, provenance=spent) as draft:
            write_arrays(draft / "arrays.npz", **arrays)
            (draft / "state.json").write_text(json.dumps(plain) + "\n", encoding="utf-8")

    def _free_slot(self) -> str:
        """The slot that does not hold the newest checkpoint."""
        steps = {slot: _step(self._open(slot)) for slot in _SLOTS}
        return min(_SLOTS, key=lambda slot: steps[slot])

    def _open(self, slot: str) -> artifacts.Artifact | None:
        try:
            item = artifacts.read(self._folder / slot, "checkpoint")
        except InputError:
            return None
        except DataError as error:
            logger.warning("A checkpoint is damaged; using the one before it: %s", error)
            return None
        return item if item.manifest.config.get("training") == self._key else None

    def _fetch(self, store: Store) -> None:
        """Bring the checkpoints of the store here, unless there are some."""
        if any(self._open(slot) for slot in _SLOTS):
            return
        for slot in _SLOTS:
            target = self._folder / slot
            shutil.rmtree(target, ignore_errors=True)
            try:
                store.download(f"{self._key}/{slot}", target)
            except AugstudyError as error:
                logger.debug("No checkpoint %s in the store: %s", slot, error)


def remove(keys: Iterable[str]) -> None:
    """Remove trainings from the store of checkpoints; one that is away costs a warning."""
    root = os.environ.get(STORE_VARIABLE)
    known = sorted(key for key in keys if _KEY.fullmatch(key))
    if not root or not known:
        return
    try:
        store = open_store(root)
        for key in known:
            # The manifest first: without it, what is left is no checkpoint.
            for name in sorted(store.keys(f"{key}/"), key=lambda item: not item.endswith(MANIFEST)):
                store.delete(name)
    except (AugstudyError, OSError) as error:
        logger.warning("Checkpoints of finished trainings remain in %s: %s", root, error)


def _step(checkpoint: artifacts.Artifact | None) -> int:
    return checkpoint.manifest.config["step"] if checkpoint else -1


def _key(identity: Mapping[str, Any]) -> str:
    """Tells trainings apart: of other code, software or hardware, it is another one."""
    stage = telemetry.running()
    made = made_by(stage.name if stage else "", identity)
    text = json.dumps({**identity, **made}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _split(state: Snapshot, prefix: str = "") -> tuple[Snapshot, dict[str, Array]]:
    """JSON values with marks in the place of lists of arrays, and the arrays by name."""
    plain: Snapshot = {}
    arrays: dict[str, Array] = {}
    for name, value in state.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            plain[name], inner = _split(value, f"{path}.")
            arrays |= inner
        elif isinstance(value, list) and value and isinstance(value[0], np.ndarray):
            plain[name] = {"arrays": len(value)}
            arrays |= {f"{path}.{index}": item for index, item in enumerate(value)}
        else:
            plain[name] = value
    return plain, arrays


def _join(plain: Snapshot, arrays: Mapping[str, Array], prefix: str = "") -> Snapshot:
    state: Snapshot = {}
    for name, value in plain.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and set(value) == {"arrays"}:
            state[name] = [arrays[f"{path}.{index}"] for index in range(value["arrays"])]
        else:
            state[name] = _join(value, arrays, f"{path}.") if isinstance(value, dict) else value
    return state
