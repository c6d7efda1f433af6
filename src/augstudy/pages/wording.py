"""What pages call things: arms, shares, scores and differences."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from augstudy.metrics.scores import SCORES
from augstudy.pages.arms import words
from augstudy.pages.formats import points
from augstudy.results.parts import Change, Data
from augstudy.settings.arms import KINDS

if TYPE_CHECKING:
    from augstudy.results.material import ArmResult
    from augstudy.results.models import Arm, Study


def title_of(arm: "Arm | ArmResult") -> str:
    """An arm for tables and figures; see :func:`title`."""
    return title(arm.arm, arm.share, arm.name) + _of_set(arm)


def subject_of(arm: "Arm | ArmResult") -> str:
    """An arm as the subject of a sentence; see :func:`subject`."""
    return subject(arm.arm, arm.share, arm.name) + _of_set(arm)


def title(arm: str, share: float | None, name: str | None = None) -> str:
    """A name for tables and figures: ``100 % synthetic added``, or the arm's own `name`."""
    if name is not None:
        return name.replace("_", " ").capitalize()
    return words(arm).title.format(share=percent_share(share)).strip()


def subject(arm: str, share: float | None, name: str | None = None) -> str:
    """The subject of a sentence: ``Adding 100 % synthetic images``, or ``Arm`` and its `name`."""
    if name is not None:
        return f"Arm {name!r}"
    return words(arm).subject.format(share=percent_share(share)).strip()


def _of_set(arm: "Arm | ArmResult") -> str:
    """The set of synthetic images that an arm uses, where there are several."""
    return f" ({arm.set})" if arm.set else ""


def answers(arm: str) -> bool:
    """Whether an arm is about synthetic images and nothing else."""
    return arm in KINDS and KINDS[arm].answers


def is_control(arm: str) -> bool:
    """Whether an arm shows what an effect is not."""
    return arm in KINDS and KINDS[arm].control


def control(arm: str) -> str:
    """What the arm shows about an effect; empty if the arm is not a control."""
    return words(arm).control


def left_out(reasons: Mapping[str, str]) -> list[str]:
    """A sentence for each arm that is not in the study."""
    return [f"Arm {label} was left out: {reason}." for label, reason in reasons.items()]


def budget(
    kind: str,
    longer: Iterable[str] = (),
    first: Iterable[str] = (),
    real: float = 0,
    unequal: Mapping[str, float] | None = None,
) -> str:
    """What the training of all arms has in common, in a few sentences.

    Args:
        kind: the budget of ClassifierSettings.
        longer: titles of the arms that train longer on purpose.
        first: titles of those that train on synthetic images before.
        real: steps of the arm `real`.
        unequal: steps of the arms that should have trained for as many and did not, by title.
    """
    but = "".join(
        f" “{title}” is the exception: a control that shows what more steps do." for title in longer
    )
    but += "".join(
        f" “{title}” trains for as many steps on synthetic images before that; its control is the "
        "arm that makes 100 % more steps on real images."
        for title in first
    )
    if kind == "epochs":
        return (
            "Equal epochs: every arm passes over its images equally often, so more images mean "
            f"more steps.{but}"
        )
    if unequal:
        made = ", ".join(f"“{title}” {steps:,.0f}" for title, steps in unequal.items())
        return (
            "Every arm should train for equally many gradient steps, but epochs are whole and "
            f"training may stop early: real made {real:,.0f}, {made}.{but}"
        )
    return (
        "Equal gradient steps: every arm trains for as many steps as real, however many images "
        f"it has.{but}"
    )


def repeated(data: Data, seeds: int) -> list[str]:
    """What folds and draws mean for a reader, in a few sentences; nothing where there are none.

    Args:
        data: the dataset.
        seeds: of each draw.
    """
    if not data.folds and data.draws == 1:
        return []
    said, made = [], runs(data.draws, data.folds, seeds)
    if data.draws > 1:
        said.append(
            f"The study was repeated in {data.draws} draws, each with training images and "
            f"generators of its own, on the same test images: {made}."
        )
    if data.folds:
        each = (
            f"the {counted(seeds, 'classifier')} of each arm"
            if seeds > 1
            else "a classifier per arm"
        )
        each += " and draw" if data.draws > 1 else ""
        said.append(
            f"Each of the {data.images['test']:,} images was tested once, by {each} that had seen "
            f"neither it nor its group{'' if said else f': {made}'}."
        )
    first = " of the ".join(
        ["fold"] * (data.folds > 0) + [f"{'first ' if data.folds else ''}draw"] * (data.draws > 1)
    )
    said.append(
        f"What is said of training, validation and synthetic images is about the first {first}."
    )
    return [" ".join(said)]


def runs(draws: int, folds: int, seeds: int) -> str:
    """Trainings of an arm: ``3 draws, 5 folds and 3 seeds make 45 training runs per arm``."""
    parts = [counted(draws, "draw")] * (draws > 1) + [counted(folds, "fold")] * (folds > 0)
    total = counted(draws * max(1, folds) * seeds, "training run")
    return f"{', '.join(parts)} and {counted(seeds, 'seed')} make {total} per arm"


def grouped(found: "Study") -> list[str]:
    """A sentence where test images belong together, which makes intervals wider."""
    if found.groups is None:
        return []
    count, images = found.groups.count, found.data.images["test"]
    return [
        f"The {images:,} test images belong to {counted(count, 'group')}, which tell as much as "
        f"{found.groups.effective:,.0f} of equal size: differences are tested on whole groups, not "
        "on single images."
    ]


def worst(arm: "Arm") -> str:
    """The class that an arm recognises worst, and how often: ``cat 34.1 %``."""
    return f"{arm.worst.label} {percent(arm.worst.recall.value)}" if arm.worst else ""


def looks(found: "Study") -> list[str]:
    """That a study was looked at several times, and that its intervals allow for it."""
    if not found.looks:
        return []
    so_far = [str(look) for look in found.looks if look <= found.seeds_each]
    *before, last = so_far
    seeds = f"{', '.join(before)} and {last}" if before else last
    return [
        f"The study goes on until it can tell, with {found.looks[-1]} seeds at most; it has been "
        f"looked at after {seeds} seeds. The intervals allow for all these looks, which makes them "
        "a little wider."
    ]


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


def score(name: str, value: float) -> str:
    """A score of :mod:`augstudy.metrics.scores` for people: ``81.2 %``, or ``0.793``."""
    return percent(value) if SCORES[name].share else f"{value:.3f}"


def score_interval(name: str, low: float, high: float) -> str:
    """An interval of a score: ``79.0 to 83.1 %``, or ``0.771 to 0.812``."""
    return interval(low, high) if SCORES[name].share else f"{low:.3f} to {high:.3f}"


def p_text(value: float) -> str:
    """A p-value: ``0.031``, ``< 0.001``."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def signed(share: float) -> str:
    """A difference in points for print, with a true minus sign: -20.7, printed well."""
    return points(share).replace("-", "\N{MINUS SIGN}")


def change(found: Change) -> str:
    """A difference with its interval, in points: ``+1.2 (+0.3 to +2.1)``."""
    return f"{points(found.mean)} ({points(found.low)} to {points(found.high)})"
