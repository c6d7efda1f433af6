"""What Argo's own settings make of the retries and the time to live that pipelines ask for."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from augstudy.cluster.checks import Place
from augstudy.cluster.findings import Finding, ok, warning
from augstudy.cluster.kube import ForbiddenError
from augstudy.cluster.settings import ClusterSettings
from augstudy.core.errors import InputError
from augstudy.pages.formats import duration

CONFIG_MAP = "workflow-controller-configmap"
_ENDS = ("secondsAfterSuccess", "secondsAfterFailure", "secondsAfterCompletion")
_DAY = 86400


def controller(place: Place) -> dict[str, Any]:
    """Settings of the workflow controller by name, each as YAML says it; empty without any.

    Raises:
        InputError: one is no valid YAML.
        ForbiddenError: we may not read them.
    """
    path = f"/api/v1/namespaces/{place.kfp_namespace}/configmaps/{CONFIG_MAP}"
    data = (place.cluster.get(path) or {}).get("data") or {}
    try:
        # They are keys of the ConfigMap, or all in one key "config".
        whole = yaml.safe_load(data.get("config") or "{}")
        own = {name: yaml.safe_load(text) for name, text in data.items() if name != "config"}
    except yaml.YAMLError as error:
        raise InputError(
            f"{CONFIG_MAP} in {place.kfp_namespace} is not valid YAML: correct it."
        ) from error
    return {**(whole if isinstance(whole, dict) else {}), **own}


def defaults(place: Place, settings: ClusterSettings) -> Iterator[Finding]:
    """What becomes of retries, and how long finished runs are kept."""
    edit = f"kubectl --namespace {place.kfp_namespace} edit configmap {CONFIG_MAP}"
    try:
        found = controller(place)
    except ForbiddenError:
        yield warning(f"we may not read {CONFIG_MAP}, so Argo's defaults are not known")
        return
    spec = _inner(found, "workflowDefaults", "spec")
    yield _retries(spec, settings, edit)
    yield _kept(spec, settings)
    strategy = _inner(spec, "podGC").get("strategy")
    if strategy in ("OnPodCompletion", "OnPodSuccess"):
        yield warning(
            f"Argo deletes pods as soon as they end (podGC {strategy}), and their logs with them",
            f"{edit}, workflowDefaults: spec.podGC.strategy: OnWorkflowSuccess",
        )


def _retries(spec: Mapping[str, Any], settings: ClusterSettings, edit: str) -> Finding:
    mend = f"{edit}, workflowDefaults: spec.templateDefaults.retryStrategy.retryPolicy: OnError"
    strategy = _inner(spec, "templateDefaults", "retryStrategy")
    policy = strategy.get("retryPolicy") or "OnFailure"
    times = settings.retry.times or strategy.get("limit") or 0
    if policy == "OnError":
        return ok(
            f"Argo retries pods that are lost ({times} times), not steps that fail: faults that "
            "pass, such as a store that is busy, are retried inside the step"
        )
    if policy == "Always":
        return warning(
            "Argo retries whatever does not succeed, loops and nested pipelines too, so a step "
            "that fails runs again and again",
            mend,
        )
    return warning(f"Argo does not retry pods that are lost (retryPolicy {policy})", mend)


def _kept(spec: Mapping[str, Any], settings: ClusterSettings) -> Finding:
    own = _time(settings.ttl_s)
    strategy = _inner(spec, "ttlStrategy")
    usual = [int(strategy[name]) for name in _ENDS if str(strategy.get(name, "")).isdecimal()]
    if not usual:
        return ok(f"a finished run's workflow, pods and logs are kept {own} (ttl_s)")
    return ok(
        f"a finished run's workflow, pods and logs are kept {own} (ttl_s); those of other people's "
        f"pipelines {_time(min(usual))}, which is Argo's default here"
    )


def _time(seconds: int) -> str:
    days, rest = divmod(seconds, _DAY)
    if rest or not days:
        return duration(seconds)
    return f"{days} day{'s' if days > 1 else ''}"


def _inner(value: Any, *names: str) -> Mapping[str, Any]:
    """What lies below `names` in nested mappings; empty if something else is in the way."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}
