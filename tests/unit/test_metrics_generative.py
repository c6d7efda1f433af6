"""Each figure against a closed form, against another implementation, and where it must be bad."""

import itertools

import numpy as np
import plain_figures
import pytest
from scipy.linalg import sqrtm
from sklearn.metrics import accuracy_score
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors

from augstudy.metrics import generative


def normal(count, size, seed=0, mean=0.0, scale=1.0):
    return mean + scale * np.random.default_rng(seed).standard_normal((count, size))


def whitened(count, size, seed=0):
    """Points whose sample mean is exactly 0 and whose sample covariance is exactly the identity."""
    points = normal(count, size, seed)
    points -= points.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(points, rowvar=False))
    return points @ (vectors / np.sqrt(values)) @ vectors.T


def test_frechet_distance_has_the_closed_form_of_gaussians():
    real, fake = whitened(200, 4, seed=1), whitened(150, 4, seed=2)
    assert generative.frechet_distance(real, fake) == pytest.approx(0, abs=1e-9)
    scales, shift = np.array([1.0, 2.0, 0.5, 3.0]), np.array([0.0, 1.0, -2.0, 0.5])
    expected = (shift**2).sum() + ((scales - 1) ** 2).sum()
    assert generative.frechet_distance(real, fake * scales + shift) == pytest.approx(expected)
    assert generative.frechet_distance(real, np.zeros((50, 4))) == pytest.approx(4)  # collapsed


def test_frechet_distance_agrees_with_the_square_root_of_the_product():
    random = np.random.default_rng(3)
    real = normal(300, 12) @ random.standard_normal((12, 12))
    fake = normal(250, 12, seed=5, mean=0.3) @ random.standard_normal((12, 12))
    covariances = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    root = sqrtm(covariances[0] @ covariances[1]).real
    expected = ((real.mean(0) - fake.mean(0)) ** 2).sum()
    expected += np.trace(covariances[0] + covariances[1] - 2 * root)
    found = generative.frechet_distance(real, fake)
    assert found == pytest.approx(expected, rel=1e-9)
    assert generative.frechet_distance(fake, real) == pytest.approx(found, rel=1e-9)


def test_frechet_distance_manages_fewer_images_than_features():
    real = normal(10, 40)
    assert generative.frechet_distance(real, real) == pytest.approx(0, abs=1e-5)
    assert generative.frechet_distance(real, normal(10, 40, seed=1)) > 10  # the bias of small N
    assert generative.frechet_distance(normal(4000, 4), normal(4000, 4, seed=1)) < 0.01


def test_kernel_distance_agrees_with_loops_over_pairs():
    real, fake = normal(9, 5), normal(7, 5, seed=1, mean=0.5)

    def kernel(x, y):
        return (sum(a * b for a, b in zip(x, y, strict=True)) / 5 + 1) ** 3

    expected = np.mean([kernel(*pair) for pair in itertools.permutations(real, 2)])
    expected += np.mean([kernel(*pair) for pair in itertools.permutations(fake, 2)])
    expected -= 2 * np.mean([kernel(*pair) for pair in itertools.product(real, fake)])
    assert plain_figures.kernel_distance(real, fake) == pytest.approx(expected, rel=1e-12)
    between = generative.kernels(real, fake)[2]
    other = polynomial_kernel(real, fake, degree=3, gamma=1 / 5, coef0=1)
    np.testing.assert_allclose(between, other, rtol=1e-12)


def test_kernel_distance_is_unbiased_at_any_size():
    """Frechet distance of so few images would be far above its limit; this is not."""
    for size in (8, 40):
        pairs = [(normal(size, 3, seed), normal(size, 3, 10_000 + seed)) for seed in range(400)]
        found = np.array([plain_figures.kernel_distance(*pair) for pair in pairs])
        assert abs(found.mean()) < 4 * found.std() / np.sqrt(len(found))
        assert (found < 0).any()
        assert np.mean([generative.frechet_distance(*pair) for pair in pairs]) > 0.1
    # Two points: k(a, a) - 2 k(a, b) + k(b, b) with k of 1-D points -1 and 1: 8 - 0 + 8.
    assert plain_figures.kernel_distance(-np.ones((3, 1)), np.ones((3, 1))) == pytest.approx(16)


def neighbours(points, queries, k):
    return NearestNeighbors(n_neighbors=k, algorithm="ball_tree").fit(points).kneighbors(queries)[0]


@pytest.mark.parametrize("seed", range(3))
def test_neighbourhoods_agree_with_trees_and_loops(seed):
    real, fake = normal(60, 3, seed), normal(45, 3, seed + 9, mean=0.4, scale=0.8)

    def reach(points, k):
        return neighbours(points, points, k + 1)[:, k]

    def inside(point, centres, reaches):
        return [np.linalg.norm(point - c) <= r for c, r in zip(centres, reaches, strict=True)]

    precision = np.mean([any(inside(point, real, reach(real, 3))) for point in fake])
    recall = np.mean([any(inside(point, fake, reach(fake, 3))) for point in real])
    assert plain_figures.precision_recall(real, fake) == pytest.approx((precision, recall))
    density = np.mean([sum(inside(point, real, reach(real, 5))) / 5 for point in fake])
    coverage = np.mean(neighbours(fake, real, 1)[:, 0] <= reach(real, 5))
    assert plain_figures.density_coverage(real, fake) == pytest.approx((density, coverage))


