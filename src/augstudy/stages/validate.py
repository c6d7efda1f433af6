"""Hold new data beside what the champion was made of, before anything is trained on it."""

import logging
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from augstudy import artifacts, telemetry
from augstudy.artifacts import Artifact
from augstudy.champions import Champions
from augstudy.config import RetrainSettings
from augstudy.data.dataset import load_split
from augstudy.data.profile import among, digests, drifts, problems, profile
from augstudy.errors import DataError
from augstudy.files import write_json

KIND = "reference"

logger = logging.getLogger("augstudy")


def run(
    dataset: Path, store: str, champion: Path, out: Path, settings: RetrainSettings
) -> Artifact:
    """Fetch the champion's classifier into `champion` and check the dataset against its own.

    Publishes an artifact of kind ``reference``: which champion it was, the profile of the new
    dataset, what its classifier is going to learn from, and which test images the champion has
    learnt from already. Where there is no champion, every dataset passes and `champion` is left
    alone.

    Raises:
        DataError: the dataset differs too much; the sentence says in what.
    """
    with telemetry.stage("validate") as stage:
        source = artifacts.read(dataset, "dataset")
        found = profile(source)
        champions = Champions(store)
        current = champions.current()
        learnt = np.concatenate(
            [digests(load_split(source, name).images) for name in ("train", "val")]
        )
        test = digests(load_split(source, "test").images)
        record: dict[str, Any] = {"champion": None, "version": "", "classifier": None, "drift": {}}
        excluded = np.zeros(len(test), bool)
        if current is not None:
            with tempfile.TemporaryDirectory() as folder:
                old = champions.fetch(current.id, Path(folder) / "champion")
                before = old.json("profile.json")
                _check(before, found, settings, current.id, str(source.manifest.config["source"]))
                excluded = among(test, np.load(old.file("learnt.npy"), allow_pickle=False))
                _copy_classifier(old, champion)
            record = {
                "champion": current.id,
                "version": current.version,
                "classifier": artifacts.read(champion, "classifier").content_hash,
                "drift": {what: moved.index for what, moved in drifts(before, found).items()},
            }
        record |= {"store": champions.uri, "read_at": source.manifest.provenance.get("read_at")}
        with artifacts.publish(out, KIND, inputs={"dataset": source}) as folder_:
            write_json(folder_ / "reference.json", record)
            write_json(folder_ / "profile.json", found)
            np.save(folder_ / "learnt.npy", learnt)
            np.save(folder_ / "excluded.npy", excluded)
        stage.progress(1, 1, _summary(record, int(excluded.sum())))
    return artifacts.read(out, KIND)


def _check(
    before: dict[str, Any], found: dict[str, Any], settings: RetrainSettings, name: str, source: str
) -> None:
    wrong = problems(before, found, settings)
    if wrong:
        more = f" ({len(wrong) - 1} more of this kind)" if len(wrong) > 1 else ""
        raise DataError(
            f"The data of {source} is not like that of champion {name}: {wrong[0]}{more}; look at "
            "the source, or raise the limit if the change is wanted."
        )


def _copy_classifier(champion: Artifact, target: Path) -> None:
    artifacts.read(champion.path / "classifier", "classifier")
    shutil.copytree(champion.path / "classifier", target, dirs_exist_ok=True)


def _summary(record: dict[str, Any], excluded: int) -> str:
    if record["champion"] is None:
        return "there is no champion to compare with"
    known = f", which has learnt from {excluded} of the test images" if excluded else ""
    return f"like the data of champion {record['champion']}{known}"
