"""What people read about the training of a GAN: why it is called stable, and its alarms.

The decisions of :mod:`augstudy.training.stability`, in words. Older runs hold the words themselves.
"""

from collections.abc import Mapping
from typing import Any

SIGNALS = {
    "spread": "all images look alike",
    "movement": "the generator stands still",
    "source_loss": "the discriminator recognises every generated image, so the generator learns "
    "nothing",
    "diversity": "images of a class look alike (mode collapse)",
    "class_fidelity": "images do not show the class asked for, unless real images do not show "
    "theirs either",
    "overfitting": "the discriminator takes its training images for real, but not other real ones",
}
CAUSES = {
    "diverged": "The losses have not been finite since step {since}: lower learning_rate.",
    "too few steps": "Nothing can be said before step {fewest}; training ended at step {steps}.",
    "balanced": "The losses stayed in balance, and images of a class vary {diversity:.0%} as much "
    "as real ones.",
    "varied": "Images of a class vary {diversity:.0%} as much as real ones.",
    "alarms passed": "Images of a class vary {diversity:.0%} as much as real ones, though there "
    "were alarms during training.",
}


def reason(stability: Mapping[str, Any]) -> str:
    """Why a training got its verdict, in a sentence.

    Args:
        stability: stability.json.
    """
    cause = stability.get("cause")
    if not cause:
        return str(stability["reason"])
    if cause["code"] != "limit":
        return CAUSES[cause["code"]].format(**cause).replace("%", " %")
    says = meaning(cause)
    since = f" since step {cause['since']}" if "since" in cause else ""
    side = "above" if cause["above"] else "below"
    figures = f"{cause['signal']} is {cause['value']:.3g}, {side} {cause['limit']:g}"
    return f"{says[0].upper()}{says[1:]}{since}: {figures}."


def meaning(found: Mapping[str, Any]) -> str:
    """What a signal beyond its limit means, as a part of a sentence."""
    return str(found.get("says") or SIGNALS.get(found["signal"], found["signal"]))
