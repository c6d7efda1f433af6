"""What people read about an arm: its title, the subject of sentences, its colour, what it shows.

Keyed by the kind of arm. A kind without words here is called by its name.
"""

import zlib
from typing import NamedTuple


class Words(NamedTuple):
    """What people read about a kind of arm.

    Attributes:
        title: What tables and figures call it; ``{share}`` becomes ``30 %``.
        subject: What a sentence about it begins with.
        colour: In figures; a smaller share is paler.
        control: What this arm shows about an effect, if it is a control.
    """

    title: str
    subject: str
    colour: str
    control: str = ""


WORDS: dict[str, Words] = {
    "real": Words(
        "Real images only",
        "Using real images only",
        "#3d4855",
    ),
    "classic": Words(
        "Classic augmentation",
        "Classic augmentation (flips, rotations, shifts)",
        "#b7791f",
    ),
    "replace": Words(
        "{share} replaced by synthetic",
        "Replacing {share} of the real images by synthetic ones",
        "#3b6fb6",
    ),
    "add": Words(
        "{share} synthetic added",
        "Adding {share} synthetic images",
        "#0f8a6d",
    ),
    "pretrain": Words(
        "Synthetic first, then real",
        "Training on synthetic images first, then on the real ones",
        "#1b7f9e",
    ),
    "weighted": Words(
        "{share} synthetic added, less weight",
        "Adding {share} synthetic images that count less",
        "#2f9d8f",
    ),
    "fresh": Words(
        "{share} synthetic added, new in every epoch",
        "Adding {share} synthetic images, others in every epoch,",
        "#4aa564",
    ),
    "fill": Words(
        "Rare classes filled with synthetic",
        "Filling rare classes with synthetic images",
        "#5b6fd0",
    ),
    "balanced_weights": Words(
        "Class weights (control)",
        "Giving rare classes more weight",
        "#9a7b3a",
        "Real images only, with rare classes weighing more in the loss: what filling them with "
        "synthetic images must beat.",
    ),
    "oversampled": Words(
        "Rare classes repeated (control)",
        "Repeating the real images of rare classes",
        "#a06a5a",
        "Real images only, those of rare classes repeated until all classes are equal: what "
        "filling them with synthetic images must beat.",
    ),
    "add_filtered": Words(
        "{share} synthetic added, filtered",
        "Adding {share} filtered synthetic images",
        "#5b9a1f",
    ),
    "classic_add": Words(
        "Classic, {share} synthetic added",
        "Classic augmentation with {share} synthetic images added",
        "#7a6a12",
    ),
    "extra_real": Words(
        "{share} real added (control)",
        "Adding {share} real images",
        "#8661b8",
        "As many further real images as other arms add synthetic ones: the most that adding "
        "images could do. The closer synthetic images come to it, the more they are worth.",
    ),
    "same_steps": Words(
        "{share} more steps (control)",
        "Training on the real images for {share} more steps",
        "#4f8fa8",
        "Real images only, trained for as many steps as full epochs take with added images. "
        "What this arm gains is due to longer training; only what an arm with equal epochs "
        "gains beyond it is due to the added images.",
    ),
    "real_filtered": Words(
        "Real images filtered (control)",
        "Leaving out the real images that the filter doubts",
        "#8a5a44",
        "Real images only, without those that the filter doubts most; the same number stays in "
        "each class. What this arm gains is due to dropping doubtful images, not to synthetic "
        "ones.",
    ),
    "mislabelled": Words(
        "{share} mislabelled (control)",
        "Replacing {share} of the real images by mislabelled synthetic ones",
        "#c4502f",
        "Synthetic images with wrong labels. An effect that shows here, too, has nothing to do "
        "with what the images show. What this arm loses is the cost of wrong labels.",
    ),
}

# For what has no colour of its own.
SPARE = ("#9b2c6f", "#2b5f75", "#a3763c", "#566b2e", "#b0506a", "#5a4fa3")


def words(arm: str) -> Words:
    """The words of a kind of arm; made from its name if it has none here."""
    return WORDS.get(arm) or Words(f"{arm} {{share}}", f"Arm {arm} {{share}}", spare(arm))


def spare(name: str) -> str:
    """One of a few colours, always the same for a name."""
    return SPARE[zlib.crc32(name.encode()) % len(SPARE)]
