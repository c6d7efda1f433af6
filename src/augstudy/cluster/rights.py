"""What the service account of a run must be allowed to do, and why."""

from dataclasses import dataclass

from augstudy.cluster.launcher import CONFIG_MAP


@dataclass(frozen=True)
class Right:
    """One request that a run's pods make to the Kubernetes API."""

    verb: str
    resource: str
    why: str
    group: str = ""
    name: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.verb, self.resource, self.name) if part)

    def attributes(self, namespace: str) -> dict[str, str]:
        """The request as an access review describes it."""
        return {
            "namespace": namespace,
            "verb": self.verb,
            "group": self.group,
            "resource": self.resource,
            "name": self.name,
        }


def needed(secret: str) -> list[Right]:
    """The rights of a run whose store's credentials are in `secret` (empty: in no secret)."""
    results = "workflowtaskresults"
    return [
        Right("get", "configmaps", "to find the object store", name=CONFIG_MAP),
        *([Right("get", "secrets", "for the store's credentials", name=secret)] if secret else []),
        Right("get", "pods", "to record which pod did what"),
        Right("create", results, "so that Argo learns the outputs", group="argoproj.io"),
        Right("patch", results, "so that Argo learns the outputs", group="argoproj.io"),
    ]
