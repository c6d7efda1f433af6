"""Read a random sample of each class's ``.npy`` file, many byte ranges at a time."""

import contextlib
import hashlib
import itertools
import logging
from dataclasses import dataclass

import numpy as np

from augstudy.core.errors import InputError
from augstudy.data.found import LEFT_OVER, ClassImages, Found, Report
from augstudy.data.listed import Listed
from augstudy.data.npy import NpyHeader, read_header
from augstudy.data.sampling import RowRange, choose_rows, row_numbers
from augstudy.data.sources import ObjectInfo, Source, find_class
from augstudy.objects.parallel import side_by_side
from augstudy.settings.data import DataSettings
from augstudy.settings.spec import DRAWING

logger = logging.getLogger("augstudy")


@dataclass(frozen=True)
class _Plan:
    """What to read of one class."""

    info: ObjectInfo
    header: NpyHeader
    ranges: list[RowRange]

    @property
    def byte_ranges(self) -> list[tuple[int, int]]:
        return [self.header.byte_range(*rows) for rows in self.ranges]


def read_ranges(source: Source, settings: DataSettings, report: Report, reserve: float) -> Found:
    """See :func:`augstudy.data.reading.read_images`; progress is in bytes."""
    result, done = {}, 0
    names = settings.classes or source.list_classes()
    plans = list(side_by_side(lambda name: _plan(source, name, settings, reserve), names))
    tasks = [(plan.info, item) for plan in plans for item in plan.byte_ranges]
    total = sum(stop - start for _, (start, stop) in tasks)
    reading = side_by_side(lambda task: source.read(task[0], *task[1]), tasks)
    with contextlib.closing(reading) as bodies:
        for plan in plans:
            parts = []
            for body in itertools.islice(bodies, len(plan.ranges)):
                parts.append(body)
                done += len(body)
                report(done, total, "bytes read")
            result[plan.info.name] = _assemble(plan, b"".join(parts))
    logger.info("%s", source.summary(f"{done / 2**20:.1f} MiB"))
    behind = {plan.info.name: plan.header.left_over for plan in plans if plan.header.left_over}
    return Found(result, DRAWING, {LEFT_OVER: behind})


def check_ranges(source: Source, settings: DataSettings) -> Listed:
    """Raise what :func:`read_ranges` would raise about missing classes and images.

    Returns:
        How many images there are.
    """
    names = settings.classes or source.list_classes()
    plans = [_plan(source, name, settings, 0.0) for name in names]
    settings.check_level(max((plan.header.rows for plan in plans), default=0))
    counts = {name: plan.header.rows for name, plan in zip(names, plans, strict=True)}
    return Listed(counts, {})


def _plan(source: Source, name: str, settings: DataSettings, reserve: float) -> _Plan:
    info = find_class(source, name)
    header = read_header(lambda *span: source.read(info, *span), info.size, info.uri)
    needed = settings.needed_per_class
    _check_enough(info, header.rows, settings)
    if not settings.counted:
        needed = header.rows
    return _Plan(info, header, choose_rows(header.rows, needed, name, settings.seed, reserve))


def _check_enough(info: ObjectInfo, available: int, settings: DataSettings) -> None:
    needed = settings.needed_per_class
    if available >= needed:
        return
    told = f"{info.uri} holds {available} images, but "
    if settings.folds:
        told += f"{settings.folds} folds need {needed}: lower folds or the counts per class."
    else:
        told += (
            f"train_per_class, val_per_class and test_per_class ask for {needed}: lower them by "
            f"{needed - available} in all, or name a larger source."
        )
    raise InputError(told)


def _assemble(plan: _Plan, body: bytes) -> ClassImages:
    return ClassImages(
        name=plan.info.name,
        uri=plan.info.uri,
        available=plan.header.rows,
        images=np.frombuffer(body, np.uint8).reshape(-1, *DRAWING.plane),
        rows=row_numbers(plan.ranges),
        origin={
            "object": plan.info.uri,
            "version": plan.info.version,
            "size": plan.info.size,
            "drawings": plan.header.rows,
            "byte_ranges": plan.byte_ranges,
            "sha256": hashlib.sha256(body).hexdigest(),
        },
    )
