"""Measure drawn images with a judge: against real drawings, and by what can be learnt from them."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from augstudy.core.artifacts import Artifact
from augstudy.data.dataset import Split, load_classes, load_pool, load_spec, load_split
from augstudy.data.mixtures import Drawings
from augstudy.metrics import measuring
from augstudy.metrics.figures import Seen
from augstudy.training import cas
from augstudy.training import judge as judges
from augstudy.training.callbacks import Progress
from augstudy.training.judge import Judge

logger = logging.getLogger("augstudy")


class Inspection:
    """Measures images drawn by a GAN that was trained on the training split of `dataset`.

    The reference is the validation split, never test. Each figure comes with what real images
    of the training pool get instead of the synthetic ones. How many images are measured depends on
    the dataset alone, so that figures of different GANs, arms and levels can be compared.
    """

    def __init__(self, dataset: Artifact, judge: Artifact) -> None:
        self._classes, self._spec = load_classes(dataset), load_spec(dataset)
        self._train, self._validation = load_split(dataset, "train"), load_split(dataset, "val")
        self._pool = load_pool(dataset)
        self._eyes = judges.load(judge)
        self._described = judge.json("judge.json")
        labels = [self._validation.labels, self._pool.labels]
        self._measured = measuring.common_count(labels, len(self._classes))
        self._level = int(np.bincount(self._train.labels, minlength=len(self._classes)).min())

    @property
    def per_class(self) -> int:
        """Images of each class that :meth:`inspect` looks at."""
        return max(self._measured, self._level if self._eyes.settings.cas_steps else 0)

    def inspect(self, sets: Sequence[Drawings], progress: Progress) -> dict[str, Any]:
        """The figures of drawn images for ``quality.json``.

        Args:
            sets: Together at least `per_class` images of each class; the first ones are used.
            progress: Told how far it is.
        """
        drawn = Drawings(
            np.concatenate([item.images for item in sets]),
            np.concatenate([item.labels for item in sets]),
        )
        count, classes = self._measured, len(self._classes)
        found: dict[str, Any] = {
            "measured": {"per_class": count, "images": count * classes, "reference": "validation"},
            "judge": self._described,
            "metrics": {},
            "per_class": {name: {} for name in self._classes},
        }
        if count * classes < measuring.LEAST:
            logger.warning(
                "There are only %d validation images to compare synthetic images with: "
                "raise val_per_class to %d or more.",
                len(self._validation),
                -(-measuring.LEAST // classes),
            )
        else:
            progress(0, 1, "measuring")
            reference, real, fake = (
                _seen(self._eyes, item, count) for item in (self._validation, self._pool, drawn)
            )
            found |= measuring.measure(reference, real, fake, self._train.images, self._classes)
        if self._eyes.settings.cas_steps:
            self._add_cas(found, drawn, progress)
        return found

    def _add_cas(self, found: dict[str, Any], drawn: Drawings, progress: Progress) -> None:
        """Classification accuracy score of as many drawn images as the level has real ones."""
        tested = self._validation
        recognised = cas.recogniser(
            self._eyes.settings,
            Drawings(tested.images, tested.labels),
            self._spec,
            classes=len(self._classes),
            images=self._level * len(self._classes),
        )
        hits, usual = (
            recognised(_first(item, self._level), _titled(progress, f"learning from {what} images"))
            for what, item in (("synthetic", drawn), ("real", self._train))
        )
        found["metrics"]["cas"] = measuring.share_record("cas", hits, float(usual.mean()))
        for label, name in enumerate(self._classes):
            own = tested.labels == label
            record = measuring.share_record("cas", hits[own], float(usual[own].mean()))
            found["per_class"][name]["cas"] = record


def _seen(eyes: Judge, source: Drawings | Split, per_class: int) -> Seen:
    chosen = _first(source, per_class)
    features, probabilities = eyes.features(chosen.images), eyes.probabilities(chosen.images)
    return Seen(chosen.images, chosen.labels, features, probabilities)


def _first(source: Drawings | Split, per_class: int) -> Drawings:
    rows = measuring.first_of_each(source.labels, per_class)
    return Drawings(source.images[rows], source.labels[rows])


def _titled(progress: Progress, title: str) -> Progress:
    return lambda done, total, text: progress(done, total, f"{title}  {text}")
