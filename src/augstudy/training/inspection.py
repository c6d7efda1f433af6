"""Measure drawn images with a judge: against real images, and by what can be learnt from them."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from augstudy.core.arrays import Labels
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

    def __init__(self, dataset: Artifact, judge: Artifact, there: Labels | None = None) -> None:
        """`there` are labels (N,) of the only images that there are, if no more can be drawn."""
        self._classes, self._spec = load_classes(dataset), load_spec(dataset)
        self._train, self._validation = load_split(dataset, "train"), load_split(dataset, "val")
        self._pool = load_pool(dataset)
        self._eyes = judges.load(judge)
        self._described = judge.json("judge.json")
        labels = [self._validation.labels, self._pool.labels]
        if there is not None:
            labels.append(there)
        self._measured = measuring.common_counts(labels, len(self._classes))
        self._real = np.bincount(self._train.labels, minlength=len(self._classes)).tolist()

    @property
    def counts(self) -> list[int]:
        """Images of each class that :meth:`inspect` looks at."""
        learnt = self._real if self._eyes.settings.cas_steps else [0] * len(self._classes)
        return [max(pair) for pair in zip(self._measured, learnt, strict=True)]

    def inspect(self, sets: Sequence[Drawings], progress: Progress) -> dict[str, Any]:
        """The figures of drawn images for ``quality.json``.

        Args:
            sets: Together at least `counts` images of each class; the first ones are used.
            progress: Told how far it is.
        """
        drawn = Drawings(
            np.concatenate([item.images for item in sets]),
            np.concatenate([item.labels for item in sets]),
        )
        counts, classes = self._measured, len(self._classes)
        found: dict[str, Any] = {
            "measured": {
                "per_class": counts[0] if len(set(counts)) == 1 else None,
                "images": sum(counts),
                "reference": "validation",
            },
            "judge": self._described,
            "metrics": {},
            "per_class": {name: {} for name in self._classes},
        }
        if sum(counts) < measuring.LEAST:
            logger.warning(
                "There are only %d validation images to compare synthetic images with: "
                "raise val_per_class to %d or more.",
                len(self._validation),
                -(-measuring.LEAST // classes),
            )
        else:
            progress(0, 1, "measuring")
            reference, real, fake = (
                _seen(self._eyes, item, counts) for item in (self._validation, self._pool, drawn)
            )
            found |= measuring.measure(reference, real, fake, self._train.images, self._classes)
        enough = np.bincount(drawn.labels, minlength=classes) >= self._real
        if self._eyes.settings.cas_steps and enough.all():
            self._add_cas(found, drawn, progress)
        return found

    def _add_cas(self, found: dict[str, Any], drawn: Drawings, progress: Progress) -> None:
        """Classification accuracy score of as many drawn images of each class as real ones."""
        tested = self._validation
        recognised = cas.recogniser(
            self._eyes.settings,
            Drawings(tested.images, tested.labels),
            self._spec,
            classes=len(self._classes),
            images=sum(self._real),
        )
        hits, usual = (
            recognised(_first(item, self._real), _titled(progress, f"learning from {what} images"))
            for what, item in (("synthetic", drawn), ("real", self._train))
        )
        found["metrics"]["cas"] = measuring.share_record("cas", hits, float(usual.mean()))
        for label, name in enumerate(self._classes):
            own = tested.labels == label
            if not own.any():
                continue
            record = measuring.share_record("cas", hits[own], float(usual[own].mean()))
            found["per_class"][name]["cas"] = record


def _seen(eyes: Judge, source: Drawings | Split, counts: Sequence[int]) -> Seen:
    chosen = _first(source, counts)
    features, probabilities = eyes.features(chosen.images), eyes.probabilities(chosen.images)
    return Seen(chosen.images, chosen.labels, features, probabilities)


def _first(source: Drawings | Split, counts: Sequence[int]) -> Drawings:
    rows = measuring.first_of_each(source.labels, counts)
    return Drawings(source.images[rows], source.labels[rows])


def _titled(progress: Progress, title: str) -> Progress:
    return lambda done, total, text: progress(done, total, f"{title}  {text}")
