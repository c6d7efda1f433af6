"""The figure by which the best generator of a training is chosen."""

import numpy as np

from augstudy.core.arrays import Floats, Labels
from augstudy.data.dataset import Split
from augstudy.metrics.generative import frechet_distance
from augstudy.training.judge import Judge
from augstudy.training.watching import Scorer


def scorer(judge: Judge, validation: Split) -> Scorer:
    """Frechet joint distance of generated to `validation` images: 0 if equal, no upper bound.

    The Frechet distance of what the judge sees together with the labels (DeVries et al. 2019, "On
    the evaluation of conditional GANs", arXiv 1907.08175). Beside what FID-QD tells it falls short
    where images do not show their class, which is what synthetic training images are for. As there,
    labels weigh as much as features: both have the same mean length.
    """
    seen = judge.features(validation.images)
    weight = float(np.linalg.norm(seen, axis=1).mean())
    classes = int(validation.labels.max()) + 1

    def joint(features: Floats, labels: Labels) -> Floats:
        return np.concatenate([features, weight * np.eye(classes)[labels]], axis=1)

    real = joint(seen, validation.labels)
    return lambda images, labels: frechet_distance(real, joint(judge.features(images), labels))
