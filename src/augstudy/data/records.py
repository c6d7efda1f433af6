"""Read images that have a record each: choose some of each class, decode them, count what fails."""

import contextlib
import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from augstudy.core.arrays import Images
from augstudy.core.errors import DataError, InputError, ServiceError
from augstudy.core.names import why_no_class
from augstudy.core.rng import named_generator
from augstudy.data.decoding import Look, Pixels, UnreadableError, decode, look, spec_of
from augstudy.data.found import ClassImages, Found, Report
from augstudy.data.listed import Listed
from augstudy.data.sampling import sample_size
from augstudy.data.sources import Record, RecordSource, missing_class
from augstudy.data.splits import FOLDS_GIVEN, too_few_groups
from augstudy.objects import ChangedError, MissingError
from augstudy.objects.parallel import SMALL_AT_ONCE, side_by_side
from augstudy.settings.data import DataSettings
from augstudy.settings.spec import ImageSpec

_LOOKED_AT = 256  # images, to find out of what size and how colourful they are
_REPORTED = 100  # images, between two reports of progress

logger = logging.getLogger("augstudy")
Item = tuple[RecordSource, Record, int]  # the number is its place among all images of its class


def read_records(
    source: RecordSource,
    test_sources: Sequence[RecordSource],
    settings: DataSettings,
    report: Report,
    reserve: float,
) -> Found:
    """See :func:`augstudy.data.reading.read_images`; progress is in images.

    All images of the test sources are test images, and no others are.
    """
    listed = _listed(source, test_sources)
    names = _classes(source.uri, listed, settings)
    chosen = {name: _chosen(listed[name], settings, name, reserve) for name in names}
    total = sum(map(len, chosen.values()))
    spec, sizes = _spec([item for items in chosen.values() for item in items], settings)
    logger.info("Images become %d x %d, %s.", *spec.plane, "grey" if spec.channels == 1 else "RGB")
    items = [item for of_class in chosen.values() for item in of_class]
    images, failed = _read_all(items, spec, settings, report)
    result, first = {}, 0
    for name, of_class in chosen.items():
        last = first + len(of_class)
        result[name] = _assembled(
            (name, source.uri, len(listed[name])), of_class, images[first:last], failed[first:last]
        )
        first = last
    _check_readable(source, result, total, settings)
    left_out = sum((item.left_out for item in (source, *test_sources)), Counter[str]())
    if left_out:
        logger.info("Left out: %s.", ", ".join(f"{n} {what}" for what, n in left_out.items()))
    logger.info("%s", source.summary(f"{total} images"))
    return Found(result, spec, {"left_out": dict(sorted(left_out.items())), "sizes": sizes})


def check_records(
    source: RecordSource, test_sources: Sequence[RecordSource], settings: DataSettings
) -> Listed:
    """Raise what can be known to be wrong with classes and counts without reading any image.

    Returns:
        How many images there are.
    """
    listed = _listed(source, test_sources)
    names = _classes(source.uri, listed, settings)
    for name in names:
        if settings.asks_for_counts and len(listed[name]) < settings.needed_per_class:
            raise InputError(
                f"{source.uri} holds {len(listed[name])} images of class {name!r}, but the counts "
                f"per class ask for {settings.needed_per_class}: lower them, or name a larger "
                "source."
            )
        if settings.folds:
            _check_folds(f"class {name!r} of {source.uri}", listed[name], settings)
    given = any(record.split for name in names for _, record, _ in listed[name])
    settings.check_level(max(len(listed[name]) for name in names), given)
    tests = {name: sum(record.split == "test" for _, record, _ in listed[name]) for name in names}
    return Listed({name: len(listed[name]) for name in names}, tests)


def _check_folds(where: str, items: Sequence[Item], settings: DataSettings) -> None:
    records = [record for _, record, _ in items]
    if any(record.split in ("test", "val") for record in records):
        raise InputError(FOLDS_GIVEN)
    groups = len({record.group or at for at, record in enumerate(records)})
    if groups < settings.groups_per_class:
        raise InputError(too_few_groups(where, groups, settings))


def in_order(names: Sequence[str]) -> list[str]:
    """Names of classes sorted; as numbers if all of them are numbers."""
    numbers = all(name.isascii() and name.isdigit() for name in names)
    return sorted(names, key=int if numbers else None)


def _listed(source: RecordSource, test_sources: Sequence[RecordSource]) -> dict[str, list[Item]]:
    """All images of each class, in the order of their names wherever they come from."""
    found = [(source, record) for record in source.records()]
    if test_sources:
        own = len(found)
        found = [(where, record) for where, record in found if record.split != "test"]
        if len(found) < own:
            source.left_out["test images, as there is a test_source"] += own - len(found)
        for other in test_sources:
            found += [(other, _as_test(record)) for record in other.records()]
    by_class: dict[str, list[tuple[RecordSource, Record]]] = defaultdict(list)
    for where, record in found:
        by_class[record.label].append((where, record))
    for items in by_class.values():
        items.sort(key=lambda item: (item[1].split, item[1].name))
    return {
        name: [(where, record, row) for row, (where, record) in enumerate(items)]
        for name, items in by_class.items()
    }


def _as_test(record: Record) -> Record:
    return Record(record.label, record.name, record.key, record.group, "test")


