"""Write the pages that are made of results files: ``make docs``.

``docs/benchmarks.md``, ``docs/generators.md`` and ``docs/statistics.md``, with its figures, are
made of ``benchmarks/results``; ``docs/results.md``, with its figures, of ``results``;
``docs/settings.md`` of the code.
"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT)]

import generators_page  # noqa: E402
import results_page  # noqa: E402
import settings_page  # noqa: E402
import statistics_figures  # noqa: E402
import statistics_page  # noqa: E402
from tables import table  # noqa: E402

from augstudy.core.machine import described  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
TARGET = ROOT / "docs" / "benchmarks.md"
GENERATORS_TARGET = ROOT / "docs" / "generators.md"
COVERAGE, REDRAWS = RESULTS / "coverage.json", RESULTS / "redraws.json"
STATISTICS_TARGET = ROOT / "docs" / "statistics.md"
STUDIES = ROOT / "results"
STUDIES_TARGET = ROOT / "docs" / "results.md"
SETTINGS_TARGET = ROOT / "docs" / "settings.md"

HEADER = """# Benchmarks

For readers who want to know how fast augstudy is, and for developers who measure it again.

`make docs` writes this page from `benchmarks/results/*.json`. Each section names the command that
measures it again, where `FOLDER` is a folder of `<class>.npy` images. Machines differ and were
shared with other work: compare figures within a table, not across machines.
"""


def machine(result: dict[str, Any]) -> str:
    """The line that says what a result was measured on."""
    software = result["software"]
    return (
        f"{described(result['hardware'])}; TensorFlow {software['tensorflow']}, "
        f"Keras {software['keras']}, Python {software['python']}."
    )


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
            recipe["processor_seconds_a_seed"],
        ]
        for name, recipe in result["recipes"].items()
    ]
    head = [
        "recipe",
        "test accuracy (95 % interval)",
        "by seed",
        "train",
        "parameters",
        "seconds per seed",
        "of the processor",
    ]
    return (
        "## Accuracy on real images alone\n\nThe 11 mammals, 254 training, 84 validation and 84 "
        "test images per class, arm `real`; each recipe as it is, on one thread. Train accuracy is "
        f"that of the final weights on the training drawings.\n\n{table(head, rows)}"
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
        f"## Training a classifier\n\nThe full recipe, both in turn, seed by seed; ours computes "
        f"in `{result['precision']}`. It is **{result['speed_ratio_of_medians']} times** as fast "
        f"(ratio of medians); mean accuracy differs by {100 * result['accuracy_difference']:+.2f} "
        "points."
        f"\n\n{table(head, rows)}"
    )


def precision(result: dict[str, Any]) -> str:
    """Which precision is faster on the machine of the benchmark."""
    rows = [
        [
            f"`{name}`",
            spread(result[name]["float32_ms"]),
            spread(result[name]["mixed_bfloat16_ms"]),
            spread(result[name]["bfloat16_over_float32"]),
        ]
        for name in ("modern", "photo", "compact")
    ]
    chosen = "mixed_bfloat16" if result["auto_is_bfloat16"] else "float32"
    return (
        "## Precision\n\nA training step on one thread, 32 x 32 images in colour, in turns. With "
        f"`precision: auto`, this machine computes in `{chosen}`.\n\n"
        f"{table(['network', 'float32, ms', 'bfloat16, ms', 'ratio'], rows)}"
    )


def ceiling(result: dict[str, Any]) -> str:
    """How near trainings come to what the machine can compute."""
    rates = [
        [name, *(spread(found[what]) for what in ("matrices", "convolutions"))]
        for name, found in result["gflops_a_second"].items()
    ]
    trainings = result["trainings"]
    kinds = list(next(iter(trainings.values()))["share_of_time"])
    rows = [
        [
            f"`{name}`",
            found["precision"],
            f"{found['gflop_a_step']:.1f}",
            spread(found["ms_a_step"]),
            f"**{found['share_of_matrices']:.0%}**",
            *(f"{found['share_of_time'][kind]:.0%}" for kind in kinds),
        ]
        for name, found in trainings.items()
    ]
    head = ["training", "precision", "GFLOP per step", "ms per step", "share of the rate", *kinds]
    return (
        "## The ceiling\n\nWhat one core of the machine computes at most, in GFLOP per second:\n\n"
        f"{table(['precision', '1024 x 1024 matrices', '3x3 convolutions'], rates)}\n\n"
        "What trainings make of it, on one thread: the operations of the convolutions and products "
        "in a step, over its time, as a share of the rate of the matrices; then where the time of "
        "a step goes. Convolutions of few channels and few pixels do not reach the rate of large "
        "matrices, and in bfloat16 they are so fast that half of a step or more goes to what moves "
        "data and computes little. Times are those of the processor.\n\n"
        f"{table(head, rows)}\n\n"
        "Batch normalisation is computed by one fused kernel. Processor time of a step with it, "
        f"over that with Keras's own, in turns: {ratios(result['fused_over_written_out'])}.\n\n"
        "The gradient of the filters of convolutions over at most 8 x 8 pixels is computed as a "
        "convolution, too. Processor time of a step with it, over that with oneDNN's kernel for "
        f"such gradients, in turns: {ratios(result['gradients_over_onednn'])}."
    )


def ratios(found: dict[str, Any]) -> str:
    """Medians of ratios, with their extremes."""
    return ", ".join(
        f"`{name}` **{it['median']}** ({it['low']} to {it['high']}, n={it['n']})"
        for name, it in found.items()
    )


def gan(result: dict[str, Any]) -> str:
    """Training speed of the GANs."""
    recipes = {name: result[name] for name in ("report", "compact")}
    rows = [
        [
            f"`{name}`",
            found["batch_size"],
            spread(found["naive_steps_s"]),
            spread(found["ours_steps_s"]),
            f"**{found['speedup']}**",
            f"{found['peak_mib']:,.0f}",
        ]
        for name, found in recipes.items()
    ]
    head = ["recipe", "batch", "the report's loop, steps/s", "ours, steps/s", "ratio of medians"]
    return (
        "## Training a GAN\n\nA step updates both networks. The student report's own loop is one "
        "`predict` and three `train_on_batch` per step, in float32. Ours is one `fit`, in "
        f"`{recipes['report']['precision']}`, and does more: averaged weights, and whatever else "
        "the recipe asks for. Both ran in turn, in one process, `compact` first. The peak of "
        "memory is that of the process before the report's loop of that recipe ran.\n\n"
        f"{table([*head, 'peak MiB'], rows)}"
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
        f"{result['drawings_per_class_in_source']:,} images, of which "
        f"{result['drawings_per_class_needed']:,} per class are needed ({result['needed_mib']} "
        f"MiB), from a server on loopback that answers after {result['server_delay_s']} s. Its "
        f"bandwidth is unlimited, so bytes say more than seconds.\n\n{table(head, rows)}"
    )


def bootstrap(result: dict[str, Any]) -> str:
    """Time and memory of the statistics."""
    names = (
        ("two_way_bootstrap", "bootstrap over seeds and images"),
        ("paired_difference", "the interval that verdicts use"),
        ("mcnemar", "McNemar's exact test, every seed"),
        ("learning_curve", "learning curve, 10 arms at 4 levels"),
    )
    rows = [
        [label, spread(result["works"][key]["seconds"]), result["works"][key]["peak_mib"]]
        for key, label in names
    ]
    return (
        f"## Statistics\n\n{result['resamples']:,} resamples over {result['seeds']} seeds x "
        f"{result['images']:,} test images; memory beyond that of the outcomes.\n\n"
        f"{table(['what', 'seconds, median', 'MiB at most'], rows)}"
    )


def tracker(result: dict[str, Any]) -> str:
    """Time to list many runs."""
    names = (
        ("command", "`augstudy runs --sort -accuracy`, start-up included"),
        ("page", "the web page's table"),
        ("page_filtered", "the same, filtered and sorted"),
    )
    rows = [[label, spread(result["seconds"][key])] for key, label in names]
    return (
        f"## Tracker\n\n{result['runs']:,} runs of two arms. Rebuilding their index took "
        f"{result['reindex_s']} s.\n\n{table(['what', 'seconds, median'], rows)}"
    )


def kills(result: dict[str, Any]) -> str:
    """What became of studies that were killed, or lost their disk."""
    signals, targets = (
        list(dict.fromkeys(name.split()[place] for name in sorted(result["kills"]["by"])))
        for place in (0, 1)
    )
    rows = [
        [f"`{name}`", *(result["kills"]["by"].get(f"{name} {target}", 0) for target in targets)]
        for name in signals
    ]
    killed, filled = result["kills"], result["fills"]
    wrong = len(killed["wrong"]) + len(filled["wrong"])
    return (
        f"## Killed studies\n\n{killed['n']} signals at random moments of {killed['studies']} "
        "smoke studies, to the run, its worker, one of its steps or the whole group of processes; "
        f"and {filled['n']} disks of 64 MiB that were full at a random moment. Each study was "
        "started again until it was through, and had to end with the results of one that was left "
        "alone, without a process or a half-written file left behind. "
        f"**{wrong or 'None'}** went wrong. It took {result['minutes']:.0f} minutes.\n\n"
        f"{table(['signal', *targets], rows)}"
    )


SECTIONS = {
    "accuracy": accuracy,
    "classifier": classifier,
    "precision": precision,
    "ceiling": ceiling,
    "gan": gan,
    "ingest": ingest,
    "bootstrap": bootstrap,
    "tracker": tracker,
    "kills": kills,
}


def page() -> str:
    """The whole page."""
    parts = [HEADER.strip()]
    for name, section in SECTIONS.items():
        if not (RESULTS / f"{name}.json").exists():
            continue
        result = json.loads((RESULTS / f"{name}.json").read_text())
        command = result.get("command", f"python benchmarks/{name}.py")
        parts.append(f"{section(result)}\n\n{machine(result)} Repeat with `{command}`.")
    return "\n\n".join(parts) + "\n"


def generators() -> str:
    """The whole page on generators; empty as long as none was measured."""
    measured = RESULTS / "generators.json"
    if not measured.exists():
        return ""
    result = json.loads(measured.read_text())
    return generators_page.page(result, machine(result))


def statistics() -> str:
    """The whole page on intervals and verdicts."""
    result, redraws = (json.loads(path.read_text()) for path in (COVERAGE, REDRAWS))
    return statistics_page.page(result, redraws, machine(result), machine(redraws))


def studies() -> str:
    """The whole page on studies; empty as long as there are no results."""
    return results_page.page(STUDIES, RESULTS) if any(STUDIES.glob("*.json")) else ""


if __name__ == "__main__":
    for target, text in ((TARGET, page()), (SETTINGS_TARGET, settings_page.page())):
        target.write_text(text)
        print(f"Wrote {target.relative_to(ROOT)}.")
    STATISTICS_TARGET.write_text(statistics())
    statistics_figures.draw(json.loads(COVERAGE.read_text()), STATISTICS_TARGET.parent / "images")
    print(f"Wrote {STATISTICS_TARGET.relative_to(ROOT)}.")
    if text := generators():
        GENERATORS_TARGET.write_text(text)
        print(f"Wrote {GENERATORS_TARGET.relative_to(ROOT)}.")
    if text := studies():
        STUDIES_TARGET.write_text(text)
        results_page.figures(STUDIES, STUDIES_TARGET.parent / "images")
        print(f"Wrote {STUDIES_TARGET.relative_to(ROOT)}.")
