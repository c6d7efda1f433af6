"""What comparisons come to, as codes and numbers: the vocabulary of all results.

The rules are in :mod:`augstudy.stats.verdicts` and :mod:`augstudy.stats.promotion`; this module
is light, so that a table of ten thousand runs need not wait for SciPy.
"""

import math
from dataclasses import dataclass
from typing import Literal

Metric = Literal["accuracy", "balanced_accuracy"]
# ``at chance``: a classifier that is compared does no better than guessing.
Verdict = Literal["helps", "hurts", "no difference", "can't tell yet", "at chance"]
Judgement = Literal["holds", "does not hold", "can't tell"]
Rank = Literal["better", "worse", "can't tell yet", "not stable"]
Expected = Literal["higher", "lower", "same"]

# Why a challenger was promoted or held. ``first``: there was no champion. ``same``: it is the
# champion, bit for bit. ``no_images``: the champion has learnt from every test image. ``ruled_out``
# or ``not_ruled_out``: whether the interval excludes the loss that the margin names.
Reason = Literal["first", "same", "no_images", "ruled_out", "not_ruled_out"]

MOST = 20  # times what there is: to ask for more is no advice


@dataclass(frozen=True)
class Needed:
    """What more it would take: either alone, or both together; None where that cannot do it.

    Seeds are those of each draw; of draws it is only known where there are several.
    """

    seeds: int | None
    images: int | None
    both: tuple[int, int] | None
    draws: int | None = None


# The score of metrics.json that a metric is: balanced accuracy is the mean recall of all classes.
SCORES: dict[Metric, str] = {"accuracy": "accuracy", "balanced_accuracy": "recall_macro"}


@dataclass(frozen=True)
class Comparison:
    """Figures of the metric on the same test images; the difference with its 95 % interval."""

    champion: float
    challenger: float
    difference: float
    low: float
    high: float
    images: int
    excluded: int
    seeds: int
    metric: Metric = "accuracy"


@dataclass(frozen=True)
class Noise:
    """Where the difference between two arms gets its noise from, as variances.

    Args:
        image: between images, alike in every training run: images that suit one arm.
        run: between training runs, alike on every image: a run that went well.
        residual: the rest, of one run on one image.
        pooled: how many times the degrees of freedom of two arms' runs are behind `run`, because
            other arms tell of it as well.
        effective: see :func:`augstudy.stats.balance.effective`; less where images are in groups.
        folds: by which the images were shared out; a seed stands for so many runs.
        draw: between draws, alike in all runs of one: a split or a generator that went well. Where
            there was one draw, it is not known.
    """

    image: float
    run: float
    residual: float
    pooled: float = 1.0
    effective: float = 1.0
    folds: int = 1
    draw: float = 0.0

    def parts(self, seeds: int, images: int, draws: int = 1) -> tuple[float, float]:
        """Standard errors of a mean over `draws` x `seeds` x `images`: from images, and from runs.

        With one draw the error is about other runs of the same one.
        """
        from_image, from_run, from_draw = self.variances(seeds, images, draws)
        return math.sqrt(from_image), math.sqrt(from_run + (from_draw if draws > 1 else 0.0))

    def variances(self, seeds: int, images: int, draws: int = 1) -> tuple[float, float, float]:
        """Of such a mean: from images, from training runs, and from draws."""
        by_run = self.run / self.folds + self.residual / images
        return self.image / images, by_run / (seeds * draws), self.draw / draws
