"""Makes ``docs/results.md`` and its figures from the files in ``results/``; see make_docs.py.

Every sentence is made of the numbers, whatever they are.
"""

import json
from pathlib import Path
from typing import Any

import student_report
from tables import listed, table

from augstudy.durations import duration
from augstudy.metrics.statistics import points
from augstudy.report import levels as curves
from augstudy.report import wording

HEADER = """# Results

Written by `make docs` from `results/*.json`, which `make results PRESET=...` collects from
finished runs. Brackets are 95 % intervals; p-values are corrected for the number of arms (Holm).
What the arms are is in the [README](../README.md#the-words); why the intervals are what they are,
in [decisions](decisions.md).
"""
TITLES = {
    "scarcity": "Eleven mammals",
    "scarcity_plain": "Eleven mammals, a classifier without augmentation",
    "scarcity_ten": "Ten other classes",
}


def page(results: Path, benchmarks: Path) -> str:
    """The whole page."""
    files = [json.loads(path.read_text()) for path in sorted(results.glob("*.json"))]
    parts = [HEADER.strip()]
    for found in files:
        parts += section(found)
        if found["preset"] == student_report.PRESET:
            parts += student_report.section(
                found, json.loads((benchmarks / "accuracy.json").read_text())
            )
    return "\n\n".join(parts) + "\n"


def figures(results: Path, folder: Path) -> None:
    """Draw the learning curve of every file in `results`."""
    for path in sorted(results.glob("*.json")):
        found = curves.curves(json.loads(path.read_text())["levels"])
        if found:
            curves.write_png(found, folder / picture(path.stem))


def picture(preset: str) -> str:
    """The name of a figure."""
    return f"results-{preset}.png"


def section(found: dict[str, Any]) -> list[str]:
    """What a study found: in words, as a figure, and a table a level."""
    preset, levels = found["preset"], found["levels"]
    counts = listed(f"{level['data']['level']:,}" for level in levels)
    title = f"{TITLES.get(preset, preset)}: {counts} real images a class"
    parts = [f"## {title}", setting(found), *answers(levels)]
    if len(levels) > 1:
        parts.append(f"![Accuracy of every arm by level](images/{picture(preset)})")
    if found.get("worth"):
        parts.append("What the arms are worth in real images:")
        parts.append("\n".join(f"- {item['sentence']}" for item in found["worth"]))
    for level in levels:
        parts += [f"### Level {level['data']['level']:,}", arms_table(level)]
        parts += [f"{note}" for note in wording.left_out(level.get("left_out") or {})]
        if level.get("gan"):
            parts.append(f"GAN: {level['gan']['verdict']}. {level['gan']['reason']}")
    return [*parts, made(found)]


def setting(found: dict[str, Any]) -> str:
    """What was compared, in a paragraph."""
    first = found["levels"][0]
    data, study = first["data"], first["study"]
    tested = {level["data"]["images"]["test"] for level in found["levels"]}
    count = listed(f"{item:,}" for item in sorted(tested))
    same = ", the same at every level" if found["same_test_images"] else ""
    return (
        f"{len(data['classes'])} classes ({', '.join(data['classes'])}), {count} test "
        f"images{same}. {len(first['seeds'])} seeds. Classifier `{study['classifier']}`, "
        f"GAN `{study['gan']}`, trained on the images of its level alone."
    )


def answers(levels: list[dict[str, Any]]) -> list[str]:
    """For every arm at which levels it helped, hurt, or neither; and what that comes to."""
    lines, helped, hurt = [], [], []
    labels = dict.fromkeys(label for level in levels for label in level["differences"])
    for label in labels:
        by_verdict: dict[str, list[str]] = {}
        for level in levels:
            if difference := level["differences"].get(label):
                verdict = by_verdict.setdefault(str(difference["verdict"]), [])
                verdict.append(f"{level['data']['level']:,}")
        said = "; ".join(f"{word} at {listed(at)}" for word, at in by_verdict.items())
        lines.append(f"- `{label}`: {said}.")
        if any(
            level["arms"].get(label, {}).get("arm") in student_report.SYNTHETIC for level in levels
        ):
            helped += [label] if "helps" in by_verdict else []
            hurt += [label] if "hurts" in by_verdict else []
    return [conclusion(helped, hurt), "Beside `real`, by level:", "\n".join(lines)]


def conclusion(helped: list[str], hurt: list[str]) -> str:
    """Whether generated images were of use, from the arms that they helped and hurt."""
    better, worse = (listed(f"`{label}`" for label in labels) for labels in (helped, hurt))
    if helped and hurt:
        said = f"helped in {better} and hurt in {worse}, each at the levels named below"
    elif helped:
        said = f"helped in {better}, and hurt nowhere"
    elif hurt:
        said = f"helped nowhere, and hurt in {worse}"
    else:
        said = "made no arm clearly better or worse than `real`"
    return f"**Images made by the GAN {said}.**"


def arms_table(level: dict[str, Any]) -> str:
    """A row an arm."""
    rows = []
    for label, arm in level["arms"].items():
        difference = level["differences"].get(label)
        change = ["reference", "", ""]
        if difference:
            span = f"{points(difference['low'])} to {points(difference['high'])}"
            change = [
                f"{points(difference['mean'])} ({span})",
                wording.p_text(difference["p_holm"]),
                difference["verdict"],
            ]
        rows.append(
            [
                f"`{label}`",
                f"{arm['training_images']:,}",
                measured(arm["metrics"]["accuracy"]),
                *change,
                wording.percent(arm["train_accuracy"]),
            ]
        )
    head = ["arm", "training images", "accuracy", "minus `real`, points", "p", "verdict", "train"]
    return table(head, rows)


def measured(record: dict[str, Any]) -> str:
    """A value with its interval."""
    return f"{wording.percent(record['value'])} ({wording.interval(record['low'], record['high'])})"


def made(found: dict[str, Any]) -> str:
    """What it was measured on, what it cost, and how to do it again."""
    machine, cost, software = found["hardware"], found["cost"], found["software"]
    place = "An unknown machine"
    if machine:
        place = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB"
    hours = f"{cost['cpu_s'] / 3600:.1f} CPU-hours"
    took = f"{duration(cost['elapsed_s'])} from start to end, {hours}"
    if cost["reused"]:  # it was cut short, or shared steps: its own time says nothing
        took = f"{duration(cost['steps_s'])} of steps, of which two run at once; {hours}"
    libraries = ", ".join(f"{name} {software[name]}" for name in ("tensorflow", "keras", "python"))
    return (
        f"{place}; {took}. {libraries}, augstudy {found['version']} "
        f"({', '.join(found['code'])}), {found['date']}. Again: `{found['command']}`."
    )
