"""Read what a study needs of its source: ranges of bytes, or chosen images of each class."""

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from augstudy.core.errors import AugstudyError, InputError, ServiceError
from augstudy.data.found import Found, Report
from augstudy.data.listed import Listed
from augstudy.data.ranges import check_ranges, read_ranges
from augstudy.data.records import check_records, read_records
from augstudy.data.sampling import RESERVES
from augstudy.data.sources import RecordSource, Source, open_images
from augstudy.objects import ChangedError
from augstudy.settings.data import DataSettings

logger = logging.getLogger("augstudy")


def read_images(
    settings: DataSettings,
    cache: Path | None = None,
    refresh: bool = False,
    report: Report = lambda _done, _total, _what: None,
    reserve: float = RESERVES[0],
) -> Found:
    """Read the images that `settings` ask for, and a few more, from their source.

    Args:
        settings: source, classes, counts and seed.
        cache: folder of the cache of remote sources; None means the user's.
        refresh: look for newer versions of cached objects.
        report: called as reading goes on.
        reserve: share to read beyond the need.

    Raises:
        InputError: a class is missing, or has fewer images than asked for.
        ServiceError: the source cannot be reached or refuses access, or the disk is full.
        DataError: a file is corrupt or changed while it was being read, or too many images cannot
            be read.
    """
    uris = [uri for uri in (settings.source, settings.test_source) if uri]
    sources = [open_images(uri, settings, cache, refresh) for uri in uris]
    try:
        return _read(sources, settings, report, reserve)
    except ChangedError:
        if refresh or not any(source.trusted for source in sources):
            raise
    logger.info("%s has changed since it was cached: reading it again.", settings.source)
    return read_images(settings, cache, True, report, reserve)


def check_source(settings: DataSettings) -> Listed | None:
    """Find out before a run whether its source has the classes and images that it asks for.

    A store that does not answer soon, or refuses access, is left for the run to complain about.

    Returns:
        How many images there are; None if that is not known yet.

    Raises:
        InputError: it does not.
        DataError: a file is corrupt.
    """
    uris = [uri for uri in (settings.source, settings.test_source) if uri]

    found: list[Listed] = []

    def check() -> None:
        main, *others = (open_images(uri, settings) for uri in uris)
        if isinstance(main, Source):
            found.append(check_ranges(main, settings))
        else:
            tests = [it for it in others if not isinstance(it, Source)]
            found.append(check_records(main, tests, settings))

    soon(check, uris)
    return found[0] if found else None


def soon(check: Callable[[], None], uris: Sequence[str], patience_s: float = 2.0) -> None:
    """Raise what `check` finds wrong with sources, but for trouble with reaching them.

    Args:
        check: looks at the sources.
        uris: where they are.
        patience_s: for those that are not on this machine.

    Raises:
        AugstudyError: what it found.
    """
    found: list[AugstudyError] = []

    def listen() -> None:
        try:
            check()
        except AugstudyError as error:
            found.append(error)

    if all("://" not in uri or uri.startswith("file://") for uri in uris):
        listen()
    else:
        asking = threading.Thread(target=listen, daemon=True)
        asking.start()
        asking.join(patience_s)
    for error in found:
        if not isinstance(error, ServiceError):
            raise error


def _read(
    sources: Sequence[Source | RecordSource], settings: DataSettings, report: Report, reserve: float
) -> Found:
    main, *others = sources
    tests = [source for source in others if isinstance(source, RecordSource)]
    if isinstance(main, RecordSource) and len(tests) == len(others):
        return read_records(main, tests, settings, report, reserve)
    if others or isinstance(main, RecordSource):
        raise InputError(
            "test_source needs a source and a test source with a file for each image or with "
            "records: leave it out."
        )
    return read_ranges(main, settings, report, reserve)
