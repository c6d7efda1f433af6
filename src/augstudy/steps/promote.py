"""Compare a new classifier with the champion, and put it in force if the rule allows."""

import logging
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from augstudy.core import artifacts, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import InputError
from augstudy.pages import answers, verdicts
from augstudy.results import files
from augstudy.results.material import read_arm
from augstudy.results.models import Retraining
from augstudy.results.retraining import decided
from augstudy.runs.champions import KIND as CHAMPION
from augstudy.runs.champions import Champions, Current
from augstudy.settings.comparing import AskedMetric, RetrainSettings
from augstudy.stats.codes import Comparison
from augstudy.stats.promotion import compare
from augstudy.stats.verdicts import has_learnt

KIND = "decision"

logger = logging.getLogger("augstudy")


def run(
    reference: Path,
    classifier: Path,
    challenger: Path,
    champion: Path | None,
    store: str,
    out: Path,
    settings: RetrainSettings,
) -> Artifact:
    """Publish ``decision.json`` and ``verdict.md``, an artifact of kind ``decision``.

    Args:
        reference: what ``validate`` found out about data and champion.
        classifier: the challenger.
        challenger: its evaluation.
        champion: the champion's evaluation on the same dataset; None if there is no champion.
        store: where the champions are.
        out: folder of the artifact.
        settings: the rule.

    Raises:
        InputError: the inputs do not belong together.
        ConflictError: another champion has come into force since.
    """
    with telemetry.stage("promote") as stage:
        known = artifacts.read(reference, "reference")
        model = artifacts.read(classifier, "classifier")
        record = known.json("reference.json")
        first = record["champion"] is None
        inputs = {"reference": known, "classifier": model}
        inputs["challenger"] = _evaluation(challenger, known, model.content_hash)
        if not first:
            if champion is None:
                raise InputError(f"The evaluation of champion {record['champion']} is missing.")
            inputs["champion"] = _evaluation(champion, known, record["classifier"])
        comparison = None if first else _compare(inputs, settings.metric)
        own = read_arm(inputs["challenger"].path)
        found = decided(
            comparison,
            settings.margin,
            before=record["champion"],
            challenger=_name(record, model),
            same=record["classifier"] == model.content_hash,
            drift=record["drift"],
            learnt=has_learnt(own.correct, own.labels),
        )
        reason = verdicts.promotion(found)
        if found.promoted:
            _promote(store, known, model, found, reason)
        with artifacts.publish(
            out, KIND, inputs=inputs, config=settings.model_dump(mode="json")
        ) as folder:
            files.write(folder, found)
            (folder / "verdict.md").write_text(answers.promotion(found), encoding="utf-8")
        stage.progress(1, 1, reason)
        logger.info("%s", reason)
    return artifacts.read(out, KIND)


def _evaluation(path: Path, reference: Artifact, classifier: str) -> Artifact:
    """An evaluation of the classifier with this hash on the dataset that was validated."""
    found = artifacts.read(path, "evaluation")
    wanted = {"dataset": reference.manifest.inputs["dataset"], "classifier": classifier}
    for name, content_hash in wanted.items():
        if found.manifest.inputs[name] != content_hash:
            raise InputError(f"{path} is of another {name} than the one that was validated.")
    return found


def _compare(inputs: dict[str, Artifact], metric: AskedMetric) -> Comparison | None:
    excluded = np.load(inputs["reference"].file("excluded.npy"), allow_pickle=False)
    champion, challenger = (read_arm(inputs[it].path) for it in ("champion", "challenger"))
    labels = challenger.labels
    return compare(champion.correct, challenger.correct, excluded, labels, metric)


def _name(record: dict[str, Any], model: Artifact) -> str:
    """Sorts by the time the data was read, and is the same if the step is run again."""
    moment = "".join(filter(str.isdigit, str(record["read_at"] or "")))[:14]
    return "-".join(filter(None, (moment[:8], moment[8:], model.content_hash[:8])))


def _promote(
    store: str, reference: Artifact, model: Artifact, found: Retraining, reason: str
) -> None:
    record = reference.json("reference.json")
    before = Current(record["champion"], record["version"]) if record["champion"] else None
    with tempfile.TemporaryDirectory() as folder:
        inputs = {"reference": reference, "classifier": model}
        with artifacts.publish(Path(folder) / "champion", CHAMPION, inputs=inputs) as draft:
            shutil.copytree(model.path, draft / "classifier")
            for item in ("profile.json", "learnt.npy"):
                shutil.copyfile(reference.file(item), draft / item)
        Champions(store).promote(
            artifacts.read(Path(folder) / "champion", CHAMPION),
            str(found.champion),
            before,
            reason=reason,
            comparison=found.comparison and asdict(found.comparison),
        )
