"""Commands on whole pipelines: run one here, list the runs, compile for a cluster."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from augstudy.commands import options
from augstudy.errors import InputError

_PIPELINE = typer.Argument(help="Name of a pipeline in pipelines/, or a Python file.")
_RUNS = Path("runs")


def run(
    pipeline: Annotated[str, _PIPELINE] = "augmentation_study",
    preset: Annotated[
        str, typer.Option(help="Named set of parameters (pipelines/presets), or a YAML file.")
    ] = "",
    source: Annotated[
        str | None, typer.Option(help="sample, or a gs://, s3:// or file:// folder.")
    ] = None,
    level: Annotated[int | None, typer.Option(help="Real training images a class.")] = None,
    arms: Annotated[
        str | None, typer.Option(help="For example real,classic,replace:0.3,add:1.")
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Repetitions: 0,1,2 or 0-9.")] = None,
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
    from augstudy.local import catalog, parameters, runner

    known = catalog.parameters(catalog.load(pipeline))
    given: dict[str, Any] = {"source": source, "level": level}
    given["arms"] = parameters.parse_arms(arms) if arms is not None else None
    given["seeds"] = parameters.parse_integers(seeds, "--seeds") if seeds is not None else None
    chosen = catalog.load_preset(preset) if preset else {}
    layers = [
        chosen,
        {name: value for name, value in given.items() if value is not None},
        parameters.parse_assignments(settings),
    ]
    values = parameters.resolve(Path(pipeline).stem, known, layers)
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
        preset=Path(preset).stem,
        threads=threads,
    )
    results.show(console, result)


def runs(
    runs_dir: options.RunsDir = _RUNS,
    csv: Annotated[Path | None, typer.Option(help="Also write the table as CSV here.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write it as an HTML page here.")] = None,
) -> None:
    """List all runs, newest first: what they were asked and what they found.

    Example: augstudy runs --csv overview.csv
    """
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
    console = Console()
    # A pipe has no width: cut nothing.
    wide = console if console.is_terminal else Console(width=240)
    wide.print(overview.render_table(rows))


def compile_(
    pipeline: Annotated[str, _PIPELINE] = "augmentation_study",
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
