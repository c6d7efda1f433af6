"""Read a random sample of each class's drawings, many byte ranges at a time."""

import contextlib
import hashlib
import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from augstudy.core.errors import InputError
from augstudy.data.npy import NpyHeader, read_header
from augstudy.data.sampling import RESERVES, RowRange, choose_rows, row_numbers
from augstudy.data.sources import ObjectInfo, Source, find_class, open_source
from augstudy.objects import ChangedError
from augstudy.objects.parallel import side_by_side
from augstudy.settings.data import DataSettings
from augstudy.settings.spec import DRAWING

Report = Callable[[int, int], None]

logger = logging.getLogger("augstudy")


@dataclass(frozen=True)
class ClassDrawings:
    """What was read of one class.

    ``images`` is uint8 (N, 28, 28), ``rows`` int64 (N,) their rows in the file, ``available`` how
    many rows the file has, ``byte_ranges`` what was read of it, ``sha256`` the hash of these bytes.
    """

    info: ObjectInfo
    available: int
    images: np.ndarray
    rows: np.ndarray
    byte_ranges: list[tuple[int, int]]
    sha256: str


@dataclass(frozen=True)
class _Plan:
    """What to read of one class."""

    info: ObjectInfo
    header: NpyHeader
    ranges: list[RowRange]

    @property
    def byte_ranges(self) -> list[tuple[int, int]]:
        return [self.header.byte_range(*rows) for rows in self.ranges]


def read_drawings(
    settings: DataSettings,
    cache: Path | None = None,
    refresh: bool = False,
    report: Report = lambda _done, _total: None,
    reserve: float = RESERVES[0],
) -> dict[str, ClassDrawings]:
    """Read the drawings that `settings` ask for, and a few more, from their source.

    Args:
        settings: source, classes, counts and seed.
        cache: folder of the cache of remote sources; None means the user's.
        refresh: look for newer versions of cached objects.
        report: called with the bytes read so far and the bytes to read.
        reserve: share to read beyond the need.

    Raises:
        InputError: a class is missing, or holds fewer drawings than asked for.
        ServiceError: the source cannot be reached or refuses access, or the disk is full.
        DataError: a file is corrupt, or changed while it was being read.
    """
    source = open_source(settings.source, cache, refresh)
    try:
        return _read(source, settings, report, reserve)
    except ChangedError:
        if not source.trusted:
            raise
    logger.info("%s has changed since it was cached: reading it again.", source.uri)
    return _read(open_source(settings.source, cache, refresh=True), settings, report, reserve)


def _read(
    source: Source, settings: DataSettings, report: Report, reserve: float
) -> dict[str, ClassDrawings]:
    result, done = {}, 0
    plans = list(
        side_by_side(lambda name: _plan(source, name, settings, reserve), settings.classes)
    )
    tasks = [(plan.info, item) for plan in plans for item in plan.byte_ranges]
    total = sum(stop - start for _, (start, stop) in tasks)
    reading = side_by_side(lambda task: source.read(task[0], *task[1]), tasks)
    with contextlib.closing(reading) as bodies:
        for plan in plans:
            parts = []
            for body in itertools.islice(bodies, len(plan.ranges)):
                parts.append(body)
                done += len(body)
                report(done, total)
            result[plan.info.name] = _assemble(plan, b"".join(parts))
    logger.info("%s", source.summary(done))
    return result


def _plan(source: Source, name: str, settings: DataSettings, reserve: float) -> _Plan:
    info = find_class(source, name)
    header = read_header(lambda *span: source.read(info, *span), info.size, info.uri)
    needed = settings.needed_per_class
    _check_enough(info, header.rows, needed)
    if not settings.test_per_class:
        needed = header.rows
    return _Plan(info, header, choose_rows(header.rows, needed, name, settings.seed, reserve))


def _check_enough(info: ObjectInfo, available: int, needed: int) -> None:
    if available < needed:
        raise InputError(
            f"{info.uri} holds {available} images, but train_per_class, val_per_class and "
            f"test_per_class ask for {needed}: lower them by {needed - available} in all."
        )


def _assemble(plan: _Plan, body: bytes) -> ClassDrawings:
    return ClassDrawings(
        info=plan.info,
        available=plan.header.rows,
        images=np.frombuffer(body, np.uint8).reshape(-1, *DRAWING.plane),
        rows=row_numbers(plan.ranges),
        byte_ranges=plan.byte_ranges,
        sha256=hashlib.sha256(body).hexdigest(),
    )
