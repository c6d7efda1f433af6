"""Sets of synthetic images beside each other: which is better, and what was copied."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from augstudy.pages import quality, verdicts, wording
from augstudy.pages.figures import arms as figures
from augstudy.pages.figures import pictures
from augstudy.pages.style import colour_of
from augstudy.results.material import Material
from augstudy.results.models import Study
from augstudy.results.parts import Difference

_PAIRS = 8
_SPLITS = {"test": "test images", "val": "validation images", "train": "training images"}


def ranked(found: Study) -> list[str]:
    """A sentence for each kind of arm: the best set, and those that cannot be told from it."""
    kinds: dict[tuple[Any, ...], list[Difference]] = {}
    for item in found.ranking:
        arm = found.arms[item.arm]
        kinds.setdefault((arm.arm, arm.share, arm.name), []).append(item)
    said = []
    for (arm, share, name), items in kinds.items():
        best = found.arms[items[0].arm].set
        of_best = [item for item in items if item.arm == items[0].arm]
        behind = [found.arms[it.against].set for it in of_best if it.verdict == "helps"]
        alike = [found.arms[it.against].set for it in of_best if it.verdict != "helps"]
        parts = [f"{best} is better than {_listed(behind)}"] if behind else []
        if alike:
            same = all(item.verdict == "no difference" for item in of_best)
            them = _listed([*([best] if not behind else ["it"]), *alike])
            parts.append(
                f"there is no difference that matters between {them}"
                if same
                else f"{them} cannot be told apart yet"
            )
        said.append(f"{wording.title(arm, share, name)}: {', and '.join(parts)}.")
    return said


def copied(found: Study) -> Iterator[str]:
    """A sentence for each set with copies of validation or test images."""
    for name, item in found.sets.items():
        if item.copies is None:
            continue
        counts = [
            f"{item.copies.found[split]:,} of {_SPLITS[split]}"
            for split in ("test", "val")
            if item.copies.found.get(split)
        ]
        if not counts:
            continue
        whose = f"Set {name} holds" if len(found.sets) > 1 else "The synthetic images hold"
        done = (
            "they were left out"
            if item.copies.rule == "drop"
            else "they were kept, so the verdict may be too good"
        )
        yield f"{whose} near copies, {_listed(counts)}: {done}."


def section(material: Material, found: Study) -> dict[str, Any] | None:
    """The comparison of sets and their copies; None without synthetic images."""
    if not found.sets:
        return None
    return {
        "sentences": ranked(found),
        "figure": _figure(found),
        "rows": _rows(found),
        "quality": quality.beside(
            {
                name: parts.images.json("quality.json")
                for name, parts in material.sets.items()
                if parts.images
            }
        ),
        "copies": [
            _copies(material, name) for name, item in found.sets.items() if item.copies is not None
        ],
    }


def _figure(found: Study) -> str | None:
    """Each arm with its set minus real, the best first."""
    arms = [label for label, arm in found.arms.items() if arm.set and label in found.differences]
    if not arms:
        return None
    order = sorted(arms, key=lambda label: -found.differences[label].mean)
    rows = [
        figures.difference(
            wording.title_of(found.arms[label]),
            colour_of(found.arms[label]),
            found.differences[label],
        )
        for label in order
    ]
    label = "Minus real, percentage points"
    return figures.whiskers(rows, 0, "no difference", label, 100 * found.margin)


def _rows(found: Study) -> list[dict[str, Any]]:
    return [
        {
            "title": wording.title_of(found.arms[item.arm]),
            "colour": colour_of(found.arms[item.arm]),
            "against": wording.title_of(found.arms[item.against]),
            "difference": wording.signed(item.mean),
            "span": f"{wording.signed(item.low)} to {wording.signed(item.high)}",
            "p": wording.p_text(item.p_holm),
            "verdict": item.verdict,
            "word": verdicts.outcome(item, found.margin),
        }
        for item in found.ranking
    ]


def _copies(material: Material, name: str) -> dict[str, Any]:
    artifact = material.sets[name].images
    assert artifact is not None
    record = artifact.json("copies.json")
    with np.load(artifact.file("copies.npz"), allow_pickle=False) as stored:
        pairs = {split: stored[split][:_PAIRS] for split in _SPLITS if split in stored.files}
    return {
        "name": name,
        "checked": f"{record['checked']:,}",
        "repeated": f"{record['repeated']:,}",
        "dropped": f"{record['dropped']:,}",
        "splits": [
            {"title": title, "count": f"{record['found'][split]:,}"}
            for split, title in _SPLITS.items()
        ],
        "pairs": [
            {
                "title": _SPLITS[split],
                "made": pictures.strip(both[:, 0], _PAIRS, material.spec),
                "real": pictures.strip(both[:, 1], _PAIRS, material.spec),
            }
            for split, both in pairs.items()
        ],
    }


def _listed(items: list[Any]) -> str:
    *first, last = map(str, items)
    return f"{', '.join(first)} and {last}" if first else last
