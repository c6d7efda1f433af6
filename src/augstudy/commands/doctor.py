"""The command that says what is missing before a submit."""

import os
from collections import Counter
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from augstudy.commands import options

_STYLES = {"ok": "green", "warning": "yellow", "wrong": "bold red"}


def doctor(
    context: Annotated[
        str, typer.Option(help="Context of the kubeconfig (default: the current one).")
    ] = "",
    namespace: Annotated[
        str, typer.Option(help="Namespace of the runs.", envvar="AUGSTUDY_KFP_NAMESPACE")
    ] = "kubeflow",
    host: Annotated[
        str, typer.Option(help="Address of Kubeflow Pipelines.", envvar="AUGSTUDY_KFP_HOST")
    ] = "",
    token: Annotated[
        str,
        typer.Option(
            help="Token for Kubeflow Pipelines.", envvar="AUGSTUDY_KFP_TOKEN", show_envvar=True
        ),
    ] = "",
    service_account: Annotated[
        str, typer.Option(help="Account of the runs.", envvar="AUGSTUDY_SERVICE_ACCOUNT")
    ] = "augstudy",
    kfp_namespace: Annotated[
        str, typer.Option(help="Namespace of KFP's own servers.")
    ] = "kubeflow",
) -> None:
    """Say what is missing before a submit, and the command that mends it.

    Looks at Kubeflow Pipelines and, through the kubeconfig, at the cluster: the namespace, the
    service account and its rights, the object store's configuration, network policies, GPUs and
    the images. Changes nothing. The exit code is 3 if a run would fail.

    Example: augstudy doctor --context kind-augstudy --host http://localhost:8080
    """
    from augstudy.cluster import doctor as doctors
    from augstudy.cluster.checks import Place
    from augstudy.cluster.kube import Cluster
    from augstudy.cluster.settings import load

    settings = load()
    patient = doctors.Patient(
        Place(Cluster(context), namespace, service_account, kfp_namespace, context),
        settings,
        doctors.images(settings),
        host=host.rstrip("/"),
        token=token,
        pipeline_root=os.environ.get("AUGSTUDY_PIPELINE_ROOT", ""),
    )
    console = Console(highlight=False, soft_wrap=True)
    counts: Counter[str] = Counter()
    for finding in doctors.examine(patient):
        counts[finding.state] += 1
        style = _STYLES[finding.state]
        console.print(f"[{style}]{finding.state:<8}[/] {escape(finding.what)}")
        if finding.mend:
            console.print(f"{'':<8} -> {escape(finding.mend)}", style="dim")
    console.print(f"\n{counts['wrong']} wrong, {counts['warning']} warnings, {counts['ok']} ok")
    if counts["wrong"]:
        raise typer.Exit(3)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    options.add(app, "doctor", doctor, "On a cluster")
