"""``docs/generators.md``: the ladder of generators, measured."""

from typing import Any

from tables import listed, table

from benchmarks.ladder import LADDER, ORDER

HEADER = """# Generators

For everyone who chooses a generator: what each was measured to do.

`make docs` writes this page from `benchmarks/results/generators.json`. `report`, `compact` and
`diffusion` are recipes of `augstudy train-gan --recipe`. The others are the rungs of a ladder, with
settings in `benchmarks/ladder.py`; each changes one thing in the generator named in brackets:

- `report`: the student report's AC-GAN (Odena et al. 2017), with two changes to its loop: the
  discriminator does not learn while the generator does, and it learns classes from real images
  only. As with all others, the generator that is kept is the best of those scored in training.
- `report_sn` (`report`): spectral normalisation in the discriminator instead of batch
  normalisation, and the hinge loss (Miyato et al. 2018).
- `resnet_ema` (`report_sn`): small residual networks whose generator knows the class at every
  stage (conditional batch normalisation), and an averaged generator. This rung changes more than
  one thing: networks that are so much faster need other steps, batches, noise and rates, and more
  frequent scoring.
- `diffaugment` (`resnet_ema`): translation and cutout of real and generated images alike
  (Zhao et al. 2020).
- `projection` (`diffaugment`): the class enters the discriminator by projection instead of the
  class loss (Miyato and Koyama 2018).
- `adc` (`diffaugment`): a class loss that also separates real from generated (Hou et al. 2022).
- `compact`, the default: made for short trainings. It combines projection and class loss, spectral
  normalisation, hinge loss, shifts and zooms before the discriminator, an averaged generator, and a
  term that rewards different images for different noise.
- `diffusion`, a control without a discriminator: class-conditional denoising with classifier-free
  guidance and a few-step sampler (Ho et al. 2020, Ho and Salimans 2021, Song et al. 2021).

All figures are measured with validation images and the judge ([metrics](metrics.md)). The score
that chose the best generator used the same images, so all absolute values are slightly too good.
CAS is the validation accuracy of a classifier that learnt from generated images alone; in the first
row it learnt from as many real ones. Training uses one thread.

Budgets are in time, not in steps: one step of the report's networks takes as long as dozens of
steps of others, and a short budget leaves them too few to draw anything. No recipe trains for more
than its own number of steps. All seeds take as many steps as the budget bought the first one, on
any machine. The peak of memory is that of the whole process: networks, images, judge and scoring.
Where a recipe has one seed, it covers two trainings, because the first one measures the pace.
"""
SETS = {
    "mammals": "The 11 mammals, 254 training images per class",
    "ten": "Ten classes, 2,400 training images per class",
}
COLUMNS = {
    "fid_qd": ("FID-QD \N{DOWNWARDS ARROW}", 1),
    "kid": ("KID \N{DOWNWARDS ARROW}", 2),
    "recall": ("recall \N{UPWARDS ARROW}", 2),
    "coverage": ("coverage \N{UPWARDS ARROW}", 2),
    "gan_test": ("GAN-test \N{UPWARDS ARROW}", 2),
    "cas": ("CAS \N{UPWARDS ARROW}", 2),
}


def page(result: dict[str, Any], machine: str) -> str:
    """The page, from ``generators.json`` and words on the machine it was measured on."""
    parts = [HEADER.strip()]
    pictured = set()
    for measured in result["tables"]:
        name = measured["set"]
        title = f"## {SETS[name]}: {measured['budget']:g} CPU seconds of training"
        parts += [title, _table(measured["recipes"]), _unmeasured(measured["recipes"])]
        parts.append(_bought(measured["recipes"]))
        if name not in pictured:
            parts.append(f"![Real and generated images](images/generators-{name}.png)")
            pictured.add(name)
        parts.append(f"Repeat with `{measured['command']}`.")
    parts.append(
        "Figures are means over seeds, with the lowest and the highest in brackets; CPU seconds "
        f"are medians. {machine}"
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(recipes: dict[str, Any]) -> str:
    head = ["recipe", *(title for title, _ in COLUMNS.values())]
    head += ["steps", "CPU s", "steps/CPU s", "peak MiB", "seeds", "verdicts"]
    first = next(iter(recipes.values()))
    real = [
        f"{first['metrics'][key]['real']:.{digits}f}" if key in first["metrics"] else ""
        for key, (_, digits) in COLUMNS.items()
    ]
    rows = [_row(recipe, record) for recipe, record in recipes.items()]
    return table(head, [["*real images*", *real, *[""] * 6], *rows])


def _unmeasured(recipes: dict[str, Any]) -> str:
    missing = [f"`{recipe}`" for recipe in ORDER if recipe not in recipes]
    return f"Not measured with this budget: {listed(missing)}." if missing else ""


def _row(recipe: str, record: dict[str, Any]) -> list[object]:
    cells: list[object] = [f"`{recipe}`"]
    for key, (_, digits) in COLUMNS.items():
        found = record["metrics"].get(key)
        cells.append(_spread(found, digits) if found else "")
    steps = ", ".join(f"{value:,}" for value in sorted(set(record["steps"])))
    verdicts = ", ".join(sorted(set(record["verdict"])))
    pace = f"{record['steps_cpu_s']:.1f}"
    peak = f"{record['peak_mib']:,}" if record["peak_mib"] else ""
    return [*cells, steps, f"{record['cpu_s']:,.0f}", pace, peak, record["seeds"], verdicts]


def _spread(found: dict[str, float], digits: int) -> str:
    mean, low, high = (f"{found[key]:.{digits}f}" for key in ("mean", "low", "high"))
    return mean if low == high else f"{mean} ({low} to {high})"


def _bought(recipes: dict[str, Any]) -> str:
    """What each rung changed against the one below it, and the others against the first."""
    steps = [(recipe, "after", below) for recipe, (below, _) in LADDER.items()]
    first = next(iter(LADDER))
    steps += [(recipe, "instead of", first) for recipe in ORDER if recipe not in LADDER]
    lines = [
        f"- `{recipe}` {place} `{below}`: FID-QD {_change(recipes, below, recipe, 'fid_qd', 1)}, "
        f"coverage {_change(recipes, below, recipe, 'coverage', 2)}, "
        f"CAS {_change(recipes, below, recipe, 'cas', 2)}."
        for recipe, place, below in steps
        if recipe in recipes and below in recipes
    ]
    return "What each change brought:\n\n" + "\n".join(lines) if lines else ""


def _change(recipes: dict[str, Any], below: str, recipe: str, key: str, digits: int) -> str:
    before, after = (recipes[name]["metrics"][key]["mean"] for name in (below, recipe))
    return f"{before:.{digits}f} \N{RIGHTWARDS ARROW} {after:.{digits}f}"
