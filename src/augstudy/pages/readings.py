"""How to read scores, figures of synthetic images and columns of tables of runs.

Titles and explanations, keyed by name. What has no words here is called by its name.
"""

from typing import NamedTuple

from augstudy.metrics import scores


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

FIGURES: dict[str, Reading] = {
    "fid_qd": Reading(
        "FID-QD",
        "How far the judge's impressions of all synthetic images are from those of "
        "validation drawings. Not to be compared with published FIDs, nor with one of "
        "another number of images: fewer images give more.",
    ),
    "kid": Reading(
        "KID",
        "The same question without the bias of few images: 0 is no difference, and a "
        "little below is chance.",
    ),
    "precision": Reading(
        "Precision",
        "Share of synthetic images that look like some real one. Low: many are implausible.",
    ),
    "recall": Reading(
        "Recall",
        "Share of real drawings that look like some synthetic one. Low: kinds of drawings"
        " are missing.",
    ),
    "density": Reading(
        "Density",
        "Precision that counts how many real drawings an image is near to, so that "
        "outliers do not flatter it; it may exceed 1.",
    ),
    "coverage": Reading(
        "Coverage",
        "Share of real drawings with a synthetic one nearby. Low: kinds of drawings are "
        "missing, and unlike recall it is not flattered by outliers.",
    ),
    "gan_test": Reading(
        "GAN-test (label fidelity)",
        "Share of synthetic images in which the judge, trained on real ones, sees the "
        "class asked for. One good drawing a class is enough for 100 %.",
    ),
    "cas": Reading(
        "CAS (GAN-train)",
        "The other way round: accuracy on validation drawings of a classifier trained on "
        "synthetic images alone, beside that of as many real ones. It takes right labels "
        "and variety.",
    ),
    "diversity": Reading(
        "Diversity within a class",
        "How much images of a class differ, over how much real ones do. Near 0: every "
        "class has become one picture. Noise may exceed 1.",
    ),
    "nearest_training": Reading(
        "Distance to the training drawings",
        "From each synthetic image to the nearest drawing that the GAN has learnt from, "
        "beside the same for unseen real ones. Much less: copies, or blur.",
    ),
    "near_copies": Reading(
        "Near copies",
        "Share of synthetic images nearer to a training drawing than 99 % of unseen real "
        "ones are. Far above 1 %: the GAN repeats what it has seen, or draws blurred "
        "averages.",
    ),
}

FIELDS: dict[str, Reading] = {
    "id": Reading("Run", "number of the run, never given twice"),
    "name": Reading("Name", "folder of the run, or what it is called on the cluster"),
    "date": Reading("Date", "when it began, UTC"),
    "pipeline": Reading("Pipeline", "which pipeline ran"),
    "preset": Reading("Preset", "named set of parameters that it started from"),
    "state": Reading("State", "running, done, failed, interrupted or a state of KFP"),
    "where": Reading("Where", "local or cluster"),
    "user": Reading("User", "who started it"),
    "source": Reading("Source", "where the drawings came from"),
    "level": Reading("Level", "real training images a class"),
    "classifier": Reading("Classifier", "recipe of the classifier"),
    "gan": Reading("GAN", "recipe of the generator"),
    "changed": Reading("Changed", "settings that differ from the base: preset, or defaults"),
    "fid_qd": Reading("FID-QD", "Frechet distance of the synthetic drawings; less is better"),
    "gan_verdict": Reading("GAN training", "stable, or what went wrong"),
    "outcome": Reading("Outcome", "verdict on the best synthetic arm; promoted or held"),
    "duration_s": Reading("Took", "wall time"),
    "cpu_s": Reading("CPU", "processor seconds of all steps"),
    "gpu_s": Reading("GPU", "seconds that GPUs were held, times their number"),
    "code": Reading("Code", "hash of the program's source"),
    "data_hash": Reading("Data", "hash of the dataset's content"),
    "note": Reading("Note", "what somebody wrote about it"),
    "link": Reading("Page", "its page: below the folder of the runs, or on the dashboard"),
    "arm": Reading("Arm", "how the training set was made; add also finds add:1"),
    "share": Reading("Share", "synthetic drawings as a share of the real ones"),
    "seeds": Reading("Seeds", "training runs"),
    "images": Reading("Images", "training images"),
    "train_accuracy": Reading("Train", "accuracy on the images trained on"),
    "val_accuracy": Reading("Validation", "accuracy on the validation images"),
    "accuracy_low": Reading("Low", "lower end of its 95 % interval"),
    "accuracy_high": Reading("High", "upper end of its 95 % interval"),
    "difference": Reading("Minus real", "accuracy minus that of arm real"),
    "difference_low": Reading("From", "lower end of its 95 % interval"),
    "difference_high": Reading("To", "upper end of its 95 % interval"),
    "p": Reading("p", "p-value of the difference after Holm"),
    "verdict": Reading("Verdict", "helps, hurts, no difference or can't tell yet"),
}


def score(name: str) -> Reading:
    """How to read a score."""
    return SCORES.get(name) or _of_name(name)


def figure(name: str) -> Reading:
    """How to read a figure."""
    return FIGURES.get(name) or _of_name(name)


def field(name: str) -> Reading:
    """How to read a column of the tables of runs."""
    named = (score(item.name) for item in scores.SCORES.values() if item.column == name)
    return FIELDS.get(name) or next(named, None) or _of_name(name)


def _of_name(name: str) -> Reading:
    return Reading(name.replace("_", " ").capitalize(), "")
