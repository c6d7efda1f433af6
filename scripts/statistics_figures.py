"""The figures of ``docs/statistics.md``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import statistics_page as words

from augstudy.pages import style

MARKS = {
    "images": ("v", style.BAD),
    "runs": ("D", "#c98a12"),
    "two_way": ("s", style.MUTED),
    "ours": ("o", style.GOOD),
}


def draw(result: Mapping[str, Any], folder: Path) -> None:
    """Draw both figures into a folder."""
    coverage(result["cases"], folder / words.COVERAGE_PICTURE)
    plans(result["plans"], folder / words.PLANS_PICTURE)


def coverage(cases: Mapping[str, Any], path: Path) -> None:
    """How often each interval held the truth, a row per case; ours with its own interval."""
    rows = range(len(cases))
    with style.figure(8, 0.34 * len(cases) + 1.5) as chart:
        axes = chart.subplots()
        style.only_grid(axes, "x")
        low, high = (100 * end for end in words.BAND)
        axes.axvspan(low, high, color=style.GOOD, alpha=0.12, linewidth=0)
        axes.axvline(95, color=style.GOOD, linewidth=0.8)
        for name, (marker, colour) in MARKS.items():
            found = [case["coverage"].get(name) for case in cases.values()]
            at = [row for row, item in zip(rows, found, strict=True) if item]
            known = [item for item in found if item]
            if name == "ours":
                ends = [[100 * item[end] for item in known] for end in ("low", "high")]
                axes.hlines(at, *ends, color=colour, linewidth=1.6)
            shares = [100 * item["share"] for item in known]
            label = words.INTERVALS[name]
            axes.plot(shares, at, marker, color=colour, markersize=5.5, label=label, clip_on=False)
        axes.set_yticks(rows, [words.TITLES[name] for name in cases])
        axes.set_ylim(len(cases) - 0.4, -0.6)
        axes.set_xlim(right=100)
        axes.set_xlabel(f"95 % intervals that hold the truth, in % (aim: {low:g} to {high:g})")
        chart.legend(loc="outside upper center", ncols=len(MARKS), frameon=False, reverse=True)
        _write(chart, path)


def plans(found: list[Mapping[str, Any]], path: Path) -> None:
    """The planned difference of each plan beside the simulated one, with its interval."""
    rows = range(len(found))
    with style.figure(8, 0.34 * len(found) + 1.2) as chart:
        axes = chart.subplots()
        style.only_grid(axes, "x")
        simulated = [plan["simulated"] for plan in found]
        low, high, middle = ([item[end] for item in simulated] for end in ("low", "high", "value"))
        axes.hlines(rows, low, high, color=style.MUTED, linewidth=1.6)
        axes.plot(middle, rows, "s", color=style.MUTED, markersize=5.5, label="simulated")
        planned = [plan["planned"] for plan in found]
        axes.plot(planned, rows, "o", color=style.GOOD, markersize=5.5, label="planned")
        axes.set_yticks(rows, [_title(plan) for plan in found])
        axes.set_ylim(len(found) - 0.4, -0.6)
        axes.set_xlim(left=0)
        axes.set_xlabel("difference found with 80 % probability, in points")
        chart.legend(loc="outside upper center", ncols=2, frameon=False, reverse=True)
        _write(chart, path)


def _title(plan: Mapping[str, Any]) -> str:
    count = plan["comparisons"]
    noun = "comparison" if count == 1 else "comparisons"
    return f"{words.LAYOUTS[plan['layout']]}; {plan['seeds']} seeds, {count} {noun}"


def _write(chart: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    chart.savefig(path, format="png", dpi=150, facecolor="white", metadata={"Software": None})
