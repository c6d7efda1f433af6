"""How good are generated images? Pure functions of features, in float64.

Features are those of :mod:`augstudy.training.judge`, float64 (N, D) each; ``real`` and ``fake`` may
differ in N. No function looks at more than what it is given, so a result does not depend on how
images were batched. Every figure depends on N: compare only figures of equal N.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from augstudy.core import rng
from augstudy.core.arrays import Floats

Indices = NDArray[np.intp]

PRECISION_K = 3
DENSITY_K = 5
HALVES = 30
UNUSUALLY_NEAR = 0.01


def frechet_distance(real: ArrayLike, fake: ArrayLike) -> float:
    """Squared Frechet distance of Gaussians fitted to both: 0 if equal, no upper bound.

    On the features of the judge it is called FID-QD, after the Frechet Inception distance (Heusel
    et al. 2017, arXiv 1706.08500) and the drawings; its scale has nothing to do with that of
    published FIDs. It is biased upwards, the more so the fewer images (Chong and Forsyth 2019,
    arXiv 1911.07023).

    Raises:
        ValueError: fewer than two images, or features of different length.
    """
    x, y = _checked(real, fake, 2)
    shift = float(((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum())
    root_x, root_y = _covariance_root(x), _covariance_root(y)
    # The trace of the square root of the product of the covariances: no complex roots needed.
    shared = float(np.linalg.svd(root_x @ root_y.T, compute_uv=False).sum())
    spread = float((root_x**2).sum() + (root_y**2).sum()) - 2 * shared
    return shift + max(spread, 0.0)


def kernels(real: ArrayLike, fake: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """The kernel of all pairs: real-real, fake-fake and real-fake, for :func:`discrepancy`."""
    x, y = _checked(real, fake, 2)
    return _kernel(x, x), _kernel(y, y), _kernel(x, y)


def discrepancy(within_real: Floats, within_fake: Floats, between: Floats) -> float:
    """Kernel distance (KID): 0 on average if both come from one distribution, below by chance.

    The unbiased squared maximum mean discrepancy with the kernel (x.y / D + 1)^3 (Binkowski et al.
    2018, arXiv 1801.01401), from the kernels of all pairs. They average over subsets to save time;
    here all pairs count, which has the least variance.
    """
    same = sum(
        (item.sum() - np.trace(item)) / (len(item) * (len(item) - 1))
        for item in (within_real, within_fake)
    )
    return float(same - 2 * between.mean())


def distances(real: ArrayLike, fake: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Distances of all pairs: real-real, fake-fake and real-fake, for :func:`neighbourhoods`."""
    x, y = _checked(real, fake, 2)
    return cdist(x, x), cdist(y, y), cdist(x, y)


def neighbourhoods(
    within_real: Floats,
    within_fake: Floats,
    between: Floats,
    precision_k: int = PRECISION_K,
    density_k: int = DENSITY_K,
) -> dict[str, float]:
    """``precision``, ``recall``, ``density`` and ``coverage`` from the distances of all pairs.

    Precision is the share of fake images that lie within the reach of a real one, its distance to
    its k-th nearest real neighbour: are the images plausible? Recall is the same with the roles
    swapped: is every kind of real image among them? A single far outlier has a wide reach and
    flatters both (Kynkaanniemi et al. 2019, arXiv 1904.06991).

    Density, about 1 for real images, counts how many reaches of real images a fake one lies in,
    over k. Coverage is the share of real images with a fake one within their reach: with equal
    numbers, 1 - 2^-k on average for images of the same distribution. Both are robust to outliers
    (Naeem et al. 2020, arXiv 2002.09797).

    Raises:
        ValueError: not more images than neighbours are asked for.
    """
    real_reach, fake_reach = _reach(within_real, precision_k), _reach(within_fake, precision_k)
    wide = _reach(within_real, density_k)
    inside = between <= wide[:, None]
    return {
        "precision": float((between <= real_reach[:, None]).any(axis=0).mean()),
        "recall": float((between <= fake_reach[None, :]).any(axis=1).mean()),
        "density": float(inside.sum(axis=0).mean() / density_k),
        "coverage": float(inside.any(axis=1).mean()),
    }


