"""``docs/statistics.md``: what intervals and verdicts claim, and how often it holds.

Made of ``benchmarks/results/coverage.json``; see make_docs.py.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tables import table

HEADER = """# Statistics

For readers of a verdict who want to know what it claims, and how often it is right.

`make docs` writes this page from `benchmarks/results/coverage.json`.
[Decisions](decisions.md#intervals-and-verdicts) says why the methods were chosen, and the
[glossary](glossary.md) explains the words.

## What is estimated

The difference between two arms in accuracy, or in balanced accuracy if test classes are unequal.
Both arms are tested on the same images and trained with the same seeds, so they are compared image
by image and seed by seed.

The true difference is what infinitely many test images and training runs would show, with the
training images and synthetic images of the study. With folds, it is the mean over the folds. With
draws, it is the mean over all draws: over other training images from the same source, and over
other trainings of the generators.

## How the interval is computed

Two things, or three with draws, make an estimate differ from the truth, and the 95 % interval
accounts for them:

- **The choice of test images.** Images are resampled (bootstrap): within each class for balanced
  accuracy, within each fold, and in whole groups. The result is scaled to the part of the spread
  that all training runs have in common.
- **The luck of training runs.** This part follows Student's t. With three or more arms, all arms
  contribute to the estimate of how much runs vary.
- **The luck of a draw**, where there are several. Runs of a draw share it, so their mean counts as
  one run, and Student's t has as many degrees of freedom as there are independent draws.

Before images are resampled, two are added: one that every run gains, and one that every run loses.
As in McNemar's exact test, a difference in a handful of images can then still be chance.

"Helps" and "hurts" need an interval without zero and, after Holm's correction for the number of
comparisons, a p-value below 5 %. "No difference" needs the whole interval within the equivalence
margin. Each class is compared in the same way; the classes of an arm are corrected together.

## What is assumed

- Test images, or groups of them, are a random sample of the images that you care about.
- Images that belong together are in the same group. Other images are independent.
- Seeds are independent training runs, and their differences are roughly normally distributed.
- The runs of all arms vary about equally. If those of one arm vary far more, they count alone.
"""

SIMULATED = """## How it was simulated

In a simulation, the truth is known. Every simulated image has a difficulty, every arm suits some
images better than others, and every training run has its luck, as a whole and on each image. Images
of a group are alike in all of this. Classifiers of different folds differ as their training images
do. Draws of an arm have a standard deviation of one point, or 1.5 where each has a single seed.

Unless the case says otherwise, a study has 5 seeds and 400 test images in 5 equal classes. Accuracy
is about 80 %, runs of an arm have a standard deviation of one point, and two runs of different arms
disagree on 12 % of the images. That is between what we measured at accuracies of 57 and 83 %. The
model is `benchmarks/simulated.py`.
"""

# Of each case: the name in tables and figures.
TITLES = {
    "one_seed": "1 seed",
    "three_seeds": "3 seeds",
    "five_seeds": "5 seeds",
    "unsteady_runs": "3 seeds, runs vary twice as much",
    "unequal_classes": "unequal classes",
    "groups": "50 groups of 8 images",
    "unequal_groups": "60 groups of 1 to 30 images",
    "folds": "5 folds",
    "draws": "3 draws of 3 seeds",
    "draws_of_one_seed": "5 draws of 1 seed",
    "draws_and_folds": "3 draws of 2 seeds, 5 folds",
    "draws_and_arms": "3 draws of 2 seeds, 4 arms",
    "folds_and_seeds": "5 folds, seeds go together",
    "folds_and_groups": "5 folds, 50 groups of 8 images",
    "six_arms": "6 arms, 3 seeds",
    "classes": "each of 5 classes",
}
INTERVALS = {
    "ours": "augstudy",
    "two_way": "bootstrap, images and seeds",
    "images": "bootstrap, images",
    "runs": "Student's t, seeds",
}
LAYOUTS = {"split": "one split, 200 test images", "folds": "5 folds, 1,000 test images"}
WIDTHS = ("ours", "images")  # the intervals whose widths are shown
BAND = (0.93, 0.97)  # of coverage: what we aim at
TOLERANCE = 0.1  # of plans
COVERAGE_PICTURE, PLANS_PICTURE = "statistics-coverage.png", "statistics-plans.png"


def page(result: Mapping[str, Any], redraws: Mapping[str, Any], machine: str, other: str) -> str:
    """The page, from ``coverage.json`` and ``redraws.json``.

    Args:
        result: what the simulations found.
        redraws: what studies of real images found.
        machine: words on the machine of the first.
        other: words on the machine of the second.
    """
    cases, plans = result["cases"], result["plans"]
    parts = [
        HEADER.strip(),
        not_covered(cases),
        SIMULATED.strip(),
        "## How often intervals hold the truth",
        held(result),
        f"![Coverage of each interval by case](images/{COVERAGE_PICTURE})",
        coverage_table(cases),
        "## How often verdicts are wrong",
        verdicts(result),
        verdict_table(result),
        "## Whether plans come true",
        planned(plans),
        f"![Planned and simulated detectable differences](images/{PLANS_PICTURE})",
        plan_table(plans),
        *(["## Looking after every round", looked(result)] if "rounds" in result else []),
        made(result, machine),
        "## On real images",
        redrawn(redraws, other),
    ]
    return "\n\n".join(parts) + "\n"


def looked(result: Mapping[str, Any]) -> str:
    """What it costs, and saves, to stop once a study can tell."""
    found = list(result["rounds"].values())
    looks = [str(look) for look in found[0]["looks"]]
    rows = [
        [
            row["comparisons"],
            f"**{percent(row['false_verdicts'])}** ({ends(row['false_verdicts'])})",
            percent(row["false_unpaid"]),
            percent(row["found"]),
            row["seeds_none"],
            row["seeds_some"],
        ]
        for row in found
    ]
    difference = f"{result['difference']:g} points"
    head = ["comparisons", "false verdicts at any look", "without paying", f"{difference} found"]
    head += ["seeds, nothing differs", f"seeds, {difference}"]
    return (
        f"With `--seeds auto`, a study is looked at after {', '.join(looks[:-1])} and {looks[-1]} "
        "seeds, and ends once every synthetic arm has its verdict. Intervals and p-values are "
        "those of repeated confidence intervals: over all looks together, no more than 5 % of "
        "studies should say that something helps or hurts where nothing differs. The third column "
        "is what ordinary intervals would do at the same looks; the last two are how many seeds "
        f"studies took on average.\n\n{table(head, rows)}"
    )


def redrawn(result: Mapping[str, Any], machine: str) -> str:
    """How often studies of real images agree that have nothing in common."""
    draws, seeds = (result["found"][name] for name in ("draws", "seeds"))
    several = f"{result['draws']} draws of {result['seeds']} seeds"
    single = f"1 draw of {result['draws'] * result['seeds']} seeds"
    rows = [
        [
            name,
            f"**{100 * found['held']:.1f} %** ({100 * found['held_low']:.1f} to "
            f"{100 * found['held_high']:.1f} %)",
            f"{found['width']:.1f}",
        ]
        for name, found in ((several, draws), (single, seeds))
    ]
    head = ["study", f"intervals that hold the mean of {result['others']} others"]
    return (
        "A simulation holds what was put into it. So studies of real drawings were repeated "
        f"{result['redraws']} times, each with test images, training images, generators and seeds "
        f"of its own: {result['classes']} classes, {result['level']} training images and "
        f"{result['test_per_class']} test images per class. A network with one hidden layer is the "
        "classifier, and a normal distribution per class the generator. The images are dealt out "
        "and compared by augstudy. An interval should hold what other studies find on average. "
        "Studies with and without draws take equally many trainings.\n\n"
        f"{table([*head, 'width, points'], rows)}\n\n"
        f"Without draws, intervals are about one choice of training images and one training of "
        f"each generator. {machine} Repeat with `{result['command']}`."
    )


def not_covered(cases: Mapping[str, Any]) -> str:
    """What the interval is not about, with what that costs."""
    split, folds = (percent(cases[name]["coverage_overall"]) for name in ("five_seeds", "folds"))
    one = percent(cases["one_seed"]["coverage_overall"])
    return f"""## What is not covered

- **Other training images**, without draws. In the simulation below, other training images change
  the accuracy of an arm as much as another training run does. The mean difference over all training
  sets was in the interval in {split} of studies with one split, and in {folds} with 5 folds.
- **Other synthetic images**, without draws. Each set is taken as it is. Another training of its
  generator, with another seed, would make other images, which may help more or less.
- **Other runs, if there is one seed.** The interval then covers test images only. The mean
  difference over all runs was in it in {one} of studies. So one seed gives no verdict.
- **Other data.** Nothing is said about images of another kind than the test images."""


def held(result: Mapping[str, Any]) -> str:
    """How often intervals hold the truth, in sentences."""
    cases, count = result["cases"], 2 * result["studies"]
    shares = {name: case["coverage"]["ours"]["share"] for name, case in cases.items()}
    narrow = [TITLES[name] for name, value in shares.items() if value < BAND[0]]
    wide = [TITLES[name] for name, value in shares.items() if value > BAND[1]]
    parts = [
        f"Each case was simulated {count:,} times: half of the studies without any difference "
        f"between the arms, half with differences of {result['difference']:g} points. A 95 % "
        f"interval should hold the truth in 95 % of studies; the target is {100 * BAND[0]:g} to "
        f"{100 * BAND[1]:g} %. Ours held it in {extremes(shares.values())}."
    ]
    if narrow:
        parts.append(f"It is too narrow in: {'; '.join(narrow)}.")
    if wide:
        parts.append(
            f"It is wider than it need be in: {'; '.join(wide)}. The two added images weigh more, "
            "the fewer images or groups a comparison has. With folds, some studies take seeds to "
            "go together that do not. With three draws and one comparison, what draws add rests on "
            "two degrees of freedom. In all these cases false verdicts are rarer, and small "
            "differences are harder to find."
        )
    usual = {
        key: extremes(case["coverage"][key]["share"] for case in cases.values() if seen(case, key))
        for key in ("images", "runs", "two_way")
    }
    return (
        f"{' '.join(parts)}\n\nThe other intervals are the usual ones:\n\n"
        f"- **{titled('images')}** resamples images, each on its own. It ignores other training "
        f"runs, and groups. It held the truth in {usual['images']}.\n"
        f"- **{titled('runs')}** compares the figures of training runs. It ignores other test "
        f"images. It held the truth in {usual['runs']}.\n"
        f"- **{titled('two_way')}** resamples both, and groups as a whole. It held the truth in "
        f"{usual['two_way']}."
    )


def titled(interval: str) -> str:
    """The name of an interval at the beginning of a sentence."""
    return f"{INTERVALS[interval][0].upper()}{INTERVALS[interval][1:]}"


def seen(case: Mapping[str, Any], interval: str) -> bool:
    """Whether a case has such an interval."""
    return interval in case["coverage"]


def coverage_table(cases: Mapping[str, Any]) -> str:
    """A row per case: how often each interval held the truth, and how wide they are."""
    rows = []
    for name, case in cases.items():
        found, widths = case["coverage"], case["width"]
        cells = [percent(found[key]) if key in found else "" for key in list(INTERVALS)[1:]]
        ours = f"**{percent(found['ours'])}** ({ends(found['ours'])})"
        rows.append([TITLES[name], ours, *cells, *(f"{widths[key]:.1f}" for key in WIDTHS)])
    head = ["case", *INTERVALS.values(), *(f"width: {INTERVALS[key]}" for key in WIDTHS)]
    return (
        f"{table(head, rows)}\n\nBrackets hold the exact 95 % interval of the simulated share, and "
        "widths are means in points. With one seed there is no t over seeds, and both bootstraps "
        "are the same."
    )


def verdicts(result: Mapping[str, Any]) -> str:
    """How often a verdict was wrong, in sentences."""
    cases = result["cases"].values()
    most, wrong = (
        percent_of(max(case[key]["share"] for case in cases))
        for key in ("false_verdicts", "wrong_verdicts")
    )
    return (
        "Where nothing differs, no more than 5 % of studies should say that an arm helps or hurts, "
        f"however many arms or classes they compare. At most {most} did. Where arms or classes "
        f"differ by {result['difference']:g} points, at most {wrong} of studies made a wrong "
        "claim: that something helps or hurts although it makes no difference, or the opposite of "
        "the truth. The last column is the share of true differences that were found."
    )


def verdict_table(result: Mapping[str, Any]) -> str:
    """A row per case: wrong verdicts, and right ones."""
    rows = []
    for name, case in result["cases"].items():
        false = case["false_verdicts"]
        said = (
            f"{percent(false)} ({ends(false)})"
            if case["seeds"] * case.get("draws", 1) > 1
            else "no verdict"
        )
        found = percent(case["found"]) if case["seeds"] * case.get("draws", 1) > 1 else "no verdict"
        rows.append([TITLES[name], compared(case), said, found])
    difference = f"{result['difference']:g} points found"
    return table(["case", "comparisons", "false verdicts, nothing differs", difference], rows)


def compared(case: Mapping[str, Any]) -> int:
    """How many comparisons a study of a case makes."""
    return len(case["classes"]) if case["per_class"] else case["arms"] - 1


def planned(plans: list[Mapping[str, Any]]) -> str:
    """How close the planned differences come, in sentences."""
    off = [plan["planned"] / plan["simulated"]["value"] - 1 for plan in plans]
    beyond = sum(abs(value) > TOLERANCE for value in off)
    return (
        "Before a run, augstudy says which difference the study can be expected to find: the one "
        "that it finds with 80 % probability, given the usual noise. We simulated studies of 1,000 "
        "images in 5 classes. Either a fifth of them are test images or, with 5 folds, all are. "
        "With 4 comparisons, p-values are multiplied by 4, the most that Holm's correction does. "
        f"The planned differences are {signed(min(off))} to {signed(max(off))} off the simulated "
        f"ones; {beyond or 'none'} of {len(off)} beyond the tolerance of {100 * TOLERANCE:g} %."
    )


def plan_table(plans: list[Mapping[str, Any]]) -> str:
    """A row per plan."""
    rows = []
    for plan in plans:
        found, power = plan["simulated"], plan["power"]
        rows.append(
            [
                LAYOUTS[plan["layout"]],
                plan["seeds"],
                plan["comparisons"],
                f"{plan['planned']:.1f}",
                f"{found['value']:.1f} ({found['low']:.1f} to {found['high']:.1f})",
                f"{percent(power)} ({ends(power)})",
            ]
        )
    head = ["images", "seeds", "comparisons", "planned, points", "simulated, points"]
    return table([*head, "studies that find the planned one"], rows)


def made(result: Mapping[str, Any], machine: str) -> str:
    """What it was measured on, and how to do it again."""
    return (
        f"Bootstraps had {result['resamples']:,} resamples, where a study has 10,000. "
        f"{machine} It took {result['cpu_s'] / 60:.0f} minutes of one processor. Repeat with "
        f"`{result['command']}`."
    )


def percent_of(value: float) -> str:
    """A share in percent."""
    return f"{100 * value:.1f} %"


def extremes(shares: Iterable[float]) -> str:
    """The lowest and the highest of some shares, in percent."""
    found = list(shares)
    return f"{100 * min(found):.1f} to {percent_of(max(found))}"


def percent(found: Mapping[str, float]) -> str:
    """The same of a share that has an interval."""
    return percent_of(found["share"])


def ends(found: Mapping[str, float]) -> str:
    """The interval of a share, in percent."""
    return f"{100 * found['low']:.1f} to {100 * found['high']:.1f}"


def signed(value: float) -> str:
    """A relative difference in percent, with its sign."""
    return f"{100 * value:+.0f} %".replace("-", "\N{MINUS SIGN}")
