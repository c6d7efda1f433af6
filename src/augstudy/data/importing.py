"""Read synthetic images that somebody else made, from any source, as images of a study."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from augstudy.core.arrays import Images, Labels
from augstudy.core.errors import InputError
from augstudy.core.rng import named_generator
from augstudy.data.decoding import decode
from augstudy.data.reading import read_images, soon
from augstudy.data.records import in_order
from augstudy.data.sources import RecordSource, open_images
from augstudy.settings.data import DataSettings, ImageSettings
from augstudy.settings.sets import SyntheticSet
from augstudy.settings.spec import ImageSpec


@dataclass(frozen=True)
class Imported:
    """Imported images uint8 (N, height, width[, 3]), class by class, in an order made at random.

    ``names`` (N,) is what each is called in its class, ``extra`` are classes that were left out,
    ``unreadable`` says how many images could not be read.
    """

    images: Images
    labels: Labels
    names: list[str]
    extra: list[str]
    unreadable: int


def read_set(
    uri: str,
    classes: Sequence[str],
    mapping: Mapping[str, str],
    spec: ImageSpec,
    settings: ImageSettings,
    seed: int = 0,
    cache: Path | None = None,
    report: Callable[[int, int, str], None] = lambda _done, _total, _what: None,
) -> Imported:
    """Read a set of synthetic images, made into images of `spec`.

    Args:
        uri: where they are.
        classes: names of the study's classes, in the order of their labels.
        mapping: names that the set has for some of them.
        spec: what the study's images are like.
        settings: how the study's files became images.
        seed: decides the order of the images of a class, of which arms take the first.
        cache: folder of the cache of remote sources.
        report: called as reading goes on.

    Raises:
        InputError: the set lacks classes, and which; or there is nothing at `uri`.
        ServiceError: the source cannot be reached or refuses access.
        DataError: a file is corrupt, or too many images cannot be read.
    """
    changed = settings.model_copy(
        update={
            "size": spec.plane,
            "channels": spec.channels,
            "background": spec.background,
            "groups": "",
            "near_copies": False,
        }
    )
    wanted = DataSettings(source=uri, image_settings=changed)
    present = _present(uri, wanted, cache)
    theirs = _theirs(uri, classes, mapping, present)
    found = read_images(
        wanted.model_copy(update={"classes": tuple(theirs)}), cache=cache, report=report
    )
    images, labels, names = [], [], []
    for label, name in enumerate(theirs):
        item = found.classes[name]
        order = named_generator(seed, "import", name).permutation(len(item.images))
        images.append(_as(item.images, spec, changed)[order])
        labels.append(np.full(len(order), label, np.int32))
        called = item.names or [str(row) for row in item.rows]
        names += [called[place] for place in order]
    return Imported(
        np.concatenate(images),
        np.concatenate(labels),
        names,
        [name for name in present if name not in theirs],
        sum(len(item.unreadable) for item in found.classes.values()),
    )


def check_sets(sets: Sequence[SyntheticSet], settings: DataSettings) -> None:
    """Find out before a run whether each imported set has the classes of the study.

    A store that does not answer soon, or refuses access, is left for the run to complain about.

    Raises:
        InputError: there is nothing where one should be, or it lacks a class.
        DataError: a file is corrupt.
    """
    for item in sets:
        if item.imported:
            soon(partial(_check_set, item, settings), [settings.source, item.source])


def _check_set(item: SyntheticSet, settings: DataSettings) -> None:
    classes = settings.classes or _present(settings.source, settings, None)
    uri = item.source
    _theirs(uri, classes, item.classes, _present(uri, DataSettings(source=uri), None))


def _theirs(
    uri: str, classes: Sequence[str], mapping: Mapping[str, str], present: Sequence[str]
) -> list[str]:
    """The set's names of the classes of a study.

    Raises:
        InputError: it lacks some of those, or the mapping cannot be one of them.
    """
    if unknown := sorted(set(mapping) - set(classes)):
        raise InputError(
            f"The mapping of {uri} names {unknown[0]!r}, which is no class of the study; those "
            f"are: {', '.join(classes)}."
        )
    theirs = [mapping.get(name, name) for name in classes]
    if len(set(theirs)) < len(theirs):
        raise InputError(f"The mapping of {uri} gives two classes the same name.")
    missing = [name for name in theirs if name not in present]
    if missing:
        raise InputError(
            f"{uri} has no images of {', '.join(map(repr, missing))}; its classes are "
            f"{', '.join(map(repr, present[:20]))}. Give sets[].classes if it calls them otherwise."
        )
    return theirs


def _present(uri: str, settings: DataSettings, cache: Path | None) -> list[str]:
    source = open_images(uri, settings, cache)
    if isinstance(source, RecordSource):
        return in_order(list({record.label for record in source.records()}))
    return source.list_classes()


def _as(images: npt.NDArray[np.uint8], spec: ImageSpec, settings: ImageSettings) -> Images:
    """Images of a source that has one size only, such as drawings, made into those of `spec`."""
    if images.shape[1:] == spec.stored:
        return images
    return np.stack([decode(image, spec, settings) for image in images])
