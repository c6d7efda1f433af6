"""Stage: read images from a source and publish them, cleaned and split, as a dataset."""

import datetime
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from augstudy.core import artifacts, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.files import write_json
from augstudy.data.dataset import KIND, Split, save_spec, save_split, save_thumbnails
from augstudy.data.describe import data_report, draw_copies, draw_samples
from augstudy.data.found import Found
from augstudy.data.reading import read_images
from augstudy.data.sampling import RESERVES
from augstudy.data.splits import Splits, TooFewError, make_splits
from augstudy.pages.suspicions import sentence
from augstudy.settings.data import DataSettings

logger = logging.getLogger("augstudy")


def run(
    out: Path, settings: DataSettings, cache: Path | None = None, refresh: bool = False
) -> Artifact:
    """Make the dataset artifact at `out`; does nothing if it is there already.

    Args:
        out: folder of the artifact.
        settings: source, classes, counts and seed.
        cache: folder of the cache of remote sources; None means the user's cache folder.
        refresh: look for newer versions of the source's objects, whatever the cache holds.

    Raises:
        InputError: a class is missing or has too few usable images.
        ServiceError: the source cannot be reached or refuses access, or the disk is full.
        DataError: a source file is corrupt or changed while it was being read, or too many images
            cannot be read.
    """
    config = settings.model_dump(mode="json")
    with telemetry.stage("ingest") as stage:
        if not refresh and (done := artifacts.find(out, KIND, config=config)) is not None:
            logger.info("ingest: %s is already done.", out)
            return done
        found, result = _read_and_split(settings, cache, refresh, stage)
        if result.copies:
            logger.info("%d pairs of near copies stay on one side each.", len(result.copies))
        classes = tuple(found.classes)
        with artifacts.publish(
            out, KIND, config=config, seed=settings.seed, provenance=_provenance(found, settings)
        ) as folder:
            _save(folder, result.splits, found, settings)
            for part, splits in zip(result.layout.parts[1:], result.more, strict=True):
                place = result.layout.place(folder, part)
                own = config | ({"fold": part.fold} if settings.folds else {})
                own |= {"draw": part.draw} if settings.draws > 1 else {}
                with artifacts.publish(place, KIND, config=own, seed=settings.seed) as draft:
                    _save(draft, splits, found, settings)
            report = data_report(found, result)
            for item in report.get("suspicions", ()):
                logger.warning("Warning: %s", sentence(item))
            write_json(folder / "data_report.json", report)
            draw_samples(result, classes, found.spec, folder / "samples.png")
            if result.copies:
                draw_copies(found, result.copies, folder / "near_copies.png")
        return artifacts.read(out, KIND)


def _save(folder: Path, splits: Mapping[str, Split], found: Found, settings: DataSettings) -> None:
    for name, split in splits.items():
        save_split(folder, name, split)
    save_spec(folder, found.spec)
    save_thumbnails(folder, splits["test"], settings.seed)
    write_json(folder / "classes.json", list(found.classes))


def _read_and_split(
    settings: DataSettings, cache: Path | None, refresh: bool, stage: telemetry.Stage
) -> tuple[Found, Splits]:
    for reserve in RESERVES:
        found = read_images(settings, cache, refresh, stage.progress, reserve)
        try:
            return found, make_splits(found, settings)
        except TooFewError as error:
            if not error.unread or reserve == RESERVES[-1]:
                raise
        logger.info("ingest: many images are blank or repeated; reading more of them.")
    raise AssertionError("unreachable: the last attempt returns or raises")


def _provenance(found: Found, settings: DataSettings) -> dict[str, Any]:
    return {
        "source": settings.source,
        "read_at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "classes": {name: dict(item.origin) for name, item in found.classes.items()},
    }
