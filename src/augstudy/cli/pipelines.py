"""Commands for whole pipelines: run one here, compile one for a cluster."""

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from augstudy.cli import caches, options
from augstudy.core import outlets

_RUNS = Path("runs")


def run(
    pipeline: options.Pipeline = "augmentation_study",
    preset: options.Preset = "",
    source: options.Source = None,
    synthetic: options.Synthetic = None,
    level: Annotated[int | None, typer.Option(help="Real training images per class.")] = None,
    levels: Annotated[
        str, typer.Option(help="Several levels: one run each, and one page. '25,50,100'.")
    ] = "",
    arms: options.Arms = None,
    seeds: options.Seeds = None,
    max_hours: options.MaxHours = None,
    settings: options.Settings = [],  # noqa: B006
    note: Annotated[str, typer.Option(help="A note to keep with the run.")] = "",
    runs_dir: options.RunsDir = _RUNS,
    threads: Annotated[
        int,
        typer.Option(
            min=0,
            help="Processor threads; 0 means all. Cells get half of them. Results repeat bit by "
            "bit only with the same number. If AUGSTUDY_THREADS is set, all steps get that many.",
        ),
    ] = 0,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Reuse what earlier runs have made.")
    ] = True,
    track: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Send the run to an MLflow server when it is done, such as http://localhost:5000 "
            "(or AUGSTUDY_TRACK); see 'augstudy runs track'.",
        ),
    ] = "",
) -> None:
    """Run a pipeline on this machine, without a cluster or an account.

    Each run gets a new folder in runs/, with report.html, the log, the artifacts, the settings and
    the time that each step took. Parameters come from the pipeline's defaults, then the preset,
    then the options, then --set. To continue a run that was interrupted, give the same command
    again: what it had finished is taken from the cache (see 'augstudy cache').

    For example:

    augstudy run --preset quick

    augstudy run --source photos/ --synthetic "sd=sd15/ gan=compact" --level 50

    augstudy run --preset low_data --source gs://quickdraw_dataset/full/numpy_bitmap

    augstudy run --preset low_data --levels 25,50,100,254 --source file:///data/drawings

    augstudy run --source photos/ --synthetic sd15/ --seeds auto --max-hours 2

    augstudy run --preset quick --arms real,add:1 --seeds 0-4 --set classifier=baseline
    --set classifier_settings.epochs=20 --note "baseline, twenty epochs"

    augstudy run cnn_tuning --preset report_quick --source file:///data/drawings
    """
    from augstudy.cli import results
    from augstudy.local import parameters, runner
    from augstudy.local.series import Series
    from augstudy.runs import rounds

    wanted = parameters.Wanted(
        pipeline, preset, source, arms, seeds, settings=settings, synthetic=synthetic
    )
    chosen = wanted.levels(levels, level)
    asked = wanted.runs(chosen) if chosen else [wanted.values(level)]
    console = outlets.console(pipe_width=100, highlight=False)
    series = Series(chosen) if len(chosen) > 1 else None

    def once(values: Mapping[str, Any]) -> "rounds.Finished[runner.Result]":
        result = runner.run(
            pipeline,
            values,
            runs=runs_dir,
            console=console,
            note=note,
            preset=wanted.preset_name,
            threads=threads,
            cache=caches.folder(runs_dir) if cache else None,
            base=wanted.base(),
            series=series,
            checked=partial(results.announce, console, pipeline, values, runs_dir, series),
            track=track,
        )
        results.show(console, result)
        return result.finished

    for values in asked:
        result = rounds.run(values, once, lambda it: results.show_round(console, it), max_hours).run
        if series:
            series.add(result.folder)
    if series:
        results.show_series(console, series)


def compile_(
    pipeline: options.Pipeline = "augmentation_study",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write (default: NAME.yaml).")
    ] = None,
) -> None:
    """Compile a pipeline to YAML for Kubeflow Pipelines, and check it.

    The environment variable AUGSTUDY_IMAGE names the image of the steps.

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
