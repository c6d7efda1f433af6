"""Hold new data beside what the champion was made of, before anything is trained on it."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augstudy.core import artifacts, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import DataError
from augstudy.core.files import write_json
from augstudy.data.dataset import load_split
from augstudy.data.profile import among, digests, drifts, problems, profile
from augstudy.runs.champions import Champions
from augstudy.settings.comparing import RetrainSettings

KIND = "reference"


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
        now = profile(source)
        learnt, test = (_digests(source, names) for names in (("train", "val"), ("test",)))
        champions = Champions(store)
        current = champions.current()
        record: dict[str, Any] = {"champion": None, "version": "", "classifier": None, "drift": {}}
        excluded = np.zeros(len(test), bool)
        if current is not None:
            with tempfile.TemporaryDirectory() as folder:
                old = champions.fetch(current.id, Path(folder) / "champion")
                before = old.json("profile.json")
                _check(before, now, settings, current.id, str(source.manifest.config["source"]))
                excluded = among(test, np.load(old.file("learnt.npy"), allow_pickle=False))
                shutil.copytree(old.path / "classifier", champion, dirs_exist_ok=True)
            record = {
                "champion": current.id,
                "version": current.version,
                "classifier": artifacts.read(champion, "classifier").content_hash,
                "drift": {what: moved.index for what, moved in drifts(before, now).items()},
            }
        record["read_at"] = source.manifest.provenance.get("read_at")
        with artifacts.publish(out, KIND, inputs={"dataset": source}) as draft:
            write_json(draft / "reference.json", record)
            write_json(draft / "profile.json", now)
            np.save(draft / "learnt.npy", learnt)
            np.save(draft / "excluded.npy", excluded)
        stage.progress(1, 1, _summary(record, int(excluded.sum())))
    return artifacts.read(out, KIND)


def _digests(dataset: Artifact, names: Sequence[str]) -> NDArray[np.uint8]:
    return np.concatenate([digests(load_split(dataset, name).images) for name in names])


def _check(
    before: dict[str, Any], now: dict[str, Any], settings: RetrainSettings, name: str, source: str
) -> None:
    wrong = problems(before, now, settings)
    if wrong:
        more = f" ({len(wrong) - 1} more of this kind)" if len(wrong) > 1 else ""
        raise DataError(
            f"The data of {source} differs from that of champion {name}: {wrong[0]}{more}; look at "
            "the source, or raise the limit if the change is wanted."
        )


def _summary(record: dict[str, Any], excluded: int) -> str:
    if record["champion"] is None:
        return "there is no champion to compare with"
    known = f", which has learnt from {excluded} of the test images" if excluded else ""
    return f"like the data of champion {record['champion']}{known}"
