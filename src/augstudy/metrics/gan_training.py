"""Figures that tell, while a GAN trains, how it is doing: of its images, in plain numpy.

All are ratios to real images, so that one limit suits every set of classes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from augstudy.core.arrays import Images, Labels

_NEIGHBOURS = 5
_COMPARED = 3000
_MEANS = 14


@dataclass(frozen=True)
class Reference:
    """Real images, uint8 (N, H, W) or (N, H, W, 3), that generated ones are held against.

    ``held_out`` ones are not trained on; they tell how well classes can be told at all.
    """

    images: Images
    labels: Labels
    held_out: Images
    held_out_labels: Labels

    def signals(self, drawn: Images, before: Images | None = None) -> dict[str, float]:
        """The figures of generated images.

        Args:
            drawn: uint8 (C, K, H, W[, 3]), K >= 2 images of each of the C classes.
            before: the same noise drawn at the moment before.

        Returns:
            ``spread`` and ``diversity`` of the images, within all and within a class, over that
            of real ones; ``class_fidelity``; and ``movement`` since the moment before, if any.
        """
        real_spread = max(overall_spread(self.images), 1e-9)
        found = {
            "spread": overall_spread(drawn.reshape(-1, *drawn.shape[2:])) / real_spread,
            "diversity": float(np.median(self._diversities(drawn))),
            "class_fidelity": self.class_fidelity(drawn),
        }
        if before is not None:
            change = np.abs(drawn.astype(np.int16) - before.astype(np.int16)).mean() / 255
            found["movement"] = float(change) / real_spread
        return found

    def _diversities(self, drawn: Images) -> list[float]:
        return [
            relative_diversity(images, self.images[self.labels == label])
            for label, images in enumerate(drawn)
        ]

    def class_fidelity(self, drawn: Images) -> float:
        """How well neighbours among training images tell the class of generated ones.

        1 is as well as that of held-out real ones, 0 no better than chance. 0 as well where
        chance alone could explain how well the real ones are told.
        """
        classes, count = drawn.shape[:2]
        chance = 1 / classes
        real = self._recognised(self.held_out, self.held_out_labels)
        error = np.sqrt(chance * (1 - chance) / max(1, len(self.held_out)))
        if real <= chance + 2 * error:
            return 0.0
        wanted = np.repeat(np.arange(classes), count)
        generated = self._recognised(drawn.reshape(-1, *drawn.shape[2:]), wanted)
        return float((generated - chance) / (real - chance))

    def _recognised(self, images: Images, labels: Labels) -> float:
        """Share whose class most of the nearest training images have."""
        every = max(1, len(self.images) // _COMPARED)
        known, names = coarse(self.images[::every]), self.labels[::every]
        near = np.argsort(_distances(coarse(images), known), axis=1)[:, :_NEIGHBOURS]
        votes = np.apply_along_axis(
            np.bincount, 1, names[near], minlength=int(max(names.max(), labels.max())) + 1
        )
        return float(np.mean(votes.argmax(axis=1) == labels))


def relative_diversity(drawn: Images, real: Images) -> float:
    """Mean distance of two generated images over that of two real ones, all of one class.

    Of both (N, H, W[, 3]) as many count as there are of the fewer, so that the means rest on equal
    evidence.
    """
    count = min(len(drawn), len(real))
    return mean_distance(drawn[:count]) / max(mean_distance(real[:count]), 1e-9)


def mean_distance(images: Images) -> float:
    """Mean Euclidean distance of two of the images (N, H, W[, 3]), as :func:`coarse` sees them.

    Averaging makes a stroke moved by one pixel count as nearly the same. 0 for fewer than two.
    """
    count = len(images)
    if count < 2:
        return 0.0
    small = coarse(images)
    between = _distances(small, small)
    np.fill_diagonal(between, 0.0)
    return float(between.sum() / (count * (count - 1)))


def overall_spread(images: Images) -> float:
    """Standard deviation of a pixel over all images, averaged over the pixels."""
    flat = images.reshape(len(images), -1) / 255.0
    return float(flat.std(axis=0).mean())


def coarse(images: Images) -> npt.NDArray[np.float64]:
    """Means of 2 by 2 pixels in 0-1, one row an image; of more pixels where an image is large.

    About 14 means are left along the shorter side of a large image.
    """
    count, height, width, *channels = images.shape
    side = max(2, min(height, width) // _MEANS)
    rows, columns = height // side, width // side
    blocks = images[:, : rows * side, : columns * side].reshape(
        count, rows, side, columns, side, *channels
    )
    return np.asarray(blocks.mean(axis=(2, 4)) / 255.0, dtype=np.float64).reshape(count, -1)


def _distances(
    one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Euclidean distances (N, M) of the rows of (N, D) and (M, D)."""
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :] - 2 * one @ other.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)), dtype=np.float64)
