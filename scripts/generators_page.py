"""``docs/generators.md``: the ladder of generators, measured."""

from typing import Any

from tables import table

HEADER = """# Generators

Written by `make docs` from `benchmarks/results/generators.json`. The recipes of `augstudy train-gan
--recipe` form a ladder; each rung changes one thing in the one that is named behind it:

- `report`: the student report's AC-GAN (Odena et al. 2017).
- `report_sn` (`report`): spectral normalisation in the discriminator, in the place of batch
  normalisation, and the hinge loss (Miyato et al. 2018).
- `resnet_ema` (`report_sn`): small residual networks whose generator knows the class at every
  stage (conditional batch normalisation), and an averaged generator. Steps and rates go with them.
- `diffaugment` (`resnet_ema`): translation and cutout of real and generated drawings alike
  (Zhao et al. 2020).
- `projection` (`diffaugment`): the class enters the discriminator by projection, in the place of
  the class loss (Miyato and Koyama 2018).
- `adc` (`diffaugment`): a class loss that tells real from generated as well (Hou et al. 2022).
- `compact`, beside the ladder: a quick one for short trainings, part projection, part class loss.

All figures are on validation drawings, seen by the judge ([metrics](metrics.md)); the score
that chose the best generator saw these as well: absolute values are a little rosy, for all alike.
CAS is the validation accuracy of a classifier that learnt from generated drawings alone.
"""
SETS = {
    "mammals": "The 11 mammals, 254 training drawings a class",
    "ten": "Ten classes, 2,400 training drawings a class",
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
    for name, recipes in result["sets"].items():
        picture = f"![Real and generated drawings](images/generators-{name}.png)"
        head = ["recipe", *(title for title, _ in COLUMNS.values())]
        head += ["steps", "CPU s", "steps/s", "seeds", "verdicts"]
        rows = [_row(recipe, record) for recipe, record in recipes.items()]
        parts.append(f"## {SETS[name]}\n\n{table(head, rows)}\n\n{picture}")
    parts.append(
        "Means over seeds, lowest and highest behind; seconds and steps a second are medians. "
        f"{machine} Again: `{result['command']}`."
    )
    return "\n\n".join(parts) + "\n"


def _row(recipe: str, record: dict[str, Any]) -> list[object]:
    cells: list[object] = [f"`{recipe}`"]
    for key, (_, digits) in COLUMNS.items():
        found = record["metrics"].get(key)
        low_high = f" ({found['low']:.{digits}f} to {found['high']:.{digits}f})" if found else ""
        cells.append(f"{found['mean']:.{digits}f}{low_high}" if found else "")
    steps = ", ".join(f"{value:,}" for value in sorted(set(record["steps"])))
    verdicts = ", ".join(sorted(set(record["verdict"])))
    cells += [steps, f"{record['cpu_s']:,.0f}", record["steps_s"], record["seeds"], verdicts]
    return cells
