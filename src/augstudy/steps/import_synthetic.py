"""Bring along synthetic images that somebody else made: any source in, a set of the study out."""

import hashlib
import logging
from pathlib import Path
from typing import Any

import numpy as np

from augstudy.core import artifacts, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.files import write_json
from augstudy.core.rng import named_generator
from augstudy.data.dataset import load_classes, load_spec
from augstudy.data.importing import Imported, read_set
from augstudy.data.mixtures import Drawings
from augstudy.settings.data import ImageSettings
from augstudy.settings.sets import Copies, SyntheticSet
from augstudy.steps.synthesize import KIND, write
from augstudy.training import copying
from augstudy.training.inspection import Inspection

logger = logging.getLogger("augstudy")


def run(
    dataset: Path,
    out: Path,
    chosen: SyntheticSet,
    judge: Path | None = None,
    copies: Copies = "drop",
    cache: Path | None = None,
) -> Artifact:
    """Read a set of synthetic images and publish it as an artifact of kind ``synthetic``.

    The images are made into what those of the `dataset` are like, and their classes are matched by
    name. ``fault_rows.npy`` is the control with wrong labels: the place of the image that has the
    label of each place instead. ``copies.json`` says which images are near copies of real ones.
    With a `judge`, ``quality.json`` measures the images.

    Args:
        dataset: of the study.
        out: folder of the artifact.
        chosen: the set, and where it is.
        judge: what measures it.
        copies: what happens to near copies of validation and test images.
        cache: folder of the cache of remote sources; None means the user's.

    Raises:
        InputError: there is nothing at its source, it lacks classes, or it has copies and must not.
        ServiceError: its source cannot be reached or refuses access.
        DataError: its images are damaged.
    """
    with telemetry.stage("import_synthetic", chosen.set) as stage:
        inputs = {"dataset": artifacts.read(dataset, "dataset")}
        if judge is not None:
            inputs["judge"] = artifacts.read(judge, "judge")
        classes, spec = load_classes(inputs["dataset"]), load_spec(inputs["dataset"])
        known = inputs["dataset"].manifest.config.get("image_settings", {})
        found = read_set(
            chosen.source,
            classes,
            chosen.classes,
            spec,
            ImageSettings.model_validate(known),
            cache=cache,
            report=stage.progress,
        )
        config = {"sha256": _hash(found), "classes": chosen.classes, "copies": copies}
        if done := artifacts.find(out, KIND, inputs=inputs, config=config):
            logger.info("%s: already done", stage.title)
            return done
        if found.extra:
            logger.info("%s: left out classes %s.", stage.title, ", ".join(found.extra))
        origin = {"source": chosen.source, "extra_classes": found.extra}
        with artifacts.publish(
            out, KIND, inputs=inputs, config=config, provenance=origin
        ) as folder:
            stage.progress(0, 1, "looking for copies")
            check = copying.check_of(inputs)
            copied = check.copies(found.images)
            stays = copying.kept(copied, copies, chosen.set)
            copying.write(folder, check, found.images, copied, copies, int((~stays).sum()))
            drawings = Drawings(found.images, found.labels).at(np.flatnonzero(stays))
            write(folder, drawings, classes, spec, "Imported")
            shuffled = named_generator(0, "wrong labels").permutation(len(drawings))
            np.save(folder / "fault_rows.npy", shuffled, allow_pickle=False)
            names = [name for name, stayed in zip(found.names, stays, strict=True) if stayed]
            write_json(folder / "names.json", names)
            quality: dict[str, Any] = {"metrics": {}, "per_class": {}}
            if "judge" in inputs:
                inspection = Inspection(inputs["dataset"], inputs["judge"], drawings.labels)
                quality = inspection.inspect([drawings], stage.progress)
            write_json(folder / "quality.json", {"n": len(drawings), **quality})
    return artifacts.read(out, KIND)


def _hash(found: Imported) -> str:
    digest = hashlib.sha256(found.images.tobytes())
    digest.update(found.labels.tobytes())
    digest.update("\n".join(found.names).encode())
    return digest.hexdigest()
