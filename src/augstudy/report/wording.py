"""What the report calls things: arms as a person would say them, shares, and the headline."""

from collections.abc import Mapping
from typing import Any

from augstudy.metrics.statistics import points

SYNTHETIC = ("add", "add_filtered", "replace")

# What an effect is not, as each control shows it.
CONTROLS = {
    "mislabelled": "Synthetic images with wrong labels. An effect that it shares has nothing to do "
    "with what the images show; what it loses is what wrong labels cost.",
    "extra_real": "As many further real images as the others add synthetic ones. That is the most "
    "that adding could do: synthetic images are worth having as far as they come near it.",
    "same_steps": "Real images only, trained for the steps that full epochs take with images "
    "added. What it gains, longer training gains: where arms have equal epochs, only what goes "
    "beyond is due to the added images.",
    "real_filtered": "Real images only, without those that the filter drops. What it gains is due "
    "to dropping doubtful drawings, not to synthetic ones.",
}

_TITLES = {
    "real": "Real images only",
    "classic": "Classic augmentation",
    "replace": "{share} replaced by synthetic",
    "add": "{share} synthetic added",
    "add_filtered": "{share} synthetic added, filtered",
    "classic_add": "Classic, {share} synthetic added",
    "mislabelled": "{share} mislabelled (control)",
    "extra_real": "{share} real added (control)",
    "same_steps": "{share} more steps (control)",
    "real_filtered": "Real images filtered (control)",
}
_SUBJECTS = {
    "real": "Using real images only",
    "classic": "Classic augmentation (flips, rotations, shifts)",
    "replace": "Replacing {share} of the real images by synthetic ones",
    "add": "Adding {share} synthetic images",
    "add_filtered": "Adding {share} filtered synthetic images",
    "classic_add": "Classic augmentation with {share} synthetic images added",
    "mislabelled": "Replacing {share} of the real images by mislabelled synthetic ones",
    "extra_real": "Adding {share} real images",
    "same_steps": "Training on the real images for {share} more steps",
    "real_filtered": "Leaving out the real images that the filter doubts",
}


def title(arm: str, share: float | None, name: str | None = None) -> str:
    """A name for tables and figures: ``100 % synthetic added``, or the arm's own `name`."""
    if name is not None:
        return name.replace("_", " ").capitalize()
    return _TITLES.get(arm, arm + " {share}").format(share=percent_share(share)).strip()


def subject(arm: str, share: float | None, name: str | None = None) -> str:
    """The subject of a sentence: ``Adding 100 % synthetic images``, or ``Arm`` and its `name`."""
    if name is not None:
        return f"Arm {name!r}"
    return _SUBJECTS.get(arm, f"Arm {arm} {{share}}").format(share=percent_share(share)).strip()


def left_out(reasons: Mapping[str, str]) -> list[str]:
    """A sentence for each arm that is not in the study."""
    return [f"Arm {label} was left out: {reason}." for label, reason in reasons.items()]


def budget(kind: str) -> str:
    """What the arms have in common in training, as a sentence; `kind` is of ClassifierSettings."""
    if kind == "steps":
        return (
            "Equal gradient steps: every arm trains for as many as real, whatever the number of "
            "its images."
        )
    return (
        "Equal epochs: every arm passes over its images as often, so more images mean more steps."
    )


def counted(count: int, what: str) -> str:
    """``1 seed``, ``3 seeds``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def percent_share(share: float | None) -> str:
    """``30 %``; nothing for None."""
    return "" if share is None else f"{100 * share:g} %"


def percent(value: float, digits: int = 1) -> str:
    """An accuracy for people: 0.8123 is ``81.2 %``."""
    return f"{100 * value:.{digits}f} %"


def interval(low: float, high: float) -> str:
    """An interval of two shares in per cent: ``79.0 to 83.1 %``."""
    return f"{100 * low:.1f} to {100 * high:.1f} %"


def p_text(value: float) -> str:
    """A p-value: ``0.031``, ``< 0.001``."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def signed(share: float) -> str:
    """A difference in points for print, with a true minus sign: -20.7, printed well."""
    return points(share).replace("-", "\N{MINUS SIGN}")


def headline(
    arms: Mapping[str, Mapping[str, Any]], differences: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The answer in a word, a sentence and the arm it is about.

    The arm is a synthetic one (controls apart): the best of those that help, or the best of all if
    none does; without any synthetic arm, one of the others.

    Args:
        arms: by label, with ``arm``, ``share`` and ``metrics``.
        differences: by label, each minus ``real``, as in summary.json.

    Returns:
        ``{"answer", "sentence", "arm", "verdict"}``; arm and verdict are None without comparison.
    """
    judged = [label for label in differences if arms[label]["arm"] in SYNTHETIC]
    others = [label for label in differences if arms[label]["arm"] not in CONTROLS]
    best = max(
        judged or others,
        key=lambda label: (differences[label]["verdict"] == "helps", differences[label]["mean"]),
        default=None,
    )
    real = percent(arms["real"]["metrics"]["accuracy"]["value"])
    if best is None:
        sentence = f"Real images alone reach {real} on unseen images; nothing was compared."
        return {"answer": "Baseline", "sentence": sentence, "arm": None, "verdict": None}
    found = differences[best]
    reached = percent(arms[best]["metrics"]["accuracy"]["value"])
    what = subject(arms[best]["arm"], arms[best]["share"], arms[best].get("name"))
    change = f"{points(found['mean'])} points, 95 % interval {points(found['low'])} to "
    change += f"{points(found['high'])}"
    verb = {"helps": "raises", "hurts": "lowers"}.get(found["verdict"], "takes")
    tail = f"{what} {verb} accuracy from {real} to {reached} ({change})."
    if len(judged) > 1:
        tail = f"Best of {len(judged)} synthetic arms: {tail[0].lower()}{tail[1:]}"
    return {
        "answer": _answer(found["verdict"], found["outcome"], bool(judged)),
        "sentence": tail,
        "arm": best,
        "verdict": found["verdict"],
    }


def _answer(verdict: str, outcome: str, synthetic: bool) -> str:
    what = "synthetic images" if synthetic else "this"
    return {
        "helps": f"Yes, {what} help." if synthetic else "Yes, this helps.",
        "hurts": f"No, {what} hurt." if synthetic else "No, this hurts.",
        "no difference": f"{outcome[:1].upper()}{outcome[1:]}.",
        "can't tell yet": "Can't tell yet.",
    }[verdict]
