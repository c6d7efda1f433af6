"""Check synthetic images for copies of real ones, and leave out those that are unwanted."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from augstudy.core.arrays import Images
from augstudy.core.artifacts import Artifact
from augstudy.core.errors import InputError
from augstudy.core.files import write_arrays, write_json
from augstudy.data.copies import TEST, VAL, Check, Copies, Known
from augstudy.data.dataset import load_pool, load_split, load_thumbnails
from augstudy.settings.sets import Copies as Rule
from augstudy.training.judge import load as load_judge


def check_of(inputs: Mapping[str, Artifact]) -> Check:
    """The check against the images of a ``dataset``, with a ``judge`` if there is one."""
    dataset = inputs["dataset"]
    known = Known(
        load_pool(dataset).images, load_split(dataset, "val").images, load_thumbnails(dataset)
    )
    return Check(known, load_judge(inputs["judge"]).features if "judge" in inputs else None)


def kept(found: Copies, rule: Rule, name: str) -> npt.NDArray[np.bool_]:
    """Which of N images stay, by what shall happen to copies of test and validation images.

    Raises:
        InputError: there are such copies, and the rule is ``fail``.
    """
    if rule == "fail" and found.unwanted.any():
        counts = " and ".join(
            f"{int(found.of[split].sum())} of {said} images"
            for split, said in ((TEST, "test"), (VAL, "validation"))
            if found.of[split].any()
        )
        raise InputError(
            f"The synthetic images{f' of set {name}' if name else ''} hold near copies: {counts}; "
            "remove them, or give copies=drop."
        )
    return ~found.unwanted if rule == "drop" else np.ones(len(found.unwanted), bool)


def write(
    folder: Path, check: Check, images: Images, found: Copies, rule: Rule, dropped: int
) -> None:
    """Write ``copies.json`` and, in ``copies.npz``, pictures of some pairs by split.

    Args:
        folder: of the artifact.
        check: that found them.
        images: that were checked.
        found: among them.
        rule: what happened to copies of validation and test images.
        dropped: how many images were left out.
    """
    write_json(folder / "copies.json", {"rule": rule, "dropped": dropped, **found.record()})
    write_arrays(folder / "copies.npz", **check.shown(images, found))
