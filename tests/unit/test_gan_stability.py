import numpy as np
import pytest

from augstudy.training.stability import first_broken, judge, mean_distance

RANDOM = np.random.default_rng(0)


def history(**last):
    rows = [
        {
            "step": 25 * (index + 1),
            "discriminator_loss": 1.4,
            "generator_loss": 0.9,
            "source_loss": 1.2,
            "source_accuracy": 0.7,
        }
        for index in range(20)
    ]
    for row in rows[-8:]:
        row.update(last)
    return rows


def drawings(classes=3, count=30, spread=1.0):
    """Blocky random images (C, K, 28, 28): one template a class, changed by `spread`."""
    templates = RANDOM.integers(0, 2, (classes, 1, 7, 7))
    own = RANDOM.integers(0, 2, (classes, count, 7, 7))
    changed = RANDOM.random((classes, count, 7, 7)) < spread
    blocks = np.where(changed, own, templates)
    return np.kron(blocks, np.ones((4, 4), int)).astype(np.uint8) * 255


@pytest.fixture
def real():
    images = drawings(count=40)
    return images.reshape(-1, 28, 28), np.repeat(np.arange(3), 40)


def test_a_healthy_training_is_stable(real):
    verdict = judge(history(), drawings(), *real)
    assert verdict.verdict == "stable"
    assert verdict.evidence["diversity"] == pytest.approx(1.0, abs=0.1)
    assert verdict.evidence["steps"] == 500


def test_one_drawing_a_class_is_collapsed(real):
    verdict = judge(history(), drawings(spread=0.03), *real)
    assert verdict.verdict == "collapsed"
    assert verdict.evidence["diversity"] < 0.35
    assert verdict.reason.endswith(".") and "%" in verdict.reason


def test_one_drawing_for_everything_is_failed(real):
    same = np.repeat(np.repeat(drawings()[:1, :1], 3, axis=0), 30, axis=1)
    assert judge(history(), same, *real).verdict == "failed"


def test_a_discriminator_that_always_wins_is_failed(real):
    verdict = judge(history(source_loss=1e-4, source_accuracy=1.0), drawings(), *real)
    assert (verdict.verdict, verdict.evidence["final_source_accuracy"]) == ("failed", 1.0)
    assert "discriminator" in verdict.reason


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_losses_that_are_no_numbers_are_failed(real, broken):
    rows = history(generator_loss=broken)
    verdict = judge(rows, drawings(), *real)
    assert verdict.verdict == "failed"
    assert "step 325" in verdict.reason
    assert first_broken(rows) == 325
    assert first_broken(history()) is None


def test_without_a_discriminator_images_and_losses_are_judged(real):
    rows = [{"step": step, "denoising_loss": 0.3} for step in (25, 50)]
    verdict = judge(rows, drawings(), *real)
    assert (verdict.verdict, verdict.evidence["final_denoising_loss"]) == ("stable", 0.3)
    assert not any("source" in name for name in verdict.evidence)
    assert judge(rows, drawings(spread=0.03), *real).verdict == "collapsed"
    rows[1]["denoising_loss"] = float("nan")
    assert first_broken(rows) == 50
    assert judge(rows, drawings(), *real).verdict == "failed"


def test_mean_distance_by_hand():
    images = np.zeros((3, 28, 28), np.uint8)
    images[1, :2, :2] = 255  # one of the 2 x 2 means
    images[2, :2, :8] = 255  # four of them
    expected = (1.0 + 2.0 + np.sqrt(3.0)) / 3
    assert mean_distance(images) == pytest.approx(expected)
    assert mean_distance(images[:1]) == 0.0