def nearest(queries: ArrayLike, references: ArrayLike) -> Floats:
    """Distance of each of the queries (N, D) to the nearest of the references (M, D): (N,).

    Raises:
        ValueError: no reference, or rows of different length.
    """
    x, y = _checked(queries, references, 1)
    starts = range(0, len(x), 500)
    return np.concatenate([cdist(x[start : start + 500], y).min(axis=1) for start in starts])


def unusually_near(found: ArrayLike, usual: ArrayLike) -> NDArray[np.bool_]:
    """Which of the distances `found` are shorter than 99 % of the `usual` ones.

    With those of generated and of held-out images to the nearest training image: about 1 % for a
    generator that has learnt the distribution, all for one that copies (compare Meehan et al. 2020,
    arXiv 2004.05675). Blurred images are near to everything, too.

    Raises:
        ValueError: there is no usual distance.
    """
    return np.asarray(np.asarray(found) < np.quantile(np.asarray(usual), UNUSUALLY_NEAR))


def recognised(probabilities: ArrayLike, labels: ArrayLike) -> NDArray[np.bool_]:
    """Which rows of `probabilities` (N, C) are highest at the label (N,).

    Their share is, of the judge on generated images, GAN-test, the label fidelity: do they show
    what they are asked for? A generator with one good image per class reaches 1. Of a classifier
    trained on generated images on real ones it is GAN-train or classification accuracy score (CAS):
    can one learn all that real images ask for from them? That takes fidelity and diversity
    (Shmelkov et al. 2018, arXiv 1807.09499; Ravuri and Vinyals 2019, arXiv 1905.10887).
    """
    return np.asarray(np.asarray(probabilities).argmax(axis=1) == np.asarray(labels))


def standard_error(
    figures: Callable[[Indices, Indices], Sequence[float]],
    real: int,
    fake: int,
    halves: int = HALVES,
) -> Floats:
    """Standard errors of figures over other draws of the `real` and the `fake` images, (F,).

    The standard deviation over random halves of both sets. What halves of one sample scatter about
    it equals, to first order, what the whole scatters about the truth, and unlike the jackknife
    that leaves out little it also holds for figures that jump, such as those of neighbours (Shao
    and Wu 1989, Annals of Statistics 17, 1176-1197). A bootstrap would draw images twice, which
    these figures take for structure. Measured, it is right to a tenth for the distances, recall and
    density, and up to half too large for precision and coverage.

    Args:
        figures: takes the rows to use of each set, and returns F figures.
        real: number of real images.
        fake: number of fake images.
        halves: number of random halves.
    """
    random = rng.generator(0)
    found = [figures(_half(real, random), _half(fake, random)) for _ in range(halves)]
    return np.asarray(np.std(np.asarray(found, np.float64), axis=0, ddof=1))


def _half(count: int, random: np.random.Generator) -> Indices:
    """One of every two neighbouring rows: of rows sorted by class, half of every class."""
    firsts = np.arange(0, count - 1, 2)
    return np.asarray(firsts + random.integers(0, 2, len(firsts)))


def _covariance_root(x: Floats) -> Floats:
    """R with R'R the covariance of the rows; as small as the smaller of N and D allows."""
    centred = (x - x.mean(axis=0)) / np.sqrt(len(x) - 1)
    return np.asarray(np.linalg.qr(centred, mode="r"), np.float64)


def _kernel(x: Floats, y: Floats) -> Floats:
    return np.asarray((x @ y.T / x.shape[1] + 1.0) ** 3, np.float64)


def _reach(within: Floats, k: int) -> Floats:
    """Distance of each image to its k-th nearest neighbour in its own set."""
    if len(within) <= k:
        raise ValueError(f"{len(within)} images have no {k} neighbours each")
    nearest_first = np.partition(within, k, axis=1)
    return np.asarray(nearest_first[:, k])  # the 0th is the image itself


def _checked(first: ArrayLike, second: ArrayLike, least: int) -> tuple[Floats, Floats]:
    x, y = (np.asarray(item, np.float64) for item in (first, second))
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(f"features must be (N, D) and (M, D), not {x.shape} and {y.shape}")
    if min(len(x), len(y)) < least:
        raise ValueError(f"at least {least} images are needed, not {len(x)} and {len(y)}")
    return x, y
