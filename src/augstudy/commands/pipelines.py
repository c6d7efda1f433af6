"""Commands on whole pipelines: run one here, compile one for a cluster."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from augstudy.commands import options

_RUNS = Path("runs")


def run(
    pipeline: options.Pipeline = "augmentation_study",
    preset: options.Preset = "",
    source: options.Source = None,
    level: Annotated[int | None, typer.Option(help="Real training images a class.")] = None,
    arms: options.Arms = None,
    seeds: options.Seeds = None,
    settings: options.Settings = [],  # noqa: B006
    note: Annotated[str, typer.Option(help="Kept with the run, for comparing later.")] = "",
    runs_dir: options.RunsDir = _RUNS,
    threads: Annotated[
        int, typer.Option(min=0, help="Processor threads (0: all); part of reproducibility.")
    ] = 0,
) -> None:
    """Run a pipeline on this machine; no cluster, no account.

    Makes the next folder in runs/ with report.html, the log, the artifacts, the settings and the
    time each step took. Parameters come from the pipeline's defaults, then the preset, then the
    options, then --set.

    For example:

    augstudy run --preset quick

    augstudy run --preset low_data --source gs://quickdraw_dataset/full/numpy_bitmap

    augstudy run --preset quick --arms real,add:1 --seeds 0-4 --set classifier=baseline
    --set classifier_settings.epochs=20 --note "baseline, twenty epochs"
    """
    from augstudy.commands import results
    from augstudy.local import parameters, runner

    wanted = parameters.Wanted(pipeline, preset, source, arms, seeds, settings=settings)
    values = wanted.values(level)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=100)
    results.announce(console, values)
    result = runner.run(
        pipeline,
        values,
        runs=runs_dir,
        console=console,
        note=note,
        preset=wanted.preset_name,
        threads=threads,
        base=wanted.base(),
    )
    results.show(console, result)


def compile_(
    pipeline: options.Pipeline = "augmentation_study",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write (default: NAME.yaml).")
    ] = None,
) -> None:
    """Compile a pipeline to the YAML that Kubeflow Pipelines runs, and check its references.

    The image of the steps comes from the environment variable AUGSTUDY_IMAGE.

    Example: augstudy compile augmentation_study -o build/augmentation_study.yaml
    """
    from augstudy.cluster.compile import compile_pipeline
    from augstudy.local import catalog

    target = output or Path(f"{Path(pipeline).stem}.yaml")
    compile_pipeline(catalog.load(pipeline), target)
    sys.stdout.write(f"{target}\n")


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    panel = "Whole pipelines"
    options.add(app, "run", run, panel)
    options.add(app, "compile", compile_, panel)
