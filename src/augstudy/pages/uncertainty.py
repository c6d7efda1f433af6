"""Where the uncertainty of each difference comes from, and what would halve its interval."""

from collections.abc import Iterator
from typing import Any

from augstudy.pages import wording
from augstudy.pages.style import colour_of
from augstudy.results.models import Study
from augstudy.results.parts import Difference, Sources
from augstudy.stats.codes import MOST


def section(found: Study) -> dict[str, Any] | None:
    """A row for each arm; None with a single seed, where all uncertainty known is of images."""
    known = {label: item for label, item in found.differences.items() if item.sources}
    if not known:
        return None
    several = found.data.draws > 1
    return {
        "draws": several,
        "rows": [
            {
                "title": wording.title_of(found.arms[label]),
                "colour": colour_of(found.arms[label]),
                **_row(item, item.sources, found),
            }
            for label, item in known.items()
            if item.sources
        ],
        "note": _covered(found) if several else _not_covered(found),
    }


def _row(item: Difference, sources: Sources, found: Study) -> dict[str, Any]:
    parts = {"images": sources.images, "runs": sources.runs}
    if sources.draws is not None:
        parts["draws"] = sources.draws
    total = sum(parts.values())
    ways = [*_images(sources), *_seeds(sources, found), *_draws(sources, found)]
    return {
        "half": f"{100 * (item.high - item.low) / 2:.1f}",
        "shares": {
            name: f"{100 * part / total:.0f} %" if total else "" for name, part in parts.items()
        },
        "halve": " or ".join(ways) or f"more than {MOST} times as much of any one",
    }


def _images(sources: Sources) -> Iterator[str]:
    """More test images."""
    if (count := sources.halve.images) is not None:
        yield f"{count:,} more test images"


def _seeds(sources: Sources, found: Study) -> Iterator[str]:
    """More seeds, and how many trainings of classifiers they are."""
    if (count := sources.halve.seeds) is None:
        return
    draws = found.data.draws
    trainings = count * draws * max(1, found.data.folds) * len(found.arms)
    each = " in each draw" if draws > 1 else ""
    yield f"{wording.counted(count, 'more seed')}{each} ({_trainings(trainings)})"


def _draws(sources: Sources, found: Study) -> Iterator[str]:
    """More draws, and what they take: the generators of each are trained anew."""
    if (count := sources.halve.draws) is None:
        return
    parts = count * max(1, found.data.folds)
    trainings = parts * found.seeds_each * len(found.arms)
    made = sum(1 for item in found.sets.values() if item.source is None)
    generators = f", {wording.counted(parts * made, 'generator')}" if made else ""
    yield f"{wording.counted(count, 'more draw')} ({_trainings(trainings)}{generators})"


def _trainings(count: int) -> str:
    return wording.counted(count, "training run")


def _covered(found: Study) -> str:
    return (
        f"Each of the {found.data.draws} draws deals all but the test images out anew and trains "
        "its own generators, so the intervals cover these as well. Draws choose among "
        "the images that there are: where the level takes all of them, draws differ little."
    )


def _not_covered(found: Study) -> str:
    return (
        "All runs share one choice of training images"
        f"{' and one training of each generator' if found.sets else ''}. What another one would "
        "do is not covered; to cover it, repeat the study with draws=3."
    )
