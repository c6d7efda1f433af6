"""The part of ``docs/results.md`` that puts the student report's results beside ours.

The report is the study that this project began with; what it said is written down here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from published import Published
from tables import listed, table

from augstudy.pages import wording
from augstudy.results.models import Arm, Study
from augstudy.results.parts import Score
from augstudy.settings.arms import label_of

PRESET = "scarcity"  # the study that answers it
FELL = 0.05  # a fall of train accuracy that nobody would call noise
NOT_RUN = "not run"


def section(found: Published, accuracy: dict[str, Any]) -> list[str]:
    """The results of the student report beside ours."""
    top = found.levels[-1]
    real = top.arms["real"]
    rows = [
        ["Best CNN, 3,600 real images per class: test accuracy, precision, recall", "0.81 each",
         f"{three(real.metrics)} with `{top.study['classifier']}`, "
         f"{top.data.level:,} per class"],
        *recipes(accuracy),
        *replaced(top),
        ["AC-GAN at the end of training: source accuracy, class accuracy", "0.42, 0.628",
         gan_cell(found.beside(-1, "gan_accuracy"))],
        ["Its discriminator as a classifier: precision, recall", "0.60, 0.58",
         discriminator_cell(top)],
        ["Most confused", "tiger with zebra; cow with many",
         confused_cell(found.beside(-1, "confused"))],
        ["Grad-CAM of right and wrong answers for every class", "done by hand",
         "on every report page"],
        ["GAN images overcome scarcity", "no", conclusion_cell(found)],
    ]  # fmt: skip
    return ["### Beside the student report", table(["what", "report", "ours"], rows), fault(found)]


def recipes(accuracy: dict[str, Any]) -> list[list[str]]:
    """Rows of the report's networks, measured by the benchmark of accuracy."""
    said = {
        "report_best": ("Its best network and recipe, test accuracy", "0.81"),
        "dropout": ("With dropout", "0.83"),
        "baseline": ("Baseline, 164,363 parameters", ""),
        "extra_convs": ("Two more convolutions: train, test", "0.99, 0.80"),
    }
    rows = []
    for name, (what, value) in said.items():
        ours, measured_recipe = NOT_RUN, accuracy["recipes"].get(name)
        if measured_recipe:
            train = sum(measured_recipe["train_accuracy"]) / len(measured_recipe["train_accuracy"])
            test = measured_recipe["test_accuracy"]["value"]
            ours = f"{test:.2f} at 254 per class (train {train:.2f})"
        if value or measured_recipe:
            rows.append([what, value, ours])
    return rows


def replaced(level: Study) -> list[list[str]]:
    """Rows on replacing real images, with the report's labels and with right ones."""
    rows, arms = [], level.arms
    for share in (30, 50):
        pair = {name: arms.get(label_of(name, share / 100)) for name in ("mislabelled", "replace")}
        for what, said, key in (("test", "0.81, unchanged", ""), ("train", "0.67", "train")):
            cells = [
                f"{value(arm, key):.2f} {words}"
                for words, arm in (
                    ("with its labels", pair["mislabelled"]),
                    ("with correct ones", pair["replace"]),
                )
                if arm
            ]
            ours = f"{value(arms['real'], key):.2f} without; {', '.join(cells)}"
            name = f"{share} % replaced by GAN images: {what} accuracy"
            rows.append([name, said, ours if cells else NOT_RUN])
    return rows


def value(arm: Arm, key: str) -> float:
    """Train or test accuracy of an arm."""
    return arm.train_accuracy if key else arm.accuracy.value


def fault(found: Published) -> str:
    """Whether its labelling fault explains the report's fall of train accuracy."""
    lines = []
    for level in found.levels:
        arms, at = level.arms, level.data.level
        for share in (30, 50):
            wrong, right = (
                arms.get(label_of(name, share / 100)) for name in ("mislabelled", "replace")
            )
            if wrong and right:
                lines.append(fault_line(at, share, value(arms["real"], "train"), wrong, right))
    if not lines:
        return "The control with the report's labelling fault was not run."
    head = (
        "In the report, every generated image showed the last class, regardless of its "
        "label. Train accuracy with that fault and with correct labels:"
    )
    return "\n".join([head, "", *lines])


def fault_line(level: int, share: int, real: float, wrong: Arm, right: Arm) -> str:
    """What the fault did at a level."""
    faulty, correct = (real - value(arm, "train") for arm in (wrong, right))
    if faulty < FELL:
        said = "the report's fall is not reproduced"
    elif correct <= faulty / 2:
        said = "the report's fall is reproduced, and correct labels undo it"
    else:
        said = "train accuracy falls with correct labels, too"
    return (
        f"- level {level:,}, {share} %: {real:.2f} without, {real - faulty:.2f} with the fault, "
        f"{real - correct:.2f} with correct labels: {said}."
    )


def three(metrics: Mapping[str, Score]) -> str:
    """Accuracy, precision and recall."""
    names = ("accuracy", "precision_macro", "recall_macro")
    return ", ".join(f"{metrics[name].value:.2f}" for name in names)


def gan_cell(found: Mapping[str, float] | None) -> str:
    """What the discriminator told apart at the end of training."""
    names = ("source_accuracy", "class_accuracy")
    if not found or not set(names) <= set(found):
        return NOT_RUN
    return ", ".join(f"{found[name]:.2f}" for name in names)


def discriminator_cell(level: Study) -> str:
    """The discriminator as a classifier of the test images."""
    found = next((item.discriminator for item in level.sets.values()), None)
    if not found:
        return NOT_RUN
    return ", ".join(f"{found[name].value:.2f}" for name in ("precision_macro", "recall_macro"))


def confused_cell(pairs: Sequence[Mapping[str, Any]]) -> str:
    """The pairs that `real` confuses most."""
    said = (
        f"{item['true']} as {item['predicted']} ({wording.percent(item['share'], 0)})"
        for item in pairs[:3]
    )
    return "; ".join(said) or "nothing"


def conclusion_cell(found: Published) -> str:
    """At how many levels an arm with generated images helped."""
    helped = [
        f"{level.data.level:,}"
        for level in found.levels
        if any(
            difference.verdict == "helps" and wording.answers(level.arms[label].arm)
            for label, difference in level.differences.items()
        )
    ]
    return f"they help at level {listed(helped)}" if helped else "not at any level"
