"""The command that says what is missing before a submit."""

import os
from collections import Counter
from typing import Annotated

import typer
from rich.markup import escape

from augstudy.cli import options, remote
from augstudy.core import outlets

_ACCOUNT = "augstudy"  # the chart's
_STYLES = {"ok": "green", "warning": "yellow", "wrong": "bold red"}


def doctor(
    context: options.Context = "",
    host: options.Host = None,
    namespace: options.Namespace = None,
    token: options.Token = None,
    pipeline_root: options.Root = None,
    service_account: Annotated[
        str | None,
        typer.Option(help="Service account of the runs (or AUGSTUDY_SERVICE_ACCOUNT)."),
    ] = None,
    kfp_namespace: Annotated[
        str, typer.Option(help="Namespace of KFP's own servers.")
    ] = "kubeflow",
) -> None:
    """Check that a cluster is ready for runs, and show how to fix what is not.

    Checks Kubeflow Pipelines and, through the kubeconfig, the cluster: namespace, service account
    and its permissions, configuration of the object store, network policies, GPUs and images.
    Stores one small object and deletes it again; changes nothing else. The exit code is 3 if a run
    would fail.

    Example: augstudy doctor --context kind-augstudy --host http://localhost:8080
    """
    from augstudy.cluster import doctor as doctors
    from augstudy.cluster.checks import Place
    from augstudy.cluster.kube import Cluster
    from augstudy.cluster.settings import load
    from augstudy.cluster.stores import Stores

    found = remote.settings(
        host=host,
        namespace=namespace,
        token=token,
        pipeline_root=pipeline_root,
        service_account=service_account,
    )
    settings = load()
    place = Place(
        Cluster(context),
        found.namespace or kfp_namespace,
        found.service_account or _ACCOUNT,
        kfp_namespace,
        context,
    )
    console = outlets.console(highlight=False, soft_wrap=True)
    counts: Counter[str] = Counter()
    with Stores(found, context, kfp_namespace=kfp_namespace) as stores:
        patient = doctors.Patient(
            place,
            settings,
            found,
            stores,
            doctors.images(settings),
            doctors.content_tag(),
            _origin(pipeline_root),
        )
        for finding in doctors.examine(patient):
            counts[finding.state] += 1
            style = _STYLES[finding.state]
            console.print(f"[{style}]{finding.state:<8}[/] {escape(finding.what)}")
            if finding.mend:
                console.print(f"{'':<8} -> {escape(finding.mend)}", style="dim")
    console.print(
        "\n" + ", ".join(f"{counts[state]} {state}" for state in ("wrong", "warning", "ok"))
    )
    if counts["wrong"]:
        raise typer.Exit(3)


def _origin(option: str | None) -> str:
    """Who names the pipeline root, if anybody does."""
    if option:
        return "--pipeline-root"
    if os.environ.get("AUGSTUDY_PIPELINE_ROOT"):
        return "AUGSTUDY_PIPELINE_ROOT"
    return "pipeline_root in kfp.yaml"


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    options.add(app, "doctor", doctor, "On a cluster")
