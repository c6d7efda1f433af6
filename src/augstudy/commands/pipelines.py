"""Commands on whole pipelines: run one here, list the runs, compile for a cluster."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from augstudy.commands import caches, options, remote
from augstudy.errors import InputError

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
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Take over what earlier runs made alike.")
    ] = True,
) -> None:
    """Run a pipeline on this machine; no cluster, no account.

    Makes the next folder in runs/ with report.html, the log, the artifacts, the settings and the
    time each step took. Parameters come from the pipeline's defaults, then the preset, then the
    options, then --set. A run that was cut short is started again with the same words: what it
    had finished is taken from the cache (see 'augstudy cache').

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
        cache=caches.folder(runs_dir) if cache else None,
    )
    results.show(console, result)


def runs(
    runs_dir: options.RunsDir = _RUNS,
    csv: Annotated[Path | None, typer.Option(help="Also write the table as CSV here.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write it as an HTML page here.")] = None,
    png: Annotated[
        Path | None, typer.Option(help="With --cluster: also draw accuracy by level here.")
    ] = None,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Runs of the cluster that the settings name.")
    ] = False,
    host: options.Host = None,
    namespace: options.Namespace = None,
    token: options.Token = None,
    pipeline_root: options.Root = None,
    experiment: Annotated[
        str, typer.Option(help="With --cluster: only runs of this experiment.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="With --cluster: at most so many.")] = 100,
) -> None:
    """List all runs, newest first: what they were asked and what they found.

    Those of this machine; with --host or --cluster those of a cluster, and accuracy by level where
    a study ran at several levels.

    For example:

    augstudy runs --csv overview.csv

    augstudy runs --host http://localhost:8080 --experiment levels --html levels.html
    """
    if host or cluster:
        server = remote.connect(host, namespace, token, pipeline_root)
        remote.show_runs(server, experiment, limit, csv, html, png)
        return
    if png is not None:
        raise InputError("--png draws the runs of a cluster: add --cluster or --host.")
    from augstudy.local.runfolder import settle
    from augstudy.report import overview

    if not runs_dir.is_dir():
        raise InputError(f"There is no folder {runs_dir}: run a study first, with 'augstudy run'.")
    settle(runs_dir)
    rows = overview.collect(runs_dir)
    if csv is not None:
        overview.write_csv(rows, csv)
    if html is not None:
        overview.write_html(rows, html)
    remote.wide_console().print(overview.render_table(rows))


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
    options.add(app, "runs", runs, panel)
    options.add(app, "compile", compile_, panel)