def _classes(uri: str, listed: dict[str, list[Item]], settings: DataSettings) -> list[str]:
    present = in_order(list(listed))
    for name in settings.classes:
        if name not in listed:
            raise missing_class(uri, name, present)
    for name in present:
        if reason := why_no_class(name):
            raise InputError(f"{uri}: {name!r} cannot be the name of a class: {reason}.")
    if len(present) < 2:
        raise InputError(
            f"{uri} holds images of one class only, {present[0]!r}: a study needs at least two; "
            "check that each class has a folder or a label of its own."
        )
    return list(settings.classes) or present


def _chosen(items: Sequence[Item], settings: DataSettings, name: str, reserve: float) -> list[Item]:
    """The images of a class to read: all, or a random sample that holds the need and a reserve."""
    sides: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        sides[item[1].split].append(item)
    chosen = []
    for side, there in sorted(sides.items()):
        needed = settings.needed_of(side, set(sides))
        count = sample_size(len(there), needed, reserve) if needed else len(there)
        order = named_generator(settings.seed, "images", side, name, len(there))
        rows = np.arange(count) if count == len(there) else order.permutation(len(there))[:count]
        chosen += [there[row] for row in sorted(rows)]
    return chosen


def _spec(items: Sequence[Item], settings: DataSettings) -> tuple[ImageSpec, dict[str, Any]]:
    """What images are made into, and which sizes were found among some of them."""
    spread = np.unique(np.linspace(0, len(items) - 1, min(len(items), _LOOKED_AT)).astype(int))
    tried = side_by_side(_look, [items[at] for at in spread], SMALL_AT_ONCE)
    looks = [found for found in tried if found]
    if not looks:
        raise DataError(
            f"None of {len(spread)} images of {items[0][0].uri} can be read: check that they are "
            "JPEG, PNG, WebP, BMP, TIFF or GIF files."
        )
    sides = np.array([(item.height, item.width) for item in looks])
    sizes = {
        "looked_at": len(looks),
        "smallest": sides.min(axis=0).tolist(),
        "median": np.median(sides, axis=0).astype(int).tolist(),
        "largest": sides.max(axis=0).tolist(),
    }
    return spec_of(looks, settings.image_settings), sizes


def _content(item: Item) -> bytes | Pixels:
    """What the source has of an image.

    Raises:
        UnreadableError: it is missing or damaged there, or may not be read on this machine.
    """
    source, record, _ = item
    try:
        return source.read(record)
    except ChangedError:
        raise
    except MissingError as error:
        raise UnreadableError("there is no such file") from error
    except DataError as error:
        raise UnreadableError("it is damaged where it lies") from error
    except ServiceError as error:
        if source.store.local("") is None:
            raise
        raise UnreadableError("it may not be read") from error


def _look(item: Item) -> Look | None:
    with contextlib.suppress(UnreadableError):
        return look(_content(item))
    return None


def _decoded(item: Item, spec: ImageSpec, settings: DataSettings) -> Pixels | str:
    """An image, or why there is none."""
    try:
        return decode(_content(item), spec, settings.image_settings)
    except UnreadableError as error:
        return str(error)


def _read_all(
    items: Sequence[Item], spec: ImageSpec, settings: DataSettings, report: Report
) -> tuple[Images, list[str]]:
    """The images of all items, and why some cannot be read; read in the order of the source."""
    images = np.zeros((len(items), *spec.stored), np.uint8)
    failed = [""] * len(items)
    order = sorted(range(len(items)), key=lambda at: (items[at][0].uri, items[at][1].key))
    read = partial(_decoded, spec=spec, settings=settings)
    results = side_by_side(read, (items[at] for at in order), SMALL_AT_ONCE)
    with contextlib.closing(results):
        for done, (at, found) in enumerate(zip(order, results, strict=True), 1):
            if isinstance(found, str):
                failed[at] = found
            else:
                images[at] = found
            if done % _REPORTED == 0 or done == len(items):
                report(done, len(items), "images read")
    return images, failed


def _assembled(
    what: tuple[str, str, int], items: Sequence[Item], images: Images, failed: Sequence[str]
) -> ClassImages:
    """The images of a class: its name, where it is, and how many it has there."""
    name, uri, available = what
    good = [at for at, reason in enumerate(failed) if not reason]
    images = images if len(good) == len(items) else images[good]
    records = [items[at][1] for at in good]
    return ClassImages(
        name=name,
        uri=f"class {name!r} of {uri}",
        available=available,
        images=images,
        rows=np.array([items[at][2] for at in good], np.int64),
        origin={"images": available, "sha256": hashlib.sha256(images.tobytes()).hexdigest()},
        names=[record.name for record in records],
        groups=[record.group for record in records],
        splits=[record.split for record in records],
        unreadable=[(items[at][1].name, reason) for at, reason in enumerate(failed) if reason],
    )


def _check_readable(
    source: RecordSource, found: dict[str, ClassImages], total: int, settings: DataSettings
) -> None:
    failed = [(name, *item) for name, of_class in found.items() for item in of_class.unreadable]
    if not failed:
        return
    label, name, reason = failed[0]
    text = (
        f"{len(failed)} of {total} images of {source.uri} cannot be read, such as {label}/{name} "
        f"({reason})"
    )
    if len(failed) > settings.image_settings.max_unreadable * total:
        raise DataError(
            f"{text}: repair or remove them, or raise image_settings.max_unreadable "
            f"({settings.image_settings.max_unreadable:g})."
        )
    logger.warning("%s: left out.", text)
