"""How to read scores, figures of synthetic images and columns of tables of runs.

Titles and explanations, keyed by name. Whatever has no words here is called by its name.
"""

from typing import NamedTuple

from augstudy.metrics import scores
from augstudy.stats.codes import Metric


class Reading(NamedTuple):
    """What tables call something, and what it is."""

    title: str
    text: str


SCORES: dict[str, Reading] = {
    "accuracy": Reading("Accuracy", "accuracy on the test images, mean over seeds"),
    "precision_macro": Reading("Precision", "macro mean over classes, test images"),
    "recall_macro": Reading("Recall", "macro mean over classes, test images"),
    "f1_macro": Reading("F1", "macro mean over classes, test images"),
}

METRICS: dict[str, Reading] = {
    "accuracy": Reading("Accuracy", "accuracy"),
    "balanced_accuracy": Reading("Balanced accuracy", "balanced accuracy"),
}

FIGURES: dict[str, Reading] = {
    "fid_qd": Reading(
        "FID-QD",
        "How far synthetic images are from validation images, in the features of the judge. Do "
        "not compare it with published FIDs, nor with one from another number of images: fewer "
        "images give a higher value.",
    ),
    "kid": Reading(
        "KID",
        "The same question, without the bias of few images. 0 means no difference; slightly "
        "negative values are chance.",
    ),
    "precision": Reading(
        "Precision",
        "Share of synthetic images that look like some real image. Low: many are implausible.",
    ),
    "recall": Reading(
        "Recall",
        "Share of real images that look like some synthetic image. Low: kinds of images are "
        "missing.",
    ),
    "density": Reading(
        "Density",
        "Like precision, but counts how many real images are near, so that outliers do not "
        "flatter it. It may exceed 1.",
    ),
    "coverage": Reading(
        "Coverage",
        "Share of real images with a synthetic image nearby. Low: kinds of images are missing. "
        "Unlike recall, it is not flattered by outliers.",
    ),
    "gan_test": Reading(
        "GAN-test (label fidelity)",
        "Share of synthetic images in which the judge, trained on real ones, sees the class "
        "asked for. One good image per class is enough for 100 %.",
    ),
    "cas": Reading(
        "CAS (GAN-train)",
        "The other way round: accuracy on validation images of a classifier trained on synthetic "
        "images alone, beside one trained on as many real images. It needs both correct labels "
        "and variety.",
    ),
    "diversity": Reading(
        "Diversity within a class",
        "How much the images of a class differ, relative to real ones. Near 0: each class has "
        "become a single picture. Noise may exceed 1.",
    ),
    "nearest_training": Reading(
        "Distance to training images",
        "From each synthetic image to the nearest image that the generator learnt from, beside "
        "the same for unseen real images. Much smaller: copies, or blur.",
    ),
    "near_copies": Reading(
        "Near copies",
        "Share of synthetic images that are closer to a training image than 99 % of unseen real "
        "images are. Far above 1 %: the generator repeats what it has seen, or draws blurred "
        "averages.",
    ),
}

FIELDS: dict[str, Reading] = {
    "id": Reading("Run", "number of the run; never used twice"),
    "name": Reading("Name", "folder of the run, or its name on the cluster"),
    "date": Reading("Date", "when it began, UTC"),
    "pipeline": Reading("Pipeline", "which pipeline ran"),
    "preset": Reading("Preset", "preset that it started from"),
    "state": Reading("State", "running, done, failed, interrupted, or a state of KFP"),
    "where": Reading("Where", "local or cluster"),
    "user": Reading("User", "who started it"),
    "source": Reading("Source", "where the images came from"),
    "level": Reading("Level", "real training images per class"),
    "classifier": Reading("Classifier", "recipe of the classifier"),
    "gan": Reading("GAN", "recipe of the generator"),
    "changed": Reading("Changed", "settings that differ from the preset, or from the defaults"),
    "fid_qd": Reading("FID-QD", "Frechet distance of the synthetic images; lower is better"),
    "gan_verdict": Reading("GAN training", "stable, or what went wrong"),
    "outcome": Reading("Outcome", "verdict on the best synthetic arm; or promoted, held"),
    "duration_s": Reading("Took", "wall time"),
    "cpu_s": Reading("CPU", "processor seconds of all steps"),
    "gpu_s": Reading("GPU", "seconds that GPUs were held, times the number of GPUs"),
    "code": Reading("Code", "hash of the program's source"),
    "data_hash": Reading("Data", "hash of the dataset's content"),
    "note": Reading("Note", "what somebody wrote about it"),
    "link": Reading("Page", "its page: below the folder of the runs, or on the dashboard"),
    "arm": Reading("Arm", "how the training set was made; add also finds add:1"),
    "share": Reading("Share", "synthetic images as a share of the real ones"),
    "seeds": Reading("Seeds", "training runs"),
    "images": Reading("Images", "training images"),
    "train_accuracy": Reading("Train", "accuracy on the training images"),
    "val_accuracy": Reading("Validation", "accuracy on the validation images"),
    "accuracy_low": Reading("Low", "lower end of its 95 % interval"),
    "accuracy_high": Reading("High", "upper end of its 95 % interval"),
    "metric": Reading("Metric", "what arms are compared by: accuracy, or balanced_accuracy"),
    "difference": Reading("Minus real", "the metric minus that of arm real"),
    "difference_low": Reading("From", "lower end of its 95 % interval"),
    "difference_high": Reading("To", "upper end of its 95 % interval"),
    "p": Reading("p", "p-value of the difference, after Holm's correction"),
    "verdict": Reading("Verdict", "helps, hurts, no difference, can't tell yet, or at chance"),
}


def score(name: str) -> Reading:
    """How to read a score."""
    return SCORES.get(name) or _of_name(name)


def metric(name: Metric) -> Reading:
    """What studies compare, in a heading and within a sentence."""
    return METRICS[name]


def figure(name: str) -> Reading:
    """How to read a figure."""
    return FIGURES.get(name) or _of_name(name)


def field(name: str) -> Reading:
    """How to read a column of the tables of runs."""
    named = (score(item.name) for item in scores.SCORES.values() if item.column == name)
    return FIELDS.get(name) or next(named, None) or _of_name(name)


def _of_name(name: str) -> Reading:
    return Reading(name.replace("_", " ").capitalize(), "")
