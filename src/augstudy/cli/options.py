"""Options that several commands share."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel

Pipeline = Annotated[
    str, typer.Argument(help="Name of a pipeline in pipelines/, or a Python file.")
]
Preset = Annotated[
    str, typer.Option(help="Named set of parameters (pipelines/presets), or a YAML file.")
]
Source = Annotated[str | None, typer.Option(help="sample, or a gs://, s3:// or file:// folder.")]
Synthetic = Annotated[
    str | None,
    typer.Option(
        help="Sets of synthetic images: folders or other sources, and recipes of generators, such "
        "as 'sd=../sd15 gan=compact'."
    ),
]
Arms = Annotated[str | None, typer.Option(help="For example real,classic,replace:0.3,add:1.")]
Seeds = Annotated[
    str | None,
    typer.Option(
        help="Repetitions: 0,1,2 or 0-9; or auto, which adds seeds until every synthetic arm has "
        "its verdict, up to 12 or as in auto:20."
    ),
]
Out = Annotated[Path, typer.Option("--out", help="Folder to write; it is replaced if it exists.")]
Dataset = Annotated[Path, typer.Option(help="Dataset folder, made by 'augstudy ingest'.")]
Settings = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a setting; can be repeated. a.b=1 sets b inside a.",
    ),
]
RunsDir = Annotated[
    Path, typer.Option("--runs-dir", help="Folder that holds the runs.", envvar="AUGSTUDY_RUNS")
]


Host = Annotated[
    str | None,
    typer.Option(help="Address of KFP, such as http://localhost:8080 (or AUGSTUDY_KFP_HOST)."),
]
Namespace = Annotated[
    str | None, typer.Option(help="Namespace of the runs (or AUGSTUDY_KFP_NAMESPACE).")
]
Token = Annotated[
    str | None,
    typer.Option(
        help="Token, or adc for Google's default credentials. Other users of this machine can see "
        "it here; prefer AUGSTUDY_KFP_TOKEN."
    ),
]
Root = Annotated[
    str | None,
    typer.Option("--pipeline-root", help="Where to store artifacts, such as gs://bucket/runs."),
]
MaxHours = Annotated[
    float | None,
    typer.Option(
        min=0, help="With --seeds auto: begin no round of seeds that would end later than this."
    ),
]
Context = Annotated[str, typer.Option(help="Context in the kubeconfig (default: the current one).")]
Cluster = Annotated[
    bool, typer.Option("--cluster", help="Use the runs of the cluster that the settings name.")
]
Experiment = Annotated[str, typer.Option(help="With --cluster: only runs of this experiment.")]


def setting(model: type[BaseModel], field: str, *names: str) -> Any:
    """A Typer option that explains itself with the description of a field of a settings model."""
    return typer.Option(*names, help=(model.model_fields[field].description or field).capitalize())


def add(app: typer.Typer, name: str, command: Callable[..., None], panel: str) -> None:
    """Add a command whose help is its docstring, each paragraph as one line."""
    text = inspect.cleandoc(command.__doc__ or "")
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    app.command(
        name,
        help="\n\n".join(paragraphs),
        short_help=paragraphs[0],
        rich_help_panel=panel,
    )(command)


def table_of_settings(model: type[BaseModel]) -> str:
    """The settings that ``--set`` knows for `model`, for a help text."""
    return ", ".join(model.model_fields)
