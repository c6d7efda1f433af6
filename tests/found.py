"""Results without a study behind them, for tests of who reads and shows them."""

from augstudy.results.comparisons import compared
from augstudy.results.models import (
    Arm,
    LabelNoise,
    Power,
    Quality,
    Retraining,
    Stability,
    Study,
    SyntheticSet,
)
from augstudy.results.parts import Data, Difference, Ends, Headline, Score
from augstudy.stats import verdicts
from augstudy.stats.codes import Noise
from augstudy.stats.paired import PairedDifference

NOISE = Noise(image=0.02, run=1e-5, residual=0.1)
SCORES = ("accuracy", "precision_macro", "recall_macro", "f1_macro")


def paired(mean, low, high, p_value=0.2, seeds=2):
    return PairedDifference(mean, low, high, p_value, seeds, 1000, 0.0, (mean,) * seeds, NOISE)


def difference(found, margin=0.01, p_adjusted=None, arm="add:1", comparisons=1):
    """What a report says of a difference with `real`."""
    judged = compared(found, p_adjusted or found.p_value, margin, comparisons)
    return Difference(
        **judged.model_dump(),
        arm=arm,
        against="real",
        needs=verdicts.needs(found, margin, comparisons),
        mcnemar=(),
        bootstrap=Ends(low=found.low, high=found.high),
        detectable=0.05,
    )


def score(value, half=0.1):
    return Score(
        value=value, low=value - half, high=value + half, std=0.0, by_seed=(value,) * 2,
        direction="higher",
    )  # fmt: skip


def arm(kind="real", share=None, accuracy=0.8, half=0.1):
    return Arm(
        arm=kind,
        share=share,
        name=None,
        seeds=(0, 1),
        training_images=660,
        steps=40,
        train_accuracy=0.9,
        val_accuracy=0.7,
        parameters=1000,
        metrics={name: score(accuracy, half) for name in SCORES},
    )


def study(arms=None, differences=None, best="add:1", margin=0.01, fid_qd=12.5):
    """A study of `real` and `add:1`, in which the latter is 2 points better, perhaps."""
    arms = arms or {"real": arm(), "add:1": arm("add")}
    if differences is None:
        differences = {"add:1": difference(paired(0.02, -0.01, 0.05))}
    verdict = differences[best].verdict if best else None
    images = {"train": 660, "val": 100, "test": 1000}
    figure = {"value": fid_qd, "low": fid_qd, "high": fid_qd, "real": 1.0, "n": 8}
    return Study(
        headline=Headline(arm=best, verdict=verdict),
        margin=margin,
        study={},
        data=Data(hash="ab12", source="sample", classes=("cow", "lion"), level=60, images=images),
        seeds=(0, 1),
        budget="steps",
        left_out={},
        arms=arms,
        differences=differences,
        pairs=(),
        power=Power(seeds=2, images=1000, comparisons=1, assumed=NOISE, detectable=0.05),
        label_noise=LabelNoise(suspicious=0, left=1000, estimated_noise=0.0, arms={}),
        sets={
            "compact": SyntheticSet(
                stability=Stability(verdict="stable"),
                quality=Quality(metrics={"fid_qd": figure | {"direction": "lower"}}),
            )
        },
    )


def promoted():
    """The decision of the first retraining."""
    return Retraining(
        promoted=True, reason="first", champion="a", before=None, comparison=None, drift={},
        margin=0.005,
    )  # fmt: skip
