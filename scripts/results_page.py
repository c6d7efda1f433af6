"""Makes ``docs/results.md`` and its figures from the files in ``results/``; see make_docs.py.

Every sentence is made of the numbers, whatever they are.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import published
import student_report
from published import Published
from tables import listed, table

from augstudy.core.machine import described
from augstudy.pages import levels as curves
from augstudy.pages import sections, stability, wording
from augstudy.pages import worth as words
from augstudy.pages.formats import duration, points
from augstudy.results.learning import Worth
from augstudy.results.models import Study
from augstudy.results.parts import Difference, Score

HEADER = """# Results

For everyone who wants to know what we found, beside the findings of the student report.

`make docs` writes this page from `results/*.json`, which `make results PRESET=...` collects from
finished runs. Brackets are 95 % intervals; p-values are corrected for the number of arms (Holm).
The [README](../README.md#arms) explains the arms, and [decisions](decisions.md) the intervals.
"""
TITLES = {
    "scarcity": "Eleven mammals",
    "scarcity_plain": "Eleven mammals, a classifier without augmentation",
    "scarcity_ten": "Ten other classes",
    "photos_sd": "Ten classes of photos, with images of Stable Diffusion 1.4",
    "photos_gan": "Ten classes of photos, with images of a GAN",
}


def page(results: Path, benchmarks: Path) -> str:
    """The whole page."""
    parts = [HEADER.strip()]
    for name, found in published_in(results).items():
        parts += section(found, name)
        if found.facts["preset"] == student_report.PRESET:
            parts += student_report.section(
                found, json.loads((benchmarks / "accuracy.json").read_text())
            )
    return "\n\n".join(parts) + "\n"


def figures(results: Path, folder: Path) -> None:
    """Draw the learning curve of every file in `results`."""
    for name, found in published_in(results).items():
        if drawn := curves.curves(found.levels):
            curves.write_png(drawn, folder / picture(name))


def published_in(results: Path) -> dict[str, Published]:
    """The studies of a folder, by the names of their files."""
    paths = sorted(results.glob("*.json"))
    return {path.stem: published.read(json.loads(path.read_text())) for path in paths}


def picture(preset: str) -> str:
    """The name of a figure."""
    return f"results-{preset}.png"


def section(found: Published, name: str = "") -> list[str]:
    """What a study found: in words, as a figure, and a table a level.

    ``name`` is that of its file, by default that of its preset.
    """
    preset, levels = name or found.facts["preset"], found.levels
    counts = listed(f"{level.data.level:,}" for level in levels)
    title = f"{TITLES.get(preset, preset)}: {counts} real images per class"
    parts = [f"## {title}", setting(found), *answers(levels)]
    if len(levels) > 1:
        parts.append(f"![Accuracy of every arm by level](images/{picture(preset)})")
    if found.worth:
        parts += worth(found.worth, levels)
    parts.append(doubts(levels))
    for level in levels:
        parts += [f"### Level {level.data.level:,}", arms_table(level)]
        parts += [f"{note}" for note in wording.left_out(level.left_out)]
        for name, item in level.sets.items():
            if told := item.stability:
                who = f"Generator of {name}" if len(level.sets) > 1 else "GAN"
                parts.append(f"{who}: {told.verdict}. {stability.reason(told.model_dump())}")
    return [*(part for part in (*parts, found.facts.get("note")) if part), made(found.facts)]


def setting(found: Published) -> str:
    """What was compared, in a paragraph."""
    first = found.levels[0]
    data, study = first.data, first.study
    tested = {level.data.images["test"] for level in found.levels}
    count = listed(f"{item:,}" for item in sorted(tested))
    several = len(found.levels) > 1 and found.facts["same_test_images"]
    same = ", the same at every level" if several else ""
    brought = [f"`{it}`" for it, parts in first.sets.items() if parts.source]
    sets = (
        f"Imported set: {listed(brought)}."
        if brought
        else f"GAN `{study['gan']}`, trained on the images of its level alone; its best checkpoint "
        "is chosen by the [judge](metrics.md)."
    )
    return (
        f"{len(data.classes)} classes ({', '.join(data.classes)}), {count} test "
        f"images{same}. {len(first.seeds)} seeds. Classifier `{study['classifier']}`. {sets} "
        f"{sections.budget(first)}"
    )


def answers(levels: list[Study]) -> list[str]:
    """What each comparison found at each level; and what that says of synthetic images."""
    helped, hurt = (labels_with(levels, verdict) for verdict in ("helps", "hurts"))
    parts = [conclusion(helped, hurt), "Accuracy minus that of `real`, in points:"]
    parts.append(grid(levels, "differences"))
    if any(level.pairs for level in levels):
        parts.append("Accuracy minus that of an arm that differs in a single respect:")
        parts.append(grid(levels, "pairs"))
    return parts


def comparisons(level: Study, which: str) -> list[Difference]:
    """Those of a level with `real` (``differences``), or between other arms (``pairs``)."""
    return list(level.differences.values() if which == "differences" else level.pairs)


def labels_with(levels: list[Study], verdict: str) -> list[str]:
    """Arms of which a level says so beside `real`, and that are about synthetic images alone."""
    found = (
        record.arm
        for level in levels
        for record in comparisons(level, "differences")
        if record.verdict == verdict and wording.answers(level.arms[record.arm].arm)
    )
    return list(dict.fromkeys(found))


def grid(levels: list[Study], which: str) -> str:
    """A row for every two arms, a column per level."""
    rows: dict[str, dict[int, str]] = {}
    for column, level in enumerate(levels):
        for record in comparisons(level, which):
            against = "" if record.against == "real" else f" minus `{record.against}`"
            cell = f"{points(record.mean)}, {record.verdict}"
            rows.setdefault(f"`{record.arm}`{against}", {})[column] = cell
    head = ["arm", *(f"level {level.data.level:,}" for level in levels)]
    columns = range(len(levels))
    cells = [[arms, *(found.get(at, "") for at in columns)] for arms, found in rows.items()]
    return table(head, cells)


def conclusion(helped: list[str], hurt: list[str]) -> str:
    """Whether generated images were of use, from the arms that they helped and hurt."""
    better, worse = (listed(f"`{label}`" for label in labels) for labels in (helped, hurt))
    if helped and hurt:
        said = f"helped in {better} and hurt in {worse}, each at the levels named below"
    elif helped:
        said = f"helped in {better} and hurt nowhere"
    elif hurt:
        said = f"helped nowhere and hurt in {worse}"
    else:
        said = "made no arm clearly better or worse than `real`"
    return f"**Synthetic images {said}.**"


def worth(records: list[Worth], levels: list[Study]) -> list[str]:
    """What the arms are worth in real images: a table, and sentences on synthetic images alone."""
    kinds = {label: arm.arm for level in levels for label, arm in level.arms.items()}
    answering = [item for item in records if wording.answers(kinds[item.label])]
    at = [level.data.level for level in levels]
    cells = {(item.label, item.level): words.cell(item) for item in records}
    labels = dict.fromkeys(item.label for item in records)
    rows = [[f"`{label}`", *(cells.get((label, level), "") for level in at)] for label in labels]
    return [
        "How many more real images per class `real` would need to be as good as the arm, read off "
        "its own curve. ≥ and ≤ mark the end of what was measured:",
        table(["arm", *(f"level {level:,}" for level in at)], rows),
        "\n".join(f"- {words.sentence(item)}" for item in answering),
    ]


def arms_table(level: Study) -> str:
    """A row per arm."""
    rows = []
    for label, arm in level.arms.items():
        difference = level.differences.get(label)
        change = ["reference", "", ""]
        if difference:
            change = [
                wording.change(difference),
                wording.p_text(difference.p_holm),
                difference.verdict,
            ]
        rows.append(
            [
                f"`{label}`",
                f"{arm.training_images:,}",
                measured(arm.accuracy),
                *change,
                trusted(level, label),
                wording.percent(arm.train_accuracy),
            ]
        )
    head = ["arm", "training images", "accuracy", "minus `real`, points", "p", "verdict"]
    return table([*head, "trusted labels", "train"], rows)


def trusted(level: Study, label: str) -> str:
    """Accuracy on the test images whose labels confident learning does not doubt."""
    found = level.label_noise.arms.get(label)
    return "" if found is None or found.left is None else wording.percent(found.left)


def doubts(levels: list[Study]) -> str:
    """How many test labels are doubtful, as the best classifier of `real` sees them."""
    found = levels[-1].label_noise
    doubtful, count = found.suspicious, found.suspicious + found.left
    return (
        f"“Trusted labels” is the accuracy on test images whose label confident learning does not "
        f"doubt, given the predictions of `real` at that level. At level "
        f"{levels[-1].data.level:,} it doubts {doubtful:,} of {count:,}, and estimates that "
        f"{wording.percent(found.estimated_noise)} of all labels are wrong. Verdicts are about all "
        "images."
    )


def measured(score: Score) -> str:
    """A value with its interval."""
    return f"{wording.percent(score.value)} ({wording.interval(score.low, score.high)})"


def made(found: Mapping[str, Any]) -> str:
    """What it was measured on, what it cost, and how to do it again."""
    cost, software = found["cost"], found["software"]
    place = described(found["hardware"]) if found["hardware"] else "An unknown machine"
    hours = f"{cost['cpu_s'] / 3600:.1f} CPU-hours"
    took = f"{duration(cost['elapsed_s'])} from start to end, {hours}"
    if cost["reused"]:  # it was interrupted, or shared steps: its own time says nothing
        took = f"{duration(cost['steps_s'])} of steps, of which two run at once; {hours}"
    libraries = ", ".join(f"{name} {software[name]}" for name in ("tensorflow", "keras", "python"))
    return (
        f"{place}; {took}. {libraries}, augstudy {found['version']} "
        f"({', '.join(found['code'])}), {found['date']}. Repeat with `{found['command']}`."
    )
