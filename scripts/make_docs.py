"""Write the pages of measurements from the results in ``benchmarks/results``: ``make docs``.

``docs/benchmarks.md``, and ``docs/generators.md`` where generators have been measured.
"""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
TARGET = ROOT / "docs" / "benchmarks.md"
GENERATORS = ROOT / "docs" / "generators.md"

HEADER = """# Benchmarks

Written by `make docs` from `benchmarks/results/*.json`; each section names the command that
measures it again. `FOLDER` is a folder of `<class>.npy` drawings. Machines differ and were
shared: compare within a table, not across machines.
"""


def machine(result: dict[str, Any]) -> str:
    """The line that says what a result was measured on."""
    hardware, software = result["hardware"], result["software"]
    return (
        f"{hardware['cpu']}, {hardware['cores']} cores, {hardware['memory_gib']} GiB; "
        f"TensorFlow {software['tensorflow']}, Keras {software['keras']}, "
        f"Python {software['python']}."
    )


def table(head: list[str], rows: list[list[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def spread(values: dict[str, float], unit: str = "") -> str:
    """Median with extremes and count."""
    return f"{values['median']}{unit} ({values['low']} to {values['high']}, n={values['n']})"


def accuracy(result: dict[str, Any]) -> str:
    """Accuracy of the classifier recipes."""
    rows = [
        [
            f"`{name}`",
            f"**{recipe['test_accuracy']['value']:.3f}** "
            f"({recipe['test_accuracy']['low']:.3f} to {recipe['test_accuracy']['high']:.3f})",
            ", ".join(f"{value:.3f}" for value in recipe["test_accuracy"]["by_seed"]),
            f"{sum(recipe['train_accuracy']) / len(recipe['train_accuracy']):.3f}",
            f"{recipe['parameters']:,}",
            recipe["seconds_a_seed"],
        ]
        for name, recipe in result["recipes"].items()
    ]
    head = ["recipe", "test accuracy (95 % interval)", "by seed", "train", "parameters", "s a seed"]
    return (
        "## Accuracy on real drawings alone\n\nThe 11 mammals, 254 training, 84 validation and 84 "
        "test drawings a class, arm `real`; each recipe as it is. Train accuracy is that of the "
        f"final weights on the training drawings.\n\n{table(head, rows)}"
    )


def classifier(result: dict[str, Any]) -> str:
    """Training speed of the classifier."""
    rows = [
        [
            label,
            spread(result["seconds"][key]),
            f"{result['images_per_second'][key]:,}",
            f"{result['mean_test_accuracy'][key]:.4f}",
        ]
        for label, key in (("plain Keras `fit`, float32", "keras_float32"), ("ours", "augstudy"))
    ]
    head = ["training `report_best`", "seconds, median", "images/s", "mean test accuracy"]
    return (
        f"## Training a classifier\n\nFull recipe length, in turns, seed by seed; ours computes in "
        f"`{result['precision']}`. Ratio of medians: **{result['speed_ratio_of_medians']} times** "
        f"as fast; difference in mean accuracy {100 * result['accuracy_difference']:+.2f} points."
        f"\n\n{table(head, rows)}"
    )


def gan(result: dict[str, Any]) -> str:
    """Training speed of the GANs."""
    report, compact = result["report"], result["compact"]
    rows: list[list[object]] = [
        ["`report`, its own loop", report["batch_size"], spread(report["naive_steps_s"])],
        ["`report`, ours", report["batch_size"], spread(report["ours_steps_s"])],
        ["`compact`, ours", compact["batch_size"], spread(compact["ours_steps_s"])],
    ]
    return (
        "## Training a GAN\n\nA step updates both networks. The report's own loop is one `predict` "
        "and three `train_on_batch` a step, in float32; ours is one `fit`, in "
        f"`{report['precision']}`: **{report['speedup']} times** as fast (ratio of medians, in "
        f"turns).\n\n{table(['training', 'batch', 'steps/s, median'], rows)}"
    )


def ingest(result: dict[str, Any]) -> str:
    """Bytes and requests of ingest."""
    names = (("ranged", "ingest"), ("cached", "the same again"), ("whole_files", "whole files"))
    rows = [
        [
            label,
            result[key]["mib"]["median"],
            result[key]["requests"]["median"],
            spread(result[key]["seconds"]),
        ]
        for key, label in names
    ]
    head = ["what", "MiB received", "requests", "seconds, median"]
    return (
        f"## Ingest from Cloud Storage\n\n{result['classes']} classes of "
        f"{result['drawings_per_class_in_source']:,} drawings, of which "
        f"{result['drawings_per_class_needed']:,} a class are needed ({result['needed_mib']} MiB), "
        f"from a server on loopback that answers after {result['server_delay_s']} s. Its bandwidth "
        f"is unlimited, so the bytes tell more than the seconds.\n\n{table(head, rows)}"
    )


SECTIONS = {"accuracy": accuracy, "classifier": classifier, "gan": gan, "ingest": ingest}


def page() -> str:
    """The whole page."""
    parts = [HEADER.strip()]
    for name, section in SECTIONS.items():
        if not (RESULTS / f"{name}.json").exists():
            continue
        result = json.loads((RESULTS / f"{name}.json").read_text())
        command = result.get("command", f"python benchmarks/{name}.py")
        parts.append(f"{section(result)}\n\n{machine(result)} Again: `{command}`.")
    return "\n\n".join(parts) + "\n"


GENERATORS_HEADER = """# Generators

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


def generators_page(result: dict[str, Any]) -> str:
    """The page of the ladder."""
    parts = [GENERATORS_HEADER.strip()]
    for name, recipes in result["sets"].items():
        picture = f"![Real and generated drawings](images/generators-{name}.png)"
        head = ["recipe", *(title for title, _ in COLUMNS.values())]
        head += ["steps", "CPU s", "steps/s", "seeds", "verdicts"]
        rows = [_generator_row(recipe, record) for recipe, record in recipes.items()]
        parts.append(f"## {SETS[name]}\n\n{table(head, rows)}\n\n{picture}")
    parts.append(
        "Means over seeds, lowest and highest behind; seconds and steps a second are medians. "
        f"{machine(result)} Again: `{result['command']}`."
    )
    return "\n\n".join(parts) + "\n"


def _generator_row(recipe: str, record: dict[str, Any]) -> list[object]:
    cells: list[object] = [f"`{recipe}`"]
    for key, (_, digits) in COLUMNS.items():
        found = record["metrics"].get(key)
        low_high = f" ({found['low']:.{digits}f} to {found['high']:.{digits}f})" if found else ""
        cells.append(f"{found['mean']:.{digits}f}{low_high}" if found else "")
    steps = ", ".join(f"{value:,}" for value in sorted(set(record["steps"])))
    verdicts = ", ".join(sorted(set(record["verdict"])))
    cells += [steps, f"{record['cpu_s']:,.0f}", record["steps_s"], record["seeds"], verdicts]
    return cells


if __name__ == "__main__":
    TARGET.write_text(page())
    print(f"Wrote {TARGET.relative_to(ROOT)}.")
    measured = RESULTS / "generators.json"
    if measured.exists():
        GENERATORS.write_text(generators_page(json.loads(measured.read_text())))
        print(f"Wrote {GENERATORS.relative_to(ROOT)}.")
