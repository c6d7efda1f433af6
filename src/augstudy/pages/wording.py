"""What the report calls things: arms as a person would say them, shares, and the headline."""

from collections.abc import Iterable, Mapping
from typing import Any

from augstudy.core.formats import points
from augstudy.metrics.scores import SCORES
from augstudy.pages.arms import words
from augstudy.settings.arms import KINDS


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


def answers(arm: str) -> bool:
    """Whether an arm is about synthetic images, and about nothing else."""
    return arm in KINDS and KINDS[arm].answers


def is_control(arm: str) -> bool:
    """Whether an arm is there to show what an effect is not."""
    return arm in KINDS and KINDS[arm].control


def control(arm: str) -> str:
    """What an effect is not, as the arm shows it; empty if the arm is no control."""
    return words(arm).control


def left_out(reasons: Mapping[str, str]) -> list[str]:
    """A sentence for each arm that is not in the study."""
    return [f"Arm {label} was left out: {reason}." for label, reason in reasons.items()]


def budget(
    kind: str,
    longer: Iterable[str] = (),
    real: float = 0,
    unequal: Mapping[str, float] | None = None,
) -> str:
    """What the arms have in common in training, in a few sentences.

    Args:
        kind: the budget of ClassifierSettings.
        longer: titles of the arms that are there to train longer.
        real: steps of the arm `real`.
        unequal: steps of the arms that were to train for as many and did not, by title.
    """
    but = "".join(f" But for “{title}”, a control of what more steps do." for title in longer)
    if kind == "epochs":
        return (
            "Equal epochs: every arm passes over its images as often, so more images mean more "
            f"steps.{but}"
        )
    if unequal:
        made = ", ".join(f"“{title}” {steps:,.0f}" for title, steps in unequal.items())
        return (
            "Equal gradient steps are aimed at, whatever the number of an arm's images; but epochs "
            f"are whole, and training may stop early: real made {real:,.0f}, {made}.{but}"
        )
    return (
        "Equal gradient steps: every arm trains for as many as real, whatever the number of "
        f"its images.{but}"
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
    judged = [label for label in differences if answers(arms[label]["arm"])]
    others = [label for label in differences if not is_control(arms[label]["arm"])]
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