def test_coverage_of_equal_distributions_is_known():
    """1 - 2^-k with equal numbers, whatever the distribution (Naeem et al. 2020, section 3.3)."""
    for k in (1, 3, 5):
        found = [
            plain_figures.density_coverage(normal(200, 4, seed), normal(200, 4, seed + 99), k)
            for seed in range(20)
        ]
        density, coverage = np.mean(found, axis=0)
        assert coverage == pytest.approx(1 - 0.5**k, abs=0.015)
        assert density == pytest.approx(1, abs=0.03)


def test_where_neighbourhoods_must_be_bad():
    real = np.concatenate([normal(100, 3), normal(100, 3, seed=1, mean=20)])
    far, collapsed = normal(200, 3, seed=2, mean=-50), normal(200, 3, seed=3)
    assert plain_figures.precision_recall(real, far) == (0, 0)
    assert plain_figures.density_coverage(real, far) == (0, 0)
    precision, recall = plain_figures.precision_recall(real, collapsed)  # one of two modes
    assert precision > 0.9
    assert 0.35 < recall <= 0.5
    assert plain_figures.density_coverage(real, collapsed)[1] <= 0.5
    one_image = np.repeat(real[:1], 200, axis=0)
    assert plain_figures.precision_recall(real, one_image) == (1, 1 / 200)
    assert plain_figures.density_coverage(real, one_image)[1] < 0.1
    assert plain_figures.precision_recall(real, real) == (1, 1)


def test_nearest_finds_the_nearest():
    queries, references = normal(1203, 4), normal(57, 4, seed=1)
    expected = neighbours(references, queries, 1)[:, 0]
    np.testing.assert_allclose(generative.nearest(queries, references), expected, rtol=1e-12)
    # What is found of one does not hang on those beside it.
    part = generative.nearest(queries[700:710], references)
    assert (generative.nearest(queries, references)[700:710] == part).all()


def test_copies_are_recognised():
    training, held_out, fresh = (normal(500, 3, seed) for seed in range(3))
    usual = generative.nearest(held_out, training)

    def copied(images):
        return generative.unusually_near(generative.nearest(images, training), usual).mean()

    assert copied(fresh) < 0.04
    assert copied(training[:200]) == 1
    assert copied(np.concatenate([training[:100], fresh[:100]])) == pytest.approx(0.5, abs=0.03)


def test_images_whose_class_is_recognised():
    probabilities, labels = normal(50, 4), np.arange(50) % 4
    expected = accuracy_score(labels, probabilities.argmax(axis=1))
    assert generative.recognised(probabilities, labels).mean() == expected
    right = np.eye(4)[labels]
    assert generative.recognised(right, labels).all()
    assert not generative.recognised(right, (labels + 1) % 4).any()


def test_standard_error_of_a_difference_of_means_is_the_textbook_one():
    real, fake = normal(400, 1, scale=2), normal(200, 1, seed=1)
    expected = np.sqrt(real.var(ddof=1) / 400 + fake.var(ddof=1) / 200)

    def figures(x, y):
        return [float(real[x].mean() - fake[y].mean()), 1.0]

    difference, constant = generative.standard_error(figures, 400, 200, halves=400)
    assert difference == pytest.approx(expected, rel=0.1)
    assert constant == 0


def test_standard_errors_are_those_of_new_draws():
    """What repeated drawing finds is what one draw announces; neighbours err to the safe side."""

    def figures(real, fake):
        return [
            generative.frechet_distance(real, fake),
            plain_figures.kernel_distance(real, fake),
            *generative.neighbourhoods(*generative.distances(real, fake)).values(),
        ]

    announced, found = [], []
    for seed in range(30):
        real, fake = normal(150, 4, seed), normal(150, 4, seed + 500, mean=0.3)
        found.append(figures(real, fake))
        error = generative.standard_error(lambda x, y: figures(real[x], fake[y]), 150, 150)  # noqa: B023
        announced.append(error)
    ratio = np.mean(announced, axis=0) / np.std(found, axis=0, ddof=1)
    assert ((ratio > 0.67) & (ratio < 1.5)).all(), ratio
    far = normal(150, 4, 7, mean=-50)
    nowhere = generative.standard_error(lambda x, y: figures(real[x], far[y]), 150, 150)
    assert nowhere[2:].tolist() == [0, 0, 0, 0]  # no half of it comes any nearer


@pytest.mark.parametrize(
    ("figure", "real", "fake"),
    [
        (generative.frechet_distance, np.zeros((1, 3)), np.zeros((5, 3))),
        (plain_figures.kernel_distance, np.zeros((5, 3)), np.zeros((5, 4))),
        (plain_figures.precision_recall, np.zeros((3, 3)), np.zeros((9, 3))),
        (plain_figures.density_coverage, np.zeros((5, 3)), np.zeros((9, 3))),
        (generative.nearest, np.zeros(3), np.zeros((9, 3))),
    ],
)
def test_what_cannot_be_measured_is_refused(figure, real, fake):
    with pytest.raises(ValueError, match=r"images|features"):
        figure(real, fake)


def test_single_precision_features_lose_nothing_more():
    real, fake = (normal(200, 6, seed, mean=30.0).astype(np.float32) for seed in (0, 1))
    for figure in (generative.frechet_distance, plain_figures.kernel_distance):
        assert figure(real, fake) == figure(real.astype(np.float64), fake.astype(np.float64))
