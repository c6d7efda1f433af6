"""Stage: read drawings from a source and publish them, cleaned and split, as a dataset."""

import datetime
import logging
from pathlib import Path
from typing import Any

from augstudy.core import artifacts, telemetry
from augstudy.core.artifacts import Artifact
from augstudy.core.files import write_json
from augstudy.data.dataset import KIND, save_spec, save_split
from augstudy.data.describe import data_report, draw_samples
from augstudy.data.reading import ClassDrawings, read_drawings
from augstudy.data.sampling import RESERVES
from augstudy.data.splits import Splits, TooFewError, make_splits
from augstudy.settings.data import DataSettings
from augstudy.settings.spec import DRAWING

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
        InputError: a class is missing or holds too few usable drawings.
        ServiceError: the source cannot be reached or refuses access, or the disk is full.
        DataError: a source file is corrupt, or changed while it was being read.
    """
    config = settings.model_dump(mode="json")
    with telemetry.stage("ingest") as stage:
        if not refresh and (found := artifacts.find(out, KIND, config=config)) is not None:
            logger.info("ingest: %s is already done.", out)
            return found
        drawings, result = _read_and_split(settings, cache, refresh, stage)
        with artifacts.publish(
            out, KIND, config=config, seed=settings.seed, provenance=_provenance(drawings, settings)
        ) as folder:
            for name, split in result.splits.items():
                save_split(folder, name, split)
            save_spec(folder, DRAWING)
            write_json(folder / "classes.json", list(settings.classes))
            write_json(folder / "data_report.json", data_report(drawings, result, settings))
            draw_samples(result, settings.classes, folder / "samples.png")
        return artifacts.read(out, KIND)


def _read_and_split(
    settings: DataSettings, cache: Path | None, refresh: bool, stage: telemetry.Stage
) -> tuple[dict[str, ClassDrawings], Splits]:
    def report(done: int, total: int) -> None:
        stage.progress(done, total, "bytes read")

    for reserve in RESERVES[:-1]:
        drawings = read_drawings(settings, cache, refresh, report, reserve)
        try:
            return drawings, make_splits(drawings, settings)
        except TooFewError as error:
            if not error.unread:
                raise
        logger.info("ingest: many images are blank or repeated; reading more of them.")
    drawings = read_drawings(settings, cache, refresh, report, RESERVES[-1])
    return drawings, make_splits(drawings, settings)


def _provenance(drawings: dict[str, ClassDrawings], settings: DataSettings) -> dict[str, Any]:
    return {
        "source": settings.source,
        "read_at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "classes": {
            name: {
                "object": item.info.uri,
                "version": item.info.version,
                "size": item.info.size,
                "drawings": item.available,
                "byte_ranges": item.byte_ranges,
                "sha256": item.sha256,
            }
            for name, item in drawings.items()
        },
    }
