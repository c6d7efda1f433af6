"""Why the verdict is what it is: the numbers behind it, one reason at a time."""

from typing import Any

from augstudy.core.rng import DRAW
from augstudy.pages import verdicts, wording
from augstudy.pages.verdicts import margin_text
from augstudy.results.models import Study
from augstudy.results.parts import Difference
from augstudy.stats.verdicts import excludes_zero, significant, within


def box(summary: Study) -> dict[str, Any] | None:
    """What the headline is based on; None if nothing was compared.

    Returns:
        ``checks`` (question, answer, whether it was met), ``needs`` and ``runs`` (a row per seed).
    """
    label = summary.headline.arm
    if label is None:
        return None
    found, margin = summary.differences[label], summary.margin
    return {
        "arm": wording.title_of(summary.arms[label]),
        "against": wording.title_of(summary.arms[found.against]),
        "images": f"{found.images:,}",
        "seeds": found.seeds,
        "checks": _checks(found, margin),
        "needs": verdicts.needs(found) if found.verdict == verdicts.UNCLEAR else None,
        "runs": runs(found),
        "detectable": f"{100 * found.detectable:.1f}",
    }


def runs(found: Difference) -> list[dict[str, str]]:
    """A row per seed: what one training run of each arm says by itself."""
    return [
        {
            "seed": _seed(test.seed, found.draws),
            "difference": wording.signed(test.difference),
            "gained": f"{test.gained:,}",
            "lost": f"{test.lost:,}",
            "p": wording.p_text(test.p),
        }
        for test in found.mcnemar
    ]


def _seed(seed: int, draws: int) -> str:
    """A seed, or with several draws that of a draw: ``0, draw 2``."""
    draw, own = divmod(seed, DRAW)
    return f"{own}, draw {draw + 1}" if draws > 1 else str(seed)


def _checks(found: Difference, margin: float) -> list[dict[str, Any]]:
    low, high = found.low, found.high
    span = f"{wording.signed(low)} to {wording.signed(high)} points"
    clear = excludes_zero(low, high)
    checks = [
        {
            "question": "Does the 95 % interval exclude zero?",
            "answer": f"{span}: {'yes' if clear else 'no, zero is inside'}",
            "met": clear,
        },
        {
            "question": "Is chance ruled out?",
            "answer": _chance(found),
            "met": significant(found.p_holm),
        },
        {
            "question": f"Is any effect of {margin_text(margin)} or more ruled out?",
            "answer": _size(low, high, margin),
            "met": within(low, high, margin),
        },
    ]
    if found.verdict == verdicts.AT_CHANCE:
        checks.append(
            {
                "question": "Have both classifiers learnt anything?",
                "answer": "no, one of them does no better than guessing",
                "met": False,
            }
        )
    if found.seeds == 1:
        checks.append(
            {
                "question": "Is the luck of a training run ruled out?",
                "answer": "no: there is one run of each arm",
                "met": False,
            }
        )
    return checks


def _chance(found: Difference) -> str:
    p, holm = wording.p_text(found.p), wording.p_text(found.p_holm)
    word = "yes" if significant(found.p_holm) else "no"
    if found.comparisons == 1:
        return f"p {_equals(p)}: {word}"
    many = f"{found.comparisons} comparisons"
    return f"p {_equals(p)}, corrected for {many} (Holm) {_equals(holm)}: {word}"


def _equals(p: str) -> str:
    return p if p.startswith("<") else f"= {p}"


def _size(low: float, high: float, margin: float) -> str:
    if within(low, high, margin):
        return "yes, the interval lies within the margin"
    sides = [word for word, out in (("loss", low <= -margin), ("gain", high >= margin)) if out]
    return f"no, a {' or a '.join(sides)} of {margin_text(margin)} or more is still possible"
