"""What ``augstudy doctor`` looks at; each check yields findings and changes nothing."""

from dataclasses import dataclass

from augstudy.cluster.kube import Cluster


@dataclass(frozen=True)
class Place:
    """Where runs would go."""

    cluster: Cluster
    namespace: str
    service_account: str
    kfp_namespace: str = "kubeflow"
    context: str = ""

    @property
    def kubectl(self) -> str:
        """Start of a command that mends something in the namespace."""
        context = f" --context {self.context}" if self.context else ""
        return f"kubectl{context} --namespace {self.namespace}"

    @property
    def helm(self) -> str:
        """The command that installs the chart there."""
        context = f" --kube-context {self.context}" if self.context else ""
        chart = "helm upgrade --install augstudy charts/augstudy"
        return f"{chart}{context} --namespace {self.namespace}"
